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

    static ImageProbe()
    {
        // Files come from anywhere: only the decoders that libvips has fuzzed. Nothing is decoded twice.
        NetVips.NetVips.BlockUntrusted = true;
        Cache.Max = 0;
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, (_, _, _) => { });
    }

    /// <summary>Decodes one file. May be called on several threads.</summary>
    public static ImageState Probe(string path)
    {
        try
        {
            // The bytes, not the name: libvips takes options from names that end in brackets.
            var bytes = File.ReadAllBytes(path);
            using var image = Image.NewFromBuffer(bytes, access: Enums.Access.Sequential, failOn: Enums.FailOn.Truncated);
            if ((long)image.Width * image.Height > MaxPixels) return ImageState.TooLarge;

            // Decodes row by row, in little memory, and throws where the rows end. (Shrinking while decoding forgives that.)
            _ = image.Avg();
            return ImageState.Sound;
        }
        catch (Exception error) when (error is VipsException or IOException or UnauthorizedAccessException)
        {
            return ImageState.Broken;
        }
    }
}
