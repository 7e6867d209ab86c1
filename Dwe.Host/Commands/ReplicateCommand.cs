using System.Globalization;
using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Host.Experiments;
using Dwe.Host.Native;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Host.Training;
using Dwe.Model.Config;

namespace Dwe.Host.Commands;

/// <summary><c>dwe train --seeds</c> and <c>--folds</c>: one configuration, several runs, how much they vary.</summary>
internal static class ReplicateCommand
{
    public static int Run(TrainOptions options, string folder, CancellationToken stop)
    {
        var config = ConfigSources.Read(options.Config);
        using var inputs = ExperimentInputs.Open(TrainCommand.SourceOf(options), options.Config.Preset, "train");
        var device = DeviceChoice.Resolve(options.Device);
        var replication = options.Folds > 0 ? OverFolds() : OverSeeds();
        if (replication is null)
        {
            Streams.Note("stopped and saved. The same command goes on.");
            return ExitCode.FoundWanting;
        }

        JsonFiles.Write(Path.Combine(folder, replication.Over + "s.json"), replication);
        if (options.Json is not null)
        {
            JsonFiles.Write(options.Json, replication);
        }

        replication.ToTable().Print(Streams.Results);
        Streams.Results.Line($"runs: {Path.GetFullPath(folder)}");
        return ExitCode.Success;

        Replication? OverSeeds()
        {
            PlannedRun[] plan = [.. options.Seeds.Select(seed => Planned("seed", seed, Grid.WithSeed(config, seed)))];
            var results = RunSeries.Run(plan, inputs, device, stop);
            return results is null ? null : Replication.Of("seed", [.. options.Seeds.Select(Text)], results);
        }

        Replication? OverFolds()
        {
            CrossValidation.RequireCandidates(inputs.Data, inputs.CandidateFile, config);
            var parts = CrossValidation.Divide(inputs.Data, config.Training.Seed, options.Folds);
            // What one fold has in memory goes before the next comes.
            RunInputs Fold(int part) => new(CrossValidation.Fold(inputs.Data, parts, part), inputs.CandidateFile);
            PlannedRun[] plan = [.. Enumerable.Range(1, options.Folds)
                .Select(number => Planned("fold", number, CrossValidation.WithoutSelection(config)))];
            for (var part = 0; part < plan.Length; part++)
            {
                using var fold = Fold(part);
                RunSeries.RequireUsable([plan[part]], fold);
            }

            var results = new List<EvaluationResult>();
            for (var part = 0; part < plan.Length; part++)
            {
                using var fold = Fold(part);
                if (RunSeries.Run([plan[part]], fold, device, stop) is not { } found)
                {
                    return null;
                }

                results.AddRange(found);
            }

            return Replication.Of("fold", [.. Enumerable.Range(1, options.Folds).Select(number => Text(number))], results);
        }

        PlannedRun Planned(string over, long number, RunConfig own) =>
            new($"{over} {Text(number)}", new RunFolder(Path.Combine(folder, $"{over}-{Text(number)}")), own);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
