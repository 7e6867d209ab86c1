using Dwe.Host.Experiments;
using Dwe.Host.Native;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;

namespace Dwe.Host.Commands;

/// <summary><c>dwe sweep</c>: configurations of a space, each trained, ranked by what they reach on dev.</summary>
internal static class SweepCommand
{
    public static int Run(SweepOptions options, CancellationToken stop)
    {
        var space = SweepSpace.Read(options.Space);
        using var inputs = ExperimentInputs.Open(options.Source, space.Preset, "sweep");
        if (RunSeries.Run(space.Plan(options.Out), inputs, DeviceChoice.Resolve(options.Source.Device), stop) is not { } results)
        {
            Streams.Note("stopped and saved. The same command goes on.");
            return ExitCode.FoundWanting;
        }

        var sweep = Sweep.Of(space, results);
        var table = sweep.ToTable();
        var best = space.Trials.First(trial => trial.Name == sweep.Trials[0].Name);
        var bestFile = Path.Combine(options.Out, "best.json");
        JsonFiles.Write(Path.Combine(options.Out, "sweep.json"), sweep);
        AtomicFile.WriteText(Path.Combine(options.Out, "sweep.md"), table.ToMarkdown());
        AtomicFile.WriteText(bestFile, Configuration.Write(best.Config));
        if (options.Json is not null)
        {
            JsonFiles.Write(options.Json, sweep);
        }

        table.Print(Streams.Results);
        Streams.Results.Line($"best: {best.Name}; its configuration, for `dwe train --config`: {Path.GetFullPath(bestFile)}");
        return ExitCode.Success;
    }
}
