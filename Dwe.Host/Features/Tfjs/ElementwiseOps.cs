using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>Operators that act on every element by itself, with TensorFlow's (which is ONNX') broadcasting.</summary>
internal static class ElementwiseOps
{
    public static readonly Dictionary<string, OpConverter> Table = new()
    {
        ["Add"] = As("Add"),
        ["AddV2"] = As("Add"),
        ["AddN"] = As("Sum"),
        ["Sub"] = As("Sub"),
        ["Mul"] = As("Mul"),
        ["RealDiv"] = As("Div"),
        ["Maximum"] = As("Max"),
        ["Minimum"] = As("Min"),
        ["Equal"] = As("Equal"),
        ["Greater"] = As("Greater"),
        ["Less"] = As("Less"),
        ["LogicalNot"] = As("Not"),
        ["Relu"] = As("Relu"),
        ["Relu6"] = op => [Relu6(op, op.Input(0))],
        ["Sigmoid"] = As("Sigmoid"),
        ["Tanh"] = As("Tanh"),
        ["Sin"] = As("Sin"),
        ["Cos"] = As("Cos"),
        ["Square"] = op => [op.Emit("Mul", [op.Input(0), op.Input(0)])],
        ["Rsqrt"] = op => [op.Emit("Reciprocal", [op.Emit("Sqrt", [op.Input(0)])])],
        ["Softmax"] = op => [op.Emit("Softmax", [op.Input(0)], OnnxAttribute.Of("axis", -1))],
        ["BiasAdd"] = BiasAdd,
        ["FloorDiv"] = op => [FloorDiv(op)],
        ["FloorMod"] = FloorMod,
        ["Cast"] = op => [op.Emit("Cast", [op.Input(0)], OnnxAttribute.Of("to", (long)op.Node.Type("DstT")))],
        ["Identity"] = op => [op.Input(0)],
    };

    /// <summary>min(max(x, 0), 6).</summary>
    public static string Relu6(OpConversion op, string value) => op.Emit(
        "Clip", [value, op.Constant(OnnxTensor.Scalar(0f)), op.Constant(OnnxTensor.Scalar(6f))]);

    private static OpConverter As(string onnxOperator) => op => [op.Emit(onnxOperator, op.Inputs)];

    private static string[] BiasAdd(OpConversion op)
    {
        // The bias belongs to the channels, which NHWC keeps last: plain broadcasting.
        if (op.Node.Text("data_format") is var layout && layout is not ("" or "NHWC"))
            throw op.Node.Refuse($"data_format {layout}", "NHWC");
        return [op.Emit("Add", [op.Input(0), op.Input(1)])];
    }

    /// <summary>⌊x / y⌋. ONNX' integer division truncates, so integers go through float64, exact below 2^53.</summary>
    private static string FloorDiv(OpConversion op)
    {
        const long float64 = 11;
        if (op.Node.Type("T") == ElementType.Float32)
            return op.Emit("Floor", [op.Emit("Div", [op.Input(0), op.Input(1)])]);
        var real = new[] { 0, 1 }.Select(index => op.Emit("Cast", [op.Input(index)], OnnxAttribute.Of("to", float64)));
        var quotient = op.Emit("Floor", [op.Emit("Div", real.ToArray())]);
        return op.Emit("Cast", [quotient], OnnxAttribute.Of("to", (long)ElementType.Int64));
    }

    /// <summary>x - y ⌊x / y⌋, with the sign of y. ONNX' Mod does that for integers; for floats it truncates.</summary>
    private static string[] FloorMod(OpConversion op) => op.Node.Type("T") == ElementType.Float32
        ? [op.Emit("Sub", [op.Input(0), op.Emit("Mul", [op.Input(1), FloorDiv(op)])])]
        : [op.Emit("Mod", [op.Input(0), op.Input(1)])];
}
