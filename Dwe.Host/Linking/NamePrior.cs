using Dwe.Host.Index;
using Dwe.Host.Training;
using Dwe.Model;

namespace Dwe.Host.Linking;

/// <summary>What a name meant in training, most often first; equal counts by row.</summary>
internal sealed class NamePrior
{
    private readonly Dictionary<string, int[]> rows;

    public NamePrior(LexicalMemory memory, IEntityIndex index) =>
        rows = memory.Mentions
            .Select(mention => (Name: LexicalText.Folded(mention.Mention), Row: index.RowOf(mention.Entity)))
            .Where(one => one.Row >= 0)
            .GroupBy(one => one.Name)
            .ToDictionary(
                same => same.Key,
                same => same.GroupBy(one => one.Row).OrderByDescending(own => own.Count()).ThenBy(own => own.Key)
                    .Select(own => own.Key).ToArray());

    /// <summary>Rows of the entities that the name meant.</summary>
    public IReadOnlyList<int> Of(string mention) => rows.GetValueOrDefault(LexicalText.Folded(mention), []);
}
