using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>Operators that fold axes away: (value, constant axes), attribute <c>keep_dims</c>.</summary>
internal static class ReductionOps
{
    public static readonly Dictionary<string, OpConverter> Table = new()
    {
        ["Sum"] = As("ReduceSum"),
        ["Mean"] = As("ReduceMean"),
        ["Max"] = As("ReduceMax"),
        ["Prod"] = As("ReduceProd"),
    };

    private static OpConverter As(string onnxOperator) => op =>
    {
        var axes = op.Integers(1);
        // In TensorFlow no axes means: reduce nothing. In ONNX it means: reduce everything.
        if (axes.Length == 0) return [op.Input(0)];
        var keep = OnnxAttribute.Of("keepdims", op.Node.Flag("keep_dims") ? 1 : 0);
        return [op.Emit(onnxOperator, [op.Input(0), op.Vector(axes)], keep)];
    };
}
