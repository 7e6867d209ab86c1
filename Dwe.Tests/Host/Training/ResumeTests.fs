module Dwe.Tests.Host.Training.ResumeTests

open System
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open System.Threading
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude

[<DllImport("libc", EntryPoint = "kill")>]
extern int private sendSignal(int processId, int signal)

let private interrupt = 2

/// Everything a run leaves but its TensorBoard events, which bear times.
let private bytes run = Folder.contents run |> List.filter (fun (name, _) -> not (name.StartsWith "events"))

let private lines run =
    let path = Path.Combine(run, "history.jsonl")

    try
        // Shared: the run is writing it.
        use stream =
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite ||| FileShare.Delete)

        use reader = new StreamReader(stream)
        (reader.ReadToEnd()).Split('\n').Length - 1
    with
    // Not begun yet, or between two names while a resumed run cuts it.
    | :? FileNotFoundException
    | :? DirectoryNotFoundException -> 0

let private hasManifest run = File.Exists(Path.Combine(run, "manifest.json"))
let private hasCheckpoint run = Directory.Exists(Path.Combine(run, "checkpoints", "last"))

/// An unfinished checkpoint is there.
let private isSaving name run =
    let folder = Path.Combine(run, "checkpoints")

    Directory.Exists folder
    && Directory.EnumerateFileSystemEntries(folder, $".{name}.*.partial") |> Seq.isEmpty |> not

/// Starts a command and waits for the moment, or for its end.
let private until (moment: unit -> bool) arguments =
    let started = DweProcess.start DweProcess.folder arguments []

    while not (moment ()) && not started.HasExited do
        Thread.Sleep 1

    started

let private resume run = [ "train"; "--out"; run; "--resume" ]

/// The words that begin a run, or go on with it where it can be.
let private goOn run begin' = if hasCheckpoint run then resume run else begin'

/// Begins a run or goes on with it and kills it at the moment, as `kill -9` does. False when it ended before that.
let private killAt moment run begin' =
    use started = until moment (goOn run begin')
    started.Kill()
    let ended = DweProcess.finish started
    Expect.isTrue (ended.ExitCode = 137 || ended.ExitCode = 0) ended.Errors
    ended.ExitCode = 137

/// A run that is never stopped, and the same one treated by `disturb`: byte for byte the same in the end.
let private isBitEqual extra disturb =
    Folder.temporary (fun folder ->
        // The same name in two folders: results bear it.
        let calm, disturbed = Path.Combine(folder, "calm", "run"), Path.Combine(folder, "disturbed", "run")
        SampleRun.succeed (SampleRun.words calm extra) [] |> ignore
        disturb disturbed (SampleRun.words disturbed extra)
        Expect.equal (bytes disturbed) (bytes calm) "byte for byte")

[<Tests>]
let tests =
    Platform.onlyOnUnix
        "a resumed run"
        [ testCase
              "that was killed in its first epoch, in mid-epoch and while it saved is bit-equal to one never stopped (float32, dropout, two batches an update)"
          <| fun () ->
              isBitEqual [ "--set"; "training.accumulation=2"; "--set"; "training.batch_size=16" ] (fun run begin' ->
                  Expect.isTrue (killAt (fun () -> hasManifest run) run begin') "killed at its beginning"

                  if not (hasCheckpoint run) then
                      // Nothing to go on from: said, and no obstacle to beginning anew.
                      let refused = DweProcess.run (resume run) []
                      Expect.equal refused.ExitCode 2 "the exit code"

                      Expect.equal
                          refused.Errors
                          $"dwe: {run}/checkpoints/last: not found; expected a checkpoint. The run was stopped before its first one: train it again, without --resume.\n"
                          "what to do"

                  killAt (fun () -> isSaving "best" run || lines run > 0) run begin' |> ignore
                  let before = lines run
                  killAt (fun () -> isSaving "last" run || lines run > before) run begin' |> ignore
                  let before = lines run
                  killAt (fun () -> lines run > before) run begin' |> ignore
                  SampleRun.succeed (goOn run begin') [] |> ignore)

          testCase "that was killed while it saved is bit-equal to one never stopped (bf16-mixed, dropout)"
          <| fun () ->
              isBitEqual [ "--precision"; "bf16-mixed" ] (fun run begin' ->
                  let first = killAt (fun () -> isSaving "last" run || hasCheckpoint run) run begin'
                  let before = lines run
                  let second = killAt (fun () -> isSaving "last" run || lines run > before) run begin'
                  Expect.isTrue (first || second) "killed at least once"
                  SampleRun.succeed (goOn run begin') [] |> ignore)

          testCase "that was stopped with Ctrl-C in mid-epoch said how to go on, and is bit-equal to one never stopped"
          <| fun () ->
              isBitEqual [ "--set"; "training.batch_size=16"; "--set"; "training.epochs=6" ] (fun run begin' ->
                  use started = until (fun () -> lines run > 0) begin'
                  Expect.equal (sendSignal (started.Id, interrupt)) 0 "the signal was sent"
                  let stopped = DweProcess.finish started
                  Expect.equal stopped.ExitCode 1 stopped.Errors

                  Expect.stringEnds
                      stopped.Errors
                      $"stopped and saved. Go on with: dwe train --out {run} --resume\n"
                      "how to go on"

                  Expect.equal stopped.Output "" "no result"
                  let state = SampleRun.json (Path.Combine(run, "checkpoints", "last", "state.json"))
                  Expect.isLessThan (state.GetProperty("step").GetInt64()) 270L "not at its end"
                  SampleRun.succeed (resume run) [] |> ignore)

          testCase "keeps its number of threads, so that a machine with another number of cores computes the same bits"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let one, two = Path.Combine(folder, "one", "run"), Path.Combine(folder, "two", "run")
                  let words run = SampleRun.words run [ "--set"; "training.threads=2" ]
                  SampleRun.succeed (words one) [ "OMP_NUM_THREADS", "1" ] |> ignore
                  SampleRun.succeed (words two) [ "OMP_NUM_THREADS", "2" ] |> ignore
                  Expect.equal (bytes two) (bytes one) "byte for byte")

          testCase "writes down the number of threads that torch took by itself"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = Path.Combine(folder, "run")
                  SampleRun.succeed (SampleRun.words run []) [ "OMP_NUM_THREADS", "1" ] |> ignore
                  let config = SampleRun.json (Path.Combine(run, "config.json"))
                  Expect.equal (config.GetProperty("training").GetProperty("threads").GetInt32()) 1 "threads")

          testCase "that has ended computes nothing and reports again"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let shared, trained = SampleRun.shared.Value
                  let again = SampleRun.succeed (resume run) []
                  Expect.equal (again.Output.Replace(run, shared)) trained.Output "the same table"
                  Expect.equal (bytes run) (bytes shared) "the same bytes")

          testCase "cuts what its history says of later steps, and a line that a kill tore"
          <| fun () ->
              SampleRun.withCopy (fun copied ->
                  let history = Path.Combine(copied, "history.jsonl")
                  let whole = File.ReadAllText history

                  File.AppendAllText(
                      history,
                      """{"step":48,"epoch":4,"metrics":{"hits@1":0.5}}""" + "\n{\"step\":60,\"ep"
                  )

                  SampleRun.succeed (resume copied) [] |> ignore
                  Expect.equal (File.ReadAllText history) whole "as it was")

          testCase "refuses other settings, and data or features that have changed"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run, _ = SampleRun.shared.Value
                  let set = DweProcess.run (resume run @ [ "--set"; "training.epochs=9" ]) []
                  Expect.equal set.ExitCode 2 "settings"

                  Expect.equal
                      set.Errors
                      "dwe: --resume goes on with the run's own configuration. Leave --preset, --config, --set and --precision out.\n"
                      "settings"

                  let data = Path.Combine(folder, "data")
                  SampleRun.copy SampleRun.sample data
                  let manifest = Path.Combine(data, "features", "manifest.json")
                  File.WriteAllText(manifest, (File.ReadAllText manifest).Replace("use-lite", "use-other"))
                  let other = DweProcess.run (resume run @ [ "--features"; Path.Combine(data, "features") ]) []
                  Expect.equal other.ExitCode 2 "features"

                  Expect.equal
                      other.Errors
                      $"dwe: {run}: other data or features than this run was begun with, expected the same files. Bring them back, or train a new run.\n"
                      "features")

          testCase "refuses candidate lists where it was begun with those of the data"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let lists = Path.Combine(SampleRun.sample, "search_top100.json")
                  let refused = DweProcess.run (resume run @ [ "--candidates"; lists ]) []
                  Expect.equal refused.ExitCode 2 "the exit code"

                  Expect.equal
                      refused.Errors
                      $"dwe: {lists}: candidate lists, expected the data set's own, with which this run was begun. Leave --candidates out.\n"
                      "lists")

          testCase "refuses candidate lists that have changed"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run, lists = Path.Combine(folder, "run"), Path.Combine(folder, "lists.json")
                  File.Copy(Path.Combine(SampleRun.sample, "search_top100.json"), lists)
                  SampleRun.succeed (SampleRun.words run [ "--candidates"; lists ]) [] |> ignore
                  File.AppendAllText(lists, "\n")
                  let refused = DweProcess.run (resume run) []
                  Expect.equal refused.ExitCode 2 "the exit code"

                  Expect.equal
                      refused.Errors
                      $"dwe: {lists}: other candidate lists than this run was begun with, expected the same file. Bring it back, or train a new run.\n"
                      "lists") ]
