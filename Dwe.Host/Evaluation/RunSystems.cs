using Dwe.Host.Checkpoints;
using Dwe.Host.Commands;
using Dwe.Model.Config;

namespace Dwe.Host.Evaluation;

/// <summary>The names of what can be evaluated without a run.</summary>
internal static class Baselines
{
    public const string CandidateOrder = "candidate-order";
    public const string Chance = "chance";
}

/// <summary>What a result says of the system that it is of.</summary>
internal static class RunSystems
{
    public static EvaluatedSystem Baseline(string name) => new() { Name = name, CodeVersion = CodeVersion.Current };

    public static EvaluatedSystem Of(RunFolder folder, RunConfig config)
    {
        var (_, manifest) = folder.Open();
        return new EvaluatedSystem
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path))),
            CodeVersion = CodeVersion.Current,
            FeaturesHash = manifest.FeaturesHash,
            EntityText = manifest.EntityText,
            Seed = config.Training.Seed,
            Precision = PrecisionName(config),
            Step = Checkpoint.ReadState(folder.Best).Step,
        };
    }

    private static string PrecisionName(RunConfig config) =>
        config.Training.Precision.IsFloat32 ? "float32" : config.Training.Precision.IsBf16Mixed ? "bf16-mixed" : "float64";
}
