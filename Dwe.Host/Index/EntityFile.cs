using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>
/// The entities of a segment on disk: <c>entities.jsonl</c>, one a line, and <c>entities.safetensors</c> with the place of each
/// line (<c>offsets</c>) and the rows in the order of their ids' hashes (<c>hashes</c>, <c>rows</c>). Both are mapped, so a
/// million entities take no memory of the process but what is read.
/// </summary>
internal sealed class EntityFile : IDisposable
{
    private const string LinesFile = "entities.jsonl";
    private const string PlacesFile = "entities.safetensors";
    private const string OffsetsName = "offsets";
    private const string HashesName = "hashes";
    private const string RowsName = "rows";

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string path;
    private readonly MappedFile? lines;
    private readonly SafetensorsReader places;
    private readonly ReadOnlyMemory<long> offsets;
    private readonly ReadOnlyMemory<long> hashes;
    private readonly ReadOnlyMemory<int> rows;

    private EntityFile(string folder, int count, string remedy)
    {
        path = Path.Combine(folder, LinesFile);
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(path, "a segment's entities", remedy));
        places = SafetensorsReader.Open(Path.Combine(folder, PlacesFile));
        try
        {
            offsets = places.View<long>(OffsetsName);
            hashes = places.View<long>(HashesName);
            rows = places.View<int>(RowsName);
            var length = new FileInfo(path).Length;
            if (offsets.Length != count + 1 || hashes.Length != count || rows.Length != count || offsets.Span[^1] != length)
                throw new UserErrorException(UserError.NewStoreMismatch(
                    places.Path, $"{offsets.Length - 1} rows over {offsets.Span[^1]} bytes", $"{count} over {length}",
                    remedy));
            lines = length == 0 ? null : new MappedFile(path);
        }
        catch
        {
            places.Dispose();
            throw;
        }
    }

    /// <summary>Opens a segment's entities.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken, or StoreMismatch where there are not <paramref name="count"/>.</exception>
    public static EntityFile Open(string folder, int count, string remedy = "Build the index again with `dwe index`.") =>
        new(folder, count, remedy);

    /// <summary>Hashes of all ids, ascending: different ids may have one.</summary>
    public ReadOnlySpan<long> Hashes => hashes.Span;

    /// <summary>The row of each hash.</summary>
    public ReadOnlySpan<int> HashedRows => rows.Span;

    /// <summary>The lines of a segment as they were written.</summary>
    public static FileStream OpenLines(string folder) => File.OpenRead(Path.Combine(folder, LinesFile));

    /// <summary>Writes entities by row. Flushed with the folder they are in.</summary>
    public static void Write(string folder, IReadOnlyList<Entity> entities)
    {
        var offsets = WriteLines(Path.Combine(folder, LinesFile), entities);
        var hashes = entities.Select(entity => HashOf(entity.Id)).ToArray();
        var rows = Enumerable.Range(0, entities.Count).ToArray();
        Array.Sort(hashes, rows);
        using var stream = NewFile(Path.Combine(folder, PlacesFile));
        var writer = new SafetensorsWriter(
            stream,
            [
                new TensorSpec(OffsetsName, Dtype.I64, [offsets.Length]),
                new TensorSpec(HashesName, Dtype.I64, [hashes.Length]),
                new TensorSpec(RowsName, Dtype.I32, [rows.Length]),
            ]);
        writer.Append<long>(OffsetsName, offsets);
        writer.Append<long>(HashesName, hashes);
        writer.Append<int>(RowsName, rows);
        writer.Complete();
    }

    private static long[] WriteLines(string path, IReadOnlyList<Entity> entities)
    {
        var offsets = new long[entities.Count + 1];
        using var stream = NewFile(path);
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Compact);
        for (var row = 0; row < entities.Count; row++)
        {
            buffer.ResetWrittenCount();
            json.Reset();
            WriteEntity(json, entities[row]);
            json.Flush();
            buffer.Write("\n"u8);
            stream.Write(buffer.WrittenSpan);
            offsets[row + 1] = offsets[row] + buffer.WrittenCount;
        }

        return offsets;
    }

    private static FileStream NewFile(string path) => new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);

    /// <summary>The entity of a row.</summary>
    /// <exception cref="UserErrorException">FileBroken naming the line.</exception>
    public Entity Read(int row)
    {
        var line = Line(row);
        try
        {
            using var json = JsonDocument.Parse(line);
            return ReadEntity(json.RootElement);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new UserErrorException(UserError.NewFileBroken(path, $"line {row + 1}", "no entity", "an object of id, name and more"));
        }
    }

    /// <summary>Rows of an id, the dead ones too: the caller knows which live.</summary>
    public IEnumerable<int> RowsOf(string id)
    {
        var hash = HashOf(id);
        var at = hashes.Span.BinarySearch(hash);
        if (at < 0) yield break;
        while (at > 0 && hashes.Span[at - 1] == hash) at--;
        for (; at < hashes.Length && hashes.Span[at] == hash; at++)
            if (Read(rows.Span[at]).Id == id) yield return rows.Span[at];
    }

    public void Dispose()
    {
        lines?.Dispose();
        places.Dispose();
    }

    /// <summary>The bytes that <see cref="Write"/> makes of an entity: equal for equal entities.</summary>
    public static byte[] ToLine(Entity entity)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Compact);
        WriteEntity(json, entity);
        json.Flush();
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The bytes of a row, its line's end with them.</summary>
    public byte[] Line(int row)
    {
        var (from, to) = (offsets.Span[row], offsets.Span[row + 1]);
        ObjectDisposedException.ThrowIf(lines is null, this);
        lines.Acquire();
        try
        {
            return lines.Span(from, (int)(to - from)).ToArray();
        }
        finally
        {
            lines.Release();
        }
    }

    /// <summary>The hash of an id.</summary>
    public static long HashOf(string id) =>
        BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(id)));

    private static void WriteEntity(Utf8JsonWriter json, Entity entity)
    {
        json.WriteStartObject();
        json.WriteString("id", entity.Id);
        json.WriteString("name", entity.Name);
        WriteTexts(json, "aliases", entity.Aliases);
        if (entity.Type.Length > 0) json.WriteString("type", entity.Type);
        if (entity.Fields.Count > 0)
        {
            json.WriteStartObject("fields");
            foreach (var (name, text) in entity.Fields.OrderBy(field => field.Key, StringComparer.Ordinal)) json.WriteString(name, text);
            json.WriteEndObject();
        }

        WriteTexts(json, "images", entity.Images);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, string[] texts)
    {
        if (texts.Length == 0) return;
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static Entity ReadEntity(JsonElement json)
    {
        string[] Texts(string name) =>
            json.TryGetProperty(name, out var texts) ? [.. texts.EnumerateArray().Select(text => text.GetString()!)] : [];
        var fields = new Dictionary<string, string>();
        if (json.TryGetProperty("fields", out var described))
            foreach (var field in described.EnumerateObject()) fields[field.Name] = field.Value.GetString()!;
        return new Entity(
            json.GetProperty("id").GetString()!,
            json.GetProperty("name").GetString()!,
            Texts("aliases"),
            json.TryGetProperty("type", out var type) ? type.GetString()! : "",
            fields,
            Texts("images"));
    }
}
