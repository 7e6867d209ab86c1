using System.Security.Cryptography;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// A JSON file of a data set, read once and walked with a forward reader. Everything it refuses names the file and the
/// line, and the key where there is one.
/// </summary>
internal sealed class JsonSource
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private readonly byte[] bytes;
    private readonly int start;

    private JsonSource(string path, byte[] bytes)
    {
        Path = path;
        this.bytes = bytes;
        start = bytes.AsSpan().StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
    }

    /// <summary>Handles one member of an object; the reader stands on the value and must end on its last token.</summary>
    public delegate void Member(string key, ref Utf8JsonReader reader);

    /// <summary>The file, as it was named.</summary>
    public string Path { get; }

    /// <summary>SHA-256 of the file's bytes.</summary>
    public byte[] Hash => SHA256.HashData(bytes);

    /// <summary>Reads a file. Throws FileMissing with what was expected there.</summary>
    public static JsonSource Open(string path, string expected, string remedy) =>
        File.Exists(path)
            ? new JsonSource(path, File.ReadAllBytes(path))
            : throw new UserErrorException(UserError.NewFileMissing(path, expected, remedy));

    /// <summary>Walks the members of the top-level object in file order; a key given twice is refused.</summary>
    /// <exception cref="UserErrorException">FileBroken: no JSON, another kind of value, or what the member refuses.</exception>
    public void EachMember(Member member) => Walk((ref Utf8JsonReader reader) =>
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Broken(ref reader, null, KindOf(ref reader), "an object");
        EachMember(ref reader, member);
    });

    /// <summary>Walks the members of the object that the reader stands on.</summary>
    public void EachMember(ref Utf8JsonReader reader, Member member)
    {
        var seen = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString() ?? "";
            if (!seen.Add(key)) throw Broken(ref reader, key, "the key twice", "every key once");
            reader.Read();
            member(key, ref reader);
        }
    }

    /// <summary>The texts of the top-level array.</summary>
    public IReadOnlyList<string> Texts()
    {
        IReadOnlyList<string> texts = [];
        Walk((ref Utf8JsonReader reader) => texts = Texts(null, ref reader));
        return texts;
    }

    /// <summary>The texts of the array that the reader stands on.</summary>
    public string[] Texts(string? key, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Broken(ref reader, key, KindOf(ref reader), "a list of texts");
        var texts = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) texts.Add(Text(key, ref reader));
        return [.. texts];
    }

    /// <summary>The text that the reader stands on.</summary>
    public string Text(string? key, ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String
            ? reader.GetString() ?? ""
            : throw Broken(ref reader, key, KindOf(ref reader), "a text");

    /// <summary>The error for the token that the reader stands on.</summary>
    public UserErrorException Broken(ref Utf8JsonReader reader, string? key, string found, string expected) =>
        Broken(start + (int)reader.TokenStartIndex, key, found, expected);

    /// <summary>What stands there, in words.</summary>
    public static string KindOf(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        JsonTokenType.Null => "null",
        _ => "something else",
    };

    private delegate void Walker(ref Utf8JsonReader reader);

    private void Walk(Walker walk)
    {
        var reader = new Utf8JsonReader(bytes.AsSpan(start));
        try
        {
            reader.Read();
            walk(ref reader);
            // Anything but white space after the value is an error, which the reader raises here.
            reader.Read();
        }
        catch (JsonException error)
        {
            var line = (error.LineNumber ?? 0) + 1;
            throw new UserErrorException(UserError.NewFileBroken(
                Path, $"line {line}, byte {(error.BytePositionInLine ?? 0) + 1}", "text that is no JSON", "JSON"));
        }
        catch (InvalidOperationException)
        {
            throw Broken(start + (int)reader.TokenStartIndex, null, "a text that is not valid UTF-8", "JSON in UTF-8");
        }
    }

    private UserErrorException Broken(int position, string? key, string found, string expected)
    {
        var line = bytes.AsSpan(0, position).Count((byte)'\n') + 1;
        var place = key is null ? $"line {line}" : $"line {line}, key '{key}'";
        return new UserErrorException(UserError.NewFileBroken(Path, place, found, expected));
    }
}
