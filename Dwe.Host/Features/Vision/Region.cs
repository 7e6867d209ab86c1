namespace Dwe.Host.Features.Vision;

/// <summary>A rectangle in the pixels of an image; it may reach beyond it.</summary>
internal readonly record struct Region(float Left, float Top, float Right, float Bottom)
{
    public float Width => Right - Left;

    public float Height => Bottom - Top;

    public float CentreX => (Left + Right) / 2;

    public float CentreY => (Top + Bottom) / 2;

    public float Area => Math.Max(0, Width) * Math.Max(0, Height);

    /// <summary>Area of the intersection over area of the union; 0 for two empty ones.</summary>
    public float Iou(Region other)
    {
        var common = Intersection(other).Area;
        var union = Area + other.Area - common;
        return union > 0 ? common / union : 0;
    }

    /// <summary>What both cover; of no area where they do not meet.</summary>
    public Region Intersection(Region other) => new(
        Math.Max(Left, other.Left), Math.Max(Top, other.Top), Math.Min(Right, other.Right), Math.Min(Bottom, other.Bottom));

    /// <summary>Another size about the same centre.</summary>
    public Region WithSize(float width, float height) =>
        new(CentreX - (width / 2), CentreY - (height / 2), CentreX + (width / 2), CentreY + (height / 2));

    /// <summary>The whole pixels that it covers of an image, at least one.</summary>
    public (int Left, int Top, int Width, int Height) Within(int width, int height)
    {
        var left = Math.Clamp((int)MathF.Floor(Left), 0, width - 1);
        var top = Math.Clamp((int)MathF.Floor(Top), 0, height - 1);
        var right = Math.Clamp((int)MathF.Ceiling(Right), left + 1, width);
        var bottom = Math.Clamp((int)MathF.Ceiling(Bottom), top + 1, height);
        return (left, top, right - left, bottom - top);
    }
}

/// <summary>Non-maximum suppression.</summary>
internal static class Suppression
{
    /// <summary>Best first; one that overlaps a better one by more than <paramref name="iou"/> is left out. Equal scores
    /// keep their order.</summary>
    public static List<T> Best<T>(IEnumerable<T> found, Func<T, float> score, Func<T, Region> region, float iou)
    {
        var kept = new List<T>();
        foreach (var candidate in found.OrderByDescending(score))
            if (kept.TrueForAll(better => region(better).Iou(region(candidate)) <= iou)) kept.Add(candidate);
        return kept;
    }
}
