using System.Globalization;
using System.Text;
using Dwe.Host.Features.Vision;

namespace Dwe.Host.Reports;

/// <summary>A person's mask as an SVG path: rows of rectangles.</summary>
internal static class MaskPath
{
    /// <summary>Rows of a path, at most: finer steps are not seen on a page, and a path of every row would outweigh the picture.</summary>
    private const int Rows = 160;

    /// <summary>The path's <c>d</c> in the picture's pixels; a step is a square of pixels that is inside where its middle is.
    /// Empty for an empty mask.</summary>
    public static string Of(PersonMask mask)
    {
        var step = Math.Max(1, (Math.Max(mask.Width, mask.Height) + Rows - 1) / Rows);
        var path = new StringBuilder();
        for (var y = 0; y < mask.Height; y += step)
        {
            var height = Math.Min(step, mask.Height - y);
            for (var x = 0; x < mask.Width;)
            {
                if (!Inside(mask, x, y, step))
                {
                    x += step;
                    continue;
                }
                var from = x;
                while (x < mask.Width && Inside(mask, x, y, step)) x += step;
                var width = Math.Min(x, mask.Width) - from;
                path.Append(CultureInfo.InvariantCulture, $"M{mask.Left + from} {mask.Top + y}h{width}v{height}h-{width}z");
            }
        }
        return path.ToString();
    }

    private static bool Inside(PersonMask mask, int x, int y, int step)
    {
        var (column, row) = (Math.Min(x + (step / 2), mask.Width - 1), Math.Min(y + (step / 2), mask.Height - 1));
        return mask.Inside[(row * mask.Width) + column];
    }
}
