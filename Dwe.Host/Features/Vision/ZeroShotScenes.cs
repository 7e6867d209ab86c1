using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Features.Text;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Vision;

/// <summary>
/// The scene whose sentence is nearest to an image, for encoders that put texts and images into one space (CLIP, Radford et al.
/// 2021): <c>argmax cos(image, text of "a photo of SCENE")</c>.
/// </summary>
internal sealed class ZeroShotScenes
{
    private readonly string[] scenes;
    private readonly float[][] directions;

    /// <param name="encoder">Of texts, into the image encoder's space.</param>
    /// <param name="scenes">The vocabulary, e.g. <c>a concert</c>; at least one.</param>
    /// <exception cref="ArgumentException">No scenes.</exception>
    public ZeroShotScenes(ITextEncoder encoder, IReadOnlyList<string> scenes)
    {
        if (scenes.Count == 0) throw new ArgumentException("no scenes", nameof(scenes));
        this.scenes = [.. scenes];
        var vectors = encoder.Encode([.. scenes.Select(scene => $"a photo of {scene}")]);
        directions = [.. vectors.Chunk(encoder.Dimension).Select(vector => Normalised(vector))];
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', scenes))));
        Id = $"scenes-{hash[..16]}/{encoder.Id}";
    }

    /// <summary>Vocabulary and encoder.</summary>
    public string Id { get; }

    /// <summary>A vocabulary: one scene a line; empty lines and those that begin with # are left out.</summary>
    /// <exception cref="UserErrorException">FileMissing; FileBroken for a file without scenes.</exception>
    public static string[] ReadVocabulary(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(path, "a vocabulary of scenes", "One scene a line."));
        string[] scenes = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')];
        return scenes.Length > 0
            ? scenes
            : throw new UserErrorException(UserError.NewFileBroken(path, "the file", "no scene", "one scene a line"));
    }

    /// <summary>The nearest scene; of equals the first.</summary>
    /// <param name="image">The image's vector, of the text encoder's dimension.</param>
    public string Of(ReadOnlySpan<float> image)
    {
        var best = 0;
        var greatest = double.NegativeInfinity;
        for (var i = 0; i < directions.Length; i++)
        {
            var cosine = 0.0;
            for (var at = 0; at < image.Length; at++) cosine += image[at] * (double)directions[i][at];
            if (cosine > greatest) (best, greatest) = (i, cosine);
        }
        return scenes[best];
    }

    private static float[] Normalised(float[] vector)
    {
        var length = Math.Sqrt(vector.Sum(value => value * (double)value));
        return length > 0 ? [.. vector.Select(value => (float)(value / length))] : vector;
    }
}
