namespace Dwe.Model.Layers

open System.Numerics
open System.Runtime.InteropServices
open Dwe.Model.Tensors

/// Dropout masks on the CPU. torch draws them one after the other, which took a third of a training step.
[<RequireQualifiedAccess>]
module internal DropoutMask =

    /// A bijection of 32-bit words that mixes well (Wellons 2018, lowbias32), on a vector of them.
    let inline private mix (words: Vector<uint32>) =
        let words = (words ^^^ Vector.ShiftRightLogical(words, 16)) * Vector<uint32> 0x7feb352du
        let words = (words ^^^ Vector.ShiftRightLogical(words, 15)) * Vector<uint32> 0x846ca68bu
        words ^^^ Vector.ShiftRightLogical(words, 16)

    /// Fills a float32 tensor on the CPU: each value 0 with probability `rate`, else 1 / (1 - rate). A value depends on the
    /// seed and on its index alone: mix(mix(index + seed's low word) + seed's high word) against rate · 2³¹.
    ///
    /// raises : ArgumentException when the tensor is not contiguous float32 on the CPU
    let fill (seed: int64) (rate: float) (mask: Tensor) =
        let values = MemoryMarshal.Cast<byte, float32> mask.bytes
        let low, high = Vector<uint32>(uint32 seed), Vector<uint32>(uint32 (seed >>> 32))
        let limit = Vector<int32>(int32 (rate * 2147483648.0))
        let kept = Vector<float32>(float32 (1.0 / (1.0 - rate)))
        let width = Vector<float32>.Count
        let indices = Vector<uint32>.Indices

        let draw (first: int) =
            let words = mix (mix (indices + Vector<uint32>(uint32 first) + low) + high)
            let drawn = Vector.AsVectorInt32(Vector.ShiftRightLogical(words, 1))
            Vector.ConditionalSelect(Vector.LessThan(drawn, limit), Vector<float32>.Zero, kept)

        let mutable first = 0

        while first + width <= values.Length do
            (draw first).CopyTo(values.Slice first)
            first <- first + width

        if first < values.Length then
            let last = draw first

            for i in first .. values.Length - 1 do
                values[i] <- last[i - first]
