namespace Dwe.Host.Retrieval;

/// <summary>
/// fuzzywuzzy's <c>process.extract</c>: every name by its weighted ratio with the mention, ties in the order of the names.
/// The scores are fuzzywuzzy's with python-Levenshtein as back end. Names whose bound does not reach the list are passed over.
/// </summary>
internal sealed class ExactRanking(FuzzyNames names) : ICandidateRanking
{
    public const string Name = "exact";

    public string Method => Name;

    public string Description => "weighted ratio of fuzzywuzzy with python-Levenshtein, every name; version 1";

    public NameList Names => names.List;

    public Func<string, string[]> Ranker(int top)
    {
        var query = new FuzzyQuery(names);
        var best = new TopEntities(names.List, top);
        var bounds = new byte[names.Count];
        var order = new int[names.Count];
        return mention =>
        {
            best.Clear();
            query.Set(mention);
            if (query.IsEmpty)
            {
                for (var name = 0; name < names.Count; name++)
                {
                    best.Add(name, 0);
                }

                return best.Ids();
            }

            Bound(query, bounds);
            Sort(bounds, order);
            foreach (var name in order)
            {
                if (bounds[name] < best.Least)
                {
                    break;
                }

                best.Add(name, query.Score(name, best.Least));
            }

            return best.Ids();
        };
    }

    private void Bound(FuzzyQuery query, byte[] bounds)
    {
        for (var name = 0; name < bounds.Length; name++)
        {
            bounds[name] = (byte)query.Bound(name);
        }

        // A shared token can lift the score above what the letters of the whole texts say.
        foreach (var token in query.KnownTokens)
        {
            foreach (var name in names.HoldersOf(token))
            {
                bounds[name] = 100;
            }
        }
    }

    /// <summary>Names by falling bound, in their order where bounds are equal.</summary>
    private static void Sort(byte[] bounds, int[] order)
    {
        Span<int> next = stackalloc int[102];
        foreach (var bound in bounds)
        {
            next[100 - bound + 1]++;
        }

        for (var at = 1; at < next.Length; at++)
        {
            next[at] += next[at - 1];
        }

        for (var name = 0; name < bounds.Length; name++)
        {
            order[next[100 - bounds[name]]++] = name;
        }
    }
}
