namespace Dwe.Host.Storage;

/// <summary>What a safetensors header says of one tensor.</summary>
/// <param name="Name">Unique in its file.</param>
/// <param name="Dtype">Element type.</param>
/// <param name="Shape">Extents, slowest first; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="ByteLength">Product of the shape times the element size.</param>
internal sealed record TensorEntry(string Name, Dtype Dtype, IReadOnlyList<long> Shape, long Offset, long ByteLength)
{
    /// <summary>Number of elements: 1 for a scalar, 0 where an extent is 0.</summary>
    public long ElementCount => ByteLength / Dtype.Size();

    /// <summary>Type and shape as a person reads them, e.g. <c>F32 [3, 512]</c>.</summary>
    public override string ToString() => $"{Dtype} [{string.Join(", ", Shape)}]";
}
