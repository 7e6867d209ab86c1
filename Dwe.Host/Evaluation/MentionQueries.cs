using Dwe.Host.Training;
using Dwe.Model;

namespace Dwe.Host.Evaluation;

/// <summary>The queries that a model makes of a split's mentions.</summary>
internal static class MentionQueries
{
    private const int AtOnce = 256;

    /// <summary>[mentions; compared width], not normalised.</summary>
    public static float[] Of(Matcher matcher, RunData data, string split)
    {
        var (features, count) = (data.Features(split, matcher), data.Mentions(split).Count);
        var all = new List<float>(count * matcher.Compared);
        for (var first = 0; first < count; first += AtOnce)
        {
            var rows = Enumerable.Range(first, Math.Min(AtOnce, count - first)).Select(row => (long)row);
            all.AddRange(matcher.Query(features, [.. rows]));
        }

        return [.. all];
    }
}
