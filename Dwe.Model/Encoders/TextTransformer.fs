namespace Dwe.Model.Encoders

open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// What CLIP's text tower makes of token rows; both functions share the weights.
type internal TextEncodings =
    {
        /// [batch; places] int64 -> [batch; embedding]
        Pooled: Tensor -> Tensor
        /// [batch; places] int64 -> [batch; places; embedding]
        EveryPlace: Tensor -> Tensor
    }

/// CLIP's text tower (openai/CLIP clip/model.py, CLIP.encode_text).
[<RequireQualifiedAccess>]
module internal TextTransformer =

    /// Token embeddings and positions through causal blocks; the vector of the end mark, which has the largest id, normalised
    /// and projected. What stands after the end mark cannot matter, so rows may be cut behind the last one.
    ///
    /// `EveryPlace` does with every place what is done with the end mark's.
    ///
    /// ids : [batch; places] int64, places <= context -> in the weights' dtype
    /// raises : ArgumentException for more places than the model knows
    let recipe (frozen: FrozenWeights) (sizes: ClipSizes) : Layer<TextEncodings> =
        let width = sizes.Text.Width

        layer {
            let! embedding = FrozenLayer.loaded "token_embedding.weight" [ sizes.Vocabulary; width ]
            let! positions = FrozenLayer.loaded "positional_embedding" [ sizes.Context; width ]
            let! through = Transformer.stack frozen sizes.Text true
            let! normalise = FrozenLayer.layerNorm "ln_final" width
            let! projection = FrozenLayer.loaded "text_projection" [ width; sizes.Embedding ]
            let! precision = fun registry -> registry.Precision
            let projection = frozen.Operand projection

            let hidden (ids: Tensor) =
                Shape.rank 2 (nameof ids) ids
                let batch, places = Shape.size 0 ids, Shape.size 1 ids

                if places > int64 sizes.Context then
                    invalidArg (nameof ids) $"ids is {Shape.describe ids}, expected at most {sizes.Context} places"

                let tokens = embedding.index_select (0L, ids.flatten ())
                let tokens = tokens.view (batch, places, int64 width)
                through (Numbers.plus tokens (positions.narrow (0L, 0L, places)))

            let project (hidden: Tensor) =
                torch.matmul (Precision.operand precision (normalise hidden), projection ())
                |> Precision.result precision

            return
                { Pooled =
                    fun ids ->
                        let seen = hidden ids
                        let ends = (ids.argmax(1L).view (-1L, 1L, 1L)).expand (-1L, 1L, int64 width)
                        project ((seen.gather (1L, ends)).squeeze 1L)
                  EveryPlace = hidden >> project }
        }
