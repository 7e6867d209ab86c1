using Dwe.Host.Features.Images;

namespace Dwe.Host.Features.Vision;

/// <summary>Which pixels of a rectangle of an image are the person's.</summary>
/// <param name="Left">The rectangle's first column in the image.</param>
/// <param name="Top">Its first row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Inside">[Height; Width], row by row.</param>
internal sealed record PersonMask(int Left, int Top, int Width, int Height, bool[] Inside)
{
    /// <summary>The rectangle in colour where the person is and black elsewhere: a part as the published pipeline saves it.</summary>
    public DecodedImage OnBlack(Raster<byte> image)
    {
        var pixels = image.Cut((Left, Top, Width, Height)).Values;
        for (var at = 0; at < Inside.Length; at++)
            if (!Inside[at]) pixels.AsSpan(3 * at, 3).Clear();
        return new DecodedImage(Width, Height, 3, pixels);
    }
}

/// <summary>
/// Person or background by MediaPipe's selfie segmentation: the person's box stretched to 256 x 256, 0..1; the answer, 0..1
/// per pixel, stretched back and cut at one half.
/// </summary>
internal sealed class PersonMasks(string onnxPath) : IDisposable
{
    public const string Output = "activation_10";

    private const int Side = 256;
    private const float Threshold = 0.5f;
    private readonly VisionNet net = new(onnxPath, Side, Side, 3, Output);

    /// <summary>The mask over the whole pixels of a person's box.</summary>
    public PersonMask Of(Raster<byte> image, Region box)
    {
        var cut = box.Within(image.Width, image.Height);
        var input = Resampling.Bilinear(image.Cut(cut), Side, Side).Map(value => value / 255);
        var alpha = new Raster<float>(Side, Side, 1, net.Run(input.Values)[0]);
        var back = Resampling.Bilinear(alpha, cut.Width, cut.Height).Values;
        return new PersonMask(cut.Left, cut.Top, cut.Width, cut.Height, [.. back.Select(value => value > Threshold)]);
    }

    /// <inheritdoc/>
    public void Dispose() => net.Dispose();
}
