namespace Dwe.Model.Encoders

open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// CLIP's image tower of patches (Dosovitskiy et al. 2021; openai/CLIP clip/model.py, VisionTransformer).
[<RequireQualifiedAccess>]
module internal VisionTransformer =

    /// Patches and a class token, positions added, normalised, through the blocks; the class token, normalised, projected.
    ///
    /// [batch; 3; patch · grid; patch · grid] -> [batch; embedding], in the weights' dtype
    /// raises : ArgumentException for another size of image
    let recipe frozen (blocks: TransformerSizes) (patch: int) (grid: int) (embedding: int) : Layer<Tensor -> Tensor> =
        layer {
            let! kernel = FrozenLayer.loaded "conv1.weight" [ blocks.Width; 3; patch; patch ]
            let! classToken = FrozenLayer.loaded "class_embedding" [ blocks.Width ]
            let! positions = FrozenLayer.loaded "positional_embedding" [ grid * grid + 1; blocks.Width ]
            let! normBefore = FrozenLayer.layerNorm "ln_pre" blocks.Width
            let! through = Transformer.stack frozen blocks false
            let! normAfter = FrozenLayer.layerNorm "ln_post" blocks.Width
            let! projection = FrozenLayer.loaded "proj" [ blocks.Width; embedding ]
            let! precision = fun registry -> registry.Precision
            let kernel, projection = frozen.Operand kernel, frozen.Operand projection
            let operand, result = Precision.operand precision, Precision.result precision
            let width, patch, grid = int64 blocks.Width, int64 patch, int64 grid

            /// A convolution whose stride is its kernel is one product of patches laid out as rows.
            let embed (images: Tensor) =
                let batch = Shape.size 0 images
                let apart = images.view (batch, 3L, grid, patch, grid, patch)
                let rows = (apart.permute (0L, 2L, 4L, 1L, 3L, 5L)).reshape (batch, grid * grid, 3L * patch * patch)
                result (torch.nn.functional.linear (operand rows, (kernel ()).view (width, -1L)))

            return
                fun images ->
                    Shape.is [ -1L; 3L; patch * grid; patch * grid ] (nameof images) images
                    let classTokens = classToken.expand (Shape.size 0 images, 1L, width)
                    let tokens = torch.cat ([| classTokens; embed images |], 1L)
                    let seen = Numbers.plus tokens positions |> normBefore |> through
                    let pooled = normAfter (seen.select (1L, 0L))
                    result (torch.matmul (operand pooled, projection ()))
        }
