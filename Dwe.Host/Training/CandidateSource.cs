using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Training;

/// <summary>
/// The candidates with which a training step compares each mention (<c>loss.candidates</c> of them): the first half as they
/// were retrieved, since those are the hardest, the other half drawn from the rest. Decided by seed and batch.
/// </summary>
internal sealed class CandidateSource
{
    private readonly RunConfig config;
    private readonly int[][] lists;

    /// <exception cref="UserErrorException">As <see cref="TrainingCandidates.Read"/>.</exception>
    public CandidateSource(RunConfig config, RunData data, string? candidates, long[] mentionRows)
    {
        this.config = config;
        lists = IsUsed ? TrainingCandidates.Read($"loss.candidates is {Count}", data, candidates, mentionRows) : [];
    }

    private int Count => config.Loss.Candidates;

    private bool IsUsed => config.Model.Kind.IsDualWay && Count > 0;

    /// <summary>[batch; count] entity rows, -1 where a mention has fewer; a gold may be among them. Empty where none are wanted.</summary>
    /// <param name="batch">Number of the batch since training began.</param>
    /// <param name="mentions">Numbers of its mentions among the training mentions.</param>
    public long[] Draw(long batch, int[] mentions)
    {
        if (!IsUsed)
        {
            return [];
        }

        var random = new SeededRandom(Seed.derive(config.Training.Seed, "candidates", batch));
        var rows = new long[mentions.Length * Count];
        Array.Fill(rows, -1);
        for (var at = 0; at < mentions.Length; at++)
        {
            Fill(rows.AsSpan(at * Count, Count), lists[mentions[at]], random);
        }

        return rows;
    }

    private static void Fill(Span<long> target, int[] list, SeededRandom random)
    {
        var head = Math.Min(list.Length, target.Length / 2);
        var rest = list[head..];
        var drawn = Math.Min(rest.Length, target.Length - head);
        for (var at = 0; at < head; at++)
        {
            target[at] = list[at];
        }

        // The beginning of a Fisher-Yates shuffle: a draw without repeats.
        for (var at = 0; at < drawn; at++)
        {
            var other = at + random.Next(rest.Length - at);
            (rest[at], rest[other]) = (rest[other], rest[at]);
            target[head + at] = rest[at];
        }
    }
}
