namespace Dwe.Host.Features.Vision;

/// <summary>
/// Gender, age, race and emotion of a face, and its identity vector.
///
/// The face's square is cut at several sizes, each also mirrored, and what the nets say of the cuts is averaged: on small
/// faces one cut alone says another thing than the next. Gender: mean of FaceRes (HSE) and of face-api's net; age: FaceRes;
/// race: GEAR; emotion: mini-Xception (Arriaga et al. 2017).
/// </summary>
internal sealed class FaceReader(VisionPaths paths) : IDisposable
{
    /// <summary>Sides of the cuts, as multiples of the detector's square.</summary>
    public static readonly IReadOnlyList<float> CutSizes = [1f, 1.2f, 1.4f, 1.6f];

    /// <summary>Numbers of an identity vector.</summary>
    public const int IdentityLength = 128;

    private const int CutSide = 256;
    private const int GearSide = 198;
    private const int FaceResSide = 224;
    private const int EmotionSide = 64;
    private const int Ages = 100;
    private const float LandmarkMargin = 0.2f;

    private readonly VisionNet gear = new(paths.Gear, GearSide, GearSide, 3, "race_output");
    private readonly VisionNet faceRes = new(paths.FaceRes, FaceResSide, FaceResSide, 3, "gender_pred/Sigmoid", "age_pred/Softmax");
    private readonly VisionNet emotion = new(paths.Emotion, EmotionSide, EmotionSide, 1, "Identity");
    private readonly VisionNet ageGender = new(
        paths.AgeGender, FaceApiNets.SmallSide, FaceApiNets.SmallSide, 3, FaceApiNets.Gender);
    private readonly VisionNet landmarks = new(
        paths.Landmarks, FaceApiNets.SmallSide, FaceApiNets.SmallSide, 3, FaceApiNets.Landmarks);
    private readonly VisionNet recognition = new(
        paths.Recognition, FaceApiNets.DescriptorSide, FaceApiNets.DescriptorSide, 3, FaceApiNets.Descriptor);

    /// <summary>The attributes of the face in this square.</summary>
    public FaceTraits Traits(Raster<byte> image, Region face)
    {
        var (male, age) = (0f, 0f);
        var race = new float[FaceTraits.RaceLabels.Count];
        var feeling = new float[FaceTraits.EmotionLabels.Count];
        foreach (var cut in Cuts(image, face))
        {
            var found = faceRes.Run(Resampling.Bilinear(cut, FaceResSide, FaceResSide).Map(value => value * 255).Values);
            male += found[0][0];
            for (var year = 0; year < Ages; year++) age += year * found[1][year];
            Add(race, gear.Run(GearInput(cut).Values)[0]);
            Add(feeling, emotion.Run(Grey(Resampling.Bilinear(cut, EmotionSide, EmotionSide)))[0]);
        }
        var cuts = 2 * CutSizes.Count;
        var second = ageGender.Run(OnSquare(image, Aligned(image, face), FaceApiNets.SmallSide).Values)[0][0];
        return new FaceTraits(
            ((male / cuts) + second) / 2, age / cuts, [.. race.Select(sum => sum / cuts)], [.. feeling.Select(sum => sum / cuts)]);
    }

    /// <summary>128 numbers, near for faces of one person: Euclidean distance below about 0.4.</summary>
    public float[] Identity(Raster<byte> image, Region face) =>
        recognition.Run(OnSquare(image, Aligned(image, face), FaceApiNets.DescriptorSide).Values)[0];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var net in new[] { gear, faceRes, emotion, ageGender, landmarks, recognition }) net.Dispose();
    }

    private static IEnumerable<Raster<float>> Cuts(Raster<byte> image, Region face)
    {
        var side = Math.Max(face.Width, face.Height);
        foreach (var size in CutSizes)
        {
            var cut = Resampling.Crop(image, face.WithSize(side * size, side * size), CutSide, CutSide).Map(value => value / 255);
            yield return cut;
            yield return cut.Flipped();
        }
    }

    /// <summary>What GEAR was trained on shows less chin and cheek than a detector's square: rows 0 to 0.9, columns 0.1 to 0.9.</summary>
    private static Raster<float> GearInput(Raster<float> cut) =>
        Resampling.Crop(cut, new Region(0.1f * CutSide, 0, 0.9f * CutSide, 0.9f * CutSide), GearSide, GearSide);

    private static float[] Grey(Raster<float> colour)
    {
        var grey = new float[colour.Width * colour.Height];
        for (var at = 0; at < grey.Length; at++)
        {
            var (red, green, blue) = (colour.Values[3 * at], colour.Values[(3 * at) + 1], colour.Values[(3 * at) + 2]);
            grey[at] = ((0.2989f * red) + (0.5870f * green) + (0.1140f * blue) - 0.5f) * 2;
        }
        return grey;
    }

    /// <summary>The smallest box around the 68 landmarks, and a fifth more on both axes: the cut of face-api's nets.</summary>
    private Region Aligned(Raster<byte> image, Region face)
    {
        var box = face.Within(image.Width, image.Height);
        var points = landmarks.Run(OnSquare(image, face, FaceApiNets.SmallSide).Values)[0];
        var side = Math.Max(box.Width, box.Height);
        // Points are shares of the square on which the cut stands in the middle.
        var (left, top) = (box.Left - ((side - box.Width) / 2), box.Top - ((side - box.Height) / 2));
        float[] xs = [.. points.Where((_, i) => i % 2 == 0).Select(share => left + (share * side))];
        float[] ys = [.. points.Where((_, i) => i % 2 == 1).Select(share => top + (share * side))];
        var least = new Region(xs.Min(), ys.Min(), xs.Max(), ys.Max());
        var aligned = least.WithSize(least.Width * (1 + LandmarkMargin), least.Height * (1 + LandmarkMargin));
        return aligned.Intersection(new Region(0, 0, image.Width, image.Height)).Area > 0 ? aligned : face;
    }

    /// <summary>The whole pixels of a box in the middle of a black square.</summary>
    private static Raster<float> OnSquare(Raster<byte> image, Region box, int side)
    {
        var cut = box.Within(image.Width, image.Height);
        var canvas = Math.Max(cut.Width, cut.Height);
        return Resampling.OnCanvas(
            image.Cut(cut), canvas, canvas, (canvas - cut.Width) / 2, (canvas - cut.Height) / 2, side, side);
    }

    private static void Add(float[] sums, float[] values)
    {
        for (var i = 0; i < sums.Length; i++) sums[i] += values[i];
    }
}
