namespace Dwe.Model.Layers

open TorchSharp
open Dwe.Model.Tensors

/// Layer recipes. Names are data: they are the keys of a checkpoint.
[<RequireQualifiedAccess>]
module Layer =

    /// The weights of `recipe` under `name.`.
    let nest (name: string) (recipe: Layer<'Function>) : Layer<'Function> = fun registry -> recipe (registry.Nest name)

    /// A weight of its own, e.g. the logit scale.
    let parameter (name: string) (sizes: int64 list) (init: Init) : Layer<Tensor> =
        fun registry -> registry.Parameter(name, sizes, init)

    /// Brings what was computed in the dtype of products back to that of weights.
    let widen: Layer<Tensor -> Tensor> = fun registry -> Precision.result registry.Precision

    /// x Wᵀ + b, left in the dtype of products.
    let private productFrom
        (first: Init)
        (firstBias: Init)
        (name: string)
        (inputs: int)
        (outputs: int)
        : Layer<Tensor -> Tensor> =
        fun registry ->
            let own = registry.Nest name
            let weight = own.Parameter("weight", [ int64 outputs; int64 inputs ], first)
            let bias = own.Parameter("bias", [ int64 outputs ], firstBias)

            fun input ->
                if Shape.size -1 input <> int64 inputs then
                    invalidArg (nameof input) $"{name} takes [..., {inputs}] but got {Shape.describe input}"

                let operand = Precision.operand registry.Precision
                torch.nn.functional.linear (operand input, operand weight, operand bias)

    let private product name (inputs: int) outputs =
        let bound = Uniform(1.0 / sqrt (float inputs))
        productFrom bound bound name inputs outputs

    /// `linear` whose weight starts as `first` and whose bias starts at 0.
    let linearFrom (first: Init) (name: string) (inputs: int) (outputs: int) : Layer<Tensor -> Tensor> =
        layer {
            let! product = productFrom first (Constant 0.0) name inputs outputs
            let! widen = widen
            return product >> widen
        }

    /// y = x Wᵀ + b.  [..., inputs] -> [..., outputs]; W, b uniform in ±1/√inputs (torch.nn.Linear's default).
    /// Raises ArgumentException when the last axis is not `inputs`. In mixed precision the product is bfloat16.
    let linear (name: string) (inputs: int) (outputs: int) : Layer<Tensor -> Tensor> =
        layer {
            let! product = product name inputs outputs
            let! widen = widen
            return product >> widen
        }

    /// max(0, `linear`). In mixed precision it is taken of the bfloat16 numbers: the same numbers, half the memory.
    let rectified (name: string) (inputs: int) (outputs: int) : Layer<Tensor -> Tensor> =
        layer {
            let! product = product name inputs outputs
            let! widen = widen
            return product >> torch.nn.functional.relu >> widen
        }

    /// Layer normalisation over the last axis: (x - mean) / √(variance + 1e-5) · weight + bias.  [..., size] -> [..., size]
    /// Of bfloat16 numbers it gives bfloat16 ones, computed in float32 between.
    let layerNorm (name: string) (size: int) : Layer<Tensor -> Tensor> =
        fun registry ->
            let own = registry.Nest name
            let weight = own.Parameter("weight", [ int64 size ], Constant 1.0)
            let bias = own.Parameter("bias", [ int64 size ], Constant 0.0)
            fun input -> torch.nn.functional.layer_norm (input, [| int64 size |], weight, bias, 1e-5)

    /// Inverted dropout: in training each value is 0 with probability `rate`, else scaled by 1 / (1 - rate). The factor is
    /// rounded to the dtype of the input, as torch's own is.
    let dropout (rate: float) : Layer<Tensor -> Tensor> =
        fun registry input ->
            if not registry.Training || rate = 0.0 then
                input
            else
                let onCpu = input.device_type = DeviceType.CPU && DropoutMask.takes input.dtype

                if onCpu then
                    let kept = torch.empty_like input
                    DropoutMask.fill (registry.NextMaskSeed()) rate kept
                    input * kept
                else
                    let kept = torch.empty_like(input).bernoulli_ (1.0 - rate, registry.Generator)
                    input * kept.div_ (Numbers.scalar (1.0 - rate))

    /// φ = Linear, ReLU, LayerNorm, Dropout, with the weights `linear` and `norm`.  [..., inputs] -> [..., outputs]
    ///
    /// In mixed precision all of it is bfloat16, and so is the result: what reads it next is mostly a product, which would
    /// round it anyway; `widen` brings it back for a sum. A third of the bytes of `rectified >> layerNorm >> dropout`.
    let refine (inputs: int) (outputs: int) (rate: float) : Layer<Tensor -> Tensor> =
        layer {
            let! product = product "linear" inputs outputs
            let! norm = layerNorm "norm" outputs
            let! drop = dropout rate
            return product >> torch.nn.functional.relu >> norm >> drop
        }
