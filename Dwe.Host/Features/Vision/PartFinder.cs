using Dwe.Host.Features.Images;

namespace Dwe.Host.Features.Vision;

/// <summary>What a picture gives the linker besides itself.</summary>
internal sealed record PartFindings
{
    /// <summary>Pictures of its parts, persons first.</summary>
    public IReadOnlyList<DecodedImage> Parts { get; init; } = [];

    /// <summary>How many of the parts are persons.</summary>
    public int Persons { get; init; }

    /// <summary>A profile per face.</summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>The same as numbers; none where a profile was read and not computed.</summary>
    public IReadOnlyList<float[]> Attributes { get; init; } = [];

    /// <summary>An identity vector per face, where asked for.</summary>
    public IReadOnlyList<float[]> Identities { get; init; } = [];

    /// <summary>What the scene is, or empty.</summary>
    public string Scene { get; init; } = "";

    public IReadOnlyList<SeenObject> Seen { get; init; } = [];

    public IReadOnlyList<SeenFace> Faces { get; init; } = [];
}

/// <summary>Finds the parts of pictures. Thread-safe.</summary>
internal interface IPartFinder : IDisposable
{
    /// <summary>What made the findings, settings included: equal ids, equal findings.</summary>
    string Id { get; }

    /// <summary>Files besides the image itself that its findings are read from, in a fixed order.</summary>
    IReadOnlyList<string> FilesOf(string image);

    /// <summary>The parts of one picture.</summary>
    PartFindings Find(string image, DecodedImage picture);
}

/// <summary>What of an analysis is kept.</summary>
/// <param name="Traits">Which guesses about faces.</param>
/// <param name="Objects">Things of other classes are parts too.</param>
/// <param name="Identities">Identity vectors are computed.</param>
internal sealed record PartChoice(TraitChoice Traits, bool Objects = false, bool Identities = false)
{
    public string Id => $"{Traits.Id}{(Objects ? "/objects" : "")}{(Identities ? "/identities" : "")}";

    /// <summary>The choice that an id states; null where it states none.</summary>
    public static PartChoice? OfId(string id)
    {
        var words = id.Split('/');
        var traits = words[0].Split('+');
        var choice = new PartChoice(
            new TraitChoice(traits.Contains("gender"), traits.Contains("race"), traits.Contains("emotion")),
            words.Contains("objects"), words.Contains("identities"));
        return choice.Id == id ? choice : null;
    }
}

/// <summary>No parts: the whole image alone.</summary>
internal sealed class NoParts : IPartFinder
{
    /// <inheritdoc/>
    public string Id => "no-parts";

    /// <inheritdoc/>
    public IReadOnlyList<string> FilesOf(string image) => [];

    /// <inheritdoc/>
    public PartFindings Find(string image, DecodedImage picture) => new();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}

/// <summary>Persons on black as parts, faces' profiles, the detector's classes as the scene: computed by the default models.</summary>
internal sealed class AnalyzedParts(ImageAnalyzer analyzer, PartChoice choice) : IPartFinder
{
    /// <inheritdoc/>
    public string Id => $"{VisionPaths.Id}/{choice.Id}";

    /// <inheritdoc/>
    public IReadOnlyList<string> FilesOf(string image) => [];

    /// <inheritdoc/>
    public PartFindings Find(string image, DecodedImage picture)
    {
        var analysis = analyzer.Analyze(picture);
        var pixels = Resampling.Rgb(picture);
        var things = choice.Objects ? analysis.Objects : [];
        var faces = analysis.AllFaces.ToArray();
        return new PartFindings
        {
            Parts =
            [
                .. analysis.Persons.Select(person => person.Mask.OnBlack(pixels)),
                .. things.Select(thing => Cut(pixels, thing.Box)),
            ],
            Persons = analysis.Persons.Count,
            Profiles = [.. faces.Select(face => ProfileText.Of(face.Traits, choice.Traits))],
            Attributes = [.. faces.Select(face => face.Traits.ToVector(choice.Traits))],
            Identities = [.. faces.Select(face => face.Identity).OfType<float[]>()],
            Scene = SceneOf(analysis),
            Seen =
            [
                .. analysis.Persons.Select(person => new SeenObject
                {
                    Label = CocoLabels.Person,
                    Box = Edges(person.Box),
                    Score = person.Score,
                    Face = person.Face is null ? null : Seen(person.Face),
                }),
                .. analysis.Objects.Select(thing => new SeenObject
                {
                    Label = thing.Label,
                    Box = Edges(thing.Box),
                    Score = thing.Score,
                }),
            ],
            Faces = [.. analysis.Faces.Select(Seen)],
        };
    }

    /// <inheritdoc/>
    public void Dispose() => analyzer.Dispose();

    /// <summary><c>person 2, tie 1</c>: classes with their counts, persons first, then as often as seen, then by name; empty
    /// where nothing is.</summary>
    public static string SceneOf(ImageAnalysis analysis) => string.Join(", ", analysis.Objects
        .GroupBy(thing => thing.Label)
        .Select(same => (Label: same.Key, Count: same.Count()))
        .OrderByDescending(one => one.Count).ThenBy(one => one.Label, StringComparer.Ordinal)
        .Prepend((Label: CocoLabels.Person, analysis.Persons.Count))
        .Where(one => one.Count > 0)
        .Select(one => $"{one.Label} {one.Count}"));

    private SeenFace Seen(ReadFace face) => new()
    {
        Box = Edges(face.Box),
        Score = face.Score,
        ModelGuess = ProfileText.Of(face.Traits, choice.Traits),
    };

    private static float[] Edges(Region box) => [box.Left, box.Top, box.Right, box.Bottom];

    private static DecodedImage Cut(Raster<byte> pixels, Region box)
    {
        var cut = pixels.Cut(box.Within(pixels.Width, pixels.Height));
        return new DecodedImage(cut.Width, cut.Height, 3, cut.Values);
    }
}
