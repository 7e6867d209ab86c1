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
                  Expect.isLessThan unannounced kills "some were killed before they had finished") ]
