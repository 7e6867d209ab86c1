namespace Dwe.Model.Tensors

open TorchSharp

/// In which numbers a model computes.
type Precision =
    /// Weights, products and sums in 32-bit floats.
    | Float32
    /// Products in bfloat16; weights, sums, normalisation, losses and the optimiser in 32-bit floats.
    | Bf16Mixed
    /// Everything in 64-bit floats: for parity tests.
    | Float64

[<RequireQualifiedAccess>]
module Precision =

    /// The dtype of weights and of everything but products.
    let weightType precision =
        match precision with
        | Float32
        | Bf16Mixed -> torch.float32
        | Float64 -> torch.float64

    /// Brings the operand of a product to the product's dtype; a no-op outside mixed precision.
    let operand precision (tensor: Tensor) =
        match precision with
        | Bf16Mixed -> tensor.``to`` torch.bfloat16
        | Float32
        | Float64 -> tensor

    /// Brings the result of a product back to the weights' dtype; a no-op outside mixed precision.
    let result precision (tensor: Tensor) =
        match precision with
        | Bf16Mixed -> tensor.``to`` torch.float32
        | Float32
        | Float64 -> tensor
