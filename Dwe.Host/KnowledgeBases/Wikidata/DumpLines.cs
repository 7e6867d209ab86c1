using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases.Wikidata;

/// <summary>
/// The records of a dump: a JSON list written one record a line, between <c>[</c> and <c>]</c>. Read in pieces; no more than the
/// longest line is held.
/// </summary>
internal sealed class DumpLines(string path, bool skipBroken)
{
    /// <summary>A line longer than this is refused, not held.</summary>
    private const int MaxLine = 256 << 20;

    private const int FirstBuffer = 1 << 20;
    private const int ReportEvery = 1 << 12;

    /// <summary>Lines that could not be read and were passed over, in the last reading.</summary>
    public long Broken { get; private set; }

    /// <summary>What is taken of each record.</summary>
    /// <param name="wanted">Whether a line is worth parsing, by its bytes.</param>
    /// <param name="take">Makes something of a record, which lives as long as the call; null leaves it out.</param>
    /// <param name="progress">Hears bytes of the file.</param>
    /// <param name="stop">Stops between lines.</param>
    /// <exception cref="UserErrorException">FileBroken naming the line; or where the list does not end.</exception>
    public IEnumerable<T> Read<T>(
        Func<ReadOnlyMemory<byte>, bool> wanted, Func<DumpItem, T?> take, Action<long> progress, CancellationToken stop)
        where T : class
    {
        Broken = 0;
        using var source = DumpStream.Open(path);
        var (begun, ended, number) = (false, false, 0L);
        foreach (var line in Lines(source))
        {
            if (number++ % ReportEvery == 0)
            {
                stop.ThrowIfCancellationRequested();
                progress(source.Position);
            }

            var record = Trimmed(line);
            begun |= record.Span.SequenceEqual("["u8);
            ended |= record.Span.SequenceEqual("]"u8);
            if (record.Length < 2 || !wanted(record)) continue;
            if (Take(record, take, number) is { } taken) yield return taken;
        }

        if (begun && !ended) Refuse(number, "the end of the file", "a last line ']': the file was cut off");
    }

    /// <summary>Counts a line that is not as it should be, and refuses it unless such lines are passed over.</summary>
    private void Refuse(long number, string found, string expected)
    {
        Broken++;
        if (!skipBroken)
            throw new UserErrorException(UserError.NewFileBroken(
                path, $"line {number}", found, $"{expected} (--skip-broken passes over such lines)"));
    }

    private T? Take<T>(ReadOnlyMemory<byte> record, Func<DumpItem, T?> take, long number) where T : class
    {
        try
        {
            using var document = JsonDocument.Parse(record);
            if (IsEntity(document.RootElement)) return take(new DumpItem(document.RootElement));
            Refuse(number, "a record without type and id", "an entity of Wikidata");
        }
        catch (JsonException error)
        {
            Refuse(number, $"text that is no JSON record, at byte {(error.BytePositionInLine ?? 0) + 1}", "an entity of Wikidata");
        }
        catch (InvalidOperationException)
        {
            Refuse(number, "a text that is not valid Unicode", "valid UTF-8, and escapes in pairs");
        }

        return null;
    }

    private static bool IsEntity(JsonElement record) =>
        record.ValueKind == JsonValueKind.Object
        && record.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
        && record.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String;

    private static ReadOnlyMemory<byte> Trimmed(ReadOnlyMemory<byte> line)
    {
        var span = line.Span;
        var (from, to) = (0, span.Length);
        while (from < to && span[from] <= ' ') from++;
        while (to > from && (span[to - 1] <= ' ' || span[to - 1] == ',')) to--;
        return line[from..to];
    }

    private IEnumerable<ReadOnlyMemory<byte>> Lines(DumpStream source)
    {
        var buffer = new byte[FirstBuffer];
        var (start, end, number) = (0, 0, 1L);
        while (true)
        {
            var count = source.Read(buffer, end, buffer.Length - end);
            var from = end;
            end += count;
            for (var length = buffer.AsSpan(from, end - from).IndexOf((byte)'\n'); length >= 0; length = buffer.AsSpan(from, end - from).IndexOf((byte)'\n'))
            {
                yield return buffer.AsMemory(start, from + length - start);
                start = from = from + length + 1;
                number++;
            }

            if (count == 0)
            {
                if (end > start) yield return buffer.AsMemory(start, end - start);
                yield break;
            }

            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            if (end < buffer.Length) continue;
            if (buffer.Length >= MaxLine)
                throw new UserErrorException(UserError.NewFileBroken(
                    path, $"line {number}", $"a line longer than {MaxLine >> 20} MB", "one entity a line"));
            Array.Resize(ref buffer, buffer.Length * 2);
        }
    }
}
