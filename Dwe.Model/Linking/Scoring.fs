namespace Dwe.Model.Linking

open System
open System.Numerics
open System.Runtime.InteropServices
open System.Threading.Tasks
open TorchSharp
open Dwe.Model.Tensors

/// Scores of mentions against entities as plain numbers: one dot product an entry, the same bits whatever the number of
/// threads, the size of a batch or the order of the candidates.
[<RequireQualifiedAccess>]
module Scoring =

    /// Σ left·right over spans of one length, in four running sums of SIMD width.
    let dot (left: ReadOnlySpan<float32>) (right: ReadOnlySpan<float32>) : float32 =
        let width = Vector<float32>.Count
        let leftVectors = MemoryMarshal.Cast<float32, Vector<float32>> left
        let rightVectors = MemoryMarshal.Cast<float32, Vector<float32>> right
        let mutable first = Vector<float32>.Zero
        let mutable second = Vector<float32>.Zero
        let mutable third = Vector<float32>.Zero
        let mutable fourth = Vector<float32>.Zero
        let mutable at = 0

        while at + 3 < leftVectors.Length do
            first <- Vector.FusedMultiplyAdd(leftVectors[at], rightVectors[at], first)
            second <- Vector.FusedMultiplyAdd(leftVectors[at + 1], rightVectors[at + 1], second)
            third <- Vector.FusedMultiplyAdd(leftVectors[at + 2], rightVectors[at + 2], third)
            fourth <- Vector.FusedMultiplyAdd(leftVectors[at + 3], rightVectors[at + 3], fourth)
            at <- at + 4

        while at < leftVectors.Length do
            first <- Vector.FusedMultiplyAdd(leftVectors[at], rightVectors[at], first)
            at <- at + 1

        let mutable total = Vector.Sum((first + second) + (third + fourth))

        for rest in width * leftVectors.Length .. left.Length - 1 do
            total <- total + left[rest] * right[rest]

        total

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
                    for at in 0 .. dim - 1 do
                        own[at] <- own[at] / length
        )
        |> ignore

    let private checkSizes (dim: int) (queries: ReadOnlyMemory<float32>) (entities: ReadOnlyMemory<float32>) =
        if dim < 1 || queries.Length % dim <> 0 then
            invalidArg (nameof queries) $"queries hold {queries.Length} numbers, no whole number of rows of {dim}"

        if entities.Length % dim <> 0 then
            invalidArg (nameof entities) $"entities hold {entities.Length} numbers, no whole number of rows of {dim}"

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
                let query = queries.Span.Slice(mention * dim, dim)

                for at in mention * width .. (mention + 1) * width - 1 do
                    let row = candidates[at]

                    if row >= 0 then
                        scores[at] <- dot query (entities.Span.Slice(row * dim, dim))
        )
        |> ignore

        { Scores = scores
          Width = width
          Counts = candidates |> Array.map (fun row -> row >= 0) }

    /// Score of each mention against every entity, by one matrix product.
    ///
    /// queries  : [mentions; dim] row-major
    /// entities : [entities; dim] float32 on the CPU, normalised like the queries
    let everything (dim: int) (queries: Memory<float32>) (entities: Tensor) : ScoreTable =
        Shape.is [ -1L; int64 dim ] (nameof entities) entities

        Scope.value (fun () ->
            let rows = torch.tensor (queries, [| int64 (queries.Length / dim); int64 dim |])
            let scores = rows.mm (entities.t ())

            { Scores = scores.data<float32>().ToArray()
              Width = int (Shape.size 0 entities)
              Counts = [||] })
