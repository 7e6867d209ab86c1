namespace Dwe.Model.Encoders

open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// A CLIP model's two towers (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision").
type internal Clip =
    {
        /// [batch; 3; resolution; resolution] -> [batch; embedding], not normalised
        EncodeImage: Tensor -> Tensor
        /// [batch; places] int64 -> [batch; embedding], not normalised
        EncodeText: Tensor -> Tensor
        /// [batch; places] int64 -> [batch; places; embedding], not normalised: what `EncodeText` makes of the end mark, of
        /// every place
        EncodeTokens: Tensor -> Tensor
        /// The logarithm of the factor of cosines, a scalar.
        LogitScale: Tensor
    }

[<RequireQualifiedAccess>]
module internal Clip =

    /// Both towers, under the names of OpenAI's state dict.
    let recipe (frozen: FrozenWeights) (sizes: ClipSizes) : Layer<Clip> =
        let image =
            match sizes.Image with
            | VisionTransformer(blocks, patch, grid) ->
                VisionTransformer.recipe frozen blocks patch grid sizes.Embedding
            | ModifiedResNet(stages, width, heads, grid) ->
                ModifiedResNet.recipe frozen stages width heads grid sizes.Embedding

        layer {
            let! scale = FrozenLayer.loaded "logit_scale" []
            let! encodeImage = Layer.nest "visual" image
            let! text = TextTransformer.recipe frozen sizes

            return
                { EncodeImage = encodeImage
                  EncodeText = text.Pooled
                  EncodeTokens = text.EveryPlace
                  LogitScale = scale }
        }

    /// exp(scale) · cosine.  image : [n; d], text : [m; d] -> [n; m]
    let logits (clip: Clip) (image: Tensor) (text: Tensor) =
        let unit (rows: Tensor) = rows / rows.norm (1, keepdim = true)
        torch.matmul(unit image, (unit text).t ()).mul (clip.LogitScale.exp ())
