using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Host.Native;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Host.Training;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Commands;

/// <summary><c>dwe train</c>: trains a model, keeps the checkpoint that is best on dev, and evaluates it there.</summary>
internal static class TrainCommand
{
    public static int Run(TrainOptions options, CancellationToken stop)
    {
        if (options.Seeds.Length > 0 || options.Folds > 0)
        {
            return ReplicateCommand.Run(options, options.Out ?? DefaultFolder(options), stop);
        }

        var folder = new RunFolder(options.Out ?? DefaultFolder(options));
        return options.Resume ? Resume(folder, options, stop) : Begin(folder, options, stop);
    }

    private static int Begin(RunFolder folder, TrainOptions options, CancellationToken stop)
    {
        var config = ConfigSources.Read(options.Config);
        folder.RequireFree();
        using var inputs = ExperimentInputs.Open(SourceOf(options), options.Config.Preset, "train");
        using var training = RunTraining.Begin(folder, config, inputs, DeviceChoice.Resolve(options.Device));
        return Train(folder, training, inputs, options, stop);
    }

    private static int Resume(RunFolder folder, TrainOptions options, CancellationToken stop)
    {
        if (options.Config.Preset is not null || options.Config.File is not null || options.Config.Set.Length > 0)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                "--resume goes on with the run's own configuration", "Leave --preset, --config, --set and --precision out."));
        }

        var (_, manifest) = folder.Open();
        folder.RequireCheckpoint(folder.Last);
        Natives.Load(options.LibTorch);
        var format = options.Format ?? (options.Data is null ? manifest.Format : null);
        using var inputs = new RunInputs(
            RunData.Open(options.Data ?? manifest.Data, options.Features ?? manifest.Features, format),
            options.Candidates ?? manifest.Candidates);
        using var training = RunTraining.Resume(folder, inputs, DeviceChoice.Resolve(options.Device));
        return Train(folder, training, inputs, options, stop);
    }

    private static int Train(
        RunFolder folder, RunTraining training, RunInputs inputs, TrainOptions options, CancellationToken stop)
    {
        Streams.Note(
            $"training {training.MentionCount:N0} mentions of {inputs.Data.Dataset.Folder} ({training.WithoutGold:N0} without an entity "
            + $"in the knowledge base left out), {inputs.Data.Dataset.Entities.Count:N0} entities, {training.Device}, run {folder.Path}");

        var trained = training.Run(stop);
        if (training.LeftOut > 0)
        {
            Streams.Note($"{training.LeftOut:N0} updates left out: their gradients were not finite. A lower learning rate may help.");
        }

        if (trained.Result is not { } result)
        {
            Streams.Note($"stopped and saved. Go on with: dwe train --out {folder.Path} --resume");
            return ExitCode.FoundWanting;
        }

        var own = training.Config.Training;
        Streams.Note(trained.End == TrainingEnd.StoppedEarly
            ? $"stopped early: {own.Patience} evaluations without a better {own.SelectBy}."
            : $"all {own.Epochs} epochs done.");
        Report(folder, training, result, options.Json);
        return ExitCode.Success;
    }

    private static void Report(RunFolder folder, RunTraining training, EvaluationResult result, string? json)
    {
        if (json is not null)
        {
            JsonFiles.Write(json, result);
        }

        // Beside the trained result stands what needs no training, where both can be had under one card.
        var (own, dev) = (training.Config.Training, training.Dev);
        var rows = own.Protocol.IsStrict && training.Candidates is not null
            ? [dev.RunChance(Protocol.Strict, RunSystems.Baseline(Baselines.Chance), own.Seed),
               dev.RunCandidateOrder(Protocol.Strict, RunSystems.Baseline(Baselines.CandidateOrder)), result]
            : new List<EvaluationResult> { result };
        ResultTable.Print(Streams.Results, rows);
        Streams.Results.Line($"run: {Path.GetFullPath(folder.Path)}");
    }

    /// <summary>The data as the options name them.</summary>
    public static ExperimentData SourceOf(TrainOptions options) =>
        new(options.Data, options.Format, options.Features, options.Candidates, options.Device, options.LibTorch);

    private static string DefaultFolder(TrainOptions options) =>
        options.Config.Preset is { } preset && !options.Resume
            ? Path.Combine("runs", preset)
            : throw Missing("--out", "the folder of the run");

    private static UserErrorException Missing(string option, string what) =>
        new(UserError.NewUsageWrong($"{option} is missing: it names {what}", "See `dwe train --help`."));
}
