/// Experiments of several small trainings on the sample, in processes of their own.
module Dwe.Tests.Host.Commands.AblateCommandTests

open System
open System.IO
open System.Text.Json
open System.Threading
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

/// A tiny net, two epochs.
let private tiny =
    """ "model.hidden": 16, "model.heads": 2, "model.lexical_hidden": 8, "loss.candidates": 4, "training.epochs": 2, "optimizer.learning_rate": 3e-3 """

let private grid =
    $$$"""{"preset": "sample-dwe", "base": { {{{tiny}}} }, "variants": {"whole": {}, "without memory": {"model.lexical_memory": false} } }"""

let private write folder name (text: string) =
    let path = Path.Combine(folder, name)
    File.WriteAllText(path, text)
    path

let private runs =
    [ for variant in [ "whole"; "without-memory" ] do
          for seed in [ 1; 2 ] -> Path.Combine(variant, $"seed-{seed}") ]

let private weights out run = Path.Combine(out, run, "checkpoints", "last", "weights.safetensors")
let private isFinished out run = File.Exists(Path.Combine(out, run, "results", "dev-strict.json"))

let private ablate grid out = [ "ablate"; "--grid"; grid; "--out"; out; "--seeds"; "1,2" ]

let private started (errors: string) =
    [ for line in errors.Split '\n' do
          if line.StartsWith "run " then
              line ]

/// Starts a command and kills it, as `kill -9` does, at the moment.
let private killAt (moment: unit -> bool) words =
    use running = DweProcess.start DweProcess.folder words []

    while not (moment ()) && not running.HasExited do
        Thread.Sleep 1

    Expect.isFalse running.HasExited "still running"
    running.Kill()
    DweProcess.finish running |> ignore

/// An ablation done once for all tests, which only read it: its folder, its grid, and what was printed.
let private shared =
    lazy
        (let folder = Directory.CreateTempSubdirectory("dwe-ablate-").FullName
         AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(folder, true))
         let grid, out = write folder "grid.json" grid, Path.Combine(folder, "out")
         out, grid, SampleRun.succeed (ablate grid out) [])

let private metric (name: string) path = (SampleRun.json path).GetProperty("metrics").GetProperty(name).GetDouble()

[<Tests>]
let ablating =
    Platform.onlyOnUnix
        "dwe ablate"
        [ testCase "trains every variant with every seed, and compares their means with the first"
          <| fun () ->
              let out, _, printed = shared.Value

              let hits variant =
                  [ for seed in [ 1; 2 ] ->
                        metric "hits@1" (Path.Combine(out, variant, $"seed-{seed}", "results", "dev-strict.json")) ]

              let found = SampleRun.json (Path.Combine(out, "ablation.json"))

              let variants =
                  [ for variant in found.GetProperty("variants").EnumerateArray() ->
                        string (variant.GetProperty("name").GetString()), variant ]

              Expect.equal (List.map fst variants) [ "whole"; "without memory" ] "variants"

              for (_, variant), folder in List.zip variants [ "whole"; "without-memory" ] do
                  let spread = variant.GetProperty("hits@1")
                  let mean = List.average (hits folder)
                  Expect.floatClose Accuracy.high (spread.GetProperty("mean").GetDouble()) mean "mean"

                  // Of two values a and b, the sample standard deviation is |a - b| / sqrt 2.
                  let deviation = abs (hits folder |> List.reduce (-)) / sqrt 2.0
                  Expect.floatClose Accuracy.high (spread.GetProperty("deviation").GetDouble()) deviation "deviation"

              let difference = (snd variants[1]).GetProperty("difference").GetProperty("mean").GetDouble()

              Expect.floatClose
                  Accuracy.high
                  difference
                  (List.average (hits "without-memory") - List.average (hits "whole"))
                  "difference of the means"

              Expect.equal
                  ((snd variants[0]).GetProperty("difference").ValueKind)
                  JsonValueKind.Null
                  "the first has none"

              let markdown = File.ReadAllText(Path.Combine(out, "ablation.md"))
              Expect.stringStarts markdown "| variant | hits@1 | mrr | difference | 95 % | p |\n" "the table"
              Expect.stringContains printed.Output "without memory" "printed"

          testCase "a variant without memory remembers nothing of training, and is another model"
          <| fun () ->
              let out, _, _ = shared.Value
              let memory variant = FileInfo(Path.Combine(out, variant, "seed-1", "memory.jsonl")).Length
              Expect.equal (memory "without-memory") 0L "nothing"
              Expect.isGreaterThan (memory "whole") 1000L "720 mentions"

              Expect.notEqual
                  (File.ReadAllBytes(weights out runs[0]))
                  (File.ReadAllBytes(weights out runs[2]))
                  "weights"

          testCase
              "that was killed trains nothing finished again, goes on with what was begun, and ends with the same bytes"
          <| fun () ->
              let calm, grid, _ = shared.Value

              Folder.temporary (fun folder ->
                  let out = Path.Combine(folder, "out")
                  // In the middle of the third run: two are finished.
                  killAt
                      (fun () -> Directory.Exists(Path.Combine(out, runs[2], "checkpoints", "last")))
                      (ablate grid out)

                  Expect.equal
                      [ for run in runs -> isFinished out run ]
                      [ true; true; false; false ]
                      "two are finished"

                  let times () = [ for run in runs[..1] -> File.GetLastWriteTimeUtc(weights out run) ]
                  let before = times ()
                  let ended = SampleRun.succeed (ablate grid out) []

                  Expect.equal
                      (started ended.Errors |> List.truncate 3)
                      [ "run 1 of 4: whole, seed 1, finished before"
                        "run 2 of 4: whole, seed 2, finished before"
                        "run 3 of 4: without memory, seed 1, goes on" ]
                      "what is done"

                  Expect.equal (times ()) before "nothing finished was written again"

                  for name in [ "ablation.json"; "ablation.md" ] do
                      Expect.equal
                          (File.ReadAllText(Path.Combine(out, name)))
                          (File.ReadAllText(Path.Combine(calm, name)))
                          name)

          testCase "refuses by name a folder with a run of another configuration, before anything is trained"
          <| fun () ->
              let out, _, _ = shared.Value

              Folder.temporary (fun folder ->
                  let other =
                      write folder "other.json" (grid.Replace("\"training.epochs\": 2", "\"training.epochs\": 3"))

                  let refused = DweProcess.run (ablate other out) []
                  Expect.equal refused.ExitCode 2 "the exit code"

                  Expect.equal
                      refused.Errors
                      $"dwe: {out}/whole/seed-1: a run with training.epochs 2, expected 3 as 'whole, seed 1' has it. Name another folder with --out, or remove this run.\n"
                      "the message")

          testCase "refuses other candidates than those of its finished runs"
          <| fun () ->
              let out, grid, _ = shared.Value
              let lists = Path.Combine(SampleRun.sample, "search_top100.json")
              let refused = DweProcess.run (ablate grid out @ [ "--candidates"; lists ]) []
              Expect.equal refused.ExitCode 2 "the exit code"

              Expect.equal
                  refused.Errors
                  $"dwe: {out}/whole/seed-1: other candidate lists, expected those that were named now. Name another folder with --out, or remove this run.\n"
                  "the message"

          testCase "an unknown key leaves nothing behind"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let out = Path.Combine(folder, "out")
                  let wrong = write folder "wrong.json" (grid.Replace("lexical_memory", "lexical_memry"))
                  let refused = DweProcess.run (ablate wrong out) []
                  Expect.equal refused.ExitCode 2 "the exit code"

                  Expect.stringContains
                      refused.Errors
                      "did you mean model.lexical_memory or model.lexical_unit?"
                      "the nearest"

                  Expect.isFalse (Directory.Exists out) "nothing") ]

[<Tests>]
let sweeping =
    testList
        "dwe sweep"
        [ testCase "ranks its trials by what they reach on dev; the best configuration is one that dwe train takes"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let space =
                      write
                          folder
                          "space.json"
                          $$$"""{"preset": "sample-dwe", "base": { {{{tiny}}} }, "method": "grid", "space": {"optimizer.learning_rate": [0, 1e-2]}}"""

                  let out = Path.Combine(folder, "out")
                  let sweep = [ "sweep"; "--space"; space; "--out"; out ]
                  SampleRun.succeed sweep [] |> ignore

                  let trials =
                      [ for trial in
                            (SampleRun.json (Path.Combine(out, "sweep.json"))).GetProperty("trials").EnumerateArray() ->
                            string (trial.GetProperty("name").GetString()),
                            trial.GetProperty("metrics").GetProperty("hits@1").GetDouble() ]

                  // What learns nothing cannot win.
                  Expect.equal (List.map fst trials) [ "trial-0002"; "trial-0001" ] "the order"
                  Expect.isGreaterThan (snd trials[0]) (snd trials[1]) "by hits@1"
                  let again = SampleRun.succeed sweep []

                  Expect.all
                      (started again.Errors)
                      (fun line -> line.EndsWith ", finished before")
                      "nothing trained twice"

                  let best = Path.Combine(out, "best.json")
                  let run = Path.Combine(folder, "run")
                  let features = Path.Combine(SampleRun.sample, "features")

                  SampleRun.succeed
                      [ "train"; "--config"; best; "--data"; SampleRun.sample; "--features"; features; "--out"; run ]
                      []
                  |> ignore

                  Expect.equal
                      (metric "mrr" (Path.Combine(run, "results", "dev-strict.json")))
                      (metric "mrr" (Path.Combine(out, "trial-0002", "results", "dev-strict.json")))
                      "the same again") ]

[<Tests>]
let replicating =
    testList
        "dwe train of several runs"
        [ testCase "--seeds gives a run for each and their mean"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let out = Path.Combine(folder, "out")
                  let words = SampleRun.words out [ "--seeds"; "3,4" ]
                  SampleRun.succeed words [] |> ignore
                  let result seed = metric "mrr" (Path.Combine(out, $"seed-{seed}", "results", "dev-strict.json"))
                  Expect.notEqual (result 3) (result 4) "two runs"
                  let found = SampleRun.json (Path.Combine(out, "seeds.json"))

                  Expect.floatClose
                      Accuracy.high
                      (found.GetProperty("measures").GetProperty("mrr").GetProperty("mean").GetDouble())
                      ((result 3 + result 4) / 2.0)
                      "mean"

                  let again = SampleRun.succeed words []

                  Expect.equal
                      (started again.Errors)
                      [ "run 1 of 2: seed 3, finished before"; "run 2 of 2: seed 4, finished before" ]
                      "nothing trained twice")

          testCase "--folds evaluates every train mention once, by a model that has not seen its sentence"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let out = Path.Combine(folder, "out")

                  SampleRun.succeed
                      ([ "train"; "--preset"; "sample-dwe"; "--out"; out; "--folds"; "2" ]
                       @ [ for setting in
                               [ "model.hidden=16"
                                 "model.heads=2"
                                 "model.lexical_hidden=8"
                                 "loss.candidates=4"
                                 "training.epochs=2" ] do
                               "--set"
                               setting ])
                      []
                  |> ignore

                  let keys (path: string) =
                      [ for key in (SampleRun.json path).GetProperty("ranks").EnumerateObject() -> key.Name ]

                  let evaluated =
                      [ for fold in [ 1; 2 ] -> keys (Path.Combine(out, $"fold-{fold}", "results", "dev-strict.json")) ]

                  let train =
                      [ for record in (SampleRun.json (Path.Combine(SampleRun.sample, "train.json"))).EnumerateObject() ->
                            record.Name ]

                  Expect.equal (List.sort (List.concat evaluated)) (List.sort train) "each once"

                  let remembered fold =
                      [ for line in File.ReadAllLines(Path.Combine(out, $"fold-{fold}", "memory.jsonl")) ->
                            string (JsonDocument.Parse(line).RootElement.GetProperty("key").GetString()) ]

                  Expect.equal (List.sort (remembered 1)) (List.sort evaluated[1]) "fold 1 knows the other part"
                  Expect.equal (List.sort (remembered 2)) (List.sort evaluated[0]) "fold 2 as well"
                  let found = SampleRun.json (Path.Combine(out, "folds.json"))

                  Expect.equal
                      [ for run in found.GetProperty("runs").EnumerateArray() -> run.GetProperty("mentions").GetInt32() ]
                      [ for own in evaluated -> own.Length ]
                      "mentions")

          testCase "what does not go together is refused"
          <| fun () ->
              for words, expected in
                  [ [ "--seeds"; "1,2"; "--folds"; "3" ],
                    "train takes --seeds or --folds, not both. See `dwe train --help`."
                    [ "--seeds"; "1,2"; "--resume" ],
                    "--seeds goes on by itself. Give the same command again, without --resume."
                    [ "--folds"; "1" ], "command line: --folds is '1', expected a whole number from 2 to 1000."
                    [ "--seeds"; "1,1" ],
                    "command line: --seeds is '1,1', expected different whole numbers of at least 0, separated by commas."
                    [ "--seeds"; "1;2" ],
                    "command line: --seeds is '1;2', expected different whole numbers of at least 0, separated by commas." ] do
                  let refused = DweProcess.run ([ "train"; "--preset"; "sample"; "--out"; "never" ] @ words) []
                  Expect.equal (refused.ExitCode, refused.Errors) (2, $"dwe: {expected}\n") "refused" ]
