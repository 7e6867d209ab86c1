using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Data;
using Dwe.Host.Terminal;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Experiments;

/// <summary>
/// The train split divided into parts; each part in turn is what the others are evaluated on. Mentions of one sentence are in
/// one part. Dev and test are not read.
/// </summary>
internal static class CrossValidation
{
    /// <summary>The part of each train mention, from 0.</summary>
    /// <exception cref="UserErrorException">UsageWrong where there are fewer sentences than parts.</exception>
    public static int[] Divide(RunData data, long seed, int count)
    {
        var mentions = data.Mentions(Splits.Train);
        string[] groups = [.. mentions.Select((mention, row) => GroupOf(mention, row))];
        var distinct = groups.Distinct().Count();
        return distinct >= count
            ? Draw.Folds(seed, count, groups)
            : throw new UserErrorException(UserError.NewUsageWrong(
                $"--folds is {count}, but train has {distinct} sentences", "Name fewer."));
    }

    /// <summary>The data of one fold: train is every other part, dev is this one.</summary>
    /// <param name="data">The whole data.</param>
    /// <param name="parts">Of <see cref="Divide"/>.</param>
    /// <param name="part">The part that is left out.</param>
    public static RunData Fold(RunData data, int[] parts, int part)
    {
        int[] Rows(Func<int, bool> isIn) => [.. Enumerable.Range(0, parts.Length).Where(row => isIn(parts[row]))];
        var splits = new Dictionary<string, SplitPart>
        {
            [Splits.Train] = new(Splits.Train, Rows(own => own != part)),
            [Splits.Dev] = new(Splits.Train, Rows(own => own == part)),
        };
        var mentions = data.Mentions(Splits.Train);
        var dataset = data.Dataset with
        {
            Mentions = splits.ToDictionary(
                split => split.Key, split => (IReadOnlyList<Mention>)[.. split.Value.Rows.Select(row => mentions[row])]),
            RecordCandidates = data.Dataset.RecordCandidates.TryGetValue(Splits.Train, out var lists)
                ? splits.Keys.ToDictionary(split => split, _ => lists)
                : new Dictionary<string, IReadOnlyDictionary<string, string[]>>(),
            // Data of their own: their results are not to be mistaken for those of the data set's dev.
            ContentHash = HashOf(data.Dataset.ContentHash, parts, part),
        };
        return data.Part(dataset, splits);
    }

    /// <summary>
    /// One evaluation, at the end: a part that chose the checkpoint or the end of training would flatter it.
    /// </summary>
    public static RunConfig WithoutSelection(RunConfig config) =>
        Configuration.Set(config, [$"training.evaluate_every_epochs={config.Training.Epochs}", "training.patience=0"]).OrThrow();

    /// <summary>Refuses a cross-validation of which the train mentions have no candidates.</summary>
    /// <exception cref="UserErrorException">UsageWrong saying how to make them.</exception>
    public static void RequireCandidates(RunData data, string? candidates, RunConfig config)
    {
        if (config.Training.Protocol.IsFullKb)
        {
            return;
        }

        var mentions = data.Mentions(Splits.Train);
        var without = Without(data, candidates);
        if (without > 0)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"folds are evaluated on train mentions, but {without:N0} of {mentions.Count:N0} have no candidates in "
                + (candidates ?? "the data set"),
                "Make them with `dwe candidates --splits train,dev` and name the file with --candidates, or set training.protocol=full-kb."));
        }
    }

    private static int Without(RunData data, string? candidates)
    {
        var mentions = data.Mentions(Splits.Train);
        if (candidates is null)
        {
            return CandidateFile.OfDataset(data.Dataset, Splits.Train)?.Without.Length ?? mentions.Count;
        }

        try
        {
            return CandidateFile.Read(candidates, mentions).Without.Length;
        }
        catch (UserErrorException wrong) when (wrong.Error is UserError.FileBroken { place: "keys" })
        {
            return mentions.Count;
        }
    }

    /// <summary>Its sentence; a mention without one stands alone.</summary>
    private static string GroupOf(Mention mention, int row) =>
        string.IsNullOrWhiteSpace(mention.Sentence) ? $"\0{row}" : mention.Sentence;

    private static string HashOf(string whole, int[] parts, int part) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{whole} {part} {string.Join(' ', parts)}"))));
}
