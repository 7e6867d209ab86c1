using Dwe.Host.Index;

namespace Dwe.Host.Linking;

/// <summary>An entity to be compared, and where it came from: <c>given</c>, <c>all</c>, or the lists that have it.</summary>
internal sealed record Candidate(int Row, IReadOnlyList<string> Sources);

/// <summary>Which entities a mention is compared with.</summary>
/// <param name="index">The knowledge base.</param>
/// <param name="fusion">Candidates by name, by vector and by what names meant in training.</param>
/// <param name="top">How many of them; 0 = every entity of the index.</param>
internal sealed class CandidateRetrieval(IEntityIndex index, CandidateFusion fusion, int top)
{
    private static readonly string[] Given = ["given"];
    private static readonly string[] All = ["all"];
    private static readonly FoundBy[] Lists = [FoundBy.Dense, FoundBy.Lexical, FoundBy.Prior];

    /// <summary>
    /// Each mention's candidates, every entity once, by row: the order in which they were found says nothing. Those that are
    /// searched for are searched together: one reading of the vectors serves all of them.
    /// </summary>
    /// <param name="requests">The mentions.</param>
    /// <param name="queries">[requests][dimension], each of length 1.</param>
    public Candidate[][] Of(IReadOnlyList<LinkRequest> requests, IReadOnlyList<float[]> queries)
    {
        var candidates = requests.Select(request => request.Candidates is { } given ? Listed(given) : top == 0 ? Everything() : []).ToArray();
        int[] searched = [.. Enumerable.Range(0, requests.Count).Where(at => top > 0 && requests[at].Candidates is null)];
        if (searched.Length == 0) return candidates;
        var found = fusion.Candidates(
            [.. searched.Select(at => requests[at].Mention)], searched.SelectMany(at => queries[at]).ToArray(), top);
        for (var at = 0; at < searched.Length; at++)
        {
            candidates[searched[at]] =
                [.. found[at].OrderBy(one => one.Row).Select(one => new Candidate(one.Row, NamesOf(one.Sources)))];
        }

        return candidates;
    }

    private Candidate[] Listed(IEnumerable<string> ids) =>
        [.. ids.Select(index.RowOf).Where(row => row >= 0).Distinct().Order().Select(row => new Candidate(row, Given))];

    private Candidate[] Everything() => [.. Enumerable.Range(0, index.Count).Select(row => new Candidate(row, All))];

    private static string[] NamesOf(FoundBy sources) =>
        [.. Lists.Where(list => sources.HasFlag(list)).Select(list => list.ToString().ToLowerInvariant())];
}
