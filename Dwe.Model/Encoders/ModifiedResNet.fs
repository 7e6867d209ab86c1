namespace Dwe.Model.Encoders

open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// CLIP's convolutional image tower (openai/CLIP clip/model.py, ModifiedResNet): a stem of three convolutions, average
/// pooling in front of every convolution that would have a stride, attention instead of the last pooling.
[<RequireQualifiedAccess>]
module internal ModifiedResNet =

    /// Convolution without bias, stride 1 but for the stem.  [batch; inputs; h; w] -> [batch; outputs; h'; w']
    /// In the weights' dtype, in mixed precision too: with bfloat16 convolutions the vector of the reference's small ResNet had
    /// a cosine of 0.89 to its float32 one. Whether those random weights or bfloat16 itself are to blame was not found out.
    let private convolution name inputs outputs (kernel: int) (stride: int64) : Layer<Tensor -> Tensor> =
        layer {
            let! weight = FrozenLayer.loaded $"{name}.weight" [ outputs; inputs; kernel; kernel ]
            let padding = int64 (kernel / 2)

            return
                fun input ->
                    torch.nn.functional.conv2d (
                        input,
                        weight,
                        strides = [| stride; stride |],
                        padding = [| padding; padding |]
                    )
        }

    /// (x - mean) / √(variance + 1e-5) · weight + bias, a channel, with the statistics of the file.
    let private batchNorm name (channels: int) : Layer<Tensor -> Tensor> =
        layer {
            let! weight = FrozenLayer.loaded $"{name}.weight" [ channels ]
            let! bias = FrozenLayer.loaded $"{name}.bias" [ channels ]
            let! mean = FrozenLayer.loaded $"{name}.running_mean" [ channels ]
            let! variance = FrozenLayer.loaded $"{name}.running_var" [ channels ]

            return
                fun input ->
                    torch.nn.functional.batch_norm (
                        input,
                        mean,
                        variance,
                        weight = weight,
                        bias = bias,
                        training = false,
                        eps = 1e-5
                    )
        }

    let private rectify (input: Tensor) = input.relu_ ()

    let private averagePool (size: int) (input: Tensor) =
        if size = 1 then
            input
        else
            torch.nn.functional.avg_pool2d (input, int64 size)

    let private convolved convolutionName normName inputs outputs kernel stride : Layer<Tensor -> Tensor> =
        layer {
            let! convolve = convolution convolutionName inputs outputs kernel stride
            let! normalise = batchNorm normName outputs
            return convolve >> normalise
        }

    /// 1x1, 3x3, 1x1; the shortcut is convolved where its shape would not fit.
    let private bottleneck inputs planes stride : Layer<Tensor -> Tensor> =
        layer {
            let! first = convolved "conv1" "bn1" inputs planes 1 1L
            let! second = convolved "conv2" "bn2" planes planes 3 1L
            let! third = convolved "conv3" "bn3" planes (4 * planes) 1 1L

            let! shortcut =
                if stride > 1 || inputs <> 4 * planes then
                    layer {
                        let! convolve = convolved "downsample.0" "downsample.1" inputs (4 * planes) 1 1L
                        return averagePool stride >> convolve
                    }
                else
                    fun _ -> id

            let main = first >> rectify >> second >> rectify >> averagePool stride >> third
            return fun input -> Numbers.plus (main input) (shortcut input) |> rectify
        }

    let private stage index inputs planes count stride : Layer<Tensor -> Tensor> =
        fun registry ->
            let block place =
                let inputs, stride = if place = 0 then inputs, stride else 4 * planes, 1
                Layer.nest $"layer{index}.{place}" (bottleneck inputs planes stride) registry

            let blocks = [ for place in 0 .. count - 1 -> block place ]
            fun input -> blocks |> List.fold (fun input block -> Scope.run (fun () -> block input)) input

    /// Attention of the mean over all places, which is a key itself.  [batch; width; grid; grid] -> [batch; embedding]
    let private attentionPool (frozen: FrozenWeights) width heads grid embedding : Layer<Tensor -> Tensor> =
        layer {
            let! positions = FrozenLayer.loaded "positional_embedding" [ grid * grid + 1; width ]
            let! key = FrozenLayer.linear frozen "k_proj" width width
            let! query = FrozenLayer.linear frozen "q_proj" width width
            let! value = FrozenLayer.linear frozen "v_proj" width width
            let! out = FrozenLayer.linear frozen "c_proj" width embedding
            let! precision = fun registry -> registry.Precision

            return
                fun (input: Tensor) ->
                    let places = (input.flatten 2L).transpose (1L, 2L)
                    let mean = places.mean ([| 1L |], keepdim = true)
                    let seen = Numbers.plus (torch.cat ([| mean; places |], 1L)) positions
                    let seen = Precision.operand precision seen

                    let perHead (rows: Tensor) =
                        rows.view(Shape.size 0 rows, Shape.size 1 rows, int64 heads, -1L).transpose (1L, 2L)

                    let read =
                        torch.nn.functional.scaled_dot_product_attention (
                            perHead (query (seen.narrow (1L, 0L, 1L))),
                            perHead (key seen),
                            perHead (value seen)
                        )

                    Precision.result precision (out (read.reshape (Shape.size 0 input, int64 width)))
        }

    /// [batch; 3; 32 · grid; 32 · grid] -> [batch; embedding], in the weights' dtype.
    ///
    /// raises : ArgumentException for another size of image
    let recipe frozen (stages: int list) (width: int) (heads: int) (grid: int) embedding : Layer<Tensor -> Tensor> =
        fun registry ->
            let run recipe = recipe registry
            let first = run (convolved "conv1" "bn1" 3 (width / 2) 3 2L)
            let second = run (convolved "conv2" "bn2" (width / 2) (width / 2) 3 1L)
            let third = run (convolved "conv3" "bn3" (width / 2) width 3 1L)

            let through =
                [ for index, count in List.indexed stages ->
                      let planes = width <<< index
                      let inputs = if index = 0 then width else 2 * planes
                      run (stage (index + 1) inputs planes count (if index = 0 then 1 else 2)) ]

            let pool = Layer.nest "attnpool" (attentionPool frozen (32 * width) heads grid embedding) registry
            let stem = first >> rectify >> second >> rectify >> third >> rectify >> averagePool 2
            let side = 32L * int64 grid

            fun images ->
                Shape.is [ -1L; 3L; side; side ] (nameof images) images
                through |> List.fold (fun input stage -> stage input) (stem images) |> pool
