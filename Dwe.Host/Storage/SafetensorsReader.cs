using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dwe.Model.Domain;

namespace Dwe.Host.Storage;

/// <summary>
/// A safetensors file, mapped into memory: an 8-byte little-endian header length, a JSON header, raw little-endian tensors.
/// The header is checked against the file before anything is believed. Views do not copy and are not to be written to.
/// </summary>
internal sealed class SafetensorsReader : IDisposable
{
    private readonly MappedFile file;
    private readonly Dictionary<string, TensorEntry> byName;

    private SafetensorsReader(string path, MappedFile file, SafetensorsHeader header)
    {
        Path = path;
        this.file = file;
        Metadata = header.Metadata;
        Tensors = header.Tensors;
        byName = header.Tensors.ToDictionary(entry => entry.Name);
    }

    /// <summary>The file, as it was named by the caller.</summary>
    public string Path { get; }

    /// <summary>The texts of <c>__metadata__</c>; empty where the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Every tensor, in the order of the data.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>The mapped bytes, for those who hold them longer than the reader.</summary>
    internal MappedFile Mapping => file;

    /// <summary>Opens and checks a file. Nothing but the header is read.</summary>
    /// <exception cref="UserErrorException">
    /// FileMissing; FileBroken naming the header or the tensor: bad length or JSON, unknown element type, a name given
    /// twice, a shape that does not fill its bytes, tensors that overlap, leave gaps or reach past the end.
    /// </exception>
    public static SafetensorsReader Open(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(
                path, "a safetensors file", "Check the path, or write the file again."));
        if (new FileInfo(path).Length < SafetensorsHeader.LengthBytes)
            throw SafetensorsHeader.Broken(
                path, "header length", $"a file of {new FileInfo(path).Length} bytes", "at least 8 bytes");

        var file = new MappedFile(path);
        try
        {
            return new SafetensorsReader(path, file, SafetensorsHeader.Parse(path, file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file holds a tensor of this name.</summary>
    public bool Contains(string name) => byName.ContainsKey(name);

    /// <summary>What the header says of a tensor.</summary>
    /// <exception cref="UserErrorException">KeyUnknown, with the nearest names.</exception>
    public TensorEntry Entry(string name) =>
        byName.TryGetValue(name, out var entry)
            ? entry
            : throw new UserErrorException(UserError.NewKeyUnknown(
                Path, name, Microsoft.FSharp.Collections.ListModule.OfSeq(Tensors.Select(known => known.Name))));

    /// <summary>
    /// The elements of a tensor without a copy (a copy is made only where a foreign file left them unaligned). Element
    /// type T as in <see cref="Dtypes.IsSeenAs{T}"/>. The mapping lives until the reader is disposed and no view is pinned.
    /// </summary>
    /// <exception cref="UserErrorException">
    /// KeyUnknown; FileBroken where the tensor has another element type, or more than 2^31 - 1 elements: use
    /// <see cref="Segments{T}"/> for those.
    /// </exception>
    public Memory<T> View<T>(string name) where T : unmanaged
    {
        var entry = Typed<T>(name);
        var count = entry.ByteLength / Unsafe.SizeOf<T>();
        if (count > int.MaxValue)
            throw SafetensorsHeader.Broken(
                Path, $"tensor '{name}'", $"{count} elements", $"at most {int.MaxValue} in one view; read it in segments");
        return At<T>(entry.Offset, (int)count);
    }

    /// <summary>
    /// The elements of a tensor of any size as consecutive views, each of whole rows (along the first axis) and of at
    /// most <paramref name="maximumElements"/> elements, or one row where a row is longer. A scalar is one segment.
    /// </summary>
    /// <exception cref="UserErrorException">As <see cref="View{T}"/>, for one row.</exception>
    public IReadOnlyList<Memory<T>> Segments<T>(string name, int maximumElements = int.MaxValue) where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumElements, 1);
        var entry = Typed<T>(name);
        var rows = entry.Shape.Count == 0 ? 1 : entry.Shape[0];
        var count = entry.ByteLength / Unsafe.SizeOf<T>();
        if (count == 0) return [];
        var rowElements = count / rows;
        if (rowElements > int.MaxValue)
            throw SafetensorsHeader.Broken(
                Path, $"tensor '{name}'", $"rows of {rowElements} elements", $"at most {int.MaxValue} in one row");

        var rowsPerSegment = Math.Max(1, maximumElements / rowElements);
        var segments = new List<Memory<T>>();
        for (var row = 0L; row < rows; row += rowsPerSegment)
        {
            var length = Math.Min(rowsPerSegment, rows - row) * rowElements;
            segments.Add(At<T>(entry.Offset + row * rowElements * Unsafe.SizeOf<T>(), (int)length));
        }
        return segments;
    }

    /// <summary>A tensor's elements copied and widened to float32, whatever number type they have (BOOL as 0 and 1).</summary>
    /// <exception cref="UserErrorException">As <see cref="View{T}"/>.</exception>
    public float[] ReadSingles(string name)
    {
        switch (Entry(name).Dtype)
        {
            case Dtype.F32: return View<float>(name).ToArray();
            case Dtype.F64: return Convert<double>(name, value => (float)value);
            case Dtype.F16: return Convert<Half>(name, value => (float)value);
            case Dtype.BF16: return Convert<ushort>(name, value => BitConverter.Int32BitsToSingle(value << 16));
            case Dtype.I64: return Convert<long>(name, value => value);
            case Dtype.I32: return Convert<int>(name, value => value);
            case Dtype.I16: return Convert<short>(name, value => value);
            case Dtype.I8: return Convert<sbyte>(name, value => value);
            case Dtype.U8:
            case Dtype.BOOL: return Convert<byte>(name, value => value);
            default: throw new InvalidOperationException($"no conversion for {Entry(name).Dtype}");
        }
    }

    /// <summary>Ends the reader's own hold on the mapping; pinned views (tensors made over it) keep theirs.</summary>
    public void Dispose() => file.Dispose();

    private float[] Convert<T>(string name, Func<T, float> widen) where T : unmanaged
    {
        var source = View<T>(name).Span;
        var singles = new float[source.Length];
        for (var i = 0; i < singles.Length; i++) singles[i] = widen(source[i]);
        return singles;
    }

    private TensorEntry Typed<T>(string name)
    {
        var entry = Entry(name);
        if (!entry.Dtype.IsSeenAs<T>())
            throw SafetensorsHeader.Broken(Path, $"tensor '{name}'", entry.ToString(), $"elements of {typeof(T).Name}");
        return entry;
    }

    private Memory<T> At<T>(long offset, int count) where T : unmanaged
    {
        if (offset % Unsafe.SizeOf<T>() == 0) return file.View<T>(offset, count);
        var copy = new T[count];
        var target = MemoryMarshal.AsBytes(copy.AsSpan());
        for (var done = 0; done < target.Length;)
        {
            var step = Math.Min(target.Length - done, 1 << 30);
            file.Span(offset + done, step).CopyTo(target[done..]);
            done += step;
        }
        return copy;
    }
}
