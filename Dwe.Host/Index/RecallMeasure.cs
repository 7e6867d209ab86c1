using Dwe.Host.Checkpoints;
using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>Measures on a dev split which candidates an index finds for a run, by each source alone and merged.</summary>
internal static class RecallMeasure
{
    public const string Dense = "dense";
    public const string Lexical = "lexical";
    public const string Prior = "prior";
    public const string Fused = "fused";

    private static readonly int[] Depths = [1, 10, 50, 100];

    private const int MentionsAtOnce = 256;

    /// <summary>Recall at 1, 10, 50 and 100. A gold that the index lacks counts as missed.</summary>
    /// <param name="index">For this run.</param>
    /// <param name="prior">What the run remembers; null leaves that source out.</param>
    /// <param name="matcher">The run's.</param>
    /// <param name="data">A data set with features of its dev mentions.</param>
    /// <param name="progress">Mentions done, of how many.</param>
    public static MeasuredRecall Of(
        SegmentIndex index, NamePrior? prior, Matcher matcher, RunData data, Action<long, long> progress)
    {
        var mentions = data.Mentions(Splits.Dev);
        var rows = Enumerable.Range(0, mentions.Count).Where(row => mentions[row].Gold.IsEntity).ToArray();
        if (rows.Length == 0)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{data.Dataset.Folder} has no dev mention whose entity is known", "Leave --dev out."));
        var golds = rows.ToDictionary(row => row, row => index.RowOf(((Gold.Entity)mentions[row].Gold).id));
        var features = data.Features(Splits.Dev, matcher);
        var fusion = new CandidateFusion(index, prior);
        var places = new Dictionary<string, List<int>>();
        void Add(string source, int row, IEnumerable<int> found)
        {
            if (!places.TryGetValue(source, out var own)) places[source] = own = [];
            own.Add(golds[row] < 0 ? -1 : found.ToList().IndexOf(golds[row]));
        }

        var top = Depths.Max();
        foreach (var chunk in rows.Chunk(MentionsAtOnce))
        {
            var queries = matcher.Query(features, [.. chunk.Select(row => (long)row)]);
            Ranks.Normalize(queries, index.Dimension);
            var nearest = index.Nearest(queries, top);
            var fused = fusion.Candidates([.. chunk.Select(row => mentions[row].Text)], queries, top);
            for (var at = 0; at < chunk.Length; at++)
            {
                var text = mentions[chunk[at]].Text;
                Add(Dense, chunk[at], nearest[at].Select(found => found.Row));
                Add(Lexical, chunk[at], index.Named(text, top).Select(found => found.Row));
                if (prior is not null) Add(Prior, chunk[at], prior.Meant(text, top).Select(found => found.Row));
                Add(Fused, chunk[at], fused[at].Select(found => found.Row));
            }

            progress(places[Dense].Count, rows.Length);
        }

        return new MeasuredRecall
        {
            DatasetHash = data.Dataset.ContentHash,
            Mentions = rows.Length,
            GoldMissing = golds.Values.Count(gold => gold < 0),
            Sources = places.ToDictionary(source => source.Key, source => Recall(source.Value)),
        };
    }

    /// <summary>Refuses features that were encoded otherwise than those of the run.</summary>
    /// <exception cref="UserErrorException">StoreMismatch.</exception>
    public static void RequireSameEncoders(RunManifest run, RunData data, string folder)
    {
        var (expected, found) = (RunEncoders.Of(run), RunEncoders.Of(data.Store.Manifest));
        if (found.Text != expected.Text || (found.Image is not null && expected.Image is not null && found.Image != expected.Image))
            throw FeatureStore.Mismatch(
                data.Store.Folder, $"features of {found.Text}, {found.Image ?? "no images"}",
                $"{expected.Text}, {expected.Image ?? "no images"}, as those of {folder}", "Encode the data with the run's encoders.");
        run.RequireSameSizes(data, folder);
    }

    private static IReadOnlyDictionary<string, double> Recall(List<int> places) =>
        Depths.ToDictionary(depth => $"recall@{depth}", depth => Ranks.Recall(depth, [.. places]));
}
