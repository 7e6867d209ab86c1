/// An index is killed as it is built, again and again, at any moment: a whole one is always there.
module Dwe.Tests.Host.Index.IndexCrashTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Threading
open Dwe.Host.Index
open Dwe.Host.KnowledgeBases
open Dwe.Host.Storage
open Dwe.Model.Domain
open Dwe.Tests.Host.Index.IndexWorld
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Expecto

/// The folder in which `child` builds.
let private childVariable = "DWE_TESTS_INDEX"

/// Two states of one knowledge base: they share a segment, which is taken over by its second name.
let private worlds =
    let random = SeededRandom 41L
    let segment ids = [ for id in ids -> entity $"e{id}" $"name {id}" [], direction random 32 ]
    let common = segment [ 0..199 ]

    [ { Segments = [ common; segment [ 150..299 ] ]; Removed = Set.empty }
      { Segments = [ common; segment [ 180..399 ] ]
        Removed = Set.ofList [ "e3"; "e250" ] } ]

/// Builds one state after the other until it is killed, when the environment asks for it.
let child () =
    match Environment.GetEnvironmentVariable childVariable with
    | null -> None
    | folder ->
        while true do
            for world in worlds do
                build folder Dtype.F16 world |> ignore
                Console.Out.WriteLine "built"

        Some 0

let private start (folder: string) =
    let info = ProcessStartInfo("dotnet", [ Reflection.Assembly.GetExecutingAssembly().Location ])
    info.Environment[childVariable] <- folder
    info.RedirectStandardOutput <- true

    match Process.Start info with
    | null -> failtest "no process was started"
    | started -> started

/// Opens what is there and asks it about everything it holds.
let private isWhole (folder: string) =
    use index = SegmentIndex.Open folder
    let expected = worlds |> List.map (living >> List.map (fun (entity, _) -> entity.Id))
    let found = [ for row in 0 .. index.Count - 1 -> (index.Entity row).Id ]
    Expect.contains expected found "the entities of one state or the other"
    let vector = Array.zeroCreate<float32> index.Dimension

    for row in 0 .. index.Count - 1 do
        index.CopyVector(row, vector.AsSpan())
        let nearest = index.Nearest(ReadOnlySpan vector, 1) |> Array.head |> Array.head
        Expect.equal nearest.Row row "nearest to its own vector"
        let named = index.Named((index.Entity row).Name, 1) |> Array.head
        Expect.equal named.Row row "found by its name"

let private kills = 50

// --- the program ---

/// The sample as a knowledge base, and the same with some entities gone and others called otherwise as well: their texts stay,
/// so that nothing is encoded.
let private states folder =
    let one, other = Path.Combine(folder, "one"), Path.Combine(folder, "other")
    let features = Path.Combine(SampleRun.sample, "features")

    SampleRun.succeed [ "kb"; "build"; "--data"; SampleRun.sample; "--features"; features; "--out"; one ] []
    |> ignore

    SampleRun.copy one other
    let changed = Path.Combine(folder, "changed.jsonl")

    (use opened = KnowledgeBase.Open one

     File.WriteAllLines(
         changed,
         [ for entity in Seq.take 40 opened.Entities ->
               JsonSerializer.Serialize(
                   dict
                       [ yield "id", box entity.Id
                         yield "name", box entity.Name
                         yield "aliases", box [| $"The other {entity.Name}" |]
                         yield "type", box entity.Type
                         for field in entity.Fields -> field.Key, box field.Value ]
               ) ]
     ))

    let added = SampleRun.succeed [ "kb"; "add"; "--kb"; other; "--source"; changed ] []
    Expect.stringContains added.Output "40 changed, 0 as they were; 0 texts encoded" "names alone have changed"
    SampleRun.succeed [ "kb"; "remove"; "--kb"; other; "--ids"; "S0100,S0150" ] [] |> ignore
    [ one; other ]

/// What an index holds and finds: ids, vectors, and who is first by name, for every tenth row.
let private contentOf (index: SegmentIndex) =
    [ for row in 0 .. index.Count - 1 do
          let vector = Array.zeroCreate<float32> index.Dimension
          index.CopyVector(row, vector.AsSpan())
          let entity = index.Entity row

          let names =
              if row % 10 = 0 then
                  Seq.append [ entity.Name ] entity.Aliases
              else
                  Seq.empty

          entity.Id, vector, [ for name in names -> index.Named(name, 3) |> Array.map _.Row ] ]

[<Tests>]
let tests =
    testList
        "Host.Index crash (slow: 50 processes)"
        [ testCase "an index that is killed 50 times as it is built always opens and answers, and is built on"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let index = Path.Combine(folder, "index")
                  build index Dtype.F16 worlds.Head |> ignore
                  let random = SeededRandom 42L
                  let mutable versions = Set.empty

                  for _ in 1..kills do
                      use started = start index
                      let built () = started.StandardOutput.ReadLine() |> ignore
                      // The first build may have nothing to do; from the second on, any moment of some builds.
                      built ()
                      let watch = Stopwatch.StartNew()
                      built ()
                      Thread.Sleep(int (random.NextDouble() * 2.5 * watch.Elapsed.TotalMilliseconds))
                      started.Kill()
                      started.WaitForExit()
                      isWhole index
                      versions <- versions.Add (IndexManifest.Read index).Version

                  Expect.equal versions.Count 2 "killed in one state and in the other"
                  build index Dtype.F16 worlds.Head |> ignore
                  isWhole index

                  Expect.equal
                      (Directory.GetFileSystemEntries index |> Array.length)
                      3
                      "lock, manifest and one generation: no leftovers")

          testCase "`dwe index`, killed 50 times, leaves the last good index or the new one, whole"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = fst SampleRun.shared.Value
                  let states = states folder
                  let words state index = [ "index"; "--kb"; state; "--run"; run; "--out"; index ]

                  let references =
                      [ for state in states do
                            SampleRun.succeed (words state $"{state}.index") [] |> ignore
                            use opened = SegmentIndex.Open $"{state}.index"
                            opened.Manifest.Version, contentOf opened ]

                  let index = Path.Combine(folder, "index")
                  let watch = Stopwatch.StartNew()
                  SampleRun.succeed (words states[0] index) [] |> ignore
                  let whole = watch.Elapsed
                  let random = SeededRandom 45L
                  let mutable current, ended, killedBefore = 0, 0, 0

                  // One in eleven is left to come to its end: how long that takes depends on what else runs.
                  for at in 1 .. kills + kills / 10 do
                      let there = Set.ofArray (Directory.GetFileSystemEntries index)
                      let next = 1 - current

                      let moment (started: Process) =
                          if at % 11 = 0 then
                              started.WaitForExit()
                          elif random.NextDouble() < 0.5 then
                              started.WaitForExit(whole * random.NextDouble()) |> ignore
                          else
                              while not (
                                  started.HasExited || Set.ofArray (Directory.GetFileSystemEntries index) <> there
                              ) do
                                  Thread.Sleep 1

                              started.WaitForExit(TimeSpan.FromMilliseconds(150.0 * random.NextDouble())) |> ignore

                      let built = DweProcess.killed (words states[next] index) moment
                      use opened = SegmentIndex.Open index

                      let found = references |> List.findIndex (fun (version, _) -> version = opened.Manifest.Version)
                      Expect.equal (contentOf opened) (snd references[found]) "all of it"

                      if built.ExitCode = 0 then
                          Expect.equal found next "it said that it was done"
                          ended <- ended + 1

                      if found = current then
                          killedBefore <- killedBefore + 1

                      current <- found

                  Expect.isGreaterThanOrEqual ended (kills / 10) "those that were left alone came to their end"
                  Expect.isGreaterThan killedBefore 0 "some were killed before they were done"
                  SampleRun.succeed (words states[1 - current] index) [] |> ignore
                  use last = SegmentIndex.Open index
                  Expect.equal (contentOf last) (snd references[1 - current]) "built on"

                  Expect.equal
                      (Directory.GetFileSystemEntries index |> Array.length)
                      3
                      "lock, manifest and one generation: no leftovers") ]
