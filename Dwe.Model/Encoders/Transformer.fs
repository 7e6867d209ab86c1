namespace Dwe.Model.Encoders

open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// The transformer that both of CLIP's towers share: pre-norm blocks (openai/CLIP clip/model.py, ResidualAttentionBlock).
[<RequireQualifiedAccess>]
module internal Transformer =

    /// `QuickGelu` or `Gelu`, element by element, in the dtype it is given. The input is not needed afterwards.
    let activate (activation: ClipActivation) (input: Tensor) =
        match activation with
        | QuickGelu -> (input * Numbers.scalar 1.702).sigmoid_().mul_ input
        | Gelu -> torch.nn.functional.gelu input

    /// Multi-head self-attention with packed projections; causal: a place reads itself and what is before it.
    /// [batch; places; width] -> same, in the dtype of products.
    let private attention frozen (sizes: TransformerSizes) (causal: bool) : Layer<Tensor -> Tensor> =
        let width, heads = int64 sizes.Width, int64 sizes.Heads

        layer {
            let! project = FrozenLayer.product frozen "in_proj_weight" "in_proj_bias" sizes.Width (3 * sizes.Width)
            let! out = FrozenLayer.linear frozen "out_proj" sizes.Width sizes.Width

            return
                fun input ->
                    let batch, places = Shape.size 0 input, Shape.size 1 input
                    // [3; batch; heads; places; width of a head]
                    let packed = (project input).view (batch, places, 3L, heads, width / heads)
                    let split = packed.permute (2L, 0L, 3L, 1L, 4L)

                    let read =
                        torch.nn.functional.scaled_dot_product_attention (
                            split[0],
                            split[1],
                            split[2],
                            is_casual = causal
                        )

                    out ((read.transpose (1L, 2L)).reshape (batch, places, width))
        }

    /// x + attention(norm x), then x + mlp(norm x).
    let private block frozen (sizes: TransformerSizes) causal : Layer<Tensor -> Tensor> =
        layer {
            let! normAttention = FrozenLayer.layerNorm "ln_1" sizes.Width
            let! attend = Layer.nest "attn" (attention frozen sizes causal)
            let! normMlp = FrozenLayer.layerNorm "ln_2" sizes.Width
            let! expand = FrozenLayer.linear frozen "mlp.c_fc" sizes.Width (4 * sizes.Width)
            let! contract = FrozenLayer.linear frozen "mlp.c_proj" (4 * sizes.Width) sizes.Width
            let! precision = fun registry -> registry.Precision
            let mlp = expand >> activate sizes.Activation >> contract

            let residual (branch: Tensor -> Tensor) norm (input: Tensor) =
                Numbers.plus input (norm input |> Precision.operand precision |> branch |> Precision.result precision)

            return residual attend normAttention >> residual mlp normMlp
        }

    /// All blocks of a stack, under `transformer.resblocks.N`.  [batch; places; width] -> same, in the weights' dtype.
    let stack frozen (sizes: TransformerSizes) causal : Layer<Tensor -> Tensor> =
        fun registry ->
            let blocks =
                [ for index in 0 .. sizes.Layers - 1 ->
                      Layer.nest $"transformer.resblocks.{index}" (block frozen sizes causal) registry ]

            fun input ->
                // One scope a block: what a block made is gone before the next one starts.
                blocks |> List.fold (fun input block -> Scope.run (fun () -> block input)) input
