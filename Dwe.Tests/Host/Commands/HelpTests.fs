module Dwe.Tests.Host.Commands.HelpTests

open System
open System.IO
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

/// The program without libtorch and its bridge: what works there has loaded neither.
let private withoutLibTorch test =
    DweProcess.withBuild (fun build ->
        Directory.Delete(Path.Combine(build, "libtorch"))

        for bridge in Directory.GetFiles(build, "*LibTorchSharp*") do
            File.Delete bridge

        test build)

[<Tests>]
let tests =
    Platform.onlyOnLinux
        "help and configuration"
        [ testCase "need no libtorch, which training does"
          <| fun () ->
              withoutLibTorch (fun build ->
                  let run arguments = DweProcess.runIn build arguments []

                  for arguments in
                      [ []; [ "--help" ]; [ "train"; "--help" ]; [ "eval"; "--help" ]; [ "--version" ]; [ "config" ] ] do
                      let shown = run arguments
                      Expect.equal (shown.ExitCode, shown.Errors) (0, "") $"{arguments}"
                      Expect.isNonEmpty shown.Output $"{arguments}"

                  let settings =
                      [ "--data"; SampleRun.sample; "--features"; Path.Combine(SampleRun.sample, "features") ]

                  let out = Path.Combine(build, "run")
                  let refused = run ([ "train"; "--out"; out ] @ settings)
                  Expect.equal refused.ExitCode 2 "the exit code"
                  Expect.stringStarts refused.Errors "dwe: libtorch: " "what is wrong"
                  Expect.stringEnds refused.Errors "`dwe doctor` shows what was tried.\n" "what to do"
                  Expect.isFalse (Directory.Exists out) "nothing is left")

          testCase "what dwe config --json prints, --config takes, and it is the same configuration"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let printed arguments environment =
                      (SampleRun.succeed ([ "config"; "--json" ] @ arguments) environment).Output

                  let mine = Path.Combine(folder, "mine.json")
                  let changes = [ "--set"; "model.dropout=0.125"; "--set"; "optimizer.learning_rate=1e-4" ]
                  let first = printed ([ "--preset"; "sample" ] @ changes) []
                  Expect.stringContains first "\"dropout\": 0.125" "changed"
                  File.WriteAllText(mine, first)
                  Expect.equal (printed [ "--config"; mine ] []) first "read back"
                  Expect.equal (printed [ "--config"; mine ] [ "LC_ALL", "de_DE.UTF-8" ]) first "under a comma")

          testCase "the table names every key on a line"
          <| fun () ->
              let table = (SampleRun.succeed [ "config"; "--preset"; "sample" ] []).Output

              for key in [ "model.dropout"; "training.seed"; "features.entity_text"; "optimizer.learning_rate" ] do
                  Expect.stringContains table key "the table" ]
