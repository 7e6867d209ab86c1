using Dwe.Host.Checkpoints;
using Dwe.Host.Data;
using Dwe.Host.Evaluation;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Config;
using TorchSharp;

namespace Dwe.Host.Training;

/// <summary>How a training ended, and what its best checkpoint reaches on dev; null where it was interrupted.</summary>
internal sealed record TrainedRun(TrainingEnd End, EvaluationResult? Result);

/// <summary>
/// One run: a folder, a configuration, data. Whatever can be wrong is found when it is made ready, before the folder is
/// begun: a refused run leaves nothing behind. Prints nothing but its progress.
/// </summary>
internal sealed class RunTraining : IDisposable
{
    private readonly RunFolder folder;
    private readonly RunConfig config;
    private readonly RunManifest manifest;
    private readonly LexicalMemory? memory;
    private readonly Matcher matcher;
    private readonly bool resumes;
    private readonly TrainingLoop loop;
    private readonly CheckpointState start;

    private RunTraining(
        RunFolder folder, RunConfig config, RunManifest manifest, RunInputs inputs, torch.Device device, bool resumes)
    {
        this.folder = folder;
        this.config = config;
        this.manifest = manifest;
        this.resumes = resumes;
        inputs.Data.RequireFinite(Splits.Train, Splits.Dev);
        Candidates = inputs.Candidates(config);
        matcher = Matcher.Create(config, manifest.Sizes, device);
        try
        {
            var lexical = matcher.HasLexicalUnit ? Lexical(inputs) : null;
            memory = lexical?.Memory;
            Dev = new Evaluator(inputs.Data, Splits.Dev, Candidates, lexical?.Dev);
            loop = new TrainingLoop(
                config, folder, manifest, inputs.Data, inputs.CandidateFile, matcher, Dev, lexical?.Train);
            // What does not fit is refused before anything is announced.
            start = resumes ? loop.Restore() : TrainingLoop.Fresh;
        }
        catch
        {
            Dev?.Dispose();
            ((IDisposable)matcher).Dispose();
            throw;
        }
    }

    /// <summary>The configuration with its number of threads written down.</summary>
    public RunConfig Config => config;

    /// <summary>What evaluates the run: baselines are measured by it too.</summary>
    public Evaluator Dev { get; }

    public CandidateLists? Candidates { get; }

    public torch.Device Device => matcher.Device;

    /// <summary>Training mentions that are trained on, and those left out because the knowledge base lacks their entity.</summary>
    public int MentionCount => loop.MentionCount;

    public int WithoutGold => loop.WithoutGold;

    /// <summary>Updates that were not made because their gradients were not finite.</summary>
    public long LeftOut => loop.LeftOut;

    /// <summary>Makes a new run ready. libtorch must be loaded.</summary>
    /// <exception cref="Model.Domain.UserErrorException">The folder is not free, or data and configuration do not fit.</exception>
    public static RunTraining Begin(RunFolder folder, RunConfig config, RunInputs inputs, torch.Device device)
    {
        folder.RequireFree();
        return new RunTraining(folder, TorchThreads.Settle(config), inputs.Manifest(), inputs, device, resumes: false);
    }

    /// <summary>Makes a run ready to go on from its last checkpoint. libtorch must be loaded.</summary>
    /// <exception cref="Model.Domain.UserErrorException">There is none, or the data are not those it was begun with.</exception>
    public static RunTraining Resume(RunFolder folder, RunInputs inputs, torch.Device device)
    {
        var (config, manifest) = folder.Open();
        folder.RequireCheckpoint(folder.Last);
        folder.RemoveLeftovers();
        manifest.RequireSame(inputs.Data, folder.Path);
        manifest.RequireSameCandidates(inputs.CandidateFile);
        return new RunTraining(folder, TorchThreads.Settle(config), manifest, inputs, device, resumes: true);
    }

    /// <summary>Trains to the end, evaluates the best checkpoint on dev, and keeps the result in the run's folder.</summary>
    public TrainedRun Run(CancellationToken stop)
    {
        if (!resumes)
        {
            folder.Begin(config, manifest);
            memory?.Write(folder.Memory);
        }

        using var curves = new TrainingCurves(folder.Events, folder.History, start.Step);
        var end = loop.Run(start, curves, stop);
        return new TrainedRun(end, end == TrainingEnd.Interrupted ? null : Evaluate());
    }

    public void Dispose()
    {
        loop.Dispose();
        Dev.Dispose();
        ((IDisposable)matcher).Dispose();
    }

    private EvaluationResult Evaluate()
    {
        Checkpoint.ReadWeights(folder.Best, matcher);
        var result = Dev.Run(matcher, config.Training.Protocol, RunSystems.Of(folder, config), Certainty.Chosen);
        Decisions.Write(folder, result);
        JsonFiles.Write(folder.Result(Splits.Dev, result.Card.Protocol), result);
        return result;
    }

    /// <summary>A resumed run goes on with what it remembered, however that was made.</summary>
    private LexicalInputs Lexical(RunInputs inputs) =>
        resumes ? new LexicalInputs(LexicalMemory.Read(folder.Memory), inputs.Data) : inputs.Lexical(config);
}
