using Dwe.Model.Linking;

namespace Dwe.Host.Index;

/// <summary>Where a candidate was found.</summary>
[Flags]
internal enum FoundBy
{
    None = 0,
    Dense = 1,
    Lexical = 2,
    Prior = 4,
}

/// <summary>An entity that a mention may mean.</summary>
/// <param name="Row">Its row in the index.</param>
/// <param name="Sources">Every list that has it.</param>
/// <param name="Score">By which it stands where it does; see <see cref="CandidateFusion"/>.</param>
internal readonly record struct FusedCandidate(int Row, FoundBy Sources, double Score);

/// <summary>
/// Candidates of a mention from three lists: the nearest by cosine, the alike by name, and what the name meant in training. They
/// are merged by reciprocal ranks, Σ weight / (30 + rank) over the lists that have an entity (Cormack, Clarke, Büttcher 2009, with
/// weights), since their scores do not compare. A mention's candidates do not depend on the others asked with it.
/// </summary>
/// <param name="index">What is searched.</param>
/// <param name="prior">What names meant; null where the run remembers nothing.</param>
internal sealed class CandidateFusion(IEntityIndex index, NamePrior? prior)
{
    // Both were chosen on dev of WikiMEL, where names alone nearly suffice: docs/index.md has what else was tried.
    private const double Smoothing = 30;
    private const double DenseWeight = 0.5;

    /// <summary>Up to so many entities, every one is compared with the query.</summary>
    public int DenseLimit { get; init; } = 1_000_000;

    /// <summary>Above it, so many that are alike by name are compared.</summary>
    public int LexicalFirst { get; init; } = 1_000;

    /// <summary>The candidates of one mention.</summary>
    /// <param name="mention">Its text.</param>
    /// <param name="query">[dimension], of length 1.</param>
    /// <param name="top">At most so many.</param>
    public FusedCandidate[] Candidates(string mention, ReadOnlySpan<float> query, int top) => Candidates([mention], query, top)[0];

    /// <summary>The candidates of each mention, best first; equal scores by row.</summary>
    /// <param name="mentions">Their texts.</param>
    /// <param name="queries">[mentions; dimension], each of length 1.</param>
    /// <param name="top">At most so many each.</param>
    public FusedCandidate[][] Candidates(IReadOnlyList<string> mentions, ReadOnlySpan<float> queries, int top)
    {
        if (queries.Length != mentions.Count * index.Dimension)
            throw new ArgumentException($"{queries.Length} numbers for {mentions.Count} queries of {index.Dimension}", nameof(queries));

        var everything = index.Count <= DenseLimit;
        var nearest = everything ? index.Nearest(queries, top) : null;
        var named = new Found[mentions.Count][];
        var depth = everything ? top : Math.Max(top, LexicalFirst);
        Parallel.For(0, mentions.Count, at => named[at] = index.Named(mentions[at], depth));
        var candidates = new FusedCandidate[mentions.Count][];
        for (var at = 0; at < candidates.Length; at++)
        {
            var meant = prior?.Meant(mentions[at], top) ?? [];
            var dense = nearest?[at] ?? Compare(queries.Slice(at * index.Dimension, index.Dimension), [.. named[at], .. meant], top);
            candidates[at] = Merge(dense, [.. named[at].Take(top)], meant, top);
        }

        return candidates;
    }

    /// <summary>The nearest of listed rows.</summary>
    private Found[] Compare(ReadOnlySpan<float> query, Found[] among, int top)
    {
        var best = new TopRows(top);
        var vector = new float[index.Dimension];
        foreach (var row in among.Select(found => found.Row).Distinct())
        {
            index.CopyVector(row, vector);
            best.Offer(row, Scoring.dot(query, vector));
        }

        return best.Sorted();
    }

    private static FusedCandidate[] Merge(Found[] dense, Found[] named, Found[] meant, int top)
    {
        var merged = new Dictionary<int, FusedCandidate>();
        Add(merged, dense, FoundBy.Dense, DenseWeight);
        Add(merged, named, FoundBy.Lexical, weight: 1);
        Add(merged, meant, FoundBy.Prior, weight: 1);
        return [.. merged.Values.OrderByDescending(found => found.Score).ThenBy(found => found.Row).Take(top)];
    }

    private static void Add(Dictionary<int, FusedCandidate> merged, Found[] list, FoundBy source, double weight)
    {
        for (var rank = 1; rank <= list.Length; rank++)
        {
            var row = list[rank - 1].Row;
            var known = merged.GetValueOrDefault(row, new FusedCandidate(row, FoundBy.None, 0));
            merged[row] = known with { Sources = known.Sources | source, Score = known.Score + weight / (Smoothing + rank) };
        }
    }
}
