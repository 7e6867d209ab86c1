using System.Text.Json;

namespace Dwe.Host.Data;

/// <summary>What a JSON file begins with: enough to tell formats apart without reading it.</summary>
/// <param name="Top">The kind of the file's value.</param>
/// <param name="First">The kind of its first item or member's value; <c>None</c> where it has none.</param>
/// <param name="Fields">The keys of the first record, as far as they stand in the beginning.</param>
/// <param name="ListFields">Of those, the keys whose values are lists.</param>
internal sealed record JsonShape(
    JsonTokenType Top, JsonTokenType First, IReadOnlySet<string> Fields, IReadOnlySet<string> ListFields)
{
    private const int Beginning = 1 << 16;

    private static readonly JsonShape Nothing =
        new(JsonTokenType.None, JsonTokenType.None, new HashSet<string>(), new HashSet<string>());

    /// <summary>A list of records.</summary>
    public bool IsListOfRecords => Top == JsonTokenType.StartArray && First == JsonTokenType.StartObject;

    /// <summary>An object of records.</summary>
    public bool IsObjectOfRecords => Top == JsonTokenType.StartObject && First == JsonTokenType.StartObject;

    /// <summary>A list of lists.</summary>
    public bool IsListOfLists => Top == JsonTokenType.StartArray && First == JsonTokenType.StartArray;

    /// <summary>Looks at a file's beginning. One that is absent, unreadable or no JSON has no shape.</summary>
    public static JsonShape Of(string path)
    {
        if (!File.Exists(path)) return Nothing;
        var (top, first) = (JsonTokenType.None, JsonTokenType.None);
        HashSet<string> fields = [], lists = [];
        try
        {
            var bytes = new byte[Beginning];
            using var file = File.OpenRead(path);
            var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var span = bytes.AsSpan(0, count);
            if (span.StartsWith("\uFEFF"u8)) span = span["\uFEFF"u8.Length..];
            var reader = new Utf8JsonReader(span, isFinalBlock: false, default);
            if (!reader.Read()) return Nothing;
            top = reader.TokenType;
            if (!reader.Read()) return new JsonShape(top, first, fields, lists);
            if (reader.TokenType == JsonTokenType.PropertyName) reader.Read();
            first = reader.TokenType;
            while (first == JsonTokenType.StartObject && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var field = reader.GetString() ?? "";
                fields.Add(field);
                if (!reader.Read()) break;
                if (reader.TokenType == JsonTokenType.StartArray) lists.Add(field);
                if (!reader.TrySkip()) break;
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            // The reader of the format that it is taken for says what is wrong with it.
        }
        return new JsonShape(top, first, fields, lists);
    }
}
