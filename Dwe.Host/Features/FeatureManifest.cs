using System.Text.Json;
using System.Text.Json.Serialization;
using Dwe.Host.Enrichment;
using Dwe.Model.Domain;

namespace Dwe.Host.Features;

/// <summary>How the rows of one kind are kept.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<KindLayout>))]
internal enum KindLayout
{
    /// <summary>One vector per row.</summary>
    [JsonStringEnumMemberName("dense")]
    Dense,

    /// <summary>Any number of vectors per row, with offsets.</summary>
    [JsonStringEnumMemberName("ragged")]
    Ragged,
}

/// <summary>One kind of feature of one table.</summary>
internal sealed record KindManifest
{
    /// <summary>The id of the encoder that made the vectors.</summary>
    public required string Encoder { get; init; }

    /// <summary>Values per vector.</summary>
    public required int Dim { get; init; }

    /// <summary>Element type of the vectors; <c>F32</c>.</summary>
    public required string Dtype { get; init; }

    /// <summary>One vector per row, or many.</summary>
    public required KindLayout Layout { get; init; }

    /// <summary>Vectors: the table's rows when dense, the sum over rows when ragged.</summary>
    public required long Vectors { get; init; }

    /// <summary>Rows that have none (a missing description or image).</summary>
    public required long Absent { get; init; }
}

/// <summary>One table: a split's mentions, or the entities.</summary>
internal sealed record TableManifest
{
    /// <summary>Number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Counts of what the data set lacks, by name, e.g. <c>missing descriptions</c>.</summary>
    public required SortedDictionary<string, int> Counts { get; init; }

    /// <summary>Kinds by name.</summary>
    public required SortedDictionary<string, KindManifest> Kinds { get; init; }
}

/// <summary>What became of the images. Each is a line of <c>images.jsonl</c> beside the manifest.</summary>
internal sealed record ImagesManifest
{
    /// <summary>Said of profiles and attributes wherever they are stored.</summary>
    public const string Guesses = "gender, race, age and emotion are model guesses about photos, not facts about persons";

    public string Note { get; init; } = Guesses;

    /// <summary>What found parts, faces and scenes.</summary>
    public required string Parts { get; init; }

    /// <summary>Different images that the data set names.</summary>
    public required int Named { get; init; }

    public required int Read { get; init; }

    /// <summary>Mentions' images that were read and show no person.</summary>
    public required int WithoutPerson { get; init; }

    /// <summary>Mentions' images that were read and show no face.</summary>
    public required int WithoutFace { get; init; }

    /// <summary>Reason by name, of those that were not read.</summary>
    public required SortedDictionary<string, string> Unreadable { get; init; }
}

/// <summary>
/// <c>manifest.json</c> of a feature store: written last, so that a store that has one is whole. See docs/formats.md.
/// </summary>
internal sealed record FeatureManifest
{
    /// <summary>The file's name in the store.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The version that this program writes and reads.</summary>
    public const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };

    /// <summary>Version of the store's format.</summary>
    public required int Format { get; init; }

    /// <summary>The data set's format, e.g. <c>WikiMEL</c>.</summary>
    public required string Dataset { get; init; }

    /// <summary><see cref="Data.Dataset.ContentHash"/> of the data set that was encoded.</summary>
    public required string DatasetHash { get; init; }

    /// <summary>Version of how texts are put together before they are encoded.</summary>
    public required string Preprocessing { get; init; }

    /// <summary>The template of entity texts.</summary>
    public required string EntityText { get; init; }

    /// <summary>Those fields of the template that a language model wrote; absent where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<EnrichedField>? EnrichedBy { get; init; }

    /// <summary>Tables by name: splits and <c>entities</c>.</summary>
    public required SortedDictionary<string, TableManifest> Tables { get; init; }

    /// <summary>What became of the images; absent where none were looked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImagesManifest? Images { get; init; }

    /// <summary>The manifest as the file's text; the same manifest is the same text.</summary>
    public string ToText() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>Reads the manifest of a store.</summary>
    /// <exception cref="UserErrorException">
    /// FileMissing for no store or an unfinished one; FileBroken for JSON that is none or not a manifest; StoreMismatch for
    /// another format version.
    /// </exception>
    public static FeatureManifest Read(string store)
    {
        var path = Path.Combine(store, FileName);
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(
                path, "a finished feature store", "Write it with `dwe features`; an unfinished one is continued."));
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("format", out var format)
                && format.ToString() != CurrentFormat.ToString())
                throw new UserErrorException(UserError.NewStoreMismatch(
                    path, $"store format {format}", $"format {CurrentFormat}", "Write the store again with `dwe features`."));
            return document.Deserialize<FeatureManifest>(Json) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            var place = error.LineNumber is { } line ? $"line {line + 1}" : "manifest";
            throw new UserErrorException(UserError.NewFileBroken(
                path, place, error.Path is { Length: > 1 } at ? $"no valid value at {at}" : "no manifest", "a store's manifest"));
        }
    }
}
