using Dwe.Host.Data;
using Dwe.Host.Storage;

namespace Dwe.Host.Retrieval;

/// <summary>What a job did.</summary>
internal sealed record CandidateJobResult
{
    /// <summary>The lists, in the order in which mentions first occur.</summary>
    public required IReadOnlyList<(string Key, string[] Ids)> Lists { get; init; }

    public required int Computed { get; init; }

    /// <summary>Lists taken over from an unfinished run.</summary>
    public required int Continued { get; init; }

    /// <summary>Lists taken over from the file that stood there.</summary>
    public required int Reused { get; init; }
}

/// <summary>
/// Candidates of every mention text of some splits: each text once, on all cores, in any order, written in the order of the
/// mentions. What is done is kept in a journal beside the file, so a job that was killed goes on. Golds are never looked at.
/// </summary>
internal static class CandidateJob
{
    /// <summary>Ranks, writes <paramref name="path"/> and its card, and removes the journal.</summary>
    public static CandidateJobResult Run(
        Dataset dataset, IReadOnlyList<string> splits, ICandidateRanking ranking, int top, string path, int workers,
        Action<int, int> report, CancellationToken stop)
    {
        var card = new CandidateCard
        {
            Method = ranking.Method,
            Description = ranking.Description,
            Top = top,
            Names = ranking.Names.Names.Length,
            NamesHash = ranking.Names.Hash,
        };
        string[] texts = [.. splits.SelectMany(split => dataset.Mentions[split]).Select(mention => mention.Text).Distinct()];
        var lists = new string[]?[texts.Length];
        var reused = Take(texts, lists, CandidateCard.ListsOf(path, card));
        int continued, computed;
        using (var journal = CandidateJournal.Open(path, card))
        {
            continued = Take(texts, lists, journal.Lists);
            computed = Rank(texts, lists, ranking, top, workers, journal, report, stop);
        }

        (string Key, string[] Ids)[] all = [.. texts.Select((text, at) => (text, lists[at] ?? []))];
        CandidateFileWriter.Write(path, all);
        JsonFiles.Write(CandidateCard.PathOf(path), card);
        CandidateJournal.Remove(path);
        return new CandidateJobResult { Lists = all, Computed = computed, Continued = continued, Reused = reused };
    }

    private static int Take(string[] texts, string[]?[] lists, IReadOnlyDictionary<string, string[]> known)
    {
        var taken = 0;
        for (var at = 0; at < texts.Length; at++)
        {
            if (lists[at] is null && known.TryGetValue(texts[at], out var list))
            {
                lists[at] = list;
                taken++;
            }
        }

        return taken;
    }

    private static int Rank(
        string[] texts, string[]?[] lists, ICandidateRanking ranking, int top, int workers, CandidateJournal journal,
        Action<int, int> report, CancellationToken stop)
    {
        int[] open = [.. Enumerable.Range(0, texts.Length).Where(at => lists[at] is null)];
        var gate = new Lock();
        var next = -1;
        var done = texts.Length - open.Length;
        report(done, texts.Length);
        if (open.Length == 0)
        {
            return 0;
        }

        Parallel.For(0, Math.Min(workers, open.Length), new ParallelOptions { MaxDegreeOfParallelism = workers }, _ =>
        {
            var rank = ranking.Ranker(top);
            for (var turn = Interlocked.Increment(ref next); turn < open.Length; turn = Interlocked.Increment(ref next))
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }

                var at = open[turn];
                var list = rank(texts[at]);
                lock (gate)
                {
                    lists[at] = list;
                    journal.Append(texts[at], list);
                    report(++done, texts.Length);
                }
            }
        });
        stop.ThrowIfCancellationRequested();
        return open.Length;
    }
}
