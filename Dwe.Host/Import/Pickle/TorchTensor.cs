using System.Runtime.InteropServices;
using Dwe.Host.Storage;

namespace Dwe.Host.Import.Pickle;

/// <summary>Where the bytes of a storage are; asked when they are needed.</summary>
internal interface ITorchBytes
{
    /// <summary>Hears of a storage when a tensor names it; false where it was named with another type or size before.</summary>
    bool Declare(string key, Dtype dtype, long count);

    /// <summary>The whole storage: exactly so many bytes.</summary>
    ReadOnlyMemory<byte> Read(string key, long length);
}

/// <summary>The elements that tensors share: a key in its file, an element type and a count.</summary>
/// <param name="File">Where the bytes are.</param>
/// <param name="Key">Its name in the file.</param>
/// <param name="Dtype">Element type.</param>
/// <param name="Start">First element of this view of the storage (0 but for the views of old files).</param>
/// <param name="Count">Elements of this view.</param>
/// <param name="Whole">Elements of the whole storage.</param>
internal sealed record TorchStorage(ITorchBytes File, string Key, Dtype Dtype, long Start, long Count, long Whole);

/// <summary>A tensor as its file describes it: a view of a storage, checked against it when it is made.</summary>
internal sealed class TorchTensor
{
    private const int MaximumRank = 16;

    /// <summary>
    /// A tensor may repeat its storage (stride 0), but only so far: what a few bytes can ask for must not fill the memory.
    /// </summary>
    private const long RepeatedElements = 1 << 20;

    private readonly TorchStorage storage;
    private readonly long offset;
    private readonly long[] strides;

    private TorchTensor(TorchStorage storage, long offset, long[] shape, long[] strides, long count)
    {
        this.storage = storage;
        this.offset = offset;
        this.strides = strides;
        Shape = shape;
        Count = count;
    }

    /// <summary>Element type.</summary>
    public Dtype Dtype => storage.Dtype;

    /// <summary>Extents, slowest first; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Makes a view; says what is wrong with it where it does not lie within its storage.</summary>
    public static TorchTensor? TryMake(TorchStorage storage, long offset, long[] shape, long[] strides, out string problem)
    {
        problem = "";
        if (shape.Length != strides.Length || shape.Length > MaximumRank)
            problem = $"{shape.Length} extents and {strides.Length} strides";
        else if (offset < 0 || shape.Any(extent => extent < 0) || strides.Any(stride => stride < 0))
            problem = "a negative extent, stride or offset";
        if (problem.Length > 0) return null;

        Int128 last = offset;
        Int128 count = 1;
        for (var axis = 0; axis < shape.Length; axis++)
        {
            count *= shape[axis];
            last += (Int128)(Math.Max(shape[axis], 1) - 1) * strides[axis];
            // Both stay far from 2^127: each factor is below 2^63 and the product is looked at before the next one.
            if (count > Math.Max(storage.Count, RepeatedElements))
                problem = $"more than {Math.Max(storage.Count, RepeatedElements)} elements over a storage of {storage.Count}";
            if (count > 0 && last >= storage.Count) problem = $"element {last} of a storage of {storage.Count}";
            if (problem.Length > 0) return null;
        }
        if (count > 0 && last >= storage.Count) problem = $"element {last} of a storage of {storage.Count}";
        return problem.Length > 0 ? null : new TorchTensor(storage, offset, shape, strides, (long)count);
    }

    /// <summary>The elements in order, without gaps, as little-endian bytes.</summary>
    public byte[] ToBytes()
    {
        var size = Dtype.Size();
        var target = new byte[checked(Count * size)];
        if (Count == 0) return target;
        var source = storage.File.Read(storage.Key, checked(storage.Whole * size)).Span;
        if (IsContiguous())
        {
            source.Slice(checked((int)((storage.Start + offset) * size)), target.Length).CopyTo(target);
            return target;
        }

        var index = new long[Shape.Count];
        var from = storage.Start + offset;
        for (var done = 0; done < target.Length; done += size)
        {
            source.Slice(checked((int)(from * size)), size).CopyTo(target.AsSpan(done, size));
            for (var axis = Shape.Count - 1; axis >= 0; axis--)
            {
                from += strides[axis];
                if (++index[axis] < Shape[axis]) break;
                from -= strides[axis] * Shape[axis];
                index[axis] = 0;
            }
        }
        return target;
    }

    /// <summary>The elements in order, widened to float32 exactly (F64 and I64 are rounded).</summary>
    public float[] ToSingles()
    {
        var bytes = ToBytes();
        return Dtype switch
        {
            Dtype.F32 => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            Dtype.F16 => Widen<Half>(bytes, value => (float)value),
            Dtype.BF16 => Widen<ushort>(bytes, value => BitConverter.Int32BitsToSingle(value << 16)),
            Dtype.F64 => Widen<double>(bytes, value => (float)value),
            Dtype.I64 => Widen<long>(bytes, value => value),
            Dtype.I32 => Widen<int>(bytes, value => value),
            Dtype.I16 => Widen<short>(bytes, value => value),
            Dtype.I8 => Widen<sbyte>(bytes, value => value),
            _ => Widen<byte>(bytes, value => value),
        };
    }

    /// <summary>Type and shape as a person reads them, e.g. <c>F32 [3, 512]</c>.</summary>
    public override string ToString() => $"{Dtype} [{string.Join(", ", Shape)}]";

    private bool IsContiguous()
    {
        var expected = 1L;
        for (var axis = Shape.Count - 1; axis >= 0; axis--)
        {
            if (Shape[axis] != 1 && strides[axis] != expected) return false;
            expected *= Shape[axis];
        }
        return true;
    }

    private static float[] Widen<T>(byte[] bytes, Func<T, float> widen) where T : unmanaged =>
        Array.ConvertAll(MemoryMarshal.Cast<byte, T>(bytes).ToArray(), value => widen(value));
}
