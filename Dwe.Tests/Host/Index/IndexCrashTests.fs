/// An index is killed as it is built, again and again, at any moment: a whole one is always there.
module Dwe.Tests.Host.Index.IndexCrashTests

open System
open System.Diagnostics
open System.IO
open System.Threading
open Dwe.Host.Index
open Dwe.Host.Storage
open Dwe.Model.Domain
open Dwe.Tests.Host.Index.IndexWorld
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
                      "lock, manifest and one generation: no leftovers") ]
