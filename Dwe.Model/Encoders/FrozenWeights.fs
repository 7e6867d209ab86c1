namespace Dwe.Model.Encoders

open System
open System.Collections.Generic
open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// Operands of products made of weights that no longer change. In mixed precision a weight is brought to bfloat16 once, at
/// its first use, instead of in every batch: of ViT-B/32, 600 MB read and 300 MB written.
[<Sealed>]
type internal FrozenWeights(precision: Precision) =
    let copies = List<Tensor>()

    /// The weight as products take it. Asked for once a layer, called once a batch: the weight must hold its values by then.
    member _.Operand(weight: Tensor) : unit -> Tensor =
        match precision with
        | Float32
        | Float64 -> fun () -> weight
        | Bf16Mixed ->
            let copy =
                lazy
                    (let copy = (weight.detach().``to`` torch.bfloat16).DetachFromDisposeScope()
                     lock copies (fun () -> copies.Add copy)
                     copy)

            fun () -> copy.Value

    interface IDisposable with
        member _.Dispose() =
            for copy in copies do
                copy.Dispose()

[<RequireQualifiedAccess>]
module internal FrozenLayer =

    /// A weight whose values come from a file.
    let loaded (name: string) (sizes: int list) : Layer<Tensor> =
        fun registry -> registry.Parameter(name, List.map int64 sizes, Loaded)

    /// x Wᵀ + b under `weightName` and `biasName`.  [..., inputs] -> [..., outputs], in and out in the dtype of products.
    let product (frozen: FrozenWeights) weightName biasName (inputs: int) (outputs: int) : Layer<Tensor -> Tensor> =
        layer {
            let! weight = loaded weightName [ outputs; inputs ]
            let! bias = loaded biasName [ outputs ]
            let weight, bias = frozen.Operand weight, frozen.Operand bias
            return fun input -> torch.nn.functional.linear (input, weight (), bias ())
        }

    /// `product` under `name.weight` and `name.bias`.
    let linear frozen (name: string) inputs outputs : Layer<Tensor -> Tensor> =
        product frozen $"{name}.weight" $"{name}.bias" inputs outputs

    /// Layer normalisation over the last axis, ε = 1e-5.  [..., size] -> [..., size]
    let layerNorm (name: string) (size: int) : Layer<Tensor -> Tensor> =
        layer {
            let! weight = loaded $"{name}.weight" [ size ]
            let! bias = loaded $"{name}.bias" [ size ]
            return fun input -> torch.nn.functional.layer_norm (input, [| int64 size |], weight, bias, 1e-5)
        }
