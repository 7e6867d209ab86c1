namespace Dwe.Model.Linking

open System
open System.Numerics
open System.Runtime.InteropServices
open System.Threading.Tasks

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

    /// Score of each mention against each of its candidates: q · e.
    ///
    /// queries    : [mentions; dim] row-major
    /// entities   : [entities; dim] row-major
    /// candidates : per mention, entity rows
    /// returns    : per mention, one score per candidate, in the candidates' order
    /// raises     : ArgumentException when the sizes do not fit
    let candidates
        (dim: int)
        (queries: ReadOnlyMemory<float32>)
        (entities: ReadOnlyMemory<float32>)
        (candidates: int[][])
        : float32[][] =
        if queries.Length <> candidates.Length * dim then
            invalidArg (nameof queries) $"queries hold {queries.Length} numbers, expected {candidates.Length} x {dim}"

        if entities.Length % dim <> 0 then
            invalidArg (nameof entities) $"entities hold {entities.Length} numbers, not a multiple of {dim}"

        let scores = Array.zeroCreate<float32[]> candidates.Length

        Parallel.For(
            0,
            candidates.Length,
            fun mention ->
                let query = queries.Span.Slice(mention * dim, dim)
                let own = candidates[mention]
                let result = Array.zeroCreate own.Length

                for at in 0 .. own.Length - 1 do
                    result[at] <- dot query (entities.Span.Slice(own[at] * dim, dim))

                scores[mention] <- result
        )
        |> ignore

        scores
