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
    public static JsonSource Open(string path, string expected, string remedy)
    {
        if (!File.Exists(path)) throw new UserErrorException(UserError.NewFileMissing(path, expected, remedy));
        var length = new FileInfo(path).Length;
        if (length > Array.MaxLength)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                path, "the file", $"{length / (1 << 20)} MB", "less than 2 GB of JSON; JSON Lines may be of any size"));
        }

        try
        {
            return new JsonSource(path, File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException(UserError.NewExternalFailed(path, error.Message, "Make the file readable."));
        }
    }

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

    /// <summary>The records of a top-level object, in file order.</summary>
    /// <exception cref="UserErrorException">FileBroken: another shape, or what the action refuses.</exception>
    public void EachKeyedRecord(Action<JsonRecord> action) => EachMember((string key, ref Utf8JsonReader reader) =>
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Broken(ref reader, key, KindOf(ref reader), "a record");
        Record(ref reader, $"key '{key}'", key, _ => null, action);
    });

    /// <summary>The records of a top-level list, in file order.</summary>
    /// <exception cref="UserErrorException">FileBroken: another shape, or what the action refuses.</exception>
    public void EachListedRecord(Action<JsonRecord> action) => EachItem((int number, ref Utf8JsonReader reader) =>
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Broken(ref reader, $"record {number}", KindOf(ref reader), "a record", quoted: false);
        Record(ref reader, $"record {number}", $"{number}", _ => null, action);
    });

    /// <summary>The lists of a top-level list, each with the names of its places, which its length decides.</summary>
    /// <exception cref="UserErrorException">FileBroken: another shape or length, or what the action refuses.</exception>
    public void EachTuple(string[][] shapes, Action<JsonRecord> action) => EachItem((int number, ref Utf8JsonReader reader) =>
    {
        var lengths = string.Join(" or ", shapes.Select(shape => shape.Length));
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Broken(ref reader, $"record {number}", KindOf(ref reader), $"a list of {lengths}", quoted: false);
        var from = start + (int)reader.TokenStartIndex;
        Record(
            ref reader, $"record {number}", $"{number}",
            length => shapes.FirstOrDefault(shape => shape.Length == length)
                ?? throw Broken(from, $"record {number}", $"a list of {length}", $"a list of {lengths}", quoted: false),
            action);
    });

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
    public UserErrorException Broken(
        ref Utf8JsonReader reader, string? key, string found, string expected, bool quoted = true) =>
        Broken(start + (int)reader.TokenStartIndex, key, found, expected, quoted);

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

    private delegate void Item(int number, ref Utf8JsonReader reader);

    private void EachItem(Item item) => Walk((ref Utf8JsonReader reader) =>
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Broken(ref reader, null, KindOf(ref reader), "a list");
        for (var number = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; number++)
            item(number, ref reader);
    });

    /// <summary>Hands on the object or list that the reader stands on, and leaves the reader on its end.</summary>
    private void Record(
        ref Utf8JsonReader reader, string place, string name, Func<int, string[]?> placesOf, Action<JsonRecord> action)
    {
        var from = start + (int)reader.TokenStartIndex;
        reader.Skip();
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(bytes.AsMemory(from..(start + (int)reader.BytesConsumed)), JsonRecord.Options);
        }
        catch (JsonException)
        {
            // The walk has read it already: what is wrong with it is no matter of syntax.
            throw Broken(from, place, "a key twice", "every key once", quoted: false);
        }
        catch (InvalidOperationException)
        {
            // Keys are compared, and for that unescaped.
            throw Broken(from, place, "a key that is not valid Unicode", "valid UTF-8, and escapes in pairs", quoted: false);
        }

        using (document)
        {
            var root = document.RootElement;
            var places = root.ValueKind == JsonValueKind.Array ? placesOf(root.GetArrayLength()) : null;
            action(new JsonRecord(root, places, () => (Path, $"line {LineOf(from)}, {place}"), name));
        }
    }

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

    private UserErrorException Broken(int position, string? key, string found, string expected, bool quoted = true)
    {
        var line = $"line {LineOf(position)}";
        var place = key is null ? line : quoted ? $"{line}, key '{key}'" : $"{line}, {key}";
        return new UserErrorException(UserError.NewFileBroken(Path, place, found, expected));
    }

    private int LineOf(int position) => bytes.AsSpan(0, position).Count((byte)'\n') + 1;
}
