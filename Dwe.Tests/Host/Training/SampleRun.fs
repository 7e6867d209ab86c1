/// Small trainings on the sample in processes of their own.
module Dwe.Tests.Host.Training.SampleRun

open System
open System.IO
open System.Text.Json
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude

/// A net of width 32 and three epochs of twelve steps: a second of computing.
let small =
    [ for setting in [ "model.hidden=32"; "model.heads=4"; "training.epochs=3"; "optimizer.learning_rate=2e-3" ] do
          "--set"
          setting ]

/// The words of a training on the sample.
let words out extra = [ "train"; "--preset"; "sample"; "--out"; out ] @ small @ extra

/// Runs a command that must end well.
let succeed arguments environment =
    let run = DweProcess.run arguments environment
    Expect.equal run.ExitCode 0 run.Errors
    run

let json (path: string) = JsonDocument.Parse(File.ReadAllText path).RootElement

/// The steps at which a run was evaluated and the values of one measure there.
let history (run: string) (measure: string) =
    [ for line in File.ReadAllLines(Path.Combine(run, "history.jsonl")) ->
          let line = JsonDocument.Parse(line).RootElement
          line.GetProperty("step").GetInt64(), line.GetProperty("metrics").GetProperty(measure).GetDouble() ]

/// A run trained once for all tests, which only read it, and what training printed.
let shared =
    lazy
        (let folder = Directory.CreateTempSubdirectory("dwe-run-").FullName
         AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(folder, true))
         let run = Path.Combine(folder, "run")
         run, succeed (words run [ "--json"; Path.Combine(folder, "result.json") ]) [])

/// A copy of a folder, to be changed.
let copy (source: string) (target: string) =
    for file in Directory.GetFiles(source, "*", SearchOption.AllDirectories) do
        let copied = Path.Combine(target, Path.GetRelativePath(source, file))
        Directory.CreateDirectory(string (Path.GetDirectoryName copied)) |> ignore
        File.Copy(file, copied)

/// Runs a test with a copy of the shared run, of the same name.
let withCopy (test: string -> unit) =
    Folder.temporary (fun folder ->
        let run = Path.Combine(folder, "run")
        copy (fst shared.Value) run
        test run)

/// The sample's data set beside the program under test.
let sample = Path.Combine(DweProcess.folder, "data", "samples")
