using System.Text.Json.Serialization;

namespace Dwe.Host.Checkpoints;

/// <summary>
/// Where training stands. Together with weights and moments it decides everything that follows: every random number is
/// drawn from (seed, purpose, index), so no generator's state is needed.
/// </summary>
internal sealed record CheckpointState
{
    /// <summary>Updates done so far; also the index of the next one.</summary>
    public required long Step { get; init; }

    /// <summary>Epoch of the next batch (0-based).</summary>
    public required int Epoch { get; init; }

    /// <summary>Updates of that epoch already done.</summary>
    public required int StepInEpoch { get; init; }

    /// <summary>The best value so far of the measure that selects, and the step at which it was reached; null before any.</summary>
    public double? BestValue { get; init; }

    public long? BestStep { get; init; }

    /// <summary>Evaluations since the best one.</summary>
    public int EvaluationsWithoutBetter { get; init; }

    /// <summary>Updates by weight: a weight that had no gradient in a step was not updated in it.</summary>
    public required IReadOnlyDictionary<string, long> Updates { get; init; }

    /// <summary>What the steps since the last evaluation lost; null where there was none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LossSums? Losses { get; init; }

    /// <summary>True when training is over: all epochs done, or stopped early.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Finished { get; init; }
}
