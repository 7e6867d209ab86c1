using Dwe.Host.Data;
using Dwe.Host.Terminal;
using Dwe.Model.Domain;

namespace Dwe.Host.Training;

/// <summary>The candidates of the training mentions, as entity rows in the order of retrieval.</summary>
internal static class TrainingCandidates
{
    /// <summary>The lists of these mentions; empty for one that has none, which is said.</summary>
    /// <param name="reason">What wants them, for the error.</param>
    /// <param name="data">The data set.</param>
    /// <param name="path">The file that was named, or null for the data set's own.</param>
    /// <param name="mentionRows">Rows of the training mentions that are trained on.</param>
    /// <exception cref="UserErrorException">UsageWrong where there are no lists; as <see cref="CandidateFile.Read"/>.</exception>
    public static int[][] Read(string reason, RunData data, string? path, long[] mentionRows)
    {
        var mentions = data.Mentions(Splits.Train);
        var found = path is null ? CandidateFile.OfDataset(data.Dataset, Splits.Train) : CandidateFile.Read(path, mentions);
        var lists = found?.Ids ?? throw new UserErrorException(UserError.NewUsageWrong(
            $"{reason}, but there are no candidate lists",
            "Make them with `dwe candidates --splits train,dev` and name the file with --candidates."));
        var without = mentionRows.Count(row => !lists.ContainsKey(mentions[(int)row].Key));
        if (without > 0)
        {
            Streams.Note($"{without:N0} of {mentionRows.Length:N0} training mentions have no candidates in {found.Source}");
        }

        return [.. mentionRows.Select(row => lists.TryGetValue(mentions[(int)row].Key, out var ids)
            ? ids.Select(data.RowOf).Where(entity => entity >= 0).Distinct().ToArray()
            : [])];
    }
}
