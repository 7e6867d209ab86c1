module Dwe.Tests.Host.Commands.FeaturesCommandTests

open System.IO
open System.Text.RegularExpressions
open System.Threading
open Dwe.Host.Commands
open Dwe.Host.Features
open Dwe.Host.Features.Text
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Host.Features
open Dwe.Tests.Prelude
open Expecto
open Spectre.Console

let private parse (options: string list) = CommandLine.Parse(Array.ofList ("features" :: options))

/// Exit code and lines of `dwe features` with these options and an encoder without weights.
let private run (options: string list) =
    let request =
        match parse options with
        | Ok(Command.Features request) -> request
        | other -> failtest $"not understood: {other}"

    let output = new StringWriter()
    let console = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput output))
    let openEncoder () = HashEncoder.quick () :> ITextEncoder
    let exitCode = FeaturesCommand.Run(console, request, openEncoder, CancellationToken.None)
    exitCode, output.ToString().TrimEnd().Split('\n') |> List.ofArray

let private refused options expected =
    match parse options with
    | Error error -> Expect.equal (UserError.message error) expected "message"
    | Ok command -> failtest $"understood as {command}"

[<Tests>]
let tests =
    testList
        "dwe features"
        [ testCase "a store is written, and what was done is said in one line"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data, store = Path.Combine(folder, "data"), Path.Combine(folder, "store")
                  FeatureJobTests.writeDataset data 40 20
                  let exitCode, lines = run [ "--data"; data; "--out"; store; "--splits"; "dev, train" ]
                  Expect.equal exitCode 0 "exit code"

                  Expect.equal
                      [ for line in lines -> Regex.Replace(line, @"in [\d.]+ s", "in 0 s") ]
                      [ $"{store}: 93 texts, of which 93 encoded in 0 s, 0 from an unfinished run, 0 used again; 2 entities without a description" ]
                      "lines"

                  use opened = FeatureStore.Open store
                  Expect.equal (List.ofSeq opened.Tables) [ "dev"; "entities"; "train" ] "tables")

          testCase "options that are wrong are refused with the way to the right ones"
          <| fun () ->
              refused [ "--out"; "x" ] "missing argument '--data'. See `dwe features --help`."

              refused
                  [ "--data"; "a"; "--out"; "b"; "--nope" ]
                  "unrecognized argument: '--nope'. See `dwe features --help`."

              refused
                  [ "--data"; "a"; "--out"; "b"; "--splits"; "dev,tset" ]
                  "command line: --splits is 'tset', expected train, dev or test, separated by commas."

              refused
                  [ "--data"; "a"; "--out"; "b"; "--encoder"; "clip" ]
                  "command line: --encoder is 'clip', expected use, or clip:FILE."

              refused
                  [ "--data"; "a"; "--out"; "b"; "--precision"; "bf16-mixed" ]
                  "--precision goes with --encoder clip:FILE only. See `dwe features --help`."

              refused
                  [ "--data"; "a"; "--out"; "b"; "--encoder"; "clip:f"; "--precision"; "half" ]
                  "command line: --precision is 'half', expected one of float32, bf16-mixed, float64."

          testCase "--help names every option, shows examples and ends well"
          <| fun () ->
              let text =
                  match parse [ "--help" ] with
                  | Ok(Command.Help text) -> text
                  | other -> failtest $"no help: {other}"

              for option in [ "--data"; "--out"; "--entity-text"; "--splits"; "--reuse"; "EXAMPLES:" ] do
                  Expect.stringContains text option option ]
