using NetVips;

namespace Dwe.Host.Features.Images;

/// <summary>What became of a file that should be an image.</summary>
internal enum ImageState
{
    /// <summary>It was decoded to its end.</summary>
    Sound,

    /// <summary>It is no image, or one that ends too early or is damaged.</summary>
    Broken,

    /// <summary>Its header claims more pixels than are decoded.</summary>
    TooLarge,
}

/// <summary>Tells by decoding whether a file is an image. A file that is merely there proves nothing.</summary>
internal static class ImageProbe
{
    /// <summary>More pixels than this are not decoded: a small file can claim any number of them.</summary>
    public const long MaxPixels = 200_000_000;

    /// <summary>Large images are shrunk while they are decoded, to spare memory; every byte is looked at all the same.</summary>
    private const int DecodedWidth = 64;

    static ImageProbe()
    {
        // Files come from anywhere: only the decoders that libvips has fuzzed. Nothing is decoded twice.
        NetVips.NetVips.BlockUntrusted = true;
        Cache.Max = 0;
    }

    /// <summary>Decodes one file. May be called on several threads.</summary>
    public static ImageState Probe(string path)
    {
        try
        {
            // The bytes, not the name: libvips takes options from names that end in brackets.
            var bytes = File.ReadAllBytes(path);
            using (var header = Image.NewFromBuffer(bytes))
            {
                if ((long)header.Width * header.Height > MaxPixels) return ImageState.TooLarge;
            }
            using var small = Image.ThumbnailBuffer(bytes, DecodedWidth, failOn: Enums.FailOn.Truncated);
            _ = small.Avg();
            return ImageState.Sound;
        }
        catch (Exception error) when (error is VipsException or IOException or UnauthorizedAccessException)
        {
            return ImageState.Broken;
        }
    }
}
