using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Training;

/// <summary>How a training ended.</summary>
internal enum TrainingEnd
{
    AllEpochsDone,
    StoppedEarly,
    Interrupted,
}

/// <summary>
/// Epochs over the training mentions: steps, evaluations on dev, the best checkpoint kept, early stop. Everything random
/// is drawn from (seed, purpose, index), so a run that is resumed computes the same bits as one that was never stopped.
/// </summary>
internal sealed class TrainingLoop : IDisposable
{
    private readonly RunConfig config;
    private readonly RunFolder folder;
    private readonly RunManifest manifest;
    private readonly Matcher matcher;
    private readonly Trainer trainer;
    private readonly Evaluator dev;
    private readonly long[] mentionRows;
    private readonly long[] goldRows;
    private readonly NegativeSource negatives;
    private readonly CandidateSource compared;

    private readonly EvaluatedSystem system = new() { Name = "training", CodeVersion = Commands.CodeVersion.Current };

    public TrainingLoop(
        RunConfig config, RunFolder folder, RunManifest manifest, RunData data, string? candidates, Matcher matcher,
        Evaluator dev, LexicalMentions? lexical = null)
    {
        this.config = config;
        this.folder = folder;
        this.manifest = manifest;
        this.matcher = matcher;
        this.dev = dev;

        // A mention whose gold the knowledge base lacks has no positive: it is counted, and not trained on.
        var golds = data.Golds(Data.Splits.Train);
        // Nor on one that was never encoded (an import may have lost it).
        var encoded = data.Encoded(Data.Splits.Train);
        mentionRows = [.. Enumerable.Range(0, golds.Length).Where(row => golds[row] >= 0 && encoded[row]).Select(row => (long)row)];
        goldRows = [.. mentionRows.Select(row => (long)golds[row])];
        WithoutGold = golds.Count(gold => gold < 0);
        if (mentionRows.Length == 0)
        {
            throw new UserErrorException(UserError.NewStoreMismatch(
                data.Dataset.Folder, "no training mention whose entity is in the knowledge base", "at least one", "Check the ids."));
        }

        compared = new CandidateSource(config, data, candidates, mentionRows);
        negatives = new NegativeSource(config, data, candidates, mentionRows, goldRows);
        trainer = new Trainer(
            matcher, data.Features(Data.Splits.Train, matcher), data.EntitiesFor(matcher), (long)StepsPerEpoch * config.Training.Epochs, lexical);
    }

    /// <summary>Training mentions left out because the knowledge base lacks their entity.</summary>
    public int WithoutGold { get; }

    /// <summary>Updates that were not made because their gradients were not finite.</summary>
    public long LeftOut { get; private set; }

    /// <summary>Where a new run stands.</summary>
    public static CheckpointState Fresh { get; } = new()
    {
        Step = 0,
        Epoch = 0,
        StepInEpoch = 0,
        Updates = new Dictionary<string, long>(),
    };

    /// <summary>Training mentions that are trained on.</summary>
    public int MentionCount => mentionRows.Length;

    private int StepsPerEpoch
    {
        get
        {
            var batches = (mentionRows.Length + config.Training.BatchSize - 1) / config.Training.BatchSize;
            return (batches + config.Training.Accumulation - 1) / config.Training.Accumulation;
        }
    }

    public void Dispose() => ((IDisposable)trainer).Dispose();

    /// <summary>Takes weights and moments from the run's last checkpoint; returns where it stands.</summary>
    public CheckpointState Restore()
    {
        if (Checkpoint.ReadMined(folder.Last) is { } mined)
        {
            negatives.Restore(mined);
        }

        return Checkpoint.Resume(folder.Last, matcher, trainer);
    }

    /// <summary>Trains on from <paramref name="state"/>.</summary>
    public TrainingEnd Run(CheckpointState state, TrainingCurves curves, CancellationToken stop) =>
        ProgressDisplay.Run("training", "mentions", progress => Epochs(state, curves, progress, stop));

    private long MentionsSeen(CheckpointState state)
    {
        var inEpoch = (long)state.StepInEpoch * config.Training.BatchSize * config.Training.Accumulation;
        return (long)state.Epoch * mentionRows.Length + Math.Min(inEpoch, mentionRows.Length);
    }

    private TrainingEnd Epochs(CheckpointState state, TrainingCurves curves, ProgressDisplay progress, CancellationToken stop)
    {
        if (state.Finished)
        {
            return state.Epoch >= config.Training.Epochs ? TrainingEnd.AllEpochsDone : TrainingEnd.StoppedEarly;
        }

        var all = (long)mentionRows.Length * config.Training.Epochs;
        progress.Report(MentionsSeen(state), all);
        var standing = "";
        var rate = 0.0;
        while (state.Epoch < config.Training.Epochs)
        {
            var order = Draw.EpochOrder(config.Training.Seed, state.Epoch, mentionRows.Length);
            if (state.StepInEpoch == 0)
            {
                negatives.BeginEpoch(matcher);
            }

            while (state.StepInEpoch < StepsPerEpoch)
            {
                if (stop.IsCancellationRequested)
                {
                    Save(folder.Last, state);
                    return TrainingEnd.Interrupted;
                }

                var report = trainer.Step(state.Step, Batches(order, state));
                state = state with
                {
                    Step = state.Step + 1,
                    StepInEpoch = state.StepInEpoch + 1,
                    Losses = (state.Losses ?? LossSums.None).Plus(report),
                };
                rate = report.Rate;
                LeftOut += report.Updated ? 0 : 1;
                curves.Step(state.Step, report);
                progress.Report(MentionsSeen(state), all, $"loss {report.Loss:0.0000}{standing}");
            }

            state = state with { Epoch = state.Epoch + 1, StepInEpoch = 0 };
            if (state.Epoch % config.Training.EvaluateEveryEpochs == 0 || state.Epoch == config.Training.Epochs)
            {
                state = Evaluate(state, rate, curves);
                standing = $", dev {config.Training.SelectBy} best {state.BestValue:0.0000}";
            }

            var early = config.Training.Patience > 0 && state.EvaluationsWithoutBetter >= config.Training.Patience;
            state = state with { Finished = early || state.Epoch == config.Training.Epochs };
            Save(folder.Last, state);
            if (early)
            {
                return TrainingEnd.StoppedEarly;
            }
        }

        return TrainingEnd.AllEpochsDone;
    }

    private TrainingRows[] Batches(int[] order, CheckpointState state)
    {
        var size = config.Training.BatchSize;
        var first = state.StepInEpoch * config.Training.Accumulation;
        var batches = new List<TrainingRows>();
        for (var batch = first; batch < first + config.Training.Accumulation && batch * size < order.Length; batch++)
        {
            var drawn = order.AsSpan(batch * size, Math.Min(size, order.Length - batch * size)).ToArray();
            var golds = Array.ConvertAll(drawn, at => goldRows[at]);
            var number = state.Step * config.Training.Accumulation + batch - first;
            var others = negatives.Draw(number, drawn, golds);
            batches.Add(new TrainingRows(
                Array.ConvertAll(drawn, at => mentionRows[at]), golds, others, compared.Draw(number, drawn)));
        }

        return [.. batches];
    }

    private CheckpointState Evaluate(CheckpointState state, double rate, TrainingCurves curves)
    {
        var result = dev.Run(matcher, config.Training.Protocol, system);
        curves.Evaluation(state.Step, state.Epoch, rate, (state.Losses ?? LossSums.None).Means(), result.Metrics);
        state = state with { Losses = null };
        var value = result.Measure(config.Training.SelectBy);
        if (state.BestValue is { } best && value <= best)
        {
            return state with { EvaluationsWithoutBetter = state.EvaluationsWithoutBetter + 1 };
        }

        state = state with { BestValue = value, BestStep = state.Step, EvaluationsWithoutBetter = 0 };
        Save(folder.Best, state);
        return state;
    }

    private void Save(string where, CheckpointState state)
    {
        var updates = trainer.Moments.ToDictionary(moments => moments.Key, moments => moments.Value.Updates);
        Checkpoint.Write(where, matcher, trainer, state with { Updates = updates }, manifest, state.StepInEpoch > 0 ? negatives.Mined : null);
    }
}
