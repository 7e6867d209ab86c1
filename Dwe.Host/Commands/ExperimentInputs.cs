using Dwe.Host.Training;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Commands;

/// <summary>The data of an experiment, as the command line names them or its preset's sample has them.</summary>
internal static class ExperimentInputs
{
    /// <summary>Loads libtorch and opens data set and features.</summary>
    /// <exception cref="UserErrorException">UsageWrong where nothing names them; as <see cref="RunData.Open"/>.</exception>
    public static RunInputs Open(ExperimentData source, string? preset, string verb)
    {
        var sample = SampleData.Of(preset);
        UserErrorException Missing(string option, string what) =>
            new(UserError.NewUsageWrong($"{option} is missing: it names {what}", $"See `dwe {verb} --help`."));
        var data = source.Data ?? sample?.Folder ?? throw Missing("--data", "the folder of the data set");
        var features = source.Features ?? sample?.Features ?? throw Missing("--features", "a feature store");
        Natives.Load(source.LibTorch);
        return new RunInputs(RunData.Open(data, features, source.Format), source.Candidates);
    }
}
