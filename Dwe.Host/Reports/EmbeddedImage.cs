using Dwe.Host.Features.Images;
using NetVips;

namespace Dwe.Host.Reports;

/// <summary>A picture as a page carries it: a JPEG in a <c>data:</c> address, encoded anew, so that nothing but pixels of the
/// original is in it (no metadata, no place where it was taken).</summary>
internal static class EmbeddedImage
{
    /// <summary>Longest side of a mention's picture.</summary>
    public const int FigureSide = 1280;

    /// <summary>Longest side of an entity's picture.</summary>
    public const int ThumbnailSide = 160;

    private const int Quality = 82;

    /// <summary>The address; sides are reduced to <paramref name="side"/>, never enlarged; what is transparent lies on white.</summary>
    public static Html Address(DecodedImage picture, int side) =>
        new("data:image/jpeg;base64," + Convert.ToBase64String(Jpeg(picture, side)));

    /// <summary>The file, of sides as in <see cref="Address"/>.</summary>
    public static byte[] Jpeg(DecodedImage picture, int side)
    {
        var rgb = picture.ToRgb();
        using var whole = Image.NewFromMemory(rgb.Pixels, rgb.Width, rgb.Height, 3, Enums.BandFormat.Uchar);
        using var tagged = whole.Copy(interpretation: Enums.Interpretation.Srgb);
        using var bounded = tagged.ThumbnailImage(side, height: side, size: Enums.Size.Down);
        return bounded.JpegsaveBuffer(q: Quality, keep: Enums.ForeignKeep.None);
    }
}
