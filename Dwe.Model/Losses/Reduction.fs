namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// How values per mention become one number. Losses do not reduce; their caller does.
[<RequireQualifiedAccess>]
module internal Reduction =

    let private notEmpty (values: Tensor) =
        if values.numel () = 0L then
            invalidArg (nameof values) $"values is {Shape.describe values}, expected at least one"

    /// Raises ArgumentException when there is no value.
    let sum (values: Tensor) : Tensor =
        notEmpty values
        values.sum ()

    /// Raises ArgumentException when there is no value.
    let mean (values: Tensor) : Tensor =
        notEmpty values
        values.mean ()

    /// The mean of the values whose mask is true.
    ///
    ///     Σ_i m_i v_i / max(1, Σ_i m_i)
    ///
    /// mask    : bool, the shape of `values`; true = counts
    /// values  : any shape
    /// returns : []; 0 with zero gradient when nothing counts. A NaN that does not count does not show.
    /// raises  : ArgumentException when the shapes differ, the mask is not bool, or there is no value
    let maskedMean (mask: Tensor) (values: Tensor) : Tensor =
        notEmpty values
        Shape.mask (nameof mask) mask
        Shape.same (nameof mask) mask (nameof values) values
        let counted = mask.sum(values.dtype).clamp_min (Numbers.scalar 1.0)
        values.masked_fill(mask.logical_not (), Numbers.scalar 0.0).sum () / counted
