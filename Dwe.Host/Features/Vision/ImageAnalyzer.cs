using Dwe.Host.Features.Images;
using Dwe.Host.Features.Weights;

namespace Dwe.Host.Features.Vision;

/// <summary>Persons with masks and faces, faces with attributes, and other things, by the default models. Thread-safe; what it
/// says of a picture depends on its pixels alone.</summary>
internal sealed class ImageAnalyzer(VisionPaths paths, bool identities = false) : IDisposable
{
    /// <summary>A person less sure than <see cref="ObjectDetector.LeastScore"/> counts if more than this, and if a face surer than
    /// <see cref="BackingFace"/> is where the head must be: each speaks for the other. (Portraits that are cut off at the chest
    /// come out at 0.25 to 0.4.)</summary>
    private const float BackedPerson = 0.25f;

    private const float BackingFace = 0.6f;

    /// <summary>A face that no person speaks for must be surer than this.</summary>
    private const float LoneFace = 0.5f;

    /// <summary>A face's centre lies in this upper share of its person's box.</summary>
    private const float HeadShare = 0.6f;

    private readonly ObjectDetector objects = new(paths.Objects, BackedPerson);
    private readonly PersonMasks masks = new(paths.PersonMask);
    private readonly FaceDetector faces = new(paths.Faces);
    private readonly FaceReader reader = new(paths);

    /// <summary>Opens the models; fetches and converts those that this machine does not have.</summary>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">The weights are absent and cannot be fetched, or are damaged.</exception>
    public static ImageAnalyzer Open(
        WeightCache cache, bool identities = false, Action<string>? report = null, CancellationToken cancel = default) =>
        new(VisionPaths.Ensure(cache, report, cancel), identities);

    /// <summary>Everything in one picture.</summary>
    public ImageAnalysis Analyze(DecodedImage image)
    {
        var pixels = Resampling.Rgb(image);
        var found = objects.Detect(pixels);
        var seen = faces.Detect(pixels);
        bool IsSure(FoundObject one) => one.Score > ObjectDetector.LeastScore;
        var sure = found.Where(one => one.Label == CocoLabels.Person && IsSure(one)).ToArray();
        var faceOf = Assigned(sure, seen);
        var free = seen.Except(faceOf.OfType<FoundFace>()).ToArray();
        var unsure = found.Where(one => one.Label == CocoLabels.Person && !IsSure(one)).ToArray();
        var backing = Assigned(unsure, [.. free.Where(face => face.Score > BackingFace)]);

        var persons = sure.Select((person, i) => (person.Box, person.Score, Face: faceOf[i] ?? OnTop(pixels, person.Box, seen)))
            .Concat(unsure.Select((person, i) => (person.Box, person.Score, Face: backing[i])).Where(person => person.Face is not null))
            .OrderBy(person => person.Box.Left).ThenBy(person => person.Box.Top).ToArray();
        return new ImageAnalysis(
            image.Width, image.Height,
            [.. persons.Select(person => new FoundPerson(
                person.Box, person.Score, masks.Of(pixels, person.Box), person.Face is null ? null : Read(pixels, person.Face)))],
            [.. free.Except(backing.OfType<FoundFace>()).Where(face => face.Score > LoneFace).Select(face => Read(pixels, face))],
            [.. found.Where(one => one.Label != CocoLabels.Person && IsSure(one))]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        objects.Dispose();
        masks.Dispose();
        faces.Dispose();
        reader.Dispose();
    }

    private ReadFace Read(Raster<byte> pixels, FoundFace face) => new(
        face.Box, face.Score, reader.Traits(pixels, face.Box), identities ? reader.Identity(pixels, face.Box) : null);

    /// <summary>Each person's face: pairs whose face is in the upper part of the person's box, the nearest to the middle of its
    /// top first; every face and every person once.</summary>
    private static FoundFace?[] Assigned(FoundObject[] persons, IReadOnlyList<FoundFace> seen)
    {
        var pairs =
            from person in Enumerable.Range(0, persons.Length)
            from face in seen
            let box = persons[person].Box
            where face.Box.CentreX > box.Left && face.Box.CentreX < box.Right
                && face.Box.CentreY > box.Top && face.Box.CentreY < box.Top + (HeadShare * box.Height)
            orderby (MathF.Abs(face.Box.CentreX - box.CentreX) / box.Width) + ((face.Box.CentreY - box.Top) / box.Height)
            select (person, face);
        var faceOf = new FoundFace?[persons.Length];
        foreach (var (person, face) in pairs)
            if (faceOf[person] is null && !faceOf.Contains(face)) faceOf[person] = face;
        return faceOf;
    }

    /// <summary>A face too small for the whole picture's 256 pixels may be seen in the upper square of its person's box.</summary>
    private FoundFace? OnTop(Raster<byte> pixels, Region box, IReadOnlyList<FoundFace> seen)
    {
        var side = Math.Min(box.Width, box.Height);
        var cut = new Region(box.Left, box.Top, box.Right, box.Top + side).Within(pixels.Width, pixels.Height);
        return faces.Detect(pixels.Cut(cut))
            .Select(face => face with
            {
                Box = new Region(
                    face.Box.Left + cut.Left, face.Box.Top + cut.Top, face.Box.Right + cut.Left, face.Box.Bottom + cut.Top),
            })
            .FirstOrDefault(face => face.Score > LoneFace && !seen.Any(other => other.Box.Iou(face.Box) > 0));
    }
}
