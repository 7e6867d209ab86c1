using Dwe.Host.Checkpoints;
using Dwe.Host.Data;
using Dwe.Host.Evaluation;
using Dwe.Host.Native;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Commands;

/// <summary><c>dwe train</c>: trains a model, keeps the checkpoint that is best on dev, and evaluates it there.</summary>
internal static class TrainCommand
{
    public static int Run(TrainOptions options, CancellationToken stop)
    {
        var folder = new RunFolder(options.Out ?? DefaultFolder(options));
        return options.Resume ? Resume(folder, options, stop) : Begin(folder, options, stop);
    }

    private static int Begin(RunFolder folder, TrainOptions options, CancellationToken stop)
    {
        var config = ConfigSources.Read(options.Config);
        var sample = SampleData.Of(options.Config.Preset);
        var dataFolder = options.Data ?? sample?.Folder ?? throw Missing("--data", "the folder of the data set");
        var features = options.Features ?? sample?.Features ?? throw Missing("--features", "a feature store");
        folder.RequireFree();
        Natives.Load(options.LibTorch);
        config = TorchThreads.Settle(config);
        using var data = RunData.Open(dataFolder, features, options.Format);
        var manifest = Manifest(data, options.Candidates);
        return Train(folder, config, manifest, data, options, stop);
    }

    private static int Resume(RunFolder folder, TrainOptions options, CancellationToken stop)
    {
        if (options.Config.Preset is not null || options.Config.File is not null || options.Config.Set.Length > 0)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                "--resume goes on with the run's own configuration", "Leave --preset, --config, --set and --precision out."));
        }

        var (config, manifest) = folder.Open();
        folder.RequireCheckpoint(folder.Last);
        folder.RemoveLeftovers();
        Natives.Load(options.LibTorch);
        config = TorchThreads.Settle(config);
        var format = options.Format ?? (options.Data is null ? manifest.Format : null);
        using var data = RunData.Open(options.Data ?? manifest.Data, options.Features ?? manifest.Features, format);
        manifest.RequireSame(data, folder.Path);
        manifest.RequireSameCandidates(options.Candidates ?? manifest.Candidates);
        return Train(folder, config, manifest, data, options, stop);
    }

    private static int Train(
        RunFolder folder, RunConfig config, RunManifest manifest, RunData data, TrainOptions options, CancellationToken stop)
    {
        // Whatever can be wrong is found before the run's folder is begun: a refused run leaves nothing behind.
        data.RequireFinite(Splits.Train, Splits.Dev);
        using var matcher = Matcher.Create(config, manifest.Sizes, DeviceChoice.Resolve(options.Device));
        var needsCandidates = !config.Training.Protocol.IsFullKb || data.Dataset.HasCandidates(Splits.Dev);
        var candidateFile = options.Candidates ?? manifest.Candidates;
        var candidates = needsCandidates ? CandidateLists.Read(candidateFile, data, Splits.Dev) : null;
        candidates?.RequireFor(config.Training.Protocol);
        var memory = matcher.HasLexicalUnit ? options.Resume ? LexicalMemory.Read(folder.Memory) : LexicalMemory.Of(data) : null;
        var unit = memory?.Unit(data);
        LexicalMentions? Lexical(string split) => unit is null ? null : memory!.Prepare(unit, data, split);
        using var dev = new Evaluator(data, Splits.Dev, candidates, Lexical(Splits.Dev));
        using var loop = new TrainingLoop(config, folder, manifest, data, candidateFile, matcher, dev, Lexical(Splits.Train));
        var state = options.Resume ? loop.Restore() : TrainingLoop.Fresh;
        if (!options.Resume)
        {
            folder.Begin(config, manifest);
            memory?.Write(folder.Memory);
        }

        using var curves = new TrainingCurves(folder.Events, folder.History, state.Step);
        Streams.Note(
            $"training {loop.MentionCount:N0} mentions of {data.Dataset.Folder} ({loop.WithoutGold:N0} without an entity in the "
            + $"knowledge base left out), {data.Dataset.Entities.Count:N0} entities, {matcher.Device}, run {folder.Path}");

        var end = loop.Run(state, curves, stop);
        if (loop.LeftOut > 0)
        {
            Streams.Note($"{loop.LeftOut:N0} updates left out: their gradients were not finite. A lower learning rate may help.");
        }

        if (end == TrainingEnd.Interrupted)
        {
            Streams.Note($"stopped and saved. Go on with: dwe train --out {folder.Path} --resume");
            return ExitCode.FoundWanting;
        }

        Streams.Note(end == TrainingEnd.StoppedEarly
            ? $"stopped early: {config.Training.Patience} evaluations without a better {config.Training.SelectBy}."
            : $"all {config.Training.Epochs} epochs done.");
        Report(folder, config, matcher, dev, candidates, options.Json);
        return ExitCode.Success;
    }

    private static void Report(
        RunFolder folder, RunConfig config, Matcher matcher, Evaluator dev, CandidateLists? candidates, string? json)
    {
        Checkpoint.ReadWeights(folder.Best, matcher);
        var system = RunSystems.Of(folder, config);
        var result = dev.Run(matcher, config.Training.Protocol, system, Certainty.Chosen);
        Decisions.Write(folder, result);
        JsonFiles.Write(folder.Result(Splits.Dev, result.Card.Protocol), result);
        if (json is not null)
        {
            JsonFiles.Write(json, result);
        }

        // Beside the trained result stands what needs no training, where both can be had under one card.
        var rows = config.Training.Protocol.IsStrict && candidates is not null
            ? [dev.RunChance(Protocol.Strict, RunSystems.Baseline(Baselines.Chance), config.Training.Seed),
               dev.RunCandidateOrder(Protocol.Strict, RunSystems.Baseline(Baselines.CandidateOrder)), result]
            : new List<EvaluationResult> { result };
        ResultTable.Print(Streams.Results, rows);
        Streams.Results.Line($"run: {Path.GetFullPath(folder.Path)}");
    }

    private static RunManifest Manifest(RunData data, string? candidates) => new()
    {
        CodeVersion = CodeVersion.Current,
        Data = data.Dataset.Folder,
        Format = data.Dataset.Format,
        Features = data.Store.Folder,
        Candidates = candidates,
        CandidatesHash = RunManifest.HashOfCandidates(candidates),
        DataHash = data.Dataset.ContentHash,
        FeaturesHash = data.FeaturesHash,
        EntityText = data.Store.Manifest.EntityText,
        Encoders = RunEncoders.Of(data.Store.Manifest),
        TextSize = data.Sizes.Text,
        ImageSize = data.Sizes.Image,
        EntitySize = data.Sizes.Entity,
    };

    private static string DefaultFolder(TrainOptions options) =>
        options.Config.Preset is { } preset && !options.Resume
            ? Path.Combine("runs", preset)
            : throw Missing("--out", "the folder of the run");

    private static UserErrorException Missing(string option, string what) =>
        new(UserError.NewUsageWrong($"{option} is missing: it names {what}", "See `dwe train --help`."));
}
