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

    /// <summary>What an evaluation that chose on its own split chose; null under legacy, which has nothing to choose.</summary>
    public static Decision? Of(EvaluationResult result) => result.Card.GoldInjected
        ? null
        : new()
        {
            Threshold = result.Nil?.Threshold,
            Temperature = result.Calibration?.Temperature,
            Split = result.Card.Split,
            Protocol = result.Card.Protocol,
            CandidateSource = result.Card.CandidateSource,
            DatasetHash = result.Card.DatasetHash,
            Mentions = result.Card.Mentions,
            NilMentions = result.Nil?.Mentions ?? 0,
        };
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

    /// <summary>By what to measure on whatever is not the split that was chosen on; by nothing where nothing was chosen.</summary>
    /// <exception cref="UserErrorException">FileBroken.</exception>
    public static Choosing Choosing(RunFolder folder, string protocol)
    {
        var choice = Read(folder, protocol) is { } chosen
            ? new Choice(chosen.Threshold, chosen.Temperature, chosen.Split)
            : Choice.None;
        return _ => choice;
    }

    /// <summary>
    /// Keeps what an evaluation of the run's best checkpoint chose on its own split, beside the decisions of other protocols;
    /// those of other weights are dropped. Under legacy there is nothing to keep. Atomic.
    /// </summary>
    /// <exception cref="UserErrorException">FileBroken.</exception>
    public static void Write(RunFolder folder, EvaluationResult result)
    {
        if (Decision.Of(result) is { } decision)
        {
            Write(folder, decision);
        }
    }

    /// <summary>As <see cref="Write(RunFolder, EvaluationResult)"/>.</summary>
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
