using TorchSharp;

namespace Dwe.Host.Storage;

/// <summary>Element types of a safetensors file that Dwe reads and writes; the names are those of the format.</summary>
internal enum Dtype
{
    BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64,
}

/// <summary>Sizes and .NET types of the element types.</summary>
internal static class Dtypes
{
    /// <summary>Every name, for messages.</summary>
    public static readonly string All = string.Join(", ", Enum.GetNames<Dtype>());

    /// <summary>Bytes per element.</summary>
    public static int Size(this Dtype dtype) => dtype switch
    {
        Dtype.BOOL or Dtype.U8 or Dtype.I8 => 1,
        Dtype.I16 or Dtype.F16 or Dtype.BF16 => 2,
        Dtype.I32 or Dtype.F32 => 4,
        Dtype.I64 or Dtype.F64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not an element type"),
    };

    /// <summary>
    /// Whether elements can be seen as <typeparamref name="T"/>: exactly (BF16 as TorchSharp's
    /// <see cref="BFloat16"/> or its 16 bits, <see cref="ushort"/>), or as raw bytes.
    /// </summary>
    public static bool IsSeenAs<T>(this Dtype dtype) => typeof(T) == typeof(byte) || dtype switch
    {
        Dtype.BOOL => typeof(T) == typeof(bool),
        Dtype.U8 => false,
        Dtype.I8 => typeof(T) == typeof(sbyte),
        Dtype.I16 => typeof(T) == typeof(short),
        Dtype.I32 => typeof(T) == typeof(int),
        Dtype.I64 => typeof(T) == typeof(long),
        Dtype.F16 => typeof(T) == typeof(Half),
        Dtype.BF16 => typeof(T) == typeof(ushort) || typeof(T) == typeof(BFloat16),
        Dtype.F32 => typeof(T) == typeof(float),
        Dtype.F64 => typeof(T) == typeof(double),
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not an element type"),
    };

    /// <summary>
    /// Bytes of a tensor of this type and shape; false where a dimension is negative or the size passes 2^63 - 1.
    /// </summary>
    public static bool TryByteLength(this Dtype dtype, ReadOnlySpan<long> shape, out long length)
    {
        length = dtype.Size();
        var empty = false;
        foreach (var extent in shape)
        {
            if (extent < 0) return false;
            if (extent == 0)
            {
                empty = true;
                continue;
            }
            if (length > long.MaxValue / extent) return false;
            length *= extent;
        }
        if (empty) length = 0;
        return true;
    }
}
