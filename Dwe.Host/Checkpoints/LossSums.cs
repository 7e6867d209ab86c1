using Dwe.Model.Training;

namespace Dwe.Host.Checkpoints;

/// <summary>
/// Losses of steps that were taken since the last evaluation, summed by name: <c>loss</c> as it was differentiated, and its
/// parts, unweighted. Kept with a checkpoint, so that a resumed run's means are those of one that was never stopped.
/// </summary>
internal sealed record LossSums
{
    /// <summary>The name of the whole.</summary>
    public const string Total = "loss";

    public static LossSums None { get; } = new() { Sums = [], Counts = [] };

    public required SortedDictionary<string, double> Sums { get; init; }

    /// <summary>Steps that had the part.</summary>
    public required SortedDictionary<string, long> Counts { get; init; }

    /// <summary>By name, the mean over the steps that had it.</summary>
    public SortedDictionary<string, double> Means() =>
        new(Sums.ToDictionary(sum => sum.Key, sum => sum.Value / Counts[sum.Key]), StringComparer.Ordinal);

    /// <summary>With one more step; one whose gradients were not finite does not count.</summary>
    public LossSums Plus(StepReport report)
    {
        if (!report.Updated) return this;
        var (sums, counts) = (new SortedDictionary<string, double>(Sums, StringComparer.Ordinal), new SortedDictionary<string, long>(Counts, StringComparer.Ordinal));
        foreach (var (name, value) in report.MeanParts.Select(part => (part.Item1, part.Item2)).Prepend((Total, report.Loss)))
        {
            sums[name] = sums.GetValueOrDefault(name) + value;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        return new LossSums { Sums = sums, Counts = counts };
    }
}
