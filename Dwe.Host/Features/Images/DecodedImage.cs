namespace Dwe.Host.Features.Images;

/// <summary>
/// An upright picture: interleaved 8-bit samples, row by row, [Height; Width; Channels]. Channels: 1 grey, 2 grey and alpha,
/// 3 RGB, 4 RGB and alpha (not premultiplied); RGB is sRGB.
/// </summary>
internal sealed record DecodedImage(int Width, int Height, int Channels, byte[] Pixels)
{
    private const byte White = 255;

    /// <summary>[Height; Width; 3]: grey is repeated, and what is transparent lies on white, as a page shows it.</summary>
    public DecodedImage ToRgb()
    {
        if (Channels == 3) return this;
        var rgb = new byte[checked(Width * Height * 3)];
        var hasAlpha = Channels is 2 or 4;
        for (int from = 0, to = 0; to < rgb.Length; from += Channels, to += 3)
        {
            for (var band = 0; band < 3; band++)
            {
                var value = Pixels[Channels < 3 ? from : from + band];
                rgb[to + band] = hasAlpha ? OnWhite(value, Pixels[from + Channels - 1]) : value;
            }
        }
        return new DecodedImage(Width, Height, 3, rgb);
    }

    private static byte OnWhite(byte value, byte alpha) => (byte)(((value * alpha) + (White * (White - alpha)) + 127) / 255);
}

/// <summary>Why a file gave no picture.</summary>
internal enum ImageFault
{
    /// <summary>There is no such file, or it cannot be opened.</summary>
    Missing,

    /// <summary>It has no bytes.</summary>
    Empty,

    /// <summary>Its bytes are not those of any picture format.</summary>
    NotAnImage,

    /// <summary>It is a picture that ends too early or is damaged.</summary>
    Truncated,

    /// <summary>Its header claims more pixels than <see cref="ImageLimits.Pixels"/>.</summary>
    TooManyPixels,

    /// <summary>It is longer than <see cref="ImageLimits.Bytes"/>.</summary>
    TooManyBytes,

    /// <summary>Decoding took longer than <see cref="ImageLimits.Time"/>.</summary>
    TooSlow,

    /// <summary>It is a picture or document of a kind that is not read.</summary>
    Unsupported,
}

/// <summary>What is decoded at all: files come from anywhere, and a small one can claim any number of pixels.</summary>
internal sealed record ImageLimits
{
    public static readonly ImageLimits Default = new();

    /// <summary>Greatest width * height.</summary>
    public long Pixels { get; init; } = 200_000_000;

    /// <summary>Greatest length of the file.</summary>
    public long Bytes { get; init; } = 512L << 20;

    /// <summary>Longest time for one picture, by the clock.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A longer side is reduced to this many pixels while decoding, so that memory stays bounded.</summary>
    public int Side { get; init; } = int.MaxValue;
}

/// <summary>A picture, or the reason why there is none: exactly one of the two.</summary>
internal readonly record struct ImageReading(DecodedImage? Image, ImageFault? Fault)
{
    public static implicit operator ImageReading(ImageFault fault) => new(null, fault);

    public static implicit operator ImageReading(DecodedImage image) => new(image, null);
}

/// <summary>Faults in words, for tables and manifests.</summary>
internal static class ImageFaults
{
    public static string Describe(ImageFault fault) => fault switch
    {
        ImageFault.Missing => "missing",
        ImageFault.Empty => "empty",
        ImageFault.NotAnImage => "not an image",
        ImageFault.Truncated => "truncated or damaged",
        ImageFault.TooManyPixels => "too many pixels",
        ImageFault.TooManyBytes => "too many bytes",
        ImageFault.TooSlow => "too slow to decode",
        _ => "unsupported",
    };
}
