/// How fast a large knowledge base in JSON Lines streams through, beside the plain reading of its file.
module Dwe.Tests.Benchmarks.EntityStream

open System
open System.Diagnostics
open System.IO
open System.Text
open Dwe.Host.Data

type Measured =
    {
        Entities: int64
        Bytes: int64
        PlainSeconds: float
        StreamSeconds: float
        /// The most that the process held while the stream ran, above what it held before.
        PeakBytes: int64
    }

    member this.Ratio = this.PlainSeconds / this.StreamSeconds

/// A knowledge base of that many entities: a name, a description of some twenty words, a type. The same on every machine.
let generate (path: string) (count: int64) =
    let words =
        "river town player union album novel school bridge film actor league county island painter church battle species station singer village"
            .Split
            ' '

    use file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 <<< 20)
    use writer = new StreamWriter(file, UTF8Encoding false, 1 <<< 20)

    for number in 0L .. count - 1L do
        writer.Write("{\"id\": \"Q")
        writer.Write number
        writer.Write("\", \"name\": \"")
        writer.Write words[int (number % 20L)]
        writer.Write ' '
        writer.Write number
        writer.Write("\", \"description\": \"")

        for word in 0L .. 19L do
            writer.Write words[int ((number * (word + 3L) + number / 20L) % 20L)]
            writer.Write ' '

        writer.Write("\", \"type\": \"thing\"}\n")

let private seconds work =
    let clock = Stopwatch.StartNew()
    work ()
    clock.Elapsed.TotalSeconds

let private readPlainly (path: string) () =
    use file =
        new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan)

    let buffer = Array.zeroCreate<byte> (1 <<< 20)

    while file.Read(buffer, 0, buffer.Length) > 0 do
        ()

let measure (path: string) : Measured =
    // Once before the clock runs, so that both find the file in the same cache.
    readPlainly path ()
    let plain = seconds (readPlainly path)
    GC.Collect()
    let before = Environment.WorkingSet
    let mutable peak = before
    let mutable count = 0L
    let mutable length = 0L

    let stream =
        seconds (fun () ->
            for entity in JsonLines.ReadEntities path do
                count <- count + 1L
                length <- length + int64 entity.Name.Length

                if count % 100_000L = 0L then
                    peak <- max peak Environment.WorkingSet)

    if length = 0L then
        invalidOp "no entity had a name"

    { Entities = count
      Bytes = FileInfo(path).Length
      PlainSeconds = plain
      StreamSeconds = stream
      PeakBytes = peak - before }

/// Prints one line of numbers; for `bench`.
let run (count: int64) =
    let path = Path.Combine(Path.GetTempPath(), $"dwe-bench-{Environment.ProcessId}.jsonl")

    try
        generate path count
        let measured = measure path
        let megabytes = float measured.Bytes / 1e6

        printfn
            "entities from JSON Lines: %d (%.0f MB) in %.1f s: %.0f a second, %.0f MB/s; plain reading %.0f MB/s, ratio %.3f; peak %.0f MB above the start"
            measured.Entities
            megabytes
            measured.StreamSeconds
            (float measured.Entities / measured.StreamSeconds)
            (megabytes / measured.StreamSeconds)
            (megabytes / measured.PlainSeconds)
            measured.Ratio
            (float measured.PeakBytes / 1e6)
    finally
        File.Delete path
