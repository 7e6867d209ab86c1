namespace Dwe.Model.Encoders

open System
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics

/// Pillow's bicubic resize of 8-bit images, bit for bit, of the part that is wanted only. The algorithm is that of the
/// reference implementation's description (Pillow 9.4, Resample.c; Keys 1981 with a = -1/2):
///
///     output x is the sum over inputs i of k_i p_i,  k_i = f((i + 1/2 - c) / s) / Σ f,  c = (x + 1/2) · scale,
///     s = max(1, scale), over |i + 1/2 - c| < 2 s;  k in fixed point of 22 bits; rounded and cut to 0..255
///     first along rows, then along columns, 8 bits between
///
/// Plain integers on one thread: the same bytes everywhere.
[<RequireQualifiedAccess>]
module internal Bicubic =

    [<Literal>]
    let private PrecisionBits = 22

    /// The inputs of consecutive outputs: `Count[o]` of them from `First[o]` on, weights at `o · Width`.
    type private Taps = { First: int[]; Count: int[]; Width: int; Weights: int[] }

    let private cubic (x: float) =
        let x = abs x

        if x < 1.0 then (1.5 * x - 2.5) * x * x + 1.0
        elif x < 2.0 then ((x - 5.0) * x + 8.0) * x * -0.5 + 2.0
        else 0.0

    let private taps (inputs: int) (outputs: int) (start: int) (count: int) =
        let scale = float inputs / float outputs
        let stretch = max 1.0 scale
        let support = 2.0 * stretch
        let width = int (ceil support) * 2 + 1
        let first, counts = Array.zeroCreate count, Array.zeroCreate count
        let weights = Array.zeroCreate (count * width)

        for place in 0 .. count - 1 do
            let centre = (float (start + place) + 0.5) * scale
            let from = max 0 (int (centre - support + 0.5))
            let until = min inputs (int (centre + support + 0.5))

            let raw =
                Array.init (until - from) (fun i -> cubic ((float (i + from) - centre + 0.5) * (1.0 / stretch)))

            let sum = Array.sum raw
            first[place] <- from
            counts[place] <- raw.Length

            for i in 0 .. raw.Length - 1 do
                let share = (if sum = 0.0 then raw[i] else raw[i] / sum) * float (1 <<< PrecisionBits)
                weights[place * width + i] <- int (if share < 0.0 then share - 0.5 else share + 0.5)

        { First = first; Count = counts; Width = width; Weights = weights }

    /// One pixel as four lanes; lanes behind its channels hold anything.
    let inline private lanes (pixels: byte[]) (at: int) (channels: int) =
        if at + 4 <= pixels.Length then
            let word = Unsafe.ReadUnaligned<uint32> &pixels[at]
            let shorts = Vector128.WidenLower(Vector128.CreateScalar(word).AsByte())
            Vector128.WidenLower(shorts).AsInt32()
        else
            let channel c = if c < channels then int pixels[at + c] else 0
            Vector128.Create(channel 0, channel 1, channel 2, channel 3)

    let private half256, half =
        Vector256.Create(1 <<< (PrecisionBits - 1)), Vector<int>(1 <<< (PrecisionBits - 1))

    /// Rows `top .. top + rows - 1` resized along the row, as 4 lanes a pixel: [rows; taps; 4]. Two rows at a time.
    let private alongRows (pixels: byte[]) width channels (top: int) (rows: int) (across: Taps) =
        let columns = across.First.Length
        let target: int[] = Array.zeroCreate (rows * columns * 4)
        let first = Array.min across.First
        let last = Array.max (Array.map2 (+) across.First across.Count) - 1
        let pair: Vector256<int>[] = Array.zeroCreate width
        let low, high = Vector256<int>.Zero, Vector256.Create 255
        let mutable row = 0

        while row < rows do
            let other = min (row + 1) (rows - 1)
            let upper, lower = (top + row) * width * channels, (top + other) * width * channels

            for x in first..last do
                pair[x] <-
                    Vector256.Create(
                        lanes pixels (upper + x * channels) channels,
                        lanes pixels (lower + x * channels) channels
                    )

            for column in 0 .. columns - 1 do
                let from, weights = across.First[column], column * across.Width
                let mutable sum = half256

                for i in 0 .. across.Count[column] - 1 do
                    sum <- sum + pair[from + i] * Vector256.Create across.Weights[weights + i]

                let cut = Vector256.Min(Vector256.Max(Vector256.ShiftRightArithmetic(sum, PrecisionBits), low), high)
                cut.GetLower().CopyTo(target, (row * columns + column) * 4)
                cut.GetUpper().CopyTo(target, (other * columns + column) * 4)

            row <- row + 2

        target

    /// [outputs; stride] from [rows; stride], whose first row is row `top` of the image.
    let private alongColumns (source: int[]) (stride: int) (top: int) (down: Taps) =
        let target: int[] = Array.zeroCreate (down.First.Length * stride)
        let low, high = Vector<int>.Zero, Vector<int> 255

        for output in 0 .. down.First.Length - 1 do
            let from, weights = (down.First[output] - top) * stride, output * down.Width

            // The last vector may overlap the one before it: it computes the same numbers again.
            let mutable x = 0

            while x < stride do
                let place = max 0 (min x (stride - Vector<int>.Count))
                let mutable sum = half

                for i in 0 .. down.Count[output] - 1 do
                    sum <- sum + Vector<int>(source, from + i * stride + place) * Vector<int> down.Weights[weights + i]

                let cut = Vector.Min(Vector.Max(Vector.ShiftRightArithmetic(sum, PrecisionBits), low), high)
                cut.CopyTo(target, output * stride + place)
                x <- x + Vector<int>.Count

        target

    /// The window of `side` x `side` pixels at (left, top) of the image resized to newWidth x newHeight, four lanes a pixel:
    /// [side; side; 4], of which the first `channels` hold the image.
    ///
    /// pixels : [height; width; channels], 1 to 4 channels; side : at least 4
    let window (pixels: byte[]) width height channels (newWidth, newHeight) (left, top) (side: int) : int[] =
        let across, down = taps width newWidth left side, taps height newHeight top side
        let firstRow = Array.min down.First
        let rows = Array.max (Array.map2 (+) down.First down.Count) - firstRow
        let narrowed = alongRows pixels width channels firstRow rows across
        alongColumns narrowed (side * 4) firstRow down
