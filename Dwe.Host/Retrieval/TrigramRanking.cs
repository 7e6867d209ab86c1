using System.Numerics;

namespace Dwe.Host.Retrieval;

/// <summary>
/// Ranking that need not look at every name: the names that share the most telling triples of letters with the mention are
/// looked up and put in order by the weighted ratio of <see cref="ExactRanking"/>. A triple tells the more the fewer names
/// have it; the rarest are looked up first, until so many names were met that more would only cost time.
/// </summary>
internal sealed class TrigramRanking : ICandidateRanking
{
    public const string Name = "trigram";

    /// <summary>Entries of the index that one mention may read, the list that passes it included.</summary>
    public const int Budget = 100_000;

    /// <summary>Names that are put in order, per place of the list.</summary>
    private const int NamesPerPlace = 10;

    private readonly FuzzyNames names;
    private readonly int budget;
    /// <summary>A space, or what is beyond a text's ends.</summary>
    private readonly ushort edge;
    private readonly Dictionary<ulong, int> listOf = [];
    private readonly int[] listStart;
    private readonly int[] lists;

    public TrigramRanking(FuzzyNames names, int budget = Budget)
    {
        this.names = names;
        this.budget = budget;
        edge = names.Symbols([' '])[0];
        var counts = new List<int>();
        for (var name = 0; name < names.Count; name++)
        {
            foreach (var triple in TriplesOf(names.Distinct[name]))
            {
                if (!listOf.TryGetValue(triple, out var list))
                {
                    listOf[triple] = list = counts.Count;
                    counts.Add(0);
                }

                counts[list]++;
            }
        }

        listStart = new int[counts.Count + 1];
        for (var list = 0; list < counts.Count; list++)
        {
            listStart[list + 1] = checked(listStart[list] + counts[list]);
        }

        lists = new int[listStart[^1]];
        var next = listStart.ToArray();
        for (var name = 0; name < names.Count; name++)
        {
            foreach (var triple in TriplesOf(names.Distinct[name]))
            {
                lists[next[listOf[triple]]++] = name;
            }
        }
    }

    public string Method => Name;

    public string Description =>
        $"triples of letters, {budget} entries and {NamesPerPlace} names a place, then the weighted ratio of fuzzywuzzy with "
        + "python-Levenshtein; version 1";

    public NameList Names => names.List;

    public Func<string, string[]> Ranker(int top)
    {
        var query = new FuzzyQuery(names);
        var best = new TopEntities(names.List, top);
        var weights = new ushort[names.Count];
        var met = new List<int>();
        return mention =>
        {
            best.Clear();
            query.Set(mention);
            Meet(mention, weights, met);
            foreach (var name in Heaviest(weights, met, top * NamesPerPlace))
            {
                best.Add(name, query.Score(name, best.Least));
            }

            foreach (var name in met)
            {
                weights[name] = 0;
            }

            met.Clear();
            return best.Ids();
        };
    }

    private void Meet(string mention, ushort[] weights, List<int> met)
    {
        var read = 0;
        var known = TriplesOf(names.FormsOf(mention).Distinct)
            .Where(listOf.ContainsKey)
            .Select(triple => listOf[triple])
            .OrderBy(list => listStart[list + 1] - listStart[list])
            .ThenBy(list => list);
        foreach (var list in known)
        {
            if (read >= budget)
            {
                break;
            }

            var holders = lists.AsSpan(listStart[list]..listStart[list + 1]);
            read += holders.Length;

            // Twice the binary logarithm of the inverse frequency.
            var weight = (ushort)(2 + 2 * BitOperations.Log2((uint)(names.Count / holders.Length)));
            foreach (var name in holders)
            {
                if (weights[name] == 0)
                {
                    met.Add(name);
                }

                weights[name] = (ushort)Math.Min(ushort.MaxValue, weights[name] + weight);
            }
        }
    }

    /// <summary>The heaviest names that were met, in order; of equal weights the earlier.</summary>
    private static List<int> Heaviest(ushort[] weights, List<int> met, int count)
    {
        var least = met.Count > count ? WeightOf(count, weights, met) : 0;
        var kept = new List<int>(count);
        var equal = new List<int>();
        foreach (var name in met)
        {
            if (weights[name] > least)
            {
                kept.Add(name);
            }
            else if (weights[name] == least)
            {
                equal.Add(name);
            }
        }

        equal.Sort();
        kept.AddRange(equal.Take(count - kept.Count));
        kept.Sort();
        return kept;
    }

    /// <summary>The highest weight that so many of the names reach.</summary>
    private static int WeightOf(int count, ushort[] weights, List<int> met)
    {
        var highest = 0;
        foreach (var name in met)
        {
            highest = Math.Max(highest, weights[name]);
        }

        var namesAt = new int[highest + 1];
        foreach (var name in met)
        {
            namesAt[weights[name]]++;
        }

        var least = highest;
        for (var reaching = namesAt[least]; reaching < count; reaching += namesAt[least])
        {
            least--;
        }

        return least;
    }

    /// <summary>Every three letters in a row of each token, and its beginning and end with two; each once.</summary>
    private HashSet<ulong> TriplesOf(ReadOnlySpan<ushort> text)
    {
        var triples = new HashSet<ulong>();
        for (var at = 0; at < text.Length; at++)
        {
            ulong before = at == 0 ? edge : text[at - 1];
            ulong after = at + 1 == text.Length ? edge : text[at + 1];
            if (text[at] != edge)
            {
                triples.Add((before << 32) | ((ulong)text[at] << 16) | after);
            }
        }

        return triples;
    }
}
