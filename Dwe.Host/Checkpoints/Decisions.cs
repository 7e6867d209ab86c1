using Dwe.Host.Evaluation;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Checkpoints;

/// <summary>What was chosen on dev for one protocol, to be used on whatever comes after (docs/protocols.md).</summary>
internal sealed record Decision
{
    /// <summary>A mention whose best score lies below is NIL; null where the split has no NIL mention to choose it by.</summary>
    public required double? Threshold { get; init; }

    /// <summary>What scores are divided by before softmax; null where no gold was among what was compared.</summary>
    public required double? Temperature { get; init; }

    public required string Split { get; init; }

    /// <summary><c>strict</c>: the given lists; <c>full-kb</c>: the best of every entity. Their best scores are not alike.</summary>
    public required string Protocol { get; init; }

    public required string CandidateSource { get; init; }

    /// <summary>Content hash of the data set.</summary>
    public required string DatasetHash { get; init; }

    public required int Mentions { get; init; }

    /// <summary>Of them, those whose gold is no entity of the knowledge base.</summary>
    public required int NilMentions { get; init; }
}

/// <summary><c>RUN/decisions.json</c>: the decisions of a run's best checkpoint, by protocol.</summary>
internal sealed record Decisions
{
    public const string CurrentFormat = "dwe-decisions-1";

    private const string What = "the decisions of a run";

    public string Format { get; init; } = CurrentFormat;

    /// <summary>SHA-256 of the best checkpoint's weights: thresholds of other weights say nothing of these.</summary>
    public required string Checkpoint { get; init; }

    public required IReadOnlyDictionary<string, Decision> Protocols { get; init; }

    /// <summary>
    /// What was chosen for the run's best checkpoint under a protocol, <c>strict</c> or <c>full-kb</c>; null where nothing was,
    /// or for other weights than those that stand there now.
    /// </summary>
    /// <exception cref="UserErrorException">FileBroken.</exception>
    public static Decision? Read(RunFolder folder, string protocol = "strict") => OfBest(folder)?.Protocols.GetValueOrDefault(protocol);

    /// <summary>Keeps one decision beside those of other protocols; those of other weights are dropped. Atomic.</summary>
    /// <exception cref="UserErrorException">FileBroken.</exception>
    public static void Write(RunFolder folder, Decision decision)
    {
        var kept = OfBest(folder)?.Protocols ?? new Dictionary<string, Decision>();
        JsonFiles.Write(folder.Decisions, new Decisions
        {
            Checkpoint = HashOfBest(folder),
            Protocols = new SortedDictionary<string, Decision>(
                kept.Where(item => item.Key != decision.Protocol).Append(new(decision.Protocol, decision)).ToDictionary(),
                StringComparer.Ordinal),
        });
    }

    private static Decisions? OfBest(RunFolder folder)
    {
        if (!File.Exists(folder.Decisions))
        {
            return null;
        }

        var found = JsonFiles.Read<Decisions>(folder.Decisions, What);
        return found.Format != CurrentFormat
            ? throw new UserErrorException(UserError.NewFileBroken(folder.Decisions, "top level", $"format '{found.Format}'", What))
            : found.Checkpoint == HashOfBest(folder) ? found : null;
    }

    private static string HashOfBest(RunFolder folder)
    {
        folder.RequireCheckpoint(folder.Best);
        return ContentHash.OfFile(Checkpoints.Checkpoint.WeightsIn(folder.Best));
    }
}
