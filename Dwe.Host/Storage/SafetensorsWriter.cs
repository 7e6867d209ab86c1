using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Dwe.Host.Storage;

/// <summary>What is going to be written: name, element type and shape.</summary>
internal sealed record TensorSpec(string Name, Dtype Dtype, IReadOnlyList<long> Shape);

/// <summary>
/// Writes a safetensors file front to back: the tensors are declared first, then their elements are appended in that
/// order, in pieces of any size. Same declarations and elements, same bytes: metadata is sorted, the header is padded to
/// 8 bytes with spaces. Tensors are laid out without gaps, as the format asks: declare wider element types first to keep
/// every one aligned.
/// </summary>
internal sealed class SafetensorsWriter
{
    private readonly Stream stream;
    private readonly IReadOnlyList<TensorSpec> tensors;
    private readonly long[] lengths;
    private int current;
    private long written;

    /// <summary>Writes the header. Throws ArgumentException for a name declared twice or a shape without a size.</summary>
    public SafetensorsWriter(
        Stream stream, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        this.stream = stream;
        this.tensors = tensors;
        lengths = new long[tensors.Count];
        var names = new HashSet<string> { SafetensorsHeader.MetadataKey };
        for (var i = 0; i < tensors.Count; i++)
        {
            if (!names.Add(tensors[i].Name))
                throw new ArgumentException($"tensor name '{tensors[i].Name}' is taken", nameof(tensors));
            if (!tensors[i].Dtype.TryByteLength(tensors[i].Shape.ToArray(), out lengths[i]))
                throw new ArgumentException($"tensor '{tensors[i].Name}' has no size", nameof(tensors));
        }

        var header = Header(metadata);
        Span<byte> length = stackalloc byte[SafetensorsHeader.LengthBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        SkipFull();
    }

    /// <summary>Writes a file atomically through <see cref="AtomicFile"/>.</summary>
    public static void WriteFile(
        string path,
        IReadOnlyList<TensorSpec> tensors,
        IReadOnlyDictionary<string, string>? metadata,
        Action<SafetensorsWriter> append) =>
        AtomicFile.Write(path, stream =>
        {
            var writer = new SafetensorsWriter(stream, tensors, metadata);
            append(writer);
            writer.Complete();
        });

    /// <summary>
    /// Appends elements to the tensor of this name, which must be the first unfilled one. Throws ArgumentException for
    /// another order, element type, or more elements than declared.
    /// </summary>
    public void Append<T>(string name, ReadOnlySpan<T> elements) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(elements);
        if (bytes.Length == 0) return;
        if (current == tensors.Count || tensors[current].Name != name)
            throw new ArgumentException($"'{name}' is appended where {Due} is due", nameof(name));
        if (!tensors[current].Dtype.IsSeenAs<T>())
            throw new ArgumentException($"'{name}' is {tensors[current].Dtype}, not {typeof(T).Name}", nameof(elements));
        if (bytes.Length > lengths[current] - written)
            throw new ArgumentException(
                $"'{name}' has room for {lengths[current] - written} bytes, not {bytes.Length}", nameof(elements));
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("safetensors needs a little-endian machine");
        stream.Write(bytes);
        written += bytes.Length;
        if (written == lengths[current])
        {
            current++;
            written = 0;
            SkipFull();
        }
    }

    /// <summary>Confirms that every declared tensor is full. Throws InvalidOperationException naming the one that is not.</summary>
    public void Complete()
    {
        if (current < tensors.Count)
            throw new InvalidOperationException($"{Due} has {written} of {lengths[current]} bytes");
    }

    private string Due => current < tensors.Count ? $"'{tensors[current].Name}'" : "nothing";

    private void SkipFull()
    {
        while (current < tensors.Count && lengths[current] == 0) current++;
    }

    private byte[] Header(IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach (var item in metadata.OrderBy(item => item.Key, StringComparer.Ordinal))
                    json.WriteString(item.Key, item.Value);
                json.WriteEndObject();
            }
            var offset = 0L;
            for (var i = 0; i < tensors.Count; i++)
            {
                json.WriteStartObject(tensors[i].Name);
                json.WriteString("dtype", tensors[i].Dtype.ToString());
                json.WriteStartArray("shape");
                foreach (var extent in tensors[i].Shape) json.WriteNumberValue(extent);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset = checked(offset + lengths[i]);
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        var padded = (buffer.WrittenCount + 7) / 8 * 8;
        buffer.GetSpan(padded - buffer.WrittenCount)[..(padded - buffer.WrittenCount)].Fill((byte)' ');
        buffer.Advance(padded - buffer.WrittenCount);
        return buffer.WrittenSpan.ToArray();
    }
}
