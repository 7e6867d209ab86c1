using Dwe.Host.Index;
using Dwe.Host.Training;

namespace Dwe.Host.Linking;

/// <summary>An entity to be compared, and where it came from.</summary>
internal sealed record Candidate(int Row, IReadOnlyList<string> Sources);

/// <summary>Which entities a mention is compared with.</summary>
/// <param name="index">The knowledge base.</param>
/// <param name="memory">What names meant in training; null where the run remembers nothing.</param>
/// <param name="each">Entities from each source; 0 = every entity of the index.</param>
internal sealed class CandidateRetrieval(IEntityIndex index, LexicalMemory? memory, int each)
{
    private readonly NamePrior? prior = memory is null ? null : new NamePrior(memory, index);

    /// <summary>Each entity once, by row: the order in which they were found says nothing.</summary>
    /// <param name="request">The mention.</param>
    /// <param name="query">[dimension], of length 1.</param>
    public Candidate[] Of(LinkRequest request, float[] query)
    {
        var sources = new SortedDictionary<int, List<string>>();
        void Add(string source, IEnumerable<int> rows)
        {
            foreach (var row in rows.Where(row => row >= 0))
            {
                if (!sources.TryGetValue(row, out var own)) sources[row] = own = [];
                if (!own.Contains(source)) own.Add(source);
            }
        }

        if (request.Candidates is { } given)
        {
            Add(CandidateSources.Given, given.Select(index.RowOf));
        }
        else if (each == 0)
        {
            Add(CandidateSources.All, Enumerable.Range(0, index.Count));
        }
        else
        {
            Add(CandidateSources.Lexical, index.Named(request.Mention, each).Select(found => found.Row));
            Add(CandidateSources.Dense, index.Nearest(query, each)[0].Select(found => found.Row));
            Add(CandidateSources.Prior, prior?.Of(request.Mention).Take(each) ?? []);
        }

        return [.. sources.Select(one => new Candidate(one.Key, one.Value))];
    }
}
