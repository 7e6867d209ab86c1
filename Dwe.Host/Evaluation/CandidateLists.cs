using Dwe.Host.Data;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Evaluation;

/// <summary>
/// The candidates of a split as entity rows, padded with -1 to one width. An id listed twice counts once, one that the
/// knowledge base lacks not at all.
/// </summary>
internal sealed record CandidateLists
{
    private static readonly int[] RecallDepths = [1, 5, 10, 20, 50, 100];

    /// <summary>Where they come from, for the card.</summary>
    public required string Source { get; init; }

    public required string Hash { get; init; }

    /// <summary>The lists were made with the gold's help: see <see cref="CandidateFile.IsOracle"/>.</summary>
    public required bool IsOracle { get; init; }

    public required int Width { get; init; }

    /// <summary>[mentions; Width]</summary>
    public required int[] Rows { get; init; }

    /// <summary>Place of each mention's gold in its list, from 0; -1 where it is not listed.</summary>
    public required int[] GoldColumns { get; init; }

    public required int MentionsWithoutCandidates { get; init; }

    /// <summary>Share of mentions whose gold is among the first K, for every K up to the width.</summary>
    public IReadOnlyDictionary<string, double> Recall =>
        RecallDepths.Where(depth => depth <= Width).ToDictionary(depth => $"recall@{depth}", depth => Ranks.Recall(depth, GoldColumns));

    /// <summary>Refuses lists that were made with the gold's help where they would flatter the result.</summary>
    /// <exception cref="UserErrorException">StoreMismatch under the strict protocol.</exception>
    public void RequireFor(Protocol protocol)
    {
        if (protocol.IsStrict && IsOracle)
        {
            throw new UserErrorException(UserError.NewStoreMismatch(
                Source, "candidates that were chosen by the gold's type", "under --protocol strict lists that know nothing of the gold",
                "Make such with `dwe candidates`, or use --protocol legacy."));
        }
    }

    /// <summary>Reads the lists of one split.</summary>
    /// <exception cref="UserErrorException">As <see cref="CandidateFile.Read"/>; FileMissing where no file is named or known.</exception>
    public static CandidateLists Read(string? path, RunData data, string split)
    {
        var found = path is not null
            ? CandidateFile.Read(path, data.Mentions(split))
            : CandidateFile.OfDataset(data.Dataset, split)
              ?? throw new UserErrorException(UserError.NewFileMissing(
                  Path.Combine(data.Dataset.Folder, "search_top100.json"), "candidate lists",
                  "Make them with `dwe candidates` and name their file with --candidates; `dwe eval --protocol full-kb` does without."));
        path ??= data.Dataset.CandidatePath;
        var lists = data.Mentions(split)
            .Select(mention => found.Ids.TryGetValue(mention.Key, out var ids) ? ToRows(ids, data) : [])
            .ToArray();
        return Pad(lists, data.Golds(split)) with
        {
            Source = found.Source,
            Hash = path is null ? data.Dataset.ContentHash : ContentHash.OfFile(path),
            IsOracle = path is not null && CandidateFile.IsOracle(path),
        };
    }

    private static int[] ToRows(string[] ids, RunData data) => [.. ids.Select(data.RowOf).Where(row => row >= 0).Distinct()];

    private static CandidateLists Pad(int[][] lists, int[] golds)
    {
        var width = Math.Max(1, lists.Max(list => list.Length));
        var rows = new int[lists.Length * width];
        Array.Fill(rows, -1);
        for (var mention = 0; mention < lists.Length; mention++)
        {
            lists[mention].CopyTo(rows, mention * width);
        }

        return new CandidateLists
        {
            Source = "",
            Hash = "",
            IsOracle = false,
            Width = width,
            Rows = rows,
            GoldColumns = [.. lists.Select((list, mention) => golds[mention] < 0 ? -1 : Array.IndexOf(list, golds[mention]))],
            MentionsWithoutCandidates = lists.Count(list => list.Length == 0),
        };
    }
}
