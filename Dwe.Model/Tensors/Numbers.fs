namespace Dwe.Model.Tensors

open System.Collections.Concurrent
open TorchSharp

/// Numbers as torch takes them. A TorchSharp `Scalar` frees its native number when it is collected, and the calls that take
/// one do not keep it alive: if another thread collects garbage during the call, torch reads freed memory. `left + right`
/// makes such a number too (its factor of 1). So numbers are made here once and kept, and tensors are added with `plus`. Reading
/// one back, by `ToDouble` or `item`, passes through such a number as well: hence `value`.
[<RequireQualifiedAccess>]
module internal Numbers =

    let private kept = ConcurrentDictionary<float, Scalar>()

    /// The number, kept for the life of the process: for constants and configured values, not for measured ones.
    let scalar (value: float) : Scalar = kept.GetOrAdd(value, (fun value -> value.ToScalar()))

    let private one = scalar 1.0

    /// left + right, element by element, with torch's broadcasting.
    let plus (left: Tensor) (right: Tensor) : Tensor = left.add (right, one)

    /// tensor + value.
    let plusNumber (value: float) (tensor: Tensor) : Tensor = tensor.add (scalar value, one)

    /// The number that a tensor of one holds, whatever its dtype and device.
    /// raises : ArgumentException for a tensor of more
    let value (tensor: Tensor) : float =
        if tensor.numel () <> 1L then
            invalidArg (nameof tensor) $"a tensor of {tensor.numel ()} numbers, expected one"

        use _ = torch.NewDisposeScope()
        let wide = tensor.detach().``to``(torch.float64).cpu().reshape 1L
        let numbers = wide.data<float> ()
        numbers[0L]
