using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>Matrix products, and what exporters fuse onto them and onto convolutions.</summary>
internal static class MatrixOps
{
    public static readonly Dictionary<string, OpConverter> Table = new()
    {
        ["MatMul"] = op => [Product(op, "transpose_a", "transpose_b")],
        ["BatchMatMul"] = op => [Product(op, "adj_x", "adj_y")],
        ["BatchMatMulV2"] = op => [Product(op, "adj_x", "adj_y")],
        ["_FusedMatMul"] = op => [Fused(op, Product(op, "transpose_a", "transpose_b"))],
    };

    /// <summary>Appends the attribute <c>fused_ops</c>, in its order: BiasAdd (input 2), Relu, Relu6.</summary>
    public static string Fused(OpConversion op, string value) => op.Node.Texts("fused_ops")
        .Aggregate(value, (result, fused) => fused switch
        {
            "BiasAdd" => op.Emit("Add", [result, op.Input(2)]),
            "Relu" => op.Emit("Relu", [result]),
            "Relu6" => ElementwiseOps.Relu6(op, result),
            _ => throw op.Node.Refuse($"fused operator {fused}", "BiasAdd, Relu or Relu6"),
        });

    /// <summary>x y over the last two axes, either of them transposed first. The ranks are unknown here, and ONNX'
    /// Transpose must know them; ONNX Runtime's FusedMatMul need not.</summary>
    private static string Product(OpConversion op, string transposeLeft, string transposeRight)
    {
        var (left, right) = (op.Node.Flag(transposeLeft), op.Node.Flag(transposeRight));
        string[] factors = [op.Input(0), op.Input(1)];
        return left || right
            ? op.EmitRuntime(
                "FusedMatMul", factors,
                OnnxAttribute.Of("transA", left ? 1 : 0), OnnxAttribute.Of("transB", right ? 1 : 0))
            : op.Emit("MatMul", factors);
    }
}
