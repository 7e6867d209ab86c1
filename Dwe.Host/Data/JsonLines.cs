using System.Security.Cryptography;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// Files of one JSON record a line, of any size: they are read in pieces, and no more than the longest line is held. Empty
/// lines are passed over.
/// </summary>
internal static class JsonLines
{
    /// <summary>A line longer than this is refused, not held.</summary>
    private const int MaxLine = 64 << 20;

    private const int FirstBuffer = 1 << 20;

    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>The entities of a knowledge base in JSON Lines, streamed. Ids are not compared: that would hold them all.</summary>
    /// <exception cref="UserErrorException">FileMissing; FileBroken naming file, line and field.</exception>
    public static IEnumerable<Entity> ReadEntities(string path)
    {
        foreach (var record in Read(path)) yield return OwnRecords.ToEntity(record);
    }

    /// <summary>The records of a file; each lives until the next one is asked for.</summary>
    /// <param name="path">The file.</param>
    /// <param name="finished">Is told the SHA-256 of the file when its end has been reached.</param>
    /// <exception cref="UserErrorException">FileMissing; FileBroken naming file and line.</exception>
    public static IEnumerable<JsonRecord> Read(string path, Action<byte[]>? finished = null)
    {
        if (!File.Exists(path)) throw new UserErrorException(UserError.NewFileMissing(path, "JSON Lines", "Check the name."));
        using var hash = finished is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var buffer = new byte[Math.Min(FirstBuffer, file.Length + 1)];
        var (start, end, searched) = (0, 0, 0);
        var number = 0L;
        var isEnd = false;
        while (true)
        {
            // The line's end, as far as the buffer goes.
            var length = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (length < 0 && !isEnd)
            {
                searched = end;
                if (start > 0)
                {
                    buffer.AsSpan(start, end - start).CopyTo(buffer);
                    (start, end, searched) = (0, end - start, searched - start);
                }
                if (end == buffer.Length)
                {
                    if (buffer.Length >= MaxLine) throw Broken(path, number + 1, $"a line longer than {MaxLine >> 20} MB", "one record a line");
                    Array.Resize(ref buffer, buffer.Length * 2);
                }
                var count = file.Read(buffer, end, buffer.Length - end);
                hash?.AppendData(buffer, end, count);
                if (number == 0 && start == 0 && end == 0 && buffer.AsSpan(0, count).StartsWith(ByteOrderMark)) start = searched = ByteOrderMark.Length;
                end += count;
                isEnd = count == 0;
                continue;
            }

            var lineEnd = length < 0 ? end : searched + length;
            var line = buffer.AsMemory(start..lineEnd);
            start = searched = Math.Min(lineEnd + 1, end);
            if (line.Length > 0 || length >= 0)
            {
                number++;
                if (!IsBlank(line.Span))
                {
                    using var document = Parse(path, number, line);
                    var atLine = number;
                    yield return new JsonRecord(document.RootElement, null, () => (path, $"line {atLine}"), $"{number}");
                }
            }
            if (length < 0) break;
        }
        if (hash is not null) finished?.Invoke(hash.GetHashAndReset());
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r"u8) < 0;

    private static JsonDocument Parse(string path, long number, ReadOnlyMemory<byte> line)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line, JsonRecord.Options);
        }
        catch (JsonException error)
        {
            throw Broken(
                path, number, $"text that is no JSON record, at byte {(error.BytePositionInLine ?? 0) + 1}", "one JSON record a line, no key twice");
        }
        catch (InvalidOperationException)
        {
            // Keys are compared, and for that unescaped.
            throw Broken(path, number, "a key that is not valid Unicode", "valid UTF-8, and escapes in pairs");
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        using (document)
        {
            throw Broken(path, number, JsonRecord.KindOf(document.RootElement), "a record");
        }
    }

    private static UserErrorException Broken(string path, long number, string found, string expected) =>
        new(UserError.NewFileBroken(path, $"line {number}", found, expected));
}
