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

/// <summary><c>dwe eval</c>: a run's best checkpoint, or a baseline, under a named protocol.</summary>
internal static class EvalCommand
{
    public static int Run(EvalOptions options)
    {
        var result = options.Run is not null ? OfRun(options, options.Run) : OfBaseline(options);
        if (options.Json is not null)
        {
            JsonFiles.Write(options.Json, result);
        }

        ResultTable.Print(Streams.Results, [result]);
        return ExitCode.Success;
    }

    private static EvaluationResult OfRun(EvalOptions options, string run)
    {
        var folder = new RunFolder(run);
        var (config, manifest) = folder.Open();
        folder.RequireCheckpoint(folder.Best);
        Natives.Load(options.LibTorch);
        config = TorchThreads.Settle(config);
        if (options.Precision is not null)
        {
            config = Configuration.Set(config, [$"training.precision={options.Precision}"]).OrThrow();
        }

        if (manifest.Data.Length == 0 && (options.Data is null || options.Features is null))
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{run} holds imported weights and names no data", "Give --data and --features."));
        }

        var format = options.Format ?? (options.Data is null ? manifest.Format : null);
        using var data = RunData.Open(options.Data ?? manifest.Data, options.Features ?? manifest.Features, format);
        manifest.RequireSameSizes(data, folder.Path);
        var resultFile = ResultFile(folder, options, manifest, data);
        var looks = LooksBefore(folder, options, resultFile);
        data.RequireFinite(options.Split);
        using var matcher = Matcher.Create(config, manifest.Sizes, DeviceChoice.Resolve(options.Device));
        Checkpoint.ReadWeights(folder.Best, matcher);
        var lists = options.Protocol.IsFullKb
            ? null
            : CandidateLists.Read(options.Candidates ?? OfTraining(options, manifest), data, options.Split);
        var memory = matcher.HasLexicalUnit ? LexicalMemory.Read(folder.Memory) : null;
        using var evaluator = new Evaluator(data, options.Split, lists, memory?.Prepare(memory.Unit(data), data, options.Split));
        // Dev chooses threshold and temperature; whatever comes after is measured by its choice, never by its own.
        var protocol = EvaluationResult.NameOf(options.Protocol);
        var isOwnDev = options.Split == Splits.Dev && resultFile == folder.Result(Splits.Dev, protocol);
        var choosing = isOwnDev ? Certainty.Chosen : Decisions.Choosing(folder, protocol);
        var result = evaluator.Run(matcher, options.Protocol, RunSystems.Of(folder, config, data.Store.Manifest), choosing) with { Looks = looks + 1 };
        if (isOwnDev)
        {
            Decisions.Write(folder, result);
        }

        JsonFiles.Write(resultFile, result);
        return result;
    }

    /// <summary>
    /// How often the run was evaluated on test under this protocol, null for dev: whoever chooses by test measures nothing,
    /// so a second look must be asked for and stays in the result.
    /// </summary>
    /// <exception cref="UserErrorException">UsageWrong where it was, and <c>--again</c> is not given.</exception>
    private static int? LooksBefore(RunFolder folder, EvalOptions options, string path)
    {
        if (options.Split != Splits.Test)
        {
            return null;
        }

        if (!File.Exists(path))
        {
            return 0;
        }

        return options.Again
            ? JsonFiles.Read<EvaluationResult>(path, "a result").Looks ?? 1
            : throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder.Path} was evaluated on test before: {path}",
                "Read that result; or look once more with --again, which the new result will say."));
    }

    /// <summary>
    /// Where the result is kept: that on other data than the run's own has a name of its own. Imported weights name no data;
    /// the first that they are evaluated on counts as theirs.
    /// </summary>
    private static string ResultFile(RunFolder folder, EvalOptions options, RunManifest manifest, RunData data)
    {
        var hash = data.Dataset.ContentHash;
        var protocol = EvaluationResult.NameOf(options.Protocol);
        var path = folder.Result(options.Split, protocol);
        var owner = manifest.DataHash.Length > 0 ? manifest.DataHash
            : File.Exists(path) ? JsonFiles.Read<EvaluationResult>(path, "a result").Card.DatasetHash
            : hash;
        return owner == hash ? path : folder.Result(options.Split, $"{protocol}-{hash[..8]}");
    }

    /// <summary>The lists that training was given: for the data and the split that they were given for.</summary>
    private static string? OfTraining(EvalOptions options, RunManifest manifest) =>
        options.Data is null && options.Split == Splits.Dev ? manifest.Candidates : null;

    private static EvaluationResult OfBaseline(EvalOptions options)
    {
        if (options.Data is null)
        {
            throw new UserErrorException(UserError.NewUsageWrong("a baseline needs --data DIR", "See `dwe eval --help`."));
        }

        Natives.Load(options.LibTorch);
        using var data = RunData.OpenWithoutFeatures(options.Data, options.Format);
        var lists = CandidateLists.Read(options.Candidates, data, options.Split);
        using var evaluator = new Evaluator(data, options.Split, lists);
        return options.Baseline == Baselines.Chance
            ? evaluator.RunChance(options.Protocol, RunSystems.Baseline(Baselines.Chance), Configuration.Defaults.Training.Seed)
            : evaluator.RunCandidateOrder(options.Protocol, RunSystems.Baseline(Baselines.CandidateOrder));
    }
}
