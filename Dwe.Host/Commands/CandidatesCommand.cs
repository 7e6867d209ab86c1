using System.Diagnostics;
using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Retrieval;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe candidates</c>: proposes entities for the mentions of a data set by their names.</summary>
internal static class CandidatesCommand
{
    private static readonly int[] RecallDepths = [1, 5, 10, 100];

    /// <summary>Candidates of an oracle-type list before it is filled, as published.</summary>
    private const int OracleCandidates = 10;

    public static int Run(IAnsiConsole results, CandidatesOptions options, CancellationToken stop)
    {
        var dataset = DatasetReaders.Read(options.Data);
        var splits = SplitsOf(dataset, options.Splits);
        var clock = Stopwatch.StartNew();
        var names = new FuzzyNames(NameList.Of(dataset));
        ICandidateRanking ranking = options.Method == TrigramRanking.Name ? new TrigramRanking(names) : new ExactRanking(names);
        Streams.Note($"{Number(names.Count)} names of {Number(dataset.Entities.Count)} entities");
        if (options.Method == OracleTypeLists.Method)
        {
            var rank = ranking.Ranker(OracleCandidates);
            var known = OwnCandidates(dataset, splits, options.From);
            string[] CandidatesOf(Mention mention) =>
                known is null ? rank(mention.Text) : known.GetValueOrDefault(mention.Key) ?? [];
            var lists = OracleTypeLists.Write(
                dataset, splits, CandidatesOf, names.List, options.Top, options.Seed, options.Out);
            results.Line(
                $"{options.Out}: {Number(lists.Count)} records, filled with entities of their gold's type: refused by the strict protocol");
            return ExitCode.Success;
        }

        var result = ProgressDisplay.Run("ranking", "mentions", progress => CandidateJob.Run(
            dataset, splits, ranking, options.Top, options.Out, Environment.ProcessorCount,
            (done, total) => progress.Report(done, total), stop));
        var seconds = clock.Elapsed.TotalSeconds;
        results.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Out}: {Number(result.Lists.Count)} mention texts, of which {Number(result.Computed)} ranked in {seconds:F1} s "
            + $"({result.Computed / seconds:F0}/s), {Number(result.Continued)} from an unfinished run, {Number(result.Reused)} used again"));
        var listOf = result.Lists.ToDictionary();
        foreach (var split in splits)
        {
            results.Line($"{split}: {Recall(dataset.Mentions[split], listOf)}");
        }

        return ExitCode.Success;
    }

    /// <summary>What oracle-type lists are begun with: the file that was named, else what the records have; null where neither is.</summary>
    private static Dictionary<string, string[]>? OwnCandidates(Dataset dataset, IReadOnlyList<string> splits, string? path)
    {
        var twice = splits.SelectMany(split => dataset.Mentions[split]).GroupBy(mention => mention.Key).FirstOrDefault(same => same.Count() > 1);
        if (twice is not null)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"record '{twice.Key}' is in several splits, and oracle-type lists are kept by record", "Name one split with --splits."));
        }

        if (path is not null)
        {
            return splits.SelectMany(split => CandidateFile.Read(path, dataset.Mentions[split]).Ids).ToDictionary();
        }

        return splits.Any(dataset.RecordCandidates.ContainsKey)
            ? splits.Where(dataset.RecordCandidates.ContainsKey).SelectMany(split => dataset.RecordCandidates[split]).ToDictionary()
            : null;
    }

    /// <summary>The share of mentions whose gold is found, of those that have one. The lists know nothing of it.</summary>
    private static string Recall(IReadOnlyList<Mention> mentions, IReadOnlyDictionary<string, string[]> listOf)
    {
        var places = mentions
            .Where(mention => mention.Gold.IsEntity)
            .Select(mention => Array.IndexOf(listOf[mention.Text], ((Gold.Entity)mention.Gold).id))
            .ToList();
        return string.Join(", ", RecallDepths.Select(depth => string.Create(
            CultureInfo.InvariantCulture,
            $"recall@{depth} {places.Count(place => place >= 0 && place < depth) / (double)Math.Max(1, places.Count):P2}")));
    }

    private static IReadOnlyList<string> SplitsOf(Dataset dataset, string[] wanted)
    {
        var absent = wanted.FirstOrDefault(split => !dataset.Mentions.ContainsKey(split));
        return absent is null
            ? [.. Data.Splits.All.Where(split => wanted.Length == 0 ? dataset.Mentions.ContainsKey(split) : wanted.Contains(split))]
            : throw new UserErrorException(UserError.NewFileMissing(
                Path.Combine(dataset.Folder, absent + ".json"), $"the {absent} split",
                $"Splits here: {string.Join(", ", dataset.Mentions.Keys)}."));
    }

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
