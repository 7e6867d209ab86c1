using Dwe.Host.Features.Images;
using Dwe.Host.Reports;

namespace Dwe.Host.Service;

/// <summary>An entity's picture as a page shows it: a small JPEG, encoded anew, whatever the file is.</summary>
internal static class EntityPicture
{
    public const string MediaType = "image/jpeg";
    private const int Side = 320;

    private static readonly ImageLimits Limits = new() { Side = Side * 2, Pixels = 100_000_000, Time = TimeSpan.FromSeconds(5) };

    /// <summary>The bytes of the JPEG; null where the file cannot be read.</summary>
    public static byte[]? Read(string path) =>
        ImageDecoder.Read(path, Limits).Image is { } picture ? EmbeddedImage.Jpeg(picture, Side) : null;
}
