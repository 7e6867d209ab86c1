using System.Globalization;
using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>Gathers what a report says from folders of runs and ablations.</summary>
internal static class RunReportReader
{
    private static readonly string[] Measures = ["hits@1", "mrr"];

    /// <summary>Reads them all; <paramref name="wrong"/> finds the wrongly linked mentions of a run, or null.</summary>
    /// <exception cref="UserErrorException">FileMissing for a folder that is neither; FileBroken.</exception>
    public static RunReport Read(IReadOnlyList<string> folders, Func<RunFolder, WrongLinks?> wrong)
    {
        var ablations = folders.Where(IsAblation).ToArray();
        var paths = folders.Where(folder => !IsAblation(folder)).ToArray();
        var names = Names(paths);
        // All are opened before the first is looked into: a wrong name is found at once.
        var opened = paths.Select(path => (Folder: new RunFolder(path), Files: new RunFolder(path).Open())).ToArray();
        ReportedRun[] runs = [.. opened.Select((run, at) => Run(run.Folder, names[at], run.Files.Config, run.Files.Manifest, wrong))];
        return new RunReport
        {
            Runs = runs,
            Comparisons = [.. Comparisons(runs)],
            Ablations = [.. ablations.Select(ReportedAblation.Read)],
        };
    }

    private static bool IsAblation(string folder) => File.Exists(Path.Combine(folder, ReportedAblation.FileName));

    private static string[] Names(string[] paths)
    {
        var names = Array.ConvertAll(paths, path => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))));
        return [.. names.Select((name, at) =>
            names.Count(name.Equals) == 1 ? name : $"{name} ({(names.Take(at).Count(name.Equals) + 1).ToString(CultureInfo.InvariantCulture)})")];
    }

    private static ReportedRun Run(
        RunFolder folder, string name, RunConfig config, RunManifest manifest, Func<RunFolder, WrongLinks?> wrong) => new()
        {
            Name = name,
            Manifest = manifest,
            Config = [.. Keys(config)],
            History = History.Read(folder.History),
            BestStep = Directory.Exists(folder.Best) ? Checkpoint.ReadState(folder.Best).Step : null,
            Results =
            [
                .. folder.Results.Select(path => new ReportedResult(Path.GetFileNameWithoutExtension(path), Comparison.Read(path).Result)),
            ],
            Wrong = wrong(folder),
        };

    private static IEnumerable<ReportedKey> Keys(RunConfig config) => Configuration.Describe(config)
        .Zip(Configuration.Describe(Configuration.Defaults))
        .Select(pair => new ReportedKey(pair.First.Item1, pair.First.Item2, pair.First.Item3, pair.First.Item2 == pair.Second.Item2));

    /// <summary>Results of one name, of at least two runs under one card; those that are older than ranks are left out.</summary>
    private static IEnumerable<ReportedComparison> Comparisons(ReportedRun[] runs) =>
        from same in runs.SelectMany(run => run.Results.Select(result => (Run: run.Name, result.Name, result.Result)))
            .Where(one => one.Result.Ranks is not null)
            .GroupBy(one => (one.Name, one.Result.Card))
        where same.Count() > 1
        orderby same.Key.Name, same.Key.Card.CandidateHash
        from measure in Measures
        select new ReportedComparison(
            same.Key.Name,
            [.. same.Select(one => one.Run)],
            Comparison.Of([.. same.Select(one => ($"{one.Run}/{one.Name}", one.Result))], measure));
}
