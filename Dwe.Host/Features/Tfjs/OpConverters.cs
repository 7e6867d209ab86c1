namespace Dwe.Host.Features.Tfjs;

/// <summary>Converts one node: emits ONNX operations and returns the names of the node's results.</summary>
internal delegate string[] OpConverter(OpConversion op);

/// <summary>The one table of known operators, gathered from the families.</summary>
internal static class OpConverters
{
    private static readonly Dictionary<string, OpConverter> Table =
        new[]
            {
                ElementwiseOps.Table, ReductionOps.Table, ShapeOps.Table,
                IndexingOps.Table, MatrixOps.Table, SpatialOps.Table,
            }
            .SelectMany(family => family)
            .ToDictionary(entry => entry.Key, entry => entry.Value);

    /// <summary>Every known operator's name, for error messages.</summary>
    public static string KnownNames => string.Join(", ", Table.Keys.Order(StringComparer.Ordinal));

    public static OpConverter? Find(string name) => Table.GetValueOrDefault(name);
}
