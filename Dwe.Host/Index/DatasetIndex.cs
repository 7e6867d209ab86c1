using Dwe.Host.Checkpoints;
using Dwe.Host.Data;
using Dwe.Host.Evaluation;
using Dwe.Host.Retrieval;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>
/// A run's own data set as an index, in memory: nothing is built first, and opening it costs what evaluating the run costs.
/// Names are found by the fuzzy ratio that the published candidate lists were made with.
/// </summary>
/// <remarks>For a knowledge base that is larger, or that changes, see <c>dwe index</c>.</remarks>
internal sealed class DatasetIndex : IEntityIndex
{
    /// <summary>More names than this are not all compared with every mention.</summary>
    private const int MostNamesCompared = 20_000;

    private readonly RunData data;
    private readonly float[] vectors;
    private readonly string[] descriptions;
    private readonly ImageFiles images;
    private readonly Lazy<ICandidateRanking> names;

    private DatasetIndex(RunData data, float[] vectors, int dimension, string version)
    {
        this.data = data;
        this.vectors = vectors;
        Dimension = dimension;
        Version = version;
        descriptions = EntityDescriptions.Of(data);
        images = new ImageFiles(data.Dataset.EntityImageFolders);
        names = new Lazy<ICandidateRanking>(() =>
        {
            var list = new FuzzyNames(NameList.Of(data.Dataset));
            return list.Count > MostNamesCompared ? new TrigramRanking(list) : new ExactRanking(list);
        });
    }

    /// <summary>Opens the data and the features that a run was trained on, and projects its entities.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken or StoreMismatch where they are gone or others.</exception>
    public static DatasetIndex Open(RunFolder folder, RunManifest manifest, Matcher matcher)
    {
        if (manifest.Data.Length == 0)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder.Path} holds imported weights and names no data", "Build an index of a knowledge base and name it with --index."));
        }

        var data = RunData.Open(manifest.Data, manifest.Features, manifest.Format);
        try
        {
            manifest.RequireSameSizes(data, folder.Path);
            var vectors = matcher.CompareEntities(data.EntitiesFor(matcher));
            Ranks.Normalize(vectors, matcher.Compared);
            var version = $"{data.Dataset.ContentHash} {ContentHash.OfFile(Checkpoint.WeightsIn(folder.Best))}";
            return new DatasetIndex(data, vectors, matcher.Compared, version);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    public string Version { get; }

    public int Count => data.Dataset.Entities.Count;

    public int Dimension { get; }

    public Entity Entity(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        return data.Dataset.Entities[row];
    }

    public string Description(int row) => descriptions[row];

    public int RowOf(string id) => data.RowOf(id);

    public string? ImageOf(int row) => Entity(row).Images.Select(images.Find).FirstOrDefault(path => path is not null);

    public void CopyVector(int row, Span<float> target) =>
        vectors.AsSpan(row * Dimension, Dimension).CopyTo(target);

    public Found[][] Nearest(ReadOnlySpan<float> queries, int top)
    {
        int[] everything = [.. Enumerable.Range(0, Count)];
        var found = new Found[queries.Length / Dimension][];
        for (var query = 0; query < found.Length; query++)
        {
            var own = queries.Slice(query * Dimension, Dimension).ToArray();
            var scores = Ranks.ScoreCandidates(Dimension, own, vectors, Count, everything).Scores;
            found[query] = [.. everything.OrderByDescending(row => scores[row]).Take(top).Select(row => new Found(row, scores[row]))];
        }

        return found;
    }

    /// <summary>As the list has them; a score is 1 over the place in it.</summary>
    public Found[] Named(string text, int top) =>
        [.. names.Value.Ranker(top)(text).Select((id, place) => new Found(RowOf(id), 1f / (place + 1))).Where(one => one.Row >= 0)];

    public void Dispose() => data.Dispose();
}
