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

    /// <summary>Each entity once, by row: the order in which they were found says nothing.</summary>
    /// <param name="request">The mention.</param>
    /// <param name="query">[dimension], of length 1.</param>
    public Candidate[] Of(LinkRequest request, float[] query)
    {
        if (request.Candidates is { } given)
        {
            return [.. given.Select(index.RowOf).Where(row => row >= 0).Distinct().Order().Select(row => new Candidate(row, Given))];
        }

        return top == 0
            ? [.. Enumerable.Range(0, index.Count).Select(row => new Candidate(row, All))]
            : [.. fusion.Candidates(request.Mention, query, top).OrderBy(found => found.Row)
                .Select(found => new Candidate(found.Row, NamesOf(found.Sources)))];
    }

    private static string[] NamesOf(FoundBy sources) =>
        [.. Lists.Where(list => sources.HasFlag(list)).Select(list => list.ToString().ToLowerInvariant())];
}
