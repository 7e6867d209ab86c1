module Dwe.Tests.Host.Commands.FeaturesCommandTests

open System.IO
open System.Text.RegularExpressions
open System.Threading
open Dwe.Host.Commands
open Dwe.Host.Features
open Dwe.Host.Features.Text
open Dwe.Tests.Host.Features
open Dwe.Tests.Prelude
open Expecto
open Spectre.Console

/// Exit code and lines of `dwe features` with these options and an encoder without weights.
let private run (options: string list) =
    let output = new StringWriter()
    let console = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput output))

    let exitCode =
        FeaturesCommand.Run(
            console,
            Array.ofList options,
            (fun () -> HashEncoder.quick () :> ITextEncoder),
            CancellationToken.None
        )

    exitCode, output.ToString().TrimEnd().Split('\n') |> List.ofArray

let private refused options expected = (fun () -> run options |> ignore) |> Refusal.isSpelled expected

[<Tests>]
let tests =
    testList
        "dwe features"
        [ testCase "a store is written, and what was done is said in two lines"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data, store = Path.Combine(folder, "data"), Path.Combine(folder, "store")
                  FeatureJobTests.writeDataset data 40 20
                  let exitCode, lines = run [ "--data"; data; "--out"; store; "--splits"; "dev, train" ]
                  Expect.equal exitCode 0 "exit code"

                  Expect.equal
                      [ for line in lines -> Regex.Replace(line, @"in [\d.]+ s", "in 0 s") ]
                      [ "WikiMEL: 40 train, 10 dev; 20 entities as {property}"
                        $"{store}: 93 texts, of which 93 encoded in 0 s, 0 from an unfinished run, 0 used again; 2 entities without a description" ]
                      "lines"

                  use opened = FeatureStore.Open store
                  Expect.equal (List.ofSeq opened.Tables) [ "dev"; "entities"; "train" ] "tables")

          testCase "options that are wrong are refused with the way to the right ones"
          <| fun () ->
              refused [ "--out"; "x" ] "missing parameter '--data'. `dwe features --help` shows the options."

              refused
                  [ "--data"; "a"; "--out"; "b"; "--nope" ]
                  "unrecognized argument: '--nope'. `dwe features --help` shows the options."

          testCase "--help names every option and ends well"
          <| fun () ->
              let exitCode, lines = run [ "--help" ]
              Expect.equal exitCode 0 "exit code"

              for option in [ "--data"; "--out"; "--entity-text"; "--splits"; "--reuse" ] do
                  Expect.isTrue (lines |> List.exists (fun line -> line.TrimStart().StartsWith option)) option ]
