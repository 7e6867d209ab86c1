using System.Buffers.Binary;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Storage;

/// <summary>The JSON header of a safetensors file, checked against the file that carries it.</summary>
internal sealed record SafetensorsHeader(IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<TensorEntry> Tensors)
{
    /// <summary>The header's length comes first, in 8 bytes.</summary>
    public const int LengthBytes = 8;

    /// <summary>The one key that is not a tensor.</summary>
    public const string MetadataKey = "__metadata__";

    /// <summary>Longer headers are refused, as every reader of the format does.</summary>
    public const long MaximumLength = 100_000_000;

    /// <summary>Reads and checks the header. Throws FileBroken naming the header or the tensor.</summary>
    public static SafetensorsHeader Parse(string path, MappedFile file)
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span(0, LengthBytes));
        var most = (ulong)Math.Min(MaximumLength, file.Length - LengthBytes);
        if (length > most)
            throw Broken(path, "header length", $"{length} bytes", $"at most {most} (the file has {file.Length} bytes)");

        try
        {
            var bytes = file.Span(LengthBytes, (int)length).ToArray();
            using var document = JsonDocument.Parse(bytes);
            return Parse(path, document.RootElement, LengthBytes + (long)length, file.Length);
        }
        catch (JsonException error)
        {
            throw Broken(path, $"header, byte {LengthBytes + (error.BytePositionInLine ?? 0)}", "text that is no JSON", "a JSON object");
        }
        catch (InvalidOperationException)
        {
            // JsonElement says so when a text is not valid UTF-8 or holds half a surrogate pair.
            throw Broken(path, "header", "a text that is not valid UTF-8", "a JSON object in UTF-8");
        }
    }

    /// <summary>The error for a file that is not what it should be.</summary>
    public static UserErrorException Broken(string path, string place, string found, string expected) =>
        new(UserError.NewFileBroken(path, place, found, expected));

    private static SafetensorsHeader Parse(string path, JsonElement root, long dataStart, long fileLength)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Broken(path, "header", $"a JSON {KindOf(root)}", "a JSON object");

        var metadata = new Dictionary<string, string>();
        var tensors = new List<TensorEntry>();
        var names = new HashSet<string>();
        foreach (var property in root.EnumerateObject())
        {
            if (!names.Add(property.Name))
                throw Broken(path, $"tensor '{property.Name}'", "the name twice", "every name once");
            if (property.Name == MetadataKey) ReadMetadata(path, property.Value, metadata);
            else tensors.Add(ReadEntry(path, property.Name, property.Value, dataStart, fileLength));
        }

        var ordered = tensors.OrderBy(entry => entry.Offset).ThenBy(entry => entry.ByteLength).ToArray();
        var end = dataStart;
        foreach (var entry in ordered)
        {
            if (entry.Offset != end)
            {
                var found = entry.Offset < end ? "bytes that belong to another tensor too" : "a gap before it";
                throw Broken(path, $"tensor '{entry.Name}'", found, $"its data to start at byte {end - dataStart} of the data");
            }
            end += entry.ByteLength;
        }
        if (end != fileLength)
            throw Broken(path, "data", $"{fileLength - dataStart} bytes", $"{end - dataStart} (the sum of its tensors)");
        return new SafetensorsHeader(metadata, ordered);
    }

    private static void ReadMetadata(string path, JsonElement value, Dictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Broken(path, MetadataKey, $"a JSON {KindOf(value)}", "an object of texts");
        foreach (var item in value.EnumerateObject())
        {
            if (item.Value.ValueKind != JsonValueKind.String)
                throw Broken(path, $"{MetadataKey}, '{item.Name}'", $"a JSON {KindOf(item.Value)}", "a text");
            if (!metadata.TryAdd(item.Name, item.Value.GetString() ?? ""))
                throw Broken(path, $"{MetadataKey}, '{item.Name}'", "the name twice", "every name once");
        }
    }

    private static TensorEntry ReadEntry(string path, string name, JsonElement value, long dataStart, long fileLength)
    {
        var place = $"tensor '{name}'";
        if (value.ValueKind != JsonValueKind.Object)
            throw Broken(path, place, $"a JSON {KindOf(value)}", "an object of dtype, shape and data_offsets");
        JsonElement? dtypeElement = null, shapeElement = null, offsetsElement = null;
        foreach (var item in value.EnumerateObject())
        {
            ref var slot = ref dtypeElement;
            switch (item.Name)
            {
                case "dtype": break;
                case "shape": slot = ref shapeElement; break;
                case "data_offsets": slot = ref offsetsElement; break;
                default: throw Broken(path, place, $"the key '{item.Name}'", "dtype, shape and data_offsets");
            }
            if (slot is not null) throw Broken(path, place, $"{item.Name} twice", "it once");
            slot = item.Value;
        }
        if (dtypeElement is not { } dtypeJson || shapeElement is not { } shapeJson || offsetsElement is not { } offsetsJson)
            throw Broken(path, place, value.GetRawText(), "all of dtype, shape and data_offsets");

        if (dtypeJson.ValueKind != JsonValueKind.String
            || dtypeJson.GetString() is not { } dtypeName
            || !Enum.GetNames<Dtype>().Contains(dtypeName))
            throw Broken(path, place, $"dtype {dtypeJson.GetRawText()}", $"one of {Dtypes.All}");
        var dtype = Enum.Parse<Dtype>(dtypeName);

        if (!TryIntegers(shapeJson, out var shape) || !dtype.TryByteLength(shape, out var length))
            throw Broken(path, place, $"shape {shapeJson.GetRawText()}", "a list of extents whose product fits 63 bits");
        if (!TryIntegers(offsetsJson, out var offsets) || offsets.Length != 2)
            throw Broken(path, place, $"data_offsets {offsetsJson.GetRawText()}", "two offsets, begin and end");
        var (begin, end) = (offsets[0], offsets[1]);
        var dataLength = fileLength - dataStart;
        if (begin > end || end > dataLength)
            throw Broken(path, place, $"data_offsets [{begin}, {end}]", $"a range within the {dataLength} bytes of data");
        if (end - begin != length)
            throw Broken(path, place, $"{end - begin} bytes of data", $"{length} for {dtype} [{string.Join(", ", shape)}]");
        return new TensorEntry(name, dtype, shape, dataStart + begin, length);
    }

    /// <summary>A JSON array of non-negative 63-bit integers.</summary>
    private static bool TryIntegers(JsonElement element, out long[] values)
    {
        values = [];
        if (element.ValueKind != JsonValueKind.Array) return false;
        values = new long[element.GetArrayLength()];
        var i = 0;
        foreach (var item in element.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var value) || value < 0) return false;
            values[i++] = value;
        }
        return true;
    }

    private static string KindOf(JsonElement element) => element.ValueKind.ToString().ToLowerInvariant();
}
