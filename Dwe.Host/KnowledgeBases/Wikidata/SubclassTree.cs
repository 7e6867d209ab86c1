namespace Dwe.Host.KnowledgeBases.Wikidata;

/// <summary>Which classes are below which, by <c>subclass of</c> (P279), over any number of steps.</summary>
internal sealed class SubclassTree
{
    private readonly Dictionary<string, List<string>> below = [];

    /// <summary>Whether a line may say something of subclasses.</summary>
    public static bool MayConcern(ReadOnlyMemory<byte> line) => line.Span.IndexOf("\"P279\""u8) >= 0;

    /// <summary>An item and what it is a subclass of.</summary>
    public sealed record Edges(string Item, string[] Above);

    /// <summary>Null where an item is no subclass.</summary>
    public static Edges? EdgesOf(DumpItem item) =>
        item.References("P279").ToArray() is { Length: > 0 } above ? new Edges(item.Id, above) : null;

    public void Add(Edges edges)
    {
        foreach (var above in edges.Above)
        {
            if (!below.TryGetValue(above, out var own)) below[above] = own = [];
            own.Add(edges.Item);
        }
    }

    /// <summary>Classes with everything below them.</summary>
    public HashSet<string> Under(IEnumerable<string> classes)
    {
        var found = new HashSet<string>(classes);
        var open = new Stack<string>(found);
        while (open.TryPop(out var one))
            foreach (var lower in below.GetValueOrDefault(one) ?? [])
                if (found.Add(lower)) open.Push(lower);
        return found;
    }
}
