using System.Text.Json;

namespace Dwe.Host.KnowledgeBases.Wikidata;

/// <summary>Which classes are below which, by <c>subclass of</c> (P279), over any number of steps.</summary>
internal sealed class SubclassTree
{
    private readonly Dictionary<string, List<string>> below = [];

    /// <summary>Whether a line may say something of subclasses.</summary>
    public static bool MayConcern(ReadOnlyMemory<byte> line) => line.Span.IndexOf("\"P279\""u8) >= 0;

    public void Add(JsonElement record)
    {
        var item = new DumpItem(record);
        foreach (var above in item.References("P279"))
        {
            if (!below.TryGetValue(above, out var own)) below[above] = own = [];
            own.Add(item.Id);
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
