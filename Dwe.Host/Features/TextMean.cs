namespace Dwe.Host.Features;

/// <summary>Copies a known vector out. False where it is nowhere.</summary>
internal delegate bool ReadVector(ContentKey key, Span<float> vector);

/// <summary>
/// One vector for several texts: <c>m = (v_1 + ... + v_n) / n</c>, summed in double precision in the order of the texts' keys
/// and rounded once, so that the order of the texts changes no bit. A single text's vector and key stay what they are.
/// </summary>
internal static class TextMean
{
    /// <summary>The keys of different texts, in the order in which they are summed.</summary>
    public static ContentKey[] KeysOf(string encoderId, IReadOnlyList<string> texts)
    {
        ContentKey[] keys = [.. texts.Select(text => ContentKey.OfText(encoderId, text))];
        Array.Sort(keys, (one, other) => (one.High, one.Low).CompareTo((other.High, other.Low)));
        return keys;
    }

    /// <summary>The key of the mean of vectors with these keys; that of no vector is the default one.</summary>
    public static ContentKey KeyOf(IReadOnlyList<ContentKey> keys) =>
        keys.Count switch { 0 => default, 1 => keys[0], _ => ContentKey.OfMean(keys) };

    /// <summary>Writes the mean of vectors with these keys.</summary>
    /// <exception cref="InvalidOperationException">A vector is not known.</exception>
    public static void Fill(IReadOnlyList<ContentKey> keys, Span<float> mean, ReadVector read)
    {
        if (keys.Count == 1)
        {
            Require(read(keys[0], mean));
            return;
        }

        var sum = new double[mean.Length];
        foreach (var key in keys)
        {
            Require(read(key, mean));
            for (var at = 0; at < sum.Length; at++) sum[at] += mean[at];
        }
        for (var at = 0; at < sum.Length; at++) mean[at] = (float)(sum[at] / keys.Count);
    }

    private static void Require(bool found)
    {
        if (!found) throw new InvalidOperationException("a text without a vector");
    }
}
