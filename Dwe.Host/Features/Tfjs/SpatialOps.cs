using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>
/// Operators on images [batch, height, width, channels]. ONNX wants the channels second, so each stands between two
/// transposes; filters are turned round here, once.
/// </summary>
internal static class SpatialOps
{
    private static readonly long[] ChannelsSecond = [0, 3, 1, 2];
    private static readonly long[] ChannelsLast = [0, 2, 3, 1];

    public static readonly Dictionary<string, OpConverter> Table = new()
    {
        ["Conv2D"] = op => [Convolution(op)],
        ["_FusedConv2D"] = op => [MatrixOps.Fused(op, Convolution(op))],
        ["DepthwiseConv2dNative"] = op => [Depthwise(op)],
        ["FusedDepthwiseConv2dNative"] = op => [MatrixOps.Fused(op, Depthwise(op))],
        ["Conv2DBackpropInput"] = TransposedConvolution,
        ["MaxPool"] = op => [Pool(op, "MaxPool")],
        // Averages leave the padding out in both; ONNX' default for count_include_pad is 0.
        ["AvgPool"] = op => [Pool(op, "AveragePool")],
        ["ResizeBilinear"] = ResizeBilinear,
    };

    /// <summary>Filter [height, width, in, out] to [out, in, height, width].</summary>
    private static string Convolution(OpConversion op)
    {
        var (filter, shape) = op.Weights(1);
        if (IsPointwise(op, shape))
            // A 1 x 1 filter is a matrix over the channels: no transposes, one product.
            return op.Emit("MatMul", [op.Input(0), op.Constant(OnnxTensor.Of(filter, shape[2], shape[3]))]);
        var turned = op.Constant(Transposed(filter, shape, [3, 2, 0, 1]));
        return Convolve(op, turned, shape, groups: 1);
    }

    /// <summary>Only where the image is a sequence that was given a height or width of 1: for real images ONNX
    /// Runtime's own convolution is faster than the product.</summary>
    private static bool IsPointwise(OpConversion op, long[] shape) =>
        shape[0] == 1 && shape[1] == 1 && op.Producer(0).Operator == "ExpandDims"
        && Middle(op.Node.Integers("strides")).All(stride => stride == 1);

    /// <summary>Filter [height, width, in, multiplier] to [in * multiplier, 1, height, width], one group per input
    /// channel.</summary>
    private static string Depthwise(OpConversion op)
    {
        var (filter, shape) = op.Weights(1);
        var turned = Transposed(filter, shape, [2, 3, 0, 1]);
        var grouped = turned with { Shape = [shape[2] * shape[3], 1, shape[0], shape[1]] };
        return Convolve(op, op.Constant(grouped), shape, groups: shape[2]);
    }

    private static string Convolve(OpConversion op, string filter, long[] shape, long groups) => ChannelsFirst(
        op, op.Input(0),
        image => op.Emit(
            "Conv", [image, filter],
            Padding(op), Strides(op), Dilations(op), OnnxAttribute.Of("group", groups),
            OnnxAttribute.Of("kernel_shape", [shape[0], shape[1]])));

    /// <summary>(constant result shape, filter [height, width, out, in], image): the gradient of a convolution, so the
    /// result's shape is given and the padding follows from it: total = (n - 1) s + k - result, the larger half
    /// last.</summary>
    private static string[] TransposedConvolution(OpConversion op)
    {
        var (filter, shape) = op.Weights(1);
        var turned = op.Constant(Transposed(filter, shape, [3, 2, 0, 1]));
        return [ChannelsFirst(op, op.Input(2), image => op.Emit(
            "ConvTranspose", [image, turned],
            OnnxAttribute.Of("auto_pad", "SAME_UPPER"), OnnxAttribute.Of("output_shape", Middle(op.Integers(0))),
            Strides(op), Dilations(op)))];
    }

    private static string Pool(OpConversion op, string onnxOperator) => ChannelsFirst(
        op, op.Input(0),
        image => op.Emit(
            onnxOperator, [image],
            Padding(op), Strides(op), OnnxAttribute.Of("kernel_shape", Middle(op.Node.Integers("ksize")))));

    /// <summary>(image, size [2]). TensorFlow has three ways to place the new pixels over the old; so has
    /// ONNX.</summary>
    private static string[] ResizeBilinear(OpConversion op)
    {
        var placing = op.Node.Flag("align_corners") ? "align_corners"
            : op.Node.Flag("half_pixel_centers") ? "half_pixel" : "asymmetric";
        return [ChannelsFirst(op, op.Input(0), image =>
        {
            var outer = op.Emit("Shape", [image], OnnxAttribute.Of("start", 0), OnnxAttribute.Of("end", 2));
            var size = op.Emit("Concat", [outer, op.Input(1)], OnnxAttribute.Of("axis", 0));
            return op.Emit(
                "Resize", [image, "", "", size],
                OnnxAttribute.Of("mode", "linear"), OnnxAttribute.Of("coordinate_transformation_mode", placing));
        })];
    }

    private static string ChannelsFirst(OpConversion op, string image, Func<string, string> body)
    {
        if (op.Node.Text("data_format") is var layout && layout is not ("" or "NHWC"))
            throw op.Node.Refuse($"data_format {layout}", "NHWC");
        var turned = op.Emit("Transpose", [image], OnnxAttribute.Of("perm", ChannelsSecond));
        return op.Emit("Transpose", [body(turned)], OnnxAttribute.Of("perm", ChannelsLast));
    }

    /// <summary>SAME pads so that result = ⌈image / stride⌉, the larger half last: ONNX' SAME_UPPER.</summary>
    private static OnnxAttribute Padding(OpConversion op) => op.Node.Text("padding") switch
    {
        "SAME" => OnnxAttribute.Of("auto_pad", "SAME_UPPER"),
        "VALID" => OnnxAttribute.Of("auto_pad", "VALID"),
        var other => throw op.Node.Refuse($"padding {other}", "SAME or VALID"),
    };

    private static OnnxAttribute Strides(OpConversion op) =>
        OnnxAttribute.Of("strides", Middle(op.Node.Integers("strides")));

    private static OnnxAttribute Dilations(OpConversion op) =>
        OnnxAttribute.Of("dilations", op.Node.Integers("dilations") is { Length: 4 } given ? Middle(given) : [1, 1]);

    /// <summary>Height and width of a list over all four axes.</summary>
    private static long[] Middle(long[] axes) => axes[1..3];

    /// <summary>result[i_order] = values[i]: axis k of the result is axis order[k] of the values, which have
    /// four.</summary>
    private static OnnxTensor Transposed(float[] values, long[] shape, int[] order)
    {
        var strides = new[] { shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1 };
        var turned = order.Select(axis => shape[axis]).ToArray();
        var steps = order.Select(axis => strides[axis]).ToArray();
        var result = new float[values.Length];
        var next = 0;
        for (var a = 0L; a < turned[0]; a++)
            for (var b = 0L; b < turned[1]; b++)
                for (var c = 0L; c < turned[2]; c++)
                    for (var d = 0L; d < turned[3]; d++)
                        result[next++] = values[(a * steps[0]) + (b * steps[1]) + (c * steps[2]) + (d * steps[3])];
        return OnnxTensor.Of(result, turned);
    }
}
