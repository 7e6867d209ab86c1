using Dwe.Host.Experiments;
using Dwe.Host.Native;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model.Config;

namespace Dwe.Host.Commands;

/// <summary><c>dwe ablate</c>: variants of one configuration, trained over seeds and compared with the first.</summary>
internal static class AblateCommand
{
    public static int Run(AblationOptions options, CancellationToken stop)
    {
        var grid = Grid.Read(options.Grid);
        long[] seeds = options.Seeds.Length > 0 ? options.Seeds : [grid.Variants[0].Config.Training.Seed];
        var plan = grid.Plan(options.Out, seeds);
        using var inputs = ExperimentInputs.Open(options.Source, grid.Preset, "ablate");
        if (RunSeries.Run(plan, inputs, DeviceChoice.Resolve(options.Source.Device), stop) is not { } results)
        {
            Streams.Note("stopped and saved. The same command goes on.");
            return ExitCode.FoundWanting;
        }

        var ablation = Ablation.Of(grid.Variants, [.. results.Chunk(seeds.Length)], seeds);
        var table = ablation.ToTable();
        JsonFiles.Write(Path.Combine(options.Out, "ablation.json"), ablation);
        AtomicFile.WriteText(Path.Combine(options.Out, "ablation.md"), table.ToMarkdown());
        if (options.Json is not null)
        {
            JsonFiles.Write(options.Json, ablation);
        }

        table.Print(Streams.Results);
        Streams.Results.Line($"runs: {Path.GetFullPath(options.Out)}");
        return ExitCode.Success;
    }
}
