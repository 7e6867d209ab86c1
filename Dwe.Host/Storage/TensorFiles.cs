using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Storage;

/// <summary>The two ways between safetensors and TorchSharp.</summary>
internal static class TensorFiles
{
    /// <summary>
    /// The tensor over the mapped bytes, of any size, without a copy (one is made only where a foreign file left the
    /// elements unaligned): the mapping lives as long as the tensor's storage does, even when the reader is disposed. Read
    /// it (index_select, matmul); never change it in place, the pages are read-only. It belongs to the current dispose
    /// scope, if any.
    /// </summary>
    /// <exception cref="UserErrorException">KeyUnknown, with the nearest names.</exception>
    public static torch.Tensor Map(this SafetensorsReader reader, string name)
    {
        var entry = reader.Entry(name);
        var type = ScalarTypeOf(entry.Dtype);
        if (entry.ElementCount == 0) return torch.empty([.. entry.Shape], type);
        return MappedTensors.Over(reader.Mapping, entry, type);
    }

    /// <summary>Appends a tensor of the declared type and shape; read in place where it is contiguous and on the CPU.</summary>
    /// <exception cref="ArgumentException">As <see cref="SafetensorsWriter.Append{T}"/>.</exception>
    public static void Append(this SafetensorsWriter writer, string name, torch.Tensor tensor)
    {
        using var scope = torch.NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().reshape(-1);
        // Pieces, since a span cannot reach past 2^31 - 1 bytes.
        const long Piece = 1 << 26;
        for (var start = 0L; start < flat.numel(); start += Piece)
        {
            using var piece = flat.narrow(0, start, Math.Min(Piece, flat.numel() - start));
            writer.Append<byte>(name, piece.bytes);
        }
    }

    /// <summary>The declaration of a tensor as it is.</summary>
    public static TensorSpec Spec(string name, torch.Tensor tensor) => new(name, DtypeOf(tensor.dtype), tensor.shape);

    /// <summary>The element type of a tensor's type. Throws ArgumentException for complex and quantised types.</summary>
    public static Dtype DtypeOf(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Bool => Dtype.BOOL,
        torch.ScalarType.Byte => Dtype.U8,
        torch.ScalarType.Int8 => Dtype.I8,
        torch.ScalarType.Int16 => Dtype.I16,
        torch.ScalarType.Int32 => Dtype.I32,
        torch.ScalarType.Int64 => Dtype.I64,
        torch.ScalarType.Float16 => Dtype.F16,
        torch.ScalarType.BFloat16 => Dtype.BF16,
        torch.ScalarType.Float32 => Dtype.F32,
        torch.ScalarType.Float64 => Dtype.F64,
        _ => throw new ArgumentException($"{type} has no place in a safetensors file", nameof(type)),
    };

    private static torch.ScalarType ScalarTypeOf(Dtype dtype) => dtype switch
    {
        Dtype.BOOL => torch.ScalarType.Bool,
        Dtype.U8 => torch.ScalarType.Byte,
        Dtype.I8 => torch.ScalarType.Int8,
        Dtype.I16 => torch.ScalarType.Int16,
        Dtype.I32 => torch.ScalarType.Int32,
        Dtype.I64 => torch.ScalarType.Int64,
        Dtype.F16 => torch.ScalarType.Float16,
        Dtype.BF16 => torch.ScalarType.BFloat16,
        Dtype.F32 => torch.ScalarType.Float32,
        Dtype.F64 => torch.ScalarType.Float64,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not an element type"),
    };
}
