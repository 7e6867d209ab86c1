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

    let copyOnce (make: unit -> Tensor) =
        let copy =
            lazy
                (let copy = (Scope.run make).DetachFromDisposeScope()
                 lock copies (fun () -> copies.Add copy)
                 copy)

        fun () -> copy.Value

    /// The weight as products take it. Asked for once a layer, called once a batch: the weight must hold its values by then.
    member _.Operand(weight: Tensor) : unit -> Tensor =
        match precision with
        | Float32
        | Float64 -> fun () -> weight
        | Bf16Mixed -> copyOnce (fun () -> weight.detach().``to`` torch.bfloat16)

    /// `Operand` of the weight times a factor: always a copy.
    member _.Scaled (weight: Tensor) (factor: float) : unit -> Tensor =
        copyOnce (fun () -> Precision.operand precision (weight.detach () * Numbers.scalar factor))

    /// Whether `Operand` copies, so that `Scaled` takes no memory more.
    member _.Copies = precision = Bf16Mixed

    interface IDisposable with
        member _.Dispose() =
            for copy in copies do
                copy.Dispose()

[<RequireQualifiedAccess>]
module internal FrozenLayer =

    /// A weight whose values come from a file.
    let loaded (name: string) (sizes: int list) : Layer<Tensor> =
        fun registry -> registry.Parameter(name, List.map int64 sizes, Loaded)

    let private affine
        names
        (inputs: int)
        (outputs: int)
        (operands: Tensor -> Tensor -> (unit -> Tensor) * (unit -> Tensor))
        =
        layer {
            let weightName, biasName = names
            let! weight = loaded weightName [ outputs; inputs ]
            let! bias = loaded biasName [ outputs ]
            let weight, bias = operands weight bias
            return fun (input: Tensor) -> torch.nn.functional.linear (input, weight (), bias ())
        }

    /// x Wᵀ + b under `weightName` and `biasName`.  [..., inputs] -> [..., outputs], in and out in the dtype of products.
    let product (frozen: FrozenWeights) weightName biasName (inputs: int) (outputs: int) : Layer<Tensor -> Tensor> =
        affine (weightName, biasName) inputs outputs (fun weight bias -> frozen.Operand weight, frozen.Operand bias)

    let private named name = $"{name}.weight", $"{name}.bias"

    /// `product` under `name.weight` and `name.bias`.
    let linear (frozen: FrozenWeights) (name: string) inputs outputs : Layer<Tensor -> Tensor> =
        affine (named name) inputs outputs (fun weight bias -> frozen.Operand weight, frozen.Operand bias)

    /// `linear` with another result: factor · (x Wᵀ + b).  [..., inputs] -> [..., outputs]
    let scaledOutput (frozen: FrozenWeights) (factor: float) (name: string) inputs outputs =
        affine (named name) inputs outputs (fun weight bias -> frozen.Scaled weight factor, frozen.Scaled bias factor)

    /// `linear` of another input: factor · x Wᵀ + b.  [..., inputs] -> [..., outputs]
    let scaledInput (frozen: FrozenWeights) (factor: float) (name: string) inputs outputs =
        affine (named name) inputs outputs (fun weight bias -> frozen.Scaled weight factor, frozen.Operand bias)

    /// Layer normalisation over the last axis, ε = 1e-5.  [..., size] -> [..., size]
    let layerNorm (name: string) (size: int) : Layer<Tensor -> Tensor> =
        layer {
            let! weight = loaded $"{name}.weight" [ size ]
            let! bias = loaded $"{name}.bias" [ size ]
            return fun input -> torch.nn.functional.layer_norm (input, [| int64 size |], weight, bias, 1e-5)
        }
