using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Host.Features;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Config;

namespace Dwe.Host.Experiments;

/// <summary>One run of an experiment: what it is called, where it lies, how it is configured.</summary>
internal sealed record PlannedRun(string Name, RunFolder Folder, RunConfig Config)
{
    private const string ThreadsKey = "training.threads";

    /// <summary>A checkpoint to go on from is there.</summary>
    public bool IsBegun => Directory.Exists(Folder.Last);

    /// <summary>What the run reached on dev; null where it is not finished.</summary>
    /// <exception cref="Model.Domain.UserErrorException">FileBroken.</exception>
    public EvaluationResult? Finished
    {
        get
        {
            var protocol = EvaluationResult.NameOf(Config.Training.Protocol);
            return IsBegun && File.Exists(Folder.Result(Data.Splits.Dev, protocol))
                ? Comparison.Read(Folder.Path, Data.Splits.Dev, protocol).Result
                : null;
        }
    }

    /// <summary>Refuses a folder that holds something else than this run on these data, finished or not.</summary>
    /// <exception cref="Model.Domain.UserErrorException">StoreMismatch naming the run and what differs; ValueInvalid.</exception>
    public void RequireUsable(RunInputs inputs)
    {
        if (!IsBegun)
        {
            Folder.RequireFree();
            return;
        }

        var (config, manifest) = Folder.Open();
        RequireSameConfig(config);
        manifest.RequireSame(inputs.Data, Folder.Path);
        if (manifest.CandidatesHash != RunManifest.HashOfCandidates(inputs.CandidateFile))
        {
            throw Mismatch("other candidate lists", "those that were named now");
        }

        if (Finished is { } result && inputs.Candidates(Config) is { } lists && !Config.Training.Protocol.IsFullKb
            && result.Card.CandidateHash != lists.Hash)
        {
            throw Mismatch($"a result on other candidates ({result.Card.CandidateSource})", $"those of {lists.Source}");
        }
    }

    /// <summary>The keys in which a configuration differs from another; threads that were not fixed are no difference.</summary>
    public static IEnumerable<(string Key, string Found, string Expected)> Differences(RunConfig found, RunConfig expected) =>
        Configuration.Describe(found).Zip(Configuration.Describe(expected))
            .Select(pair => (Key: pair.First.Item1, Found: pair.First.Item2, Expected: pair.Second.Item2))
            .Where(field => field.Found != field.Expected && (field.Key != ThreadsKey || expected.Training.Threads > 0));

    private void RequireSameConfig(RunConfig config)
    {
        var (key, found, expected) = Differences(config, Config).FirstOrDefault();
        if (key is not null)
        {
            throw Mismatch($"a run with {key} {found}", $"{expected} as '{Name}' has it");
        }
    }

    private Model.Domain.UserErrorException Mismatch(string found, string expected) =>
        FeatureStore.Mismatch(Folder.Path, found, expected, "Name another folder with --out, or remove this run.");
}
