/// How fast a large knowledge base is written, opened and changed, apart from encoding.
module Dwe.Tests.Benchmarks.KnowledgeBaseBench

open System
open System.Diagnostics
open System.IO
open System.Threading
open Dwe.Host.Features.Text
open Dwe.Host.KnowledgeBases

let private dimension = 512

/// Numbers of a text's characters: any number a millisecond.
let private instant =
    { new ITextEncoder with
        member _.Id = "bench"
        member _.Dimension = dimension

        member _.Encode(texts, _) =
            [| for text in texts do
                   for place in 0 .. dimension - 1 -> float32 text[place % text.Length] |]

        member _.Dispose() = () }

let private seconds work =
    let clock = Stopwatch.StartNew()
    let result = work ()
    result, clock.Elapsed.TotalSeconds

let private add (writer: KnowledgeBaseWriter) source =
    let encoding =
        TextEncoding(
            Encoder = instant.Id,
            Dimension = dimension,
            EntityText = "{name} {description}",
            Open = Func<_>(fun () -> instant)
        )

    writer.Add(OwnEntities source, encoding, [||], Action<_, _, _>(fun _ _ _ -> ()), CancellationToken.None)

/// Prints a line for each step; for `bench`.
let run (count: int64) =
    let folder = Directory.CreateTempSubdirectory("dwe-bench-").FullName
    let file name = Path.Combine(folder, name)

    try
        EntityStream.generate (file "all.jsonl") count
        EntityStream.generate (file "some.jsonl") 1000L
        File.WriteAllText(file "some.jsonl", File.ReadAllText(file "some.jsonl").Replace("village", "hamlet"))

        let _, building =
            seconds (fun () ->
                use writer = KnowledgeBaseWriter.Begin(file "kb")
                add writer (file "all.jsonl"))

        printfn $"knowledge base: {count} entities of {dimension} numbers built in {building:F1} s"
        GC.Collect()
        let before = Environment.WorkingSet
        let opened, opening = seconds (fun () -> KnowledgeBase.Open(file "kb"))

        let length, reading =
            seconds (fun () -> opened.Entities |> Seq.sumBy (fun entity -> int64 entity.Name.Length))

        let held = (Environment.WorkingSet - before) / 1_000_000L

        printfn
            $"opened in {opening:F2} s; all entities read in {reading:F1} s ({length} letters of names); {held} MB more, the mapped ones among them"

        opened.Dispose()

        let added, adding =
            seconds (fun () ->
                use writer = KnowledgeBaseWriter.Open(file "kb")
                add writer (file "some.jsonl"))

        printfn $"{added.Changed} changed in {adding:F2} s, {added.Encoded} texts encoded"

        let removed, removing =
            seconds (fun () ->
                use writer = KnowledgeBaseWriter.Open(file "kb")
                writer.Remove(seq { for number in 0L .. count / 2L -> $"Q{number}" }))

        printfn $"{removed.Removed} removed and the rest merged in {removing:F1} s"
    finally
        Directory.Delete(folder, true)
