/// A writer of a knowledge base is killed, again and again, at any moment: all that it said it had added is there.
module Dwe.Tests.Host.KnowledgeBases.KnowledgeBaseCrashTests

open System
open System.Diagnostics
open System.IO
open System.Threading
open Dwe.Host.KnowledgeBases
open Dwe.Model.Domain
open Dwe.Tests.Host.Features
open Dwe.Tests.Host.KnowledgeBases.SmallBase
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Expecto

/// The folder in which `child` writes.
let private childVariable = "DWE_TESTS_KNOWLEDGE_BASE"

/// The n-th addition: an entity of its own in several segments' worth, and two that every addition changes.
let private addition number =
    [ entity "left" "" $"text {number}"
      entity $"n{number}" "" $"text {number % 5}"
      entity "right" "" $"text {number}" ]

/// How many additions are there: the numbers of the entities run from 1 on.
let private counted folder = holds folder |> List.filter (fun (id, _, _, _) -> id.StartsWith 'n') |> List.length

/// Adds without end, and says each number when it is done, when the environment asks for it.
let child () =
    match Environment.GetEnvironmentVariable childVariable with
    | null -> None
    | folder ->
        use encoder = HashEncoder.quick ()
        let mutable number = counted folder

        while true do
            number <- number + 1
            addIn 2 folder encoder (addition number) |> ignore
            Console.Out.WriteLine number

        Some 0

let private start (folder: string) =
    let info = ProcessStartInfo("dotnet", [ Reflection.Assembly.GetExecutingAssembly().Location ])
    info.Environment[childVariable] <- folder
    info.RedirectStandardOutput <- true

    match Process.Start info with
    | null -> failtest "no process was started"
    | started -> started

/// Lets a writer work for a random while after its first addition, kills it, and returns the last number that it said.
let private killed (random: SeededRandom) folder =
    use started = start folder
    let mutable last = int (started.StandardOutput.ReadLine() |> string)
    Thread.Sleep(int (random.NextDouble() * 60.0))
    started.Kill()

    for line in started.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries) do
        // A line that was cut off says a smaller number.
        last <- max last (int line)

    started.WaitForExit()
    last

let private kills = 50

// --- the program ---

/// The n-th file for `dwe kb add`: an entity of its own, and two that every addition changes. Every fifth has texts that the
/// knowledge base has not encoded yet.
let private writeAddition (file: string) number =
    let brief =
        if number % 5 = 0 then
            $"text {number}"
        else
            $"text {number % 5}"

    File.WriteAllLines(
        file,
        [ for id, name in [ "left", "Left"; $"n{number}", "New"; "right", "Right" ] ->
              $$"""{"id": "{{id}}", "name": "{{name}}", "brief": "{{brief}}", "property": "of {{number}}"}""" ]
    )

/// What a knowledge base says of the entities that additions brought: id and the number of the addition.
let private brought (folder: string) =
    use opened = KnowledgeBase.Open folder

    [ for entity in opened.Entities do
          match entity.Fields.TryGetValue "property" with
          | true, text when text.StartsWith "of " -> entity.Id, int (text.Substring 3)
          | _ -> () ]
    |> List.sort

/// What it says after these additions, the last one first.
let private afterwards (additions: int list) =
    match additions with
    | [] -> []
    | last :: _ -> List.sort ([ "left", last; "right", last ] @ [ for number in additions -> $"n{number}", number ])

/// Half of the kills come at any moment of a command; the others soon after it has begun to write.
let private moment (random: SeededRandom) (whole: TimeSpan) (hasBegun: unit -> bool) (started: Process) =
    if random.NextDouble() < 0.5 then
        started.WaitForExit(whole * random.NextDouble()) |> ignore
    else
        while not (started.HasExited || hasBegun ()) do
            Thread.Sleep 1

        started.WaitForExit(TimeSpan.FromMilliseconds(60.0 * random.NextDouble())) |> ignore

/// Ids and vectors, by a knowledge base that was made of the same entities at once.
let private vectors (folder: string) =
    use opened = KnowledgeBase.Open folder

    [ for row in 0 .. opened.Entities.Count - 1 do
          let vector = Array.zeroCreate<float32> opened.Manifest.Dimension
          opened.CopyTextVector(row, vector.AsSpan())
          opened.Entities[row].Id, vector ]
    |> List.sortBy fst

[<Tests>]
let tests =
    testList
        "Host.KnowledgeBases crash (slow: 50 processes)"
        [ testCase
              "a writer that is killed 50 times leaves every addition that it announced, and the one it was at whole or not at all"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let kb = Path.Combine(folder, "kb")
                  use encoder = HashEncoder.quick ()
                  add kb encoder (addition 1) |> ignore
                  let random = SeededRandom 43L
                  let mutable unannounced = 0

                  for _ in 1..kills do
                      let announced = killed random kb
                      let there = counted kb

                      Expect.isTrue
                          (there = announced || there = announced + 1)
                          $"{announced} announced, {there} there"

                      unannounced <- unannounced + there - announced

                      let expected =
                          expected (addition there @ [ for number in 1 .. there - 1 -> (addition number)[1] ])

                      Expect.equal (List.sort (holds kb)) (List.sort expected) "entities and vectors"

                  let last = counted kb + 1
                  add kb encoder (addition last) |> ignore
                  Expect.equal (counted kb) last "written on"

                  Expect.equal
                      (Directory.GetFileSystemEntries kb |> Array.map Path.GetFileName |> Array.sort)
                      [| ".writer.lock"; "manifest.json"; "segments" |]
                      "no leftovers"

                  let named = KnowledgeBaseManifest.Read(kb).Segments |> Seq.map _.Name |> Seq.sort |> List.ofSeq

                  Expect.equal (segmentsIn kb) named "no segment that is not named"
                  Expect.isLessThan unannounced kills "some were killed before they had finished")

          testCase "`dwe kb add`, killed 50 times, loses nothing that it said it had added, and adds all or nothing"
          <| fun () ->
              SharedWeights.withSentenceEncoder () |> ignore

              Folder.temporary (fun folder ->
                  let kb, source = Path.Combine(folder, "kb"), Path.Combine(folder, "new.jsonl")
                  let features = Path.Combine(SampleRun.sample, "features")

                  SampleRun.succeed
                      [ "kb"; "build"; "--data"; SampleRun.sample; "--features"; features; "--out"; kb ]
                      []
                  |> ignore

                  let own = (vectors kb).Length
                  let words = [ "kb"; "add"; "--kb"; kb; "--source"; source ]
                  let watch = Stopwatch.StartNew()
                  writeAddition source 0
                  SampleRun.succeed words [] |> ignore
                  let whole = watch.Elapsed
                  let random = SeededRandom 44L
                  let journal = Path.Combine(kb, "journal.bin")
                  let mutable there, acknowledged, unsaid = [ 0 ], 0, 0

                  // One in eleven is left to come to its end: how long that takes depends on what else runs.
                  for number in 1 .. kills + kills / 10 do
                      writeAddition source number
                      File.Delete journal

                      let run =
                          if number % 11 = 0 then
                              DweProcess.run words []
                          else
                              DweProcess.killed words (moment random whole (fun () -> File.Exists journal))

                      let isSaid = run.ExitCode = 0 || run.Output.Contains " added, "
                      let found = brought kb

                      if isSaid then
                          Expect.equal found (afterwards (number :: there)) $"addition {number} was acknowledged"
                          acknowledged <- acknowledged + 1
                          there <- number :: there
                      elif found = afterwards (number :: there) then
                          unsaid <- unsaid + 1
                          there <- number :: there
                      else
                          Expect.equal found (afterwards there) $"addition {number} is there whole or not at all"

                  Expect.isGreaterThanOrEqual acknowledged (kills / 10) "those that were left alone came to their end"
                  Expect.isLessThan there.Length kills "some were killed before they had written"

                  // Written on; then what a knowledge base has that was made of the same at once.
                  let last = kills + kills / 10 + 1
                  writeAddition source last
                  SampleRun.succeed words [] |> ignore
                  Expect.equal (brought kb) (afterwards (last :: there)) "written on"
                  let named = KnowledgeBaseManifest.Read(kb).Segments |> Seq.map _.Name |> Seq.sort |> List.ofSeq
                  Expect.equal (segmentsIn kb) named "no segment that is not named"
                  Expect.isFalse (File.Exists journal) "no journal"

                  let clean, all = Path.Combine(folder, "clean"), Path.Combine(folder, "all.jsonl")

                  File.WriteAllLines(
                      all,
                      [ for number in List.rev (last :: there) do
                            writeAddition source number
                            yield! File.ReadAllLines source ]
                  )

                  SampleRun.succeed
                      [ "kb"; "build"; "--data"; SampleRun.sample; "--features"; features; "--out"; clean ]
                      []
                  |> ignore

                  SampleRun.succeed [ "kb"; "add"; "--kb"; clean; "--source"; all ] [] |> ignore
                  Expect.equal (vectors kb).Length (own + there.Length + 3) "entities"
                  Expect.equal (vectors kb) (vectors clean) "vectors") ]
