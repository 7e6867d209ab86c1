using NetVips;

namespace Dwe.Host.Features.Images;

/// <summary>
/// Decodes JPEG, PNG, GIF (its first frame), WebP, TIFF (its first page) and SVG by libvips, by what the bytes are and
/// whatever the name says. To the end, or not at all: half a picture is <see cref="ImageFault.Truncated"/>.
/// </summary>
/// <remarks>
/// Same bytes, same pixels, on any number of threads. Thread-safe; each picture is decoded on the caller's thread, and
/// those of more than <see cref="LargePixels"/> one at a time, since a progressive JPEG is held whole while it is decoded.
/// RGB profiles are not applied, as in the preprocessing that the encoders were trained with; CMYK goes through its profile
/// or libvips' own.
/// </remarks>
internal static class ImageDecoder
{
    private const long LargePixels = 25_000_000;
    private static readonly Lock OneLarge = new();

    static ImageDecoder()
    {
        // Only the decoders that libvips has fuzzed; and of the others SVG's, which is memory-safe and, given bytes
        // instead of a name, follows no link. Parallel over pictures, so not within them. Nothing is decoded twice.
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoadSvg", false);
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, (_, _, _) => { });
    }

    /// <summary>The picture in a file.</summary>
    public static ImageReading Read(string path, ImageLimits? limits = null) => Run(path, limits, Pixels);

    /// <summary>Decodes a file to its end and keeps nothing, in little memory; null where it is a sound picture.</summary>
    public static ImageFault? Check(string path, ImageLimits? limits = null) => Run(path, limits, Average).Fault;

    /// <summary>As <see cref="Check(string, ImageLimits?)"/>, of bytes.</summary>
    public static ImageFault? Check(byte[] bytes, ImageLimits? limits = null) =>
        Run(bytes, limits ?? ImageLimits.Default, Average).Fault;

    /// <summary>The picture in these bytes.</summary>
    public static ImageReading Decode(byte[] bytes, ImageLimits? limits = null) =>
        Run(bytes, limits ?? ImageLimits.Default, Pixels);

    /// <summary>What is done with the opened picture, and what comes of it.</summary>
    private delegate ImageReading Evaluation(Image image, ImageLimits limits, CancellationToken late);

    private static ImageReading Run(string path, ImageLimits? limits, Evaluation evaluate)
    {
        limits ??= ImageLimits.Default;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return ImageFault.Missing;
            if (file.Length > limits.Bytes) return ImageFault.TooManyBytes;

            // The bytes, not the name: libvips takes options from names that end in brackets.
            return Run(File.ReadAllBytes(path), limits, evaluate);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ImageFault.Missing;
        }
    }

    private static ImageReading Run(byte[] bytes, ImageLimits limits, Evaluation evaluate)
    {
        if (bytes.Length == 0) return ImageFault.Empty;
        if (bytes.LongLength > limits.Bytes) return ImageFault.TooManyBytes;
        if (Image.FindLoadBuffer(bytes) is null) return FaultOfUnknown(bytes);
        using var late = new CancellationTokenSource();
        try
        {
            using var image = Image.NewFromBuffer(bytes, access: Enums.Access.Sequential, failOn: Enums.FailOn.Truncated);
            var pixels = (long)image.Width * image.Height;
            if (pixels > limits.Pixels) return ImageFault.TooManyPixels;
            var reading = pixels <= LargePixels ? Timed(image, limits, evaluate, late) : Alone(image, limits, evaluate, late);
            return late.IsCancellationRequested ? ImageFault.TooSlow : reading;
        }
        catch (VipsException)
        {
            return late.IsCancellationRequested ? ImageFault.TooSlow : ImageFault.Truncated;
        }
    }

    /// <summary>The clock starts when a large picture's turn has come: how long it waited says nothing of it.</summary>
    private static ImageReading Alone(Image image, ImageLimits limits, Evaluation evaluate, CancellationTokenSource late)
    {
        lock (OneLarge) return Timed(image, limits, evaluate, late);
    }

    private static ImageReading Timed(Image image, ImageLimits limits, Evaluation evaluate, CancellationTokenSource late)
    {
        if (limits.Time <= TimeSpan.Zero) late.Cancel();
        else late.CancelAfter(limits.Time);
        return evaluate(image, limits, late.Token);
    }

    /// <summary>Decodes row by row and throws where the rows end. (Shrinking while decoding forgives that.)</summary>
    private static ImageReading Average(Image image, ImageLimits limits, CancellationToken late)
    {
        StopWhen(image, late);
        _ = image.Avg();
        return default;
    }

    private static ImageReading Pixels(Image image, ImageLimits limits, CancellationToken late)
    {
        using var reduced = Reduced(image, limits.Side);
        using var coloured = Coloured(reduced);
        if (coloured.Bands is < 1 or > 4) return ImageFault.Unsupported;
        using var samples = coloured.Cast(Enums.BandFormat.Uchar);
        StopWhen(samples, late);
        if (!IsTurned(image)) return Decoded(samples);

        // Turning reads columns, and a sequential source gives rows.
        using var whole = samples.CopyMemory();
        using var upright = whole.Autorot();
        return Decoded(upright);
    }

    private static DecodedImage Decoded(Image image) =>
        new(image.Width, image.Height, image.Bands, image.WriteToMemory<byte>());

    private static bool IsTurned(Image image) => image.Contains("orientation") && (int)image.Get("orientation") > 1;

    private static Image Reduced(Image image, int side)
    {
        var longest = Math.Max(image.Width, image.Height);
        if (longest <= side) return image.Copy();
        var scale = side / (double)longest;
        if (!image.HasAlpha()) return image.Resize(scale);

        // What is transparent has a colour too, which must not run into its neighbours.
        using var weighted = image.Premultiply();
        using var small = weighted.Resize(scale);
        using var separate = small.Unpremultiply();
        return separate.Cast(image.Format);
    }

    private static Image Coloured(Image image)
    {
        switch (image.Interpretation)
        {
            case Enums.Interpretation.Bw or Enums.Interpretation.Grey16:
                return image.Colourspace(Enums.Interpretation.Bw);
            case Enums.Interpretation.Cmyk when image.Contains("icc-profile-data"):
                return image.IccTransform("srgb", embedded: true);
            default:
                return image.Colourspace(Enums.Interpretation.Srgb);
        }
    }

    /// <summary>libvips asks between tiles; the picture is then given up with an error.</summary>
    private static void StopWhen(Image image, CancellationToken late) => image.SetProgress(new Silent(), late);

    private static ImageFault FaultOfUnknown(ReadOnlySpan<byte> bytes) =>
        // A TIFF's directory may stand at its end, and without one libvips does not know it for a TIFF.
        bytes.StartsWith("II*\0"u8) || bytes.StartsWith("MM\0*"u8) ? ImageFault.Truncated
        : KnownOtherKind(bytes) ? ImageFault.Unsupported
        : ImageFault.NotAnImage;

    /// <summary>Formats that people do put among photos, by their first bytes.</summary>
    private static bool KnownOtherKind(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith("%PDF"u8)
        || bytes.StartsWith("BM"u8)
        || bytes.StartsWith("8BPS"u8)
        || bytes.StartsWith("\0\0\x01\0"u8)
        || bytes.StartsWith("\0\0\0\x0CjP  "u8)
        || bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A])
        || (bytes.Length > 12 && bytes[4..8].SequenceEqual("ftyp"u8));

    private sealed class Silent : IProgress<int>
    {
        public void Report(int value)
        {
        }
    }
}
