namespace Dwe.Model.Linking

open System
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics

/// Dot products of four rows with four rows at once. libtorch's float32 products take AVX2 kernels on AMD (178 GFLOP/s on two
/// cores of a machine that does 370); sixteen sums in 512-bit registers do more, and their scores need no second matrix.
[<RequireQualifiedAccess>]
module internal Tile =

    let side = 4

    let isFast = Vector512.IsHardwareAccelerated

    let inline private load (row: byref<float32>) (at: int) = Vector512.LoadUnsafe(&row, unativeint at)

    /// The dot products of four rows of `left` with four of `right`, each summed in the same order wherever it stands in
    /// the tile: scores[i * stride + j] = left_i · right_j, over `dim` numbers, a multiple of 16.
    ///
    /// left, right : four rows, one after the other
    /// scores      : at least 3 * stride + 4 long
    // Compiled fully at once: the unoptimised code of the first calls would take seconds for a whole knowledge base.
    [<MethodImpl(MethodImplOptions.AggressiveOptimization)>]
    let fill (dim: int) (left: ReadOnlySpan<float32>) (right: ReadOnlySpan<float32>) (stride: int) (scores: Span<float32>) =
        if dim % 16 <> 0 || left.Length < 4 * dim || right.Length < 4 * dim || scores.Length < 3 * stride + 4 then
            invalidArg (nameof dim) $"a tile of {left.Length} and {right.Length} numbers, rows of {dim}"

        let l0 = &MemoryMarshal.GetReference left
        let r0 = &MemoryMarshal.GetReference right
        let mutable s00, s01, s02, s03 = Vector512.Zero, Vector512.Zero, Vector512.Zero, Vector512.Zero
        let mutable s10, s11, s12, s13 = Vector512.Zero, Vector512.Zero, Vector512.Zero, Vector512.Zero
        let mutable s20, s21, s22, s23 = Vector512.Zero, Vector512.Zero, Vector512.Zero, Vector512.Zero
        let mutable s30, s31, s32, s33 = Vector512.Zero, Vector512.Zero, Vector512.Zero, Vector512.Zero
        let mutable at = 0

        while at < dim do
            let a0 = load &l0 at
            let a1 = load &l0 (at + dim)
            let a2 = load &l0 (at + 2 * dim)
            let a3 = load &l0 (at + 3 * dim)
            let b = load &r0 at
            s00 <- Vector512.FusedMultiplyAdd(a0, b, s00)
            s10 <- Vector512.FusedMultiplyAdd(a1, b, s10)
            s20 <- Vector512.FusedMultiplyAdd(a2, b, s20)
            s30 <- Vector512.FusedMultiplyAdd(a3, b, s30)
            let b = load &r0 (at + dim)
            s01 <- Vector512.FusedMultiplyAdd(a0, b, s01)
            s11 <- Vector512.FusedMultiplyAdd(a1, b, s11)
            s21 <- Vector512.FusedMultiplyAdd(a2, b, s21)
            s31 <- Vector512.FusedMultiplyAdd(a3, b, s31)
            let b = load &r0 (at + 2 * dim)
            s02 <- Vector512.FusedMultiplyAdd(a0, b, s02)
            s12 <- Vector512.FusedMultiplyAdd(a1, b, s12)
            s22 <- Vector512.FusedMultiplyAdd(a2, b, s22)
            s32 <- Vector512.FusedMultiplyAdd(a3, b, s32)
            let b = load &r0 (at + 3 * dim)
            s03 <- Vector512.FusedMultiplyAdd(a0, b, s03)
            s13 <- Vector512.FusedMultiplyAdd(a1, b, s13)
            s23 <- Vector512.FusedMultiplyAdd(a2, b, s23)
            s33 <- Vector512.FusedMultiplyAdd(a3, b, s33)
            at <- at + 16

        scores[0] <- Vector512.Sum s00
        scores[1] <- Vector512.Sum s01
        scores[2] <- Vector512.Sum s02
        scores[3] <- Vector512.Sum s03
        scores[stride] <- Vector512.Sum s10
        scores[stride + 1] <- Vector512.Sum s11
        scores[stride + 2] <- Vector512.Sum s12
        scores[stride + 3] <- Vector512.Sum s13
        scores[2 * stride] <- Vector512.Sum s20
        scores[2 * stride + 1] <- Vector512.Sum s21
        scores[2 * stride + 2] <- Vector512.Sum s22
        scores[2 * stride + 3] <- Vector512.Sum s23
        scores[3 * stride] <- Vector512.Sum s30
        scores[3 * stride + 1] <- Vector512.Sum s31
        scores[3 * stride + 2] <- Vector512.Sum s32
        scores[3 * stride + 3] <- Vector512.Sum s33

    /// Whether matrices of these sizes can be multiplied in tiles.
    let fits (dim: int) (left: int) (right: int) = isFast && dim % 16 = 0 && left >= side && right >= side

    // With rows of 512 numbers 32 KB, which stay in the first cache beside four of `right`.
    let private leftAtOnce = 16

    // Likewise 256 KB, which stay in the second cache while all groups of `left` pass.
    let private rightAtOnce = 128

    /// Every row of `left` with every row of `right`: scores[i * count of right + j]. The last tile of an axis overlaps the
    /// one before.
    let fillAll (dim: int) (left: ReadOnlySpan<float32>) (right: ReadOnlySpan<float32>) (scores: Span<float32>) =
        let rows, columns = left.Length / dim, right.Length / dim
        let mutable block = 0

        while block < columns do
            let mutable group = 0

            while group < rows do
                let mutable tile = block

                while tile < min columns (block + rightAtOnce) do
                    let column = min tile (columns - side)
                    let four = right.Slice(column * dim, side * dim)
                    let mutable strip = group

                    while strip < min rows (group + leftAtOnce) do
                        let row = min strip (rows - side)
                        let own = left.Slice(row * dim, side * dim)
                        fill dim own four columns (scores.Slice(row * columns + column))
                        strip <- strip + side

                    tile <- tile + side

                group <- group + leftAtOnce

            block <- block + rightAtOnce
