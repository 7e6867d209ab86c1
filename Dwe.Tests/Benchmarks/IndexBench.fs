/// What an index of a million generated entities costs: to build, in bytes, for one query, for a batch, for a name with typos.
/// Not a test: `dotnet Dwe.Tests.dll bench index`.
module Dwe.Tests.Benchmarks.IndexBench

open System
open System.Diagnostics
open System.IO
open System.Numerics
open System.Runtime.InteropServices
open System.Threading
open System.Threading.Tasks
open TorchSharp
open Dwe.Host.Index
open Dwe.Host.Storage
open Dwe.Model
open Dwe.Model.Domain
open Dwe.Tests.Benchmarks.GeneratedEntities
open Dwe.Tests.Host.Index.IndexWorld

let private source (entities: Entity[]) =
    let directions = Directions()
    let live = Array.create entities.Length true

    let segment =
        { new IEntitySourceSegment with
            member _.ContentHash = "generated"
            member _.Entities = entities
            member _.Live = live

            member _.CopyVectors(first, target) =
                let rows = Array.zeroCreate<float32> target.Length
                directions.Fill([| first .. first + target.Length / dim - 1 |], rows.AsMemory())
                rows.AsSpan().CopyTo target }

    { new IEntitySource with
        member _.Card = card
        member _.Dimension = dim
        member _.Segments = [| segment |] }

let private asTheyAre =
    { new IEntityProjection with
        member _.Card = IndexedRun(Name = "none", Checkpoint = "none", Projects = false)
        member _.Dimension = dim
        member _.RowsAtOnce = 4096
        member _.Project(rows, _) = rows }

/// Seconds that both cores take to read a mapped file once.
let private readingSeconds (path: string) =
    use file = new MappedFile(path)
    let pieces = 1 + int (file.Length >>> 26)

    let read () =
        let mutable next = -1

        Parallel.For(
            0,
            Environment.ProcessorCount,
            fun _ ->
                let mutable all = Vector<uint64>.Zero
                let mutable at = Interlocked.Increment &next

                while at < pieces do
                    let start = int64 at <<< 26
                    let bytes = file.Span(start, int (min (1L <<< 26) (file.Length - start)))
                    let numbers = MemoryMarshal.Cast<byte, Vector<uint64>> bytes

                    for place in 0..4 .. numbers.Length - 4 do
                        all <-
                            all ||| numbers[place] ||| numbers[place + 1] ||| numbers[place + 2] ||| numbers[place + 3]

                    at <- Interlocked.Increment &next

                GC.KeepAlive all
        )
        |> ignore

    Timing.median 2 7 read

/// Milliseconds of processors that an action takes: what others do on the machine hardly lengthens them.
let private processorMilliseconds (action: unit -> 'Result) =
    let before = Environment.CpuUsage.TotalTime
    let result = action ()
    (Environment.CpuUsage.TotalTime - before).TotalMilliseconds, result

let private medianProcessor runs (action: unit -> unit) =
    let times = Array.init runs (fun _ -> fst (processorMilliseconds action)) |> Array.sort
    times[runs / 2]

/// GFLOP/s of libtorch's float32 product of a batch of queries with rows.
let private productRate (queries: int) =
    use _ = torch.NewDisposeScope()
    let rows = 65_536L
    let left, right = torch.rand (int64 queries, int64 dim), torch.rand (int64 dim, rows)

    let seconds =
        Timing.median 1 5 (fun () ->
            use _ = torch.matmul (left, right)
            ())

    2.0 * float queries * float dim * float rows / seconds / 1e9

let private percentile share (sorted: float[]) = sorted[min (sorted.Length - 1) (int (share * float sorted.Length))]

let private lexical (index: SegmentIndex) (entities: Entity[]) =
    for what, edits in [ "as it is", 0; "1 edit", 1; "2 edits", 2 ] do
        let random = SeededRandom 25L
        let golds = Array.init 600 (fun _ -> random.Next entities.Length)
        let texts = golds |> Array.map (fun gold -> edited random edits entities[gold].Name)

        // A homonym is as good: nothing in a name tells them apart.
        let isHit gold (found: Found[]) =
            found |> Array.exists (fun row -> entities[row.Row].Name = entities[gold].Name)

        for text in Array.truncate 50 texts do
            index.Named(text, 50) |> ignore

        let times, hits =
            Array.zip golds texts
            |> Array.map (fun (gold, text) ->
                let watch = Stopwatch.StartNew()
                let processor, found = processorMilliseconds (fun () -> index.Named(text, 50))
                struct (watch.Elapsed.TotalMilliseconds, processor), isHit gold found)
            |> Array.unzip

        let sorted = times |> Array.map (fun struct (wall, _) -> wall) |> Array.sort
        let processors = times |> Array.map (fun struct (_, processor) -> processor) |> Array.sort
        let recall = float (hits |> Array.filter id |> Array.length) / float hits.Length

        printfn
            $"name {what, -9} p50 {percentile 0.5 sorted, 6:F2} ms, p99 {percentile 0.99 sorted, 6:F2} ms (of processor {percentile 0.5 processors:F2} and {percentile 0.99 processors:F2}), recall@50 {100.0 * recall:F1} %%"

/// A tenth of the rows' own variation away from rows.
let private queries count entityCount =
    let random = SeededRandom 26L
    let rows = Array.init count (fun _ -> random.Next entityCount)
    let values = Array.zeroCreate<float32> (count * dim)
    Directions().Fill(rows, values.AsMemory())
    Ranks.Normalize(values, dim)

    for at in 0 .. values.Length - 1 do
        values[at] <- values[at] + 0.02f * float32 (normal random)

    Ranks.Normalize(values, dim)
    values

let private measure folder (dtype: Dtype) (entities: Entity[]) (asked: float32[]) (exact: Found[][] option) =
    let watch = Stopwatch.StartNew()

    IndexBuilder(folder, source entities, asTheyAre, dtype).Build((fun _ _ -> ()), CancellationToken.None)
    |> ignore

    let seconds = watch.Elapsed.TotalSeconds
    let generation = Path.Combine(folder, "gen-000001", "000001")
    let vectors = Path.Combine(generation, IndexSegment.VectorsFile)
    let each bytes = float bytes / float entities.Length

    printfn
        $"{dtype}: built in {seconds:F0} s, {each (bytesIn folder):F0} bytes an entity (vectors {each (FileInfo(vectors).Length):F0}, names {each (bytesIn (Path.Combine(generation, IndexSegment.LexicalFolder))):F0}), peak memory so far {Timing.peakMegabytes ():F0} MB"

    let opening = Stopwatch.StartNew()
    use index = SegmentIndex.Open folder
    printfn $"{dtype}: opened in {opening.Elapsed.TotalMilliseconds:F0} ms"
    let query at = ReadOnlyMemory(asked, at * dim, dim)
    let reading = readingSeconds vectors
    let mutable at = 0

    let oneQuery =
        Timing.median 3 15 (fun () ->
            at <- at + 1
            index.Nearest((query at).Span, 10) |> ignore)

    printfn
        $"{dtype}: one query {1000.0 * oneQuery:F1} ms, {float (FileInfo(vectors).Length) / oneQuery / 1e9:F1} GB/s, {100.0 * reading / oneQuery:F0} %% of plain reading ({1000.0 * reading:F1} ms)"

    let count = asked.Length / dim
    let product = productRate count
    let batch = Timing.median 1 3 (fun () -> index.Nearest(ReadOnlySpan asked, 10) |> ignore)
    let rate = 2.0 * float asked.Length * float entities.Length / batch / 1e9

    printfn
        $"{dtype}: {count} queries {batch:F2} s, {rate:F0} GFLOP/s, {100.0 * rate / product:F0} %% of libtorch's product ({product:F0})"

    let found = index.Nearest(ReadOnlySpan asked, 10)

    match exact with
    | Some exact ->
        let rows (found: Found[]) = found |> Array.map _.Row |> Set.ofArray
        let common = Array.map2 (fun left right -> (Set.intersect (rows left) (rows right)).Count) exact found
        printfn $"{dtype}: recall@10 against float32 {float (Array.sum common) / float (10 * count):F4}"
    | None -> lexical index entities

    found

let run () =
    let folder = Directory.CreateTempSubdirectory("dwe-index-bench-").FullName

    try
        let count = 1_000_000
        let watch = Stopwatch.StartNew()
        let entities = entities count
        let asked = queries 256 count

        printfn
            $"{count} entities made in {watch.Elapsed.TotalSeconds:F1} s, peak memory {Timing.peakMegabytes ():F0} MB"

        let place name = Path.Combine(folder, name)
        let exact = measure (place "float32") Dtype.F32 entities asked None
        Directory.Delete(place "float32", true)

        for dtype in [ Dtype.F16; Dtype.I8 ] do
            measure (place $"{dtype}") dtype entities asked (Some exact) |> ignore
            Directory.Delete(place $"{dtype}", true)
    finally
        Directory.Delete(folder, true)
