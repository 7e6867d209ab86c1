namespace Dwe.Model.Tensors

open System.Collections.Concurrent
open TorchSharp

/// Numbers as torch takes them. A TorchSharp `Scalar` frees its native number when it is collected, and the calls that take
/// one do not keep it alive: if another thread collects garbage during the call, torch reads freed memory. `left + right`
/// makes such a number too (its factor of 1). So numbers are made here once and kept, and tensors are added with `plus`.
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
