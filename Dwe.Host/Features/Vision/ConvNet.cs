using System.Runtime.InteropServices;
using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Vision;

/// <summary>
/// Writes a convolutional net as an ONNX graph, layer by layer, from weights in TensorFlow's layout (filters [h; w; in; out]).
/// Values in between are ONNX' [1; channels; h; w]. Padding "same" is TensorFlow's: the odd pixel at the end.
/// </summary>
internal sealed class ConvNet(IReadOnlyDictionary<string, OnnxTensor> weights)
{
    private int next;

    public OnnxGraph Graph { get; } = new("face-api");

    /// <summary>The input, less the mean colour, over 255.</summary>
    public string Start(int side, float[] mean)
    {
        Graph.Inputs.Add(new OnnxValue(
            FaceApiNets.Input, ElementType.Float32, [.. new long[] { 1, side, side, 3 }.Select(length => new OnnxDimension(length, ""))]));
        var planes = Node("Transpose", [FaceApiNets.Input], OnnxAttribute.Of("perm", [0L, 3, 1, 2]));
        var centred = Node("Sub", [planes, Constant("mean", OnnxTensor.Of(mean, 1, 3, 1, 1))]);
        return Node("Div", [centred, Constant("255", OnnxTensor.Scalar(255f))]);
    }

    public string Conv(string x, string name, int stride, bool same = true) =>
        Node("Conv", [x, Filters(name + "/filters", [3, 2, 0, 1]), Weight(name + "/bias")], Window(stride, same));

    /// <summary>A filter per channel, then a 1 x 1 layer across them.</summary>
    public string Separable(string x, string name, int stride)
    {
        var filters = Filters(name + "/depthwise_filter", [2, 3, 0, 1]);
        var channels = Graph.Constants[filters].Shape[0];
        var each = Node("Conv", [x, filters], [.. Window(stride, same: true), OnnxAttribute.Of("group", channels)]);
        return Node("Conv", [each, Filters(name + "/pointwise_filter", [3, 2, 0, 1]), Weight(name + "/bias")]);
    }

    /// <summary>Times <c>weights</c> plus <c>biases</c>, per channel.</summary>
    public string Scale(string x, string name) =>
        Node("Add", [Node("Mul", [x, PerChannel(name + "/weights")]), PerChannel(name + "/biases")]);

    public string Relu(string x) => Node("Relu", [x]);

    public string Add(string x, string y) => Node("Add", [x, y]);

    public string Softmax(string x) => Node("Softmax", [x], OnnxAttribute.Of("axis", -1L));

    public string MaxPool(string x, int kernel, int stride, bool same) =>
        Node("MaxPool", [x], [OnnxAttribute.Of("kernel_shape", [(long)kernel, kernel]), .. Window(stride, same)]);

    public string AveragePool(string x, int kernel) =>
        Node("AveragePool", [x], [OnnxAttribute.Of("kernel_shape", [(long)kernel, kernel]), .. Window(kernel, same: false)]);

    /// <summary>Zeros after the last channels, and after the last row and column.</summary>
    public string Pad(string x, int channels, int side) =>
        Node("Pad", [x, Constant($"pads{next}", OnnxTensor.Vector(0, 0, 0, 0, 0, channels, side, side))]);

    /// <summary>[1; channels; h; w] -> [1; channels].</summary>
    public string Mean(string x) =>
        Node("ReduceMean", [x, Constant("spatial", OnnxTensor.Vector(2, 3))], OnnxAttribute.Of("keepdims", 0L));

    public string Product(string x, string name) => Node("MatMul", [x, Weight(name)]);

    public string Dense(string x, string name) => Node("Add", [Product(x, name + "/weights"), Weight(name + "/bias")]);

    public void Output(string name, string x)
    {
        Graph.Nodes.Add(new OnnxNode("Identity", [x], [name], []));
        Graph.Outputs.Add(new OnnxValue(name, ElementType.Float32));
    }

    private static OnnxAttribute[] Window(int stride, bool same) =>
        [OnnxAttribute.Of("strides", [(long)stride, stride]), OnnxAttribute.Of("auto_pad", same ? "SAME_UPPER" : "VALID")];

    private string Node(string kind, string[] inputs, params OnnxAttribute[] attributes)
    {
        var name = $"{kind.ToLowerInvariant()}{next++}";
        Graph.Nodes.Add(new OnnxNode(kind, inputs, [name], attributes));
        return name;
    }

    private string Constant(string name, OnnxTensor tensor)
    {
        Graph.Constants[name] = tensor;
        return name;
    }

    private string Weight(string name) => Constant(name, weights[name]);

    private string PerChannel(string name) =>
        Constant(name, weights[name] with { Shape = [1, weights[name].Shape[0], 1, 1] });

    private string Filters(string name, int[] order)
    {
        var stored = weights[name];
        var from = MemoryMarshal.Cast<byte, float>(stored.Data.Span);
        long[] shape = [.. order.Select(axis => stored.Shape[axis])];
        long[] strides = [stored.Shape[1] * stored.Shape[2] * stored.Shape[3], stored.Shape[2] * stored.Shape[3], stored.Shape[3], 1];
        var values = new float[from.Length];
        var at = 0;
        for (var a = 0L; a < shape[0]; a++)
            for (var b = 0L; b < shape[1]; b++)
                for (var c = 0L; c < shape[2]; c++)
                    for (var d = 0L; d < shape[3]; d++)
                        values[at++] = from[(int)((a * strides[order[0]]) + (b * strides[order[1]]) + (c * strides[order[2]]) + (d * strides[order[3]]))];
        return Constant(name, OnnxTensor.Of(values, shape));
    }
}
