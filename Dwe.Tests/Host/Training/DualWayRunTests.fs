/// Trainings of the `dwe` model on the sample, in processes of their own.
module Dwe.Tests.Host.Training.DualWayRunTests

open System
open System.Diagnostics
open System.IO
open System.Threading
open Expecto
open Dwe.Host.Training
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude

/// A small net and six epochs.
let private words out extra =
    [ "train"; "--preset"; "sample-dwe"; "--out"; out ]
    @ [ for setting in
            [ "model.hidden=32"
              "model.heads=4"
              "model.lexical_hidden=16"
              "loss.candidates=8"
              "training.epochs=6"
              "optimizer.learning_rate=3e-3" ] do
            "--set"
            setting ]
    @ extra

/// A run trained once for all tests, which only read it.
let shared =
    lazy
        (let folder = Directory.CreateTempSubdirectory("dwe-dual-").FullName
         AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(folder, true))
         let run = Path.Combine(folder, "run")
         SampleRun.succeed (words run []) [] |> ignore
         run)

let private bytes run = Folder.contents run |> List.filter (fun (name, _) -> not (name.StartsWith "events"))

let private measure (json: string) (name: string) =
    (SampleRun.json json).GetProperty("metrics").GetProperty(name).GetDouble()

let private evaluate run extra =
    let found = ref (nan, nan)

    Folder.temporary (fun folder ->
        let json = Path.Combine(folder, "result.json")
        // An evaluation is kept in its run, and the shared one is only read.
        let copied = Path.Combine(folder, "run")
        SampleRun.copy run copied
        SampleRun.succeed ([ "eval"; "--run"; copied; "--json"; json ] @ extra) [] |> ignore
        found.Value <- measure json "hits@1", measure json "mrr")

    found.Value

/// The command with a terminal of its own for all its streams, by util-linux' `script`.
let private onTerminal (arguments: string list) =
    let line =
        String.Join(
            ' ',
            [ for word in "dotnet" :: Path.Combine(DweProcess.folder, "dwe.dll") :: arguments -> $"'{word}'" ]
        )

    let start = ProcessStartInfo("script", [ "-qec"; line; "/dev/null" ], RedirectStandardOutput = true)

    match Process.Start start with
    | null -> invalidOp "script did not start"
    | opened ->
        use started = opened
        let output = started.StandardOutput.ReadToEnd()
        started.WaitForExit()
        started.ExitCode, output

[<Tests>]
let tests =
    Platform.onlyOnUnix
        "a run of the dwe model"
        [ testCase "ranks among all entities while it trains, on a terminal too, where a bar is shown already"
          <| fun () ->
              if not (File.Exists "/usr/bin/script") then
                  skiptest "no script(1) here"

              Folder.temporary (fun folder ->
                  let full = [ "--set"; "training.protocol=full-kb"; "--set"; "training.epochs=1" ]
                  let exitCode, output = onTerminal (words (Path.Combine(folder, "run")) full)
                  Expect.equal exitCode 0 output)

          testCase
              "that was killed after its first checkpoint is bit-equal to one never stopped, with what it remembers of training"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = Path.Combine(folder, "run")
                  let last = Path.Combine(run, "checkpoints", "last")
                  use started = DweProcess.start DweProcess.folder (words run []) []

                  while not (Directory.Exists last) && not started.HasExited do
                      Thread.Sleep 1

                  started.Kill()
                  DweProcess.finish started |> ignore
                  SampleRun.succeed [ "train"; "--out"; run; "--resume" ] [] |> ignore
                  Expect.equal (bytes run) (bytes shared.Value) "byte for byte"
                  Expect.contains (bytes run |> List.map fst) "memory.jsonl" "the memory is part of the run")

          testCase "evaluates as it did at its end"
          <| fun () ->
              let trained = Path.Combine(shared.Value, "results", "dev-strict.json")
              let expected = measure trained "hits@1", measure trained "mrr"
              Expect.equal (evaluate shared.Value []) expected "the best checkpoint"

          testCase "remembers every training mention with a gold in the knowledge base, and reads back what it wrote"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use data = RunData.Open(SampleRun.sample, Path.Combine(SampleRun.sample, "features"))
                  let copy = Path.Combine(folder, "memory.jsonl")
                  let kept = Path.Combine(shared.Value, "memory.jsonl")
                  (LexicalMemory.Of data).Write copy
                  Expect.equal (File.ReadAllText copy) (File.ReadAllText kept) "the training split"
                  (LexicalMemory.Read kept).Write copy
                  Expect.equal (File.ReadAllText copy) (File.ReadAllText kept) "read and written again"
                  let golds = data.Golds "train" |> Array.filter (fun gold -> gold >= 0)
                  Expect.equal (File.ReadAllLines copy).Length golds.Length "one line each")

          testCase
              "ranks golds under every protocol; with gold beside the candidates no worse than with those found only"
          <| fun () ->
              let strict, _ = evaluate shared.Value []
              let legacy, _ = evaluate shared.Value [ "--protocol"; "legacy" ]
              let everything, _ = evaluate shared.Value [ "--protocol"; "full-kb" ]
              Expect.isGreaterThanOrEqual legacy strict "the gold is never missed"
              Expect.isLessThanOrEqual everything legacy "more rivals"

          testCase "does better than the order of its candidates"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let json = Path.Combine(folder, "result.json")

                  let baseline =
                      [ "eval"; "--baseline"; "candidate-order"; "--data"; SampleRun.sample; "--json"; json ]

                  SampleRun.succeed baseline [] |> ignore
                  Expect.isGreaterThan (fst (evaluate shared.Value [])) (measure json "hits@1") "hits@1")

          testCase "is refused without the memory, by name"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = Path.Combine(folder, "run")
                  SampleRun.copy shared.Value run
                  File.Delete(Path.Combine(run, "memory.jsonl"))
                  let refused = DweProcess.run [ "eval"; "--run"; run ] []
                  Expect.equal refused.ExitCode 2 "the exit code"

                  Expect.equal
                      refused.Errors
                      $"dwe: {run}/memory.jsonl: not found; expected what the run's lexical unit remembers of training. Bring the run's whole folder, or train it again.\n"
                      "what to do") ]
