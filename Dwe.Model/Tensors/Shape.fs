namespace Dwe.Model.Tensors

open System
open TorchSharp

type Tensor = torch.Tensor

/// Shape contracts: checked before arithmetic, since `[4; 8] - [4; 1; 8]` broadcasts to `[4; 4; 8]` without an error.
[<RequireQualifiedAccess>]
module Shape =

    let describe (tensor: Tensor) = let sizes = String.Join("; ", tensor.shape) in $"[{sizes}]"

    /// Both tensors have the same shape. Raises ArgumentException naming both shapes.
    let same (leftName: string) (left: Tensor) (rightName: string) (right: Tensor) =
        if left.shape <> right.shape then
            invalidArg leftName $"{leftName} is {describe left} but {rightName} is {describe right}"

    /// The tensor has `rank` axes. Raises ArgumentException naming the shape.
    let rank (expected: int) (name: string) (tensor: Tensor) =
        if tensor.dim () <> int64 expected then
            invalidArg name $"{name} is {describe tensor}, expected {expected} axes"

    /// The tensor has exactly these sizes; -1 stands for any size of at least 1. Raises ArgumentException.
    let is (expected: int64 list) (name: string) (tensor: Tensor) =
        let fits (wanted: int64) (actual: int64) = if wanted = -1L then actual > 0L else wanted = actual
        let actual = List.ofArray tensor.shape

        if actual.Length <> expected.Length || not (List.forall2 fits expected actual) then
            let wanted =
                String.Join("; ", expected |> List.map (fun size -> if size = -1L then "_" else string size))

            invalidArg name $"{name} is {describe tensor}, expected [{wanted}]"

    /// The size of one axis, counted from the end when negative.
    let size (axis: int) (tensor: Tensor) = tensor.shape[if axis < 0 then int (tensor.dim ()) + axis else axis]

    /// The tensor is a mask. Raises ArgumentException naming its type: a mask of numbers would be read as something else.
    let mask (name: string) (tensor: Tensor) =
        if tensor.dtype <> torch.bool then
            invalidArg name $"{name} is of type {tensor.dtype}, expected bool"
