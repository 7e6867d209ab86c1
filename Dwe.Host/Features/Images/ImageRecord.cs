using System.Text.Json;
using System.Text.Json.Serialization;
using Dwe.Host.Features.Vision;

namespace Dwe.Host.Features.Images;

/// <summary>A face as it is written down. What nets guessed of it stands under <c>model_guess</c>.</summary>
internal sealed record SeenFace
{
    /// <summary>Left, top, right, bottom.</summary>
    public required float[] Box { get; init; }

    public required float Score { get; init; }

    /// <summary>The profile: text of the guesses that are kept.</summary>
    public required string ModelGuess { get; init; }
}

/// <summary>A person or thing as it is written down.</summary>
internal sealed record SeenObject
{
    public required string Label { get; init; }

    /// <summary>Left, top, right, bottom.</summary>
    public required float[] Box { get; init; }

    public required float Score { get; init; }

    /// <summary>Of a person whose face was found.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SeenFace? Face { get; init; }
}

/// <summary>
/// What became of one image: one line of <c>images.jsonl</c> in a feature store. Its vectors are in the tables; boxes are in the
/// pixels of the upright picture, <see cref="Width"/> x <see cref="Height"/>.
/// </summary>
internal sealed record ImageRecord
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>The name that the data set gives it.</summary>
    public required string Image { get; init; }

    /// <summary>SHA-256 over the files that it was made of, 32 digits; empty for a missing one.</summary>
    public required string Hash { get; init; }

    /// <summary>Why it could not be read; absent where it could.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImageFault? Fault { get; init; }

    public int Width { get; init; }

    public int Height { get; init; }

    /// <summary>Vectors of parts.</summary>
    public int Parts { get; init; }

    /// <summary>Persons among the parts.</summary>
    public int Persons { get; init; }

    /// <summary>Profile texts, model guesses, one per face.</summary>
    [JsonPropertyName("model_guesses")]
    public string[] Profiles { get; init; } = [];

    /// <summary>The same as numbers, see <see cref="FaceTraits.ToVector"/>.</summary>
    [JsonPropertyName("model_guesses_as_numbers")]
    public float[][] Attributes { get; init; } = [];

    /// <summary>Identity vectors.</summary>
    public int Identities { get; init; }

    /// <summary>What the scene is, or empty.</summary>
    public string Scene { get; init; } = "";

    /// <summary>Persons and things, for drawing.</summary>
    public SeenObject[] Seen { get; init; } = [];

    /// <summary>Faces that belong to no person that was found.</summary>
    public SeenFace[] Faces { get; init; } = [];

    /// <summary>One line of JSON.</summary>
    public string ToLine() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads a line; null where it is none, as after a torn write.</summary>
    public static ImageRecord? OfLine(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<ImageRecord>(line, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
