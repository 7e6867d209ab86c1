using Dwe.Host.Checkpoints;
using Dwe.Host.Commands;
using Dwe.Host.Enrichment;
using Dwe.Host.Features;
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

    /// <param name="folder">The run.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="features">The store that it is evaluated on, where it need not be that of training.</param>
    public static EvaluatedSystem Of(RunFolder folder, RunConfig config, FeatureManifest? features = null)
    {
        var (_, manifest) = folder.Open();
        return new EvaluatedSystem
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path))),
            CodeVersion = CodeVersion.Current,
            FeaturesHash = manifest.FeaturesHash,
            EntityText = manifest.EntityText,
            EnrichedBy = EnrichedField.Union(manifest.EnrichedBy, features?.EnrichedBy),
            Seed = config.Training.Seed,
            Precision = PrecisionName(config),
            Step = Checkpoint.ReadState(folder.Best).Step,
        };
    }

    private static string PrecisionName(RunConfig config) =>
        config.Training.Precision.IsFloat32 ? "float32" : config.Training.Precision.IsBf16Mixed ? "bf16-mixed" : "float64";
}
