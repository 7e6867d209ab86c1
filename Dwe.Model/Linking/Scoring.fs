namespace Dwe.Model.Linking

open System
open System.Numerics
open System.Runtime.InteropServices
open System.Threading.Tasks
open TorchSharp
open Dwe.Model.Domain
open Dwe.Model.Tensors

/// What is made of one query's scores with every entity.  mention : its number; scores : [entities]
type internal RowReader<'made> = delegate of mention: int * scores: ReadOnlySpan<float32> -> 'made

/// Scores of mentions against entities as plain numbers: one dot product an entry, the same bits whatever the number of
/// threads, the size of a batch or the order of the candidates.
[<RequireQualifiedAccess>]
module Scoring =

    /// How many scores of all entities are held at once: 64 MB.
    let private scoresAtOnce = 1 <<< 24

    let inline private tail (left: ReadOnlySpan<float32>) (right: ReadOnlySpan<float32>) (from: int) (sum: float32) =
        let mutable total = sum

        for rest in from .. left.Length - 1 do
            total <- total + left[rest] * right[rest]

        total

    /// Σ left·right over spans of one length, in two running sums of SIMD width.
    let dot (left: ReadOnlySpan<float32>) (right: ReadOnlySpan<float32>) : float32 =
        let width = Vector<float32>.Count
        let leftVectors = MemoryMarshal.Cast<float32, Vector<float32>> left
        let rightVectors = MemoryMarshal.Cast<float32, Vector<float32>> right
        let mutable even, odd = Vector<float32>.Zero, Vector<float32>.Zero
        let mutable at = 0

        while at + 1 < leftVectors.Length do
            even <- Vector.FusedMultiplyAdd(leftVectors[at], rightVectors[at], even)
            odd <- Vector.FusedMultiplyAdd(leftVectors[at + 1], rightVectors[at + 1], odd)
            at <- at + 2

        if at < leftVectors.Length then
            even <- Vector.FusedMultiplyAdd(leftVectors[at], rightVectors[at], even)

        tail left right (width * leftVectors.Length) (Vector.Sum(even + odd))

    let inline private load (row: byref<float32>) (at: int) = Vector.LoadUnsafe(&row, unativeint at)

    /// `dot` of a query with four entities at once, the same bits: their rows lie anywhere, and memory is asked for four
    /// of them before the first has come.
    ///
    /// entities : [entities; dim] row-major; rows, scores : 4 each
    let private dotFour
        (query: ReadOnlySpan<float32>)
        (entities: ReadOnlySpan<float32>)
        (rows: ReadOnlySpan<int>)
        (scores: Span<float32>)
        =
        let dim, width = query.Length, Vector<float32>.Count
        let entity (row: int) = row * dim
        let q = &MemoryMarshal.GetReference query
        let e0 = &MemoryMarshal.GetReference(entities.Slice(entity rows[0], dim))
        let e1 = &MemoryMarshal.GetReference(entities.Slice(entity rows[1], dim))
        let e2 = &MemoryMarshal.GetReference(entities.Slice(entity rows[2], dim))
        let e3 = &MemoryMarshal.GetReference(entities.Slice(entity rows[3], dim))
        let mutable even0, odd0 = Vector<float32>.Zero, Vector<float32>.Zero
        let mutable even1, odd1 = Vector<float32>.Zero, Vector<float32>.Zero
        let mutable even2, odd2 = Vector<float32>.Zero, Vector<float32>.Zero
        let mutable even3, odd3 = Vector<float32>.Zero, Vector<float32>.Zero
        let mutable at = 0

        while at + 2 * width <= dim do
            let first, second = load &q at, load &q (at + width)
            even0 <- Vector.FusedMultiplyAdd(first, load &e0 at, even0)
            odd0 <- Vector.FusedMultiplyAdd(second, load &e0 (at + width), odd0)
            even1 <- Vector.FusedMultiplyAdd(first, load &e1 at, even1)
            odd1 <- Vector.FusedMultiplyAdd(second, load &e1 (at + width), odd1)
            even2 <- Vector.FusedMultiplyAdd(first, load &e2 at, even2)
            odd2 <- Vector.FusedMultiplyAdd(second, load &e2 (at + width), odd2)
            even3 <- Vector.FusedMultiplyAdd(first, load &e3 at, even3)
            odd3 <- Vector.FusedMultiplyAdd(second, load &e3 (at + width), odd3)
            at <- at + 2 * width

        if at + width <= dim then
            let last = load &q at
            even0 <- Vector.FusedMultiplyAdd(last, load &e0 at, even0)
            even1 <- Vector.FusedMultiplyAdd(last, load &e1 at, even1)
            even2 <- Vector.FusedMultiplyAdd(last, load &e2 at, even2)
            even3 <- Vector.FusedMultiplyAdd(last, load &e3 at, even3)
            at <- at + width

        scores[0] <- tail query (entities.Slice(entity rows[0], dim)) at (Vector.Sum(even0 + odd0))
        scores[1] <- tail query (entities.Slice(entity rows[1], dim)) at (Vector.Sum(even1 + odd1))
        scores[2] <- tail query (entities.Slice(entity rows[2], dim)) at (Vector.Sum(even2 + odd2))
        scores[3] <- tail query (entities.Slice(entity rows[3], dim)) at (Vector.Sum(even3 + odd3))

    /// Scales every row to length 1; a zero row stays zero, so it scores 0 against everything.
    ///
    /// rows   : [count; dim] row-major, changed in place
    let normalize (rows: Memory<float32>) (dim: int) : unit =
        Parallel.For(
            0,
            rows.Length / dim,
            fun row ->
                let own = rows.Span.Slice(row * dim, dim)
                let fixedRow = Span<float32>.op_Implicit own: ReadOnlySpan<float32>
                let length = sqrt (dot fixedRow fixedRow)

                if length > 0.0f then
                    let blocks = MemoryMarshal.Cast<float32, Vector<float32>> own

                    for at in 0 .. blocks.Length - 1 do
                        blocks[at] <- blocks[at] / Vector<float32> length

                    for at in blocks.Length * Vector<float32>.Count .. dim - 1 do
                        own[at] <- own[at] / length
        )
        |> ignore

    let private checkSizes (dim: int) (queries: ReadOnlyMemory<float32>) (entities: ReadOnlyMemory<float32>) =
        if dim < 1 || queries.Length % dim <> 0 then
            invalidArg (nameof queries) $"queries hold {queries.Length} numbers, no whole number of rows of {dim}"

        if entities.Length % dim <> 0 then
            invalidArg (nameof entities) $"entities hold {entities.Length} numbers, no whole number of rows of {dim}"

    /// Scores of one query against listed rows; that of a row -1 is left as it is.
    let private scoreRow
        (query: ReadOnlySpan<float32>)
        (entities: ReadOnlySpan<float32>)
        (rows: ReadOnlySpan<int>)
        (scores: Span<float32>)
        =
        let dim = query.Length
        let mutable at = 0

        while at < rows.Length do
            let four =
                if at + 4 <= rows.Length then
                    rows.Slice(at, 4)
                else
                    ReadOnlySpan.Empty

            if four.Length = 4 && not (four.Contains -1) then
                dotFour query entities four (scores.Slice(at, 4))
                at <- at + 4
            else
                if rows[at] >= 0 then
                    scores[at] <- dot query (entities.Slice(rows[at] * dim, dim))

                at <- at + 1

    /// Score of each mention against each of its candidates: q · e.
    ///
    /// queries    : [mentions; dim] row-major
    /// entities   : [entities; dim] row-major
    /// candidates : [mentions; width] entity rows, -1 where there is no candidate
    /// raises     : ArgumentException when the sizes do not fit
    let candidates
        (dim: int)
        (queries: ReadOnlyMemory<float32>)
        (entities: ReadOnlyMemory<float32>)
        (width: int)
        (candidates: int[])
        : ScoreTable =
        checkSizes dim queries entities

        if candidates.Length <> queries.Length / dim * width then
            invalidArg (nameof candidates) $"{candidates.Length} candidates, expected {queries.Length / dim} x {width}"

        let scores = Array.zeroCreate<float32> candidates.Length

        Parallel.For(
            0,
            queries.Length / dim,
            fun mention ->
                let query = (queries.Span.Slice(mention * dim, dim))
                let rows = ReadOnlySpan(candidates, mention * width, width)
                scoreRow query entities.Span rows (Span(scores, mention * width, width))
        )
        |> ignore

        { Scores = scores
          Width = width
          Counts =
            if Array.contains -1 candidates then
                candidates |> Array.map (fun row -> row >= 0)
            else
                [||] }

    /// How many queries one thread scores at a time: with rows of 512 a quarter of a megabyte, which fits the second cache.
    let private queriesAtOnce = 128

    /// What is made of the scores of all queries, `atOnce` at a time on each core, from what `fill first count scores`
    /// writes: the scores [count; width] of the queries from `first` on. The scores' memory is used again.
    let private readInParallel
        count
        (width: int)
        (atOnce: int)
        (fill: int -> int -> float32[] -> unit)
        (read: RowReader<'made>)
        =
        let made = Array.zeroCreate<'made> count

        let readChunk chunk (_: ParallelLoopState) (scores: float32[]) =
            let first = chunk * atOnce
            let own = min atOnce (count - first)
            fill first own scores

            for row in 0 .. own - 1 do
                made[first + row] <- read.Invoke(first + row, ReadOnlySpan(scores, row * width, width))

            scores

        let chunks = (count + atOnce - 1) / atOnce
        let buffer () = Array.zeroCreate<float32> (atOnce * width)
        let cores = ParallelOptions(MaxDegreeOfParallelism = Environment.ProcessorCount)
        Parallel.For(0, chunks, cores, buffer, readChunk, ignore) |> ignore
        made

    /// What is made of each query's scores with all entities, one reading a query.
    let private readEverything
        (dim: int)
        (queries: Memory<float32>)
        (entities: Tensor)
        (read: RowReader<'made>)
        : 'made[] =
        Shape.is [ -1L; int64 dim ] (nameof entities) entities

        if queries.Length % dim <> 0 then
            invalidArg (nameof queries) $"queries hold {queries.Length} numbers, no whole number of rows of {dim}"

        let mentions = queries.Length / dim
        let width = int (Shape.size 0 entities)
        let held = max 1 (scoresAtOnce / width)

        let byProduct () =
            use _ = torch.NewDisposeScope()
            let columns = entities.t ()

            let readChunk first =
                use _ = torch.NewDisposeScope()
                let count = min held (mentions - first)
                let own = torch.tensor (queries.Slice(first * dim, count * dim), [| int64 count; int64 dim |])
                let scores = own.mm columns

                let readRow row =
                    let all = MemoryMarshal.Cast<byte, float32>(scores.bytes)
                    read.Invoke(first + row, Span<float32>.op_Implicit (all.Slice(row * width, width)))

                Array.Parallel.init count readRow

            [| 0..held .. mentions - 1 |] |> Array.collect readChunk

        let byTile () =
            use _ = torch.NewDisposeScope()
            let entities = entities.contiguous ()
            let share = (mentions + Environment.ProcessorCount - 1) / Environment.ProcessorCount
            let atOnce = max Tile.side (min (min queriesAtOnce share) (held / Environment.ProcessorCount))

            let fill first count (scores: float32[]) =
                // The last chunk may have fewer queries than a tile: then it also scores some before.
                let from = min first (mentions - Tile.side)
                let own = queries.Span.Slice(from * dim, (first + count - from) * dim)
                let all = MemoryMarshal.Cast<byte, float32> entities.bytes
                Tile.fillAll dim (Span<float32>.op_Implicit own) (Span<float32>.op_Implicit all) (scores.AsSpan())

                if from < first then
                    scores.AsSpan((first - from) * width, count * width).CopyTo(scores.AsSpan())

            readInParallel mentions width atOnce fill read

        if Tile.fits dim mentions width then
            byTile ()
        else
            byProduct ()

    /// Ranks of golds among all entities.
    ///
    /// queries  : [mentions; dim] row-major
    /// entities : [entities; dim] float32 on the CPU, normalised like the queries
    /// golds    : [mentions] entity rows; -1 = not in the knowledge base, a miss
    /// returns  : one rank per mention, or the first score that is not finite
    let rankEverything
        (dim: int)
        (queries: Memory<float32>)
        (entities: Tensor)
        (golds: int[])
        : Result<Rank[], UserError> =
        if queries.Length <> golds.Length * dim then
            invalidArg (nameof queries) $"queries hold {queries.Length} numbers, expected {golds.Length} x {dim}"

        let ranks =
            readEverything
                dim
                queries
                entities
                (RowReader(fun row scores -> Ranking.goldListedRow row golds[row] scores))

        match
            ranks
            |> Array.tryPick (function
                | Error error -> Some error
                | Ok _ -> None)
        with
        | Some error -> Error error
        | None -> ranks |> Array.choose Result.toOption |> Ok

    /// The entities with the highest scores of one row, best first; of equals that of the lower row first.
    ///
    /// scores  : [entities], finite
    /// returns : at most `count` entity rows, and their scores
    let bestOf (count: int) (scores: ReadOnlySpan<float32>) : struct (int[] * float32[]) =
        let held = min count scores.Length
        let rows, best = Array.zeroCreate<int> held, Array.create held -infinityf
        let mutable found = 0

        for row in 0 .. scores.Length - 1 do
            let score = scores[row]

            if found < held || score > best[held - 1] then
                let mutable place = min found (held - 1)

                while place > 0 && best[place - 1] < score do
                    best[place] <- best[place - 1]
                    rows[place] <- rows[place - 1]
                    place <- place - 1

                best[place] <- score
                rows[place] <- row
                found <- min held (found + 1)

        struct (rows, best)

    /// `bestOf` of each mention among all entities.
    ///
    /// queries, entities : as in `rankEverything`
    let bestOfEverything
        (count: int)
        (dim: int)
        (queries: Memory<float32>)
        (entities: Tensor)
        : struct (int[] * float32[])[] =
        readEverything dim queries entities (RowReader(fun _ scores -> bestOf count scores))
