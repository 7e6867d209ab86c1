using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>Operators that arrange elements without computing on them.</summary>
internal static class ShapeOps
{
    public static readonly Dictionary<string, OpConverter> Table = new()
    {
        ["Shape"] = op => [op.Emit("Shape", [op.Input(0)])],
        ["Reshape"] = op => [op.Emit("Reshape", [op.Input(0), op.Input(1)], OnnxAttribute.Of("allowzero", 1))],
        ["ExpandDims"] = op => [op.Emit("Unsqueeze", [op.Input(0), op.Vector(op.Integers(1))])],
        ["Squeeze"] = Squeeze,
        ["Transpose"] = op => [op.Emit("Transpose", [op.Input(0)], OnnxAttribute.Of("perm", op.Integers(1)))],
        ["ConcatV2"] = Concat,
        ["Pack"] = Pack,
        ["SplitV"] = Split,
        ["Pad"] = Pad,
        ["Range"] = op => [op.Emit("Range", op.Inputs)],
    };

    private static string[] Squeeze(OpConversion op)
    {
        var axes = op.Node.Integers("squeeze_dims");
        return [op.Emit("Squeeze", axes.Length == 0 ? [op.Input(0)] : [op.Input(0), op.Vector(axes)])];
    }

    /// <summary>(values…, constant axis).</summary>
    private static string[] Concat(OpConversion op) =>
        [op.Emit("Concat", op.Inputs[..^1], OnnxAttribute.Of("axis", op.Integers(op.InputCount - 1)[0]))];

    /// <summary>Stacks values along a new axis.</summary>
    private static string[] Pack(OpConversion op)
    {
        var axis = op.Node.Integer("axis");
        var raised = op.Inputs.Select(value => op.Emit("Unsqueeze", [value, op.Vector(axis)])).ToArray();
        return [op.Emit("Concat", raised, OnnxAttribute.Of("axis", axis))];
    }

    /// <summary>(value, constant lengths, constant axis).</summary>
    private static string[] Split(OpConversion op)
    {
        var lengths = op.Integers(1);
        if (lengths.Contains(-1)) throw op.Node.Refuse("a length of -1", "every length given");
        var axis = OnnxAttribute.Of("axis", op.Integers(2)[0]);
        return op.EmitMany("Split", [op.Input(0), op.Vector(lengths)], lengths.Length, axis);
    }

    /// <summary>(value, constant paddings [rank, 2]) with zeros. ONNX wants all the befores, then all the
    /// afters.</summary>
    private static string[] Pad(OpConversion op)
    {
        var paddings = op.Integers(1);
        var befores = paddings.Where((_, index) => index % 2 == 0);
        var afters = paddings.Where((_, index) => index % 2 == 1);
        return [op.Emit("Pad", [op.Input(0), op.Vector(befores.Concat(afters).ToArray())])];
    }
}
