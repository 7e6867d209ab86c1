namespace Dwe.Model.Encoders

open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// The transformer that both of CLIP's towers share: pre-norm blocks (openai/CLIP clip/model.py, ResidualAttentionBlock).
[<RequireQualifiedAccess>]
module internal Transformer =

    let private steepness = 1.702

    /// `QuickGelu` or `Gelu`, element by element, in the dtype it is given. The input is not needed afterwards.
    let activate (activation: ClipActivation) (input: Tensor) =
        match activation with
        | QuickGelu -> (input * Numbers.scalar steepness).sigmoid_().mul_ input
        | Gelu -> torch.nn.functional.gelu input

    /// contract(activate(expand x)). x · σ(1.702 x) is silu(1.702 x) / 1.702: where weights are copied, both factors go into
    /// them, and one pass is left of three.
    /// [..., width] -> [..., width], in the dtype of products
    let private mlp (frozen: FrozenWeights) (sizes: TransformerSizes) : Layer<Tensor -> Tensor> =
        let narrow, wide = sizes.Width, 4 * sizes.Width

        if frozen.Copies && sizes.Activation = QuickGelu then
            layer {
                let! expand = FrozenLayer.scaledOutput frozen steepness "mlp.c_fc" narrow wide
                let! contract = FrozenLayer.scaledInput frozen (1.0 / steepness) "mlp.c_proj" wide narrow
                return expand >> (fun input -> torch.nn.functional.silu (input, inplace = true)) >> contract
            }
        else
            layer {
                let! expand = FrozenLayer.linear frozen "mlp.c_fc" narrow wide
                let! contract = FrozenLayer.linear frozen "mlp.c_proj" wide narrow
                return expand >> activate sizes.Activation >> contract
            }

    /// Multi-head self-attention with packed projections; causal: a place reads itself and what is before it.
    /// [batch; places; width] -> same, in the dtype of products.
    let private attention frozen (sizes: TransformerSizes) (causal: bool) : Layer<Tensor -> Tensor> =
        let width, heads = int64 sizes.Width, int64 sizes.Heads

        layer {
            let! project = FrozenLayer.product frozen "in_proj_weight" "in_proj_bias" sizes.Width (3 * sizes.Width)
            let! out = FrozenLayer.linear frozen "out_proj" sizes.Width sizes.Width
            let! precision = fun registry -> registry.Precision

            return
                fun input ->
                    let batch, places = Shape.size 0 input, Shape.size 1 input
                    // [3; batch; heads; places; width of a head]
                    // The fused attention takes half the time in float32, and its products are a fiftieth of the block's.
                    let packed =
                        (project input |> Precision.result precision).view (batch, places, 3L, heads, width / heads)

                    let split = packed.permute (2L, 0L, 3L, 1L, 4L)

                    let read =
                        torch.nn.functional.scaled_dot_product_attention (
                            split[0],
                            split[1],
                            split[2],
                            is_casual = causal
                        )

                    out ((read.transpose (1L, 2L)).reshape (batch, places, width) |> Precision.operand precision)
        }

    /// x + attention(norm x), then x + mlp(norm x).
    let private block frozen (sizes: TransformerSizes) causal : Layer<Tensor -> Tensor> =
        layer {
            let! normAttention = FrozenLayer.layerNorm "ln_1" sizes.Width
            let! attend = Layer.nest "attn" (attention frozen sizes causal)
            let! normMlp = FrozenLayer.layerNorm "ln_2" sizes.Width
            let! mlp = mlp frozen sizes
            let! precision = fun registry -> registry.Precision

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
