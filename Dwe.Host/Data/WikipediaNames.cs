using System.Security.Cryptography;
using System.Text;

namespace Dwe.Host.Data;

/// <summary>How WikiDiverse's files name articles and images.</summary>
internal static class WikipediaNames
{
    private const string ArticleMark = "wikipedia.org/wiki/";

    /// <summary>
    /// The title in an article's address, or a title as it is: without the address's beginning, however that is mistyped
    /// (<c>nhttps://</c>, <c>]https://</c>, <c>ttps://</c>), percent signs resolved, underscores as spaces.
    /// </summary>
    public static (string Title, bool Mended) TitleOf(string text)
    {
        text = text.Trim();
        var mark = text.IndexOf(ArticleMark, StringComparison.OrdinalIgnoreCase);
        var mended = mark >= 0 && !text.StartsWith("https://", StringComparison.Ordinal) && !text.StartsWith("http://", StringComparison.Ordinal);
        if (mark >= 0) text = text[(mark + ArticleMark.Length)..].Split('#')[0];
        return (Plain(text), mended);
    }

    /// <summary>A title without percent signs and underscores.</summary>
    public static string Plain(string title) => Uri.UnescapeDataString(title).Replace('_', ' ').Trim();

    /// <summary>Titles that DWE's preparation made equal: a dash is a space there.</summary>
    public static string Undashed(string title) => title.Replace('-', ' ');

    /// <summary>The file name that WikiDiverse gives an image: MD5 of the last part of its address, and its ending.</summary>
    public static string ImageOf(string url)
    {
        var last = url[(url.LastIndexOf('/') + 1)..];
        if (last.Length == 0) return "";
        var dot = last.LastIndexOf('.');
        return AsPng(Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(last))) + (dot < 0 ? "" : last[dot..]));
    }

    /// <summary>Drawings and animations were converted, and are <c>.png</c>.</summary>
    public static string AsPng(string image) =>
        image.EndsWith(".svg", StringComparison.OrdinalIgnoreCase) || image.EndsWith(".gif", StringComparison.OrdinalIgnoreCase)
            ? image[..^4] + ".png"
            : image;
}
