namespace Dwe.Host.Data.Conversion;

/// <summary>What a layout cannot hold, counted while it is written.</summary>
internal sealed class Losses
{
    private readonly SortedDictionary<string, int> counts = new(StringComparer.Ordinal);

    /// <summary>Words that follow a number, and that number.</summary>
    public IReadOnlyDictionary<string, int> Counts => counts;

    public void Add(string what, int count = 1)
    {
        if (count > 0) counts[what] = counts.GetValueOrDefault(what) + count;
    }
}
