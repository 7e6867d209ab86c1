using Dwe.Model.Lexical;

namespace Dwe.Host.Index;

/// <summary>
/// What names meant in training: for a mention's folded text, the entities that training mentions of the same text meant, by
/// the share of them. Entities that the index lacks are left out.
/// </summary>
internal sealed class NamePrior
{
    private readonly Dictionary<string, Found[]> meant;

    private NamePrior(Dictionary<string, Found[]> meant) => this.meant = meant;

    /// <summary>The prior of what a run remembers, over the rows of an index.</summary>
    public static NamePrior Of(IEnumerable<RememberedMention> remembered, IEntityIndex index)
    {
        var rowOf = new Dictionary<string, int>();
        int Row(string id) => rowOf.TryGetValue(id, out var row) ? row : rowOf[id] = index.RowOf(id);
        var names = remembered
            .Select(mention => (Name: FoldedName.Of(mention.Mention), Row: Row(mention.Entity)))
            .GroupBy(mention => mention.Name)
            .ToDictionary(same => same.Key, same => Shares([.. same.Select(mention => mention.Row)]));
        return new NamePrior(names);
    }

    /// <summary>The rows that a text meant, those it meant most often first; equal shares by row.</summary>
    public Found[] Meant(string text, int top) =>
        meant.TryGetValue(FoldedName.Of(text), out var rows) ? [.. rows.Take(top)] : [];

    private static Found[] Shares(int[] rows) =>
        [.. rows.Where(row => row >= 0)
            .GroupBy(row => row)
            .Select(same => new Found(same.Key, same.Count() / (float)rows.Length))
            .OrderByDescending(found => found.Score)
            .ThenBy(found => found.Row)];
}
