namespace Dwe.Model.Layers

open System
open System.Numerics
open System.Runtime.InteropServices
open TorchSharp
open Dwe.Model.Tensors

/// Dropout masks on the CPU. torch draws them one after the other, which took a third of a training step.
[<RequireQualifiedAccess>]
module internal DropoutMask =

    /// A bijection of 32-bit words that mixes well (Wellons 2018, lowbias32), on a vector of them.
    let inline private mix (words: Vector<uint32>) =
        let words = (words ^^^ Vector.ShiftRightLogical(words, 16)) * Vector<uint32> 0x7feb352du
        let words = (words ^^^ Vector.ShiftRightLogical(words, 15)) * Vector<uint32> 0x846ca68bu
        words ^^^ Vector.ShiftRightLogical(words, 16)

    /// Whether a mask of this type can be drawn here.
    let takes (dtype: torch.ScalarType) = dtype = torch.float32 || dtype = torch.bfloat16

    /// Which values are dropped of those whose indices begin with `first`, all bits set where they are.
    let inline private dropped (low: Vector<uint32>) (high: Vector<uint32>) (limit: Vector<int32>) (first: int) =
        let words = mix (mix (Vector<uint32>.Indices + Vector<uint32>(uint32 first) + low) + high)
        Vector.LessThan(Vector.AsVectorInt32(Vector.ShiftRightLogical(words, 1)), limit)

    /// The upper half of a float32's bits, rounded to the nearest even: the same number in bfloat16.
    let private bfloat16 (value: float32) =
        let bits = BitConverter.SingleToUInt32Bits value
        uint16 ((bits + 0x7fffu + ((bits >>> 16) &&& 1u)) >>> 16)

    /// Fills a float32 or bfloat16 tensor on the CPU: each value 0 with probability `rate`, else 1 / (1 - rate). A value depends
    /// on the seed and on its index alone: mix(mix(index + seed's low word) + seed's high word) against rate · 2³¹.
    ///
    /// raises : ArgumentException when the tensor is of another type, not contiguous or not on the CPU
    let fill (seed: int64) (rate: float) (mask: Tensor) =
        let low, high = Vector<uint32>(uint32 seed), Vector<uint32>(uint32 (seed >>> 32))
        let limit = Vector<int32>(int32 (rate * 2147483648.0))
        let kept = float32 (1.0 / (1.0 - rate))
        let width = Vector<uint32>.Count
        let isDropped first = dropped low high limit first

        if mask.dtype = torch.float32 then
            let values = MemoryMarshal.Cast<byte, float32> mask.bytes
            let draw first = Vector.ConditionalSelect(isDropped first, Vector<float32>.Zero, Vector<float32> kept)
            let mutable first = 0

            while first + width <= values.Length do
                (draw first).CopyTo(values.Slice first)
                first <- first + width

            if first < values.Length then
                let last = draw first

                for i in first .. values.Length - 1 do
                    values[i] <- last[i - first]
        elif mask.dtype = torch.bfloat16 then
            let values = MemoryMarshal.Cast<byte, uint16> mask.bytes
            let ones = Vector<uint16>(bfloat16 kept)

            let draw first =
                let both =
                    Vector.Narrow(
                        Vector.AsVectorUInt32(isDropped first),
                        Vector.AsVectorUInt32(isDropped (first + width))
                    )

                Vector.AndNot(ones, both)

            let mutable first = 0

            while first + 2 * width <= values.Length do
                (draw first).CopyTo(values.Slice first)
                first <- first + 2 * width

            if first < values.Length then
                let last = draw first

                for i in first .. values.Length - 1 do
                    values[i] <- last[i - first]
        else
            invalidArg (nameof mask) $"a mask of {mask.dtype}, expected float32 or bfloat16"
