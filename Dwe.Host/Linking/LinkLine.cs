using System.Text.Json;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Linking;

/// <summary>A line of mentions to link: <c>{"key", "text", "mention", "image", "candidates", "top"}</c>, of which only the text must be.</summary>
internal sealed record LinkLine
{
    /// <summary>Repeated in the answer; the line's number where there is none.</summary>
    public string? Key { get; init; }

    public string? Text { get; init; }

    public string? Mention { get; init; }

    /// <summary>An image file, below the folder of the lines.</summary>
    public string? Image { get; init; }

    public string[]? Candidates { get; init; }

    private static readonly JsonSerializerOptions Json = new(JsonFiles.Options)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Skip,
    };

    /// <summary>Reads one line.</summary>
    /// <param name="line">JSON.</param>
    /// <param name="number">Its number, from 1.</param>
    /// <param name="place">The file that it stands in, for errors.</param>
    /// <exception cref="UserErrorException">FileBroken naming the line.</exception>
    public static LinkLine Read(string line, int number, string place)
    {
        try
        {
            var found = JsonSerializer.Deserialize<LinkLine>(line, Json) ?? throw new JsonException();
            return found with { Key = found.Key ?? number.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        }
        catch (JsonException broken)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                place, $"line {number}", broken.Path is { Length: > 1 } at ? $"no valid value at {at}" : "no JSON object",
                "an object with a text, and a mention unless it is marked in the text"));
        }
    }

    /// <summary>The request that it makes.</summary>
    /// <param name="options">How much to answer.</param>
    /// <param name="folder">Where image names start.</param>
    /// <exception cref="UserErrorException">FileMissing for an image that is not there; UsageWrong without text or mention.</exception>
    public LinkRequest ToRequest((int Top, bool Explain) options, string folder)
    {
        if (Text is null)
        {
            throw new UserErrorException(UserError.NewUsageWrong("there is no text", "Give the sentence as \"text\"."));
        }

        var (mention, text) = MarkedText.Read(Text, Mention);
        return new LinkRequest
        {
            Mention = mention,
            Text = text,
            Image = Image is null ? null : BytesOf(Path.Combine(folder, Image)),
            Candidates = Candidates,
            Top = options.Top,
            Explain = options.Explain,
        };
    }

    /// <summary>The bytes of an image file.</summary>
    /// <exception cref="UserErrorException">FileMissing.</exception>
    public static byte[] BytesOf(string path) => File.Exists(path)
        ? File.ReadAllBytes(path)
        : throw new UserErrorException(UserError.NewFileMissing(path, "an image", "Check its name, or leave it out."));
}
