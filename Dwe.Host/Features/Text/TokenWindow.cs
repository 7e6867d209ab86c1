using System.Globalization;

namespace Dwe.Host.Features.Text;

/// <summary>
/// Which tokens of a mention's text (<see cref="FeatureJob.TextOf(string, string)"/>) stand for it: the
/// <paramref name="Most"/> nearest to where the sentence says the mention first, or to the text's beginning where it does not.
/// Of two equally near the earlier; in the order of the text.
/// </summary>
/// <param name="Encoder">Gives the tokens.</param>
/// <param name="Most">At least 1.</param>
internal sealed record TokenWindow(ITokenEncoder Encoder, int Most)
{
    private const string Nearest = "/nearest-";

    /// <summary>What makes the vectors: encoder and number.</summary>
    public string Id => $"{Encoder.TokensId}{Nearest}{Most.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>How many tokens an id says; null where it is none of these.</summary>
    public static int? MostOf(string id)
    {
        var at = id.LastIndexOf(Nearest, StringComparison.Ordinal);
        return at >= 0 && int.TryParse(id.AsSpan(at + Nearest.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var most)
            ? most
            : null;
    }

    /// <summary>The places among the tokens of the mention's text, rising.</summary>
    public int[] Places(string mention, string sentence)
    {
        var text = FeatureJob.TextOf(mention, sentence);
        var count = Encoder.CountTokens(text);
        if (count <= Most) return [.. Enumerable.Range(0, count)];
        var (start, end) = Span(mention, sentence, text);
        int Distance(int place) => place < start ? start - place : Math.Max(0, place - end + 1);
        return [.. Enumerable.Range(0, count).OrderBy(Distance).ThenBy(place => place).Take(Most).Order()];
    }

    /// <summary>The tokens' own vectors of these places, one after the other.</summary>
    public float[] Pick(float[] tokens, int[] places)
    {
        var dim = Encoder.Dimension;
        return [.. places.SelectMany(place => tokens[(place * dim)..((place + 1) * dim)])];
    }

    /// <summary>The first token of the mention, and the first after it. A tokenizer may join what stands on both sides of an
    /// edge, so this is where the text up to the edge ends.</summary>
    private (int Start, int End) Span(string mention, string sentence, string text)
    {
        var at = sentence.IndexOf(mention, StringComparison.Ordinal);
        if (at < 0) at = sentence.IndexOf(mention, StringComparison.OrdinalIgnoreCase);
        var first = mention.Length == 0 || at < 0 ? 0 : text.Length - sentence.Length + at;
        // A blank at the end would be a token of its own.
        int Before(int edge) => Encoder.CountTokens(text[..edge].TrimEnd());
        var start = Before(first);
        return (start, Math.Max(start + 1, Before(first + mention.Length)));
    }
}
