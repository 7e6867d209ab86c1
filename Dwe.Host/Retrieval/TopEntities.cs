namespace Dwe.Host.Retrieval;

/// <summary>
/// The best entities of one mention while its names are scored: an entity counts once, with its best name; of equal scores
/// the earlier name is better. <see cref="Least"/> is what a further name must reach to matter.
/// </summary>
internal sealed class TopEntities(NameList names, int top)
{
    private readonly int[] bestOf = new int[names.Ids.Length];
    private readonly int[] entitiesAt = new int[101];
    private readonly List<(int Score, int Name)> scored = [];
    private int reaching;

    /// <summary>The highest score that <c>top</c> entities reach; 0 while fewer were scored.</summary>
    public int Least { get; private set; }

    public void Clear()
    {
        foreach (var (_, name) in scored)
        {
            bestOf[names.EntityOf[name]] = 0;
        }

        scored.Clear();
        Array.Clear(entitiesAt);
        (Least, reaching) = (0, 0);
    }

    public void Add(int name, int score)
    {
        if (score < Least)
        {
            return;
        }

        scored.Add((score, name));
        // Kept as score + 1: 0 is an entity without a score.
        ref var best = ref bestOf[names.EntityOf[name]];
        if (score + 1 <= best)
        {
            return;
        }

        if (best > 0)
        {
            entitiesAt[best - 1]--;
            reaching -= best - 1 >= Least ? 1 : 0;
        }

        best = score + 1;
        entitiesAt[score]++;
        reaching++;
        while (Least < 100 && reaching - entitiesAt[Least] >= top)
        {
            reaching -= entitiesAt[Least++];
        }
    }

    /// <summary>The ids, best first.</summary>
    public string[] Ids()
    {
        scored.Sort((left, right) =>
            left.Score != right.Score ? right.Score.CompareTo(left.Score) : left.Name.CompareTo(right.Name));
        var seen = new HashSet<int>();
        var ids = new List<string>(top);
        foreach (var (_, name) in scored)
        {
            if (ids.Count < top && seen.Add(names.EntityOf[name]))
            {
                ids.Add(names.Ids[names.EntityOf[name]]);
            }
        }

        return [.. ids];
    }
}
