namespace Dwe.Host.Features.Vision;

/// <summary>A face: its square, and how sure the detector is, 0..1.</summary>
internal sealed record FoundFace(Region Box, float Score);

/// <summary>
/// Faces by BlazeFace, the model for the back camera (Bazarevsky et al. 2019). The picture stands at the top left of a black
/// square, 256 x 256, -1..1; the answer is a logit and 16 numbers for each of 896 anchors: 2 in every cell of 16 pixels,
/// then 6 in every cell of 32. The first four numbers are the centre, relative to the cell's, and the size.
/// </summary>
internal sealed class FaceDetector(string onnxPath) : IDisposable
{
    public static readonly string[] Outputs = ["Identity", "Identity_1", "Identity_2", "Identity_3"];

    public const float LeastScore = 0.3f;

    private const int Side = 256;
    private const int Numbers = 16;
    private const float GreatestOverlap = 0.3f;
    private readonly VisionNet net = new(onnxPath, Side, Side, 3, Outputs);

    /// <summary>All faces that are surer than <see cref="LeastScore"/>, the surest first.</summary>
    public IReadOnlyList<FoundFace> Detect(Raster<byte> image)
    {
        var square = Math.Max(image.Width, image.Height);
        var input = Resampling.OnCanvas(image, square, square, 0, 0, Side, Side).Map(value => (value / 127.5f) - 1);
        var found = net.Run(input.Values);
        var scale = square / (float)Side;
        var faces = Faces(found[0], found[2], 16, 2, scale).Concat(Faces(found[1], found[3], 32, 6, scale));
        return Suppression.Best(faces, face => face.Score, face => face.Box, GreatestOverlap);
    }

    /// <inheritdoc/>
    public void Dispose() => net.Dispose();

    private static IEnumerable<FoundFace> Faces(float[] logits, float[] numbers, int stride, int perCell, float scale)
    {
        var cells = Side / stride;
        for (var anchor = 0; anchor < logits.Length; anchor++)
        {
            var score = 1 / (1 + MathF.Exp(-logits[anchor]));
            if (score <= LeastScore) continue;
            var cell = anchor / perCell;
            var (dx, dy) = (numbers[anchor * Numbers], numbers[(anchor * Numbers) + 1]);
            var (width, height) = (numbers[(anchor * Numbers) + 2], numbers[(anchor * Numbers) + 3]);
            var (x, y) = ((((cell % cells) + 0.5f) * stride) + dx, (((cell / cells) + 0.5f) * stride) + dy);
            var centre = new Region(x * scale, y * scale, x * scale, y * scale);
            yield return new FoundFace(centre.WithSize(width * scale, height * scale), score);
        }
    }
}
