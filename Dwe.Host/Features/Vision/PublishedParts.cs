using System.Text.Json;
using Dwe.Host.Data;
using Dwe.Host.Features.Images;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Vision;

/// <summary>
/// Parts and profiles that the published pipeline has computed, read from where it leaves them: <c>total2part_map.json</c> (image
/// stem to part names), <c>wiki_segement/PART.jpg</c> (its own spelling) and <c>wiki_detection/PART.json</c>, a list whose first
/// element is DeepFace's. Images that the map does not have go to the next finder.
/// </summary>
internal sealed class PublishedParts : IPartFinder
{
    private const string MapFile = "total2part_map.json";
    private static readonly string[] SegmentFolders = ["wiki_segement", "rich_segement"];
    private static readonly string[] DetectionFolders = ["wiki_detection", "rich_detection"];

    private readonly Dictionary<string, string[]> partsOf;
    private readonly string segments;
    private readonly string? detections;
    private readonly TraitChoice choice;
    private readonly IPartFinder others;

    private PublishedParts(
        Dictionary<string, string[]> partsOf, string segments, string? detections, TraitChoice choice, IPartFinder others)
    {
        this.partsOf = partsOf;
        this.segments = segments;
        this.detections = detections;
        this.choice = choice;
        this.others = others;
    }

    /// <inheritdoc/>
    public string Id => $"published-parts-1/{choice.Id}+{others.Id}";

    /// <summary>The finder that reads the folder's parts and asks <paramref name="others"/> for the rest; the latter alone where the
    /// folder has none.</summary>
    /// <exception cref="UserErrorException">FileBroken: the map is not one.</exception>
    public static IPartFinder Before(IPartFinder others, string folder, TraitChoice choice)
    {
        var map = Path.Combine(folder, MapFile);
        var segments = SegmentFolders.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists);
        if (segments is null || !File.Exists(map)) return others;
        var detections = DetectionFolders.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists);
        var partsOf = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var source = JsonSource.Open(map, "the parts of images", "Segmentation writes it.");
        source.EachMember((string stem, ref Utf8JsonReader value) => partsOf[stem] = source.Texts(stem, ref value));
        return new PublishedParts(partsOf, segments, detections, choice, others);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> FilesOf(string image) => !partsOf.TryGetValue(Stem(image), out var parts)
        ? others.FilesOf(image)
        : [.. parts.SelectMany(part => new[] { Segment(part), Detection(part) }).OfType<string>().Where(File.Exists)];

    /// <inheritdoc/>
    /// <remarks>A part whose picture cannot be read is no part; one whose face DeepFace did not find has no profile.</remarks>
    public PartFindings Find(string image, DecodedImage picture)
    {
        if (!partsOf.TryGetValue(Stem(image), out var names)) return others.Find(image, picture);
        var parts = names.Select(name => ImageDecoder.Read(Segment(name)).Image).OfType<DecodedImage>().ToArray();
        return new PartFindings
        {
            Parts = parts,
            Persons = parts.Length,
            Profiles = [.. names.Select(Detection).OfType<string>().Where(File.Exists).Select(Profile)],
        };
    }

    /// <inheritdoc/>
    public void Dispose() => others.Dispose();

    private static string Stem(string image) => Path.GetFileNameWithoutExtension(image);

    private string Segment(string part) => Path.Combine(segments, Path.GetFileName(part) + ".jpg");

    private string? Detection(string part) => detections is null ? null : Path.Combine(detections, Path.GetFileName(part) + ".json");

    private string Profile(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var face = json.RootElement[0];
            string? Text(string name) => face.TryGetProperty(name, out var value) ? value.GetString() : null;
            return ProfileText.Of(
                Text("dominant_gender"), Text("dominant_race"), (int)Math.Round(face.GetProperty("age").GetDouble()),
                Text("dominant_emotion"), choice);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                path, "the first face", problem.Message, "DeepFace's age, dominant_gender, dominant_race, dominant_emotion"));
        }
    }
}
