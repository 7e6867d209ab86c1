using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Host.Storage;
using Dwe.Host.Training;
using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>
/// An index in a folder of this machine (<c>dwe index</c>, docs/index.md): the generation that was current when it was opened,
/// mapped into memory. It stays what it is though a later one replaces it and its files' names go.
/// </summary>
internal sealed class SegmentIndex : IEntityIndex
{
    /// <summary>Which rows live, by segment folder: a file of the generation, since segments are shared by generations.</summary>
    public const string LiveFile = "live.safetensors";

    /// <summary>Comparisons that one worker does in the time that it takes to wake another.</summary>
    private const long ComparisonsOfOneWorker = 1 << 12;

    private readonly List<IndexSegment> segments = [];
    private readonly LexicalSearch lexical;
    private readonly DenseSearch dense;
    private readonly ImageFiles images;
    private readonly Func<Entity, string> describe;

    private readonly int mostWorkers;

    private SegmentIndex(string folder, IndexManifest manifest, int mostWorkers)
    {
        Manifest = manifest;
        this.mostWorkers = mostWorkers;
        describe = EntityDescriptions.By(manifest.Source.EntityText, manifest.Source.FieldNames);
        images = new ImageFiles([.. manifest.Source.ImageFolders]);
        var generation = Path.Combine(folder, IndexManifest.FolderOf(manifest.Generation));
        if (!Enum.TryParse<Dtype>(manifest.Dtype, out var dtype) || dtype is not (Dtype.F32 or Dtype.F16 or Dtype.I8))
            throw FeatureStore.Mismatch(
                Path.Combine(folder, IndexManifest.FileName), $"vectors as {manifest.Dtype}", "F32, F16 or I8", "Build the index again.");
        try
        {
            using var live = SafetensorsReader.Open(Path.Combine(generation, LiveFile));
            foreach (var card in manifest.Segments) Open(generation, card, dtype, live.View<bool>(card.Folder).ToArray());
            if (Count != manifest.Count)
                throw FeatureStore.Mismatch(
                    generation, $"{Count} living entities", $"{manifest.Count} as the manifest says", "Build the index again.");
            lexical = new LexicalSearch(
                [.. segments.Select(segment => new LexicalSegment(segment.Lexical, segment.FirstRow, segment.RowOf))]);
        }
        catch
        {
            segments.ForEach(segment => segment.Dispose());
            throw;
        }

        dense = new DenseSearch(
            [.. segments.Select(segment => new DenseSegment(segment.Vectors, segment.FirstRow, segment.RowOf))], Dimension);
    }

    public IndexManifest Manifest { get; }

    public string Version => Manifest.Version;

    public int Count { get; private set; }

    public int Dimension => Manifest.Dimension;

    /// <summary>Opens the current generation.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken or StoreMismatch.</exception>
    public static SegmentIndex Open(string folder) => Open(folder, Environment.ProcessorCount);

    /// <summary>As <see cref="Open(string)"/>; a search takes so many threads at most, and finds the same.</summary>
    public static SegmentIndex Open(string folder, int mostWorkers)
    {
        while (true)
        {
            var manifest = IndexManifest.Read(folder);
            try
            {
                return new SegmentIndex(folder, manifest, mostWorkers);
            }
            catch (Exception missing) when (missing is UserErrorException or IOException)
            {
                // Replaced between the manifest and its files: the next generation is whole.
                if (IndexManifest.Read(folder).Generation == manifest.Generation) throw;
            }
        }
    }

    public Entity Entity(int row)
    {
        var segment = SegmentOf(row);
        return segment.Entities.Read(segment.LocalOf(row));
    }

    public string Description(int row) => describe(Entity(row));

    public int RowOf(string id)
    {
        foreach (var segment in segments)
            if (segment.Find(id) is >= 0 and var row) return row;
        return -1;
    }

    public string? ImageOf(int row) => Entity(row).Images.Select(images.Find).FirstOrDefault(path => path is not null);

    public void CopyVector(int row, Span<float> target)
    {
        var segment = SegmentOf(row);
        segment.Vectors.Copy(segment.LocalOf(row), target);
    }

    public Found[][] Nearest(ReadOnlySpan<float> queries, int top)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        if (queries.Length % Dimension != 0)
            throw new ArgumentException($"{queries.Length} numbers are no whole number of queries of {Dimension}", nameof(queries));
        foreach (var number in queries)
            if (!float.IsFinite(number)) throw new ArgumentException($"a query holds {number}", nameof(queries));

        var comparisons = queries.Length / Dimension * (long)Count;
        var workers = (int)Math.Clamp(comparisons / ComparisonsOfOneWorker, 1, mostWorkers);
        var held = segments.Select(segment => segment.Vectors.Hold()).ToArray();
        try
        {
            return dense.Nearest(queries, Math.Min(top, Count), workers);
        }
        finally
        {
            foreach (var hold in held) hold.Dispose();
        }
    }

    public Found[] Named(string text, int top)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        return Count == 0 ? [] : lexical.Named(text, Math.Min(top, Count));
    }

    public void Dispose()
    {
        lexical.Dispose();
        segments.ForEach(segment => segment.Dispose());
    }

    private void Open(string generation, IndexedSegment card, Dtype dtype, bool[] live)
    {
        var folder = Path.Combine(generation, card.Folder);
        if (live.Length != card.Rows || live.Count(row => row) != card.Live)
            throw FeatureStore.Mismatch(
                folder, $"{live.Count(row => row)} of {live.Length} rows live", $"{card.Live} of {card.Rows} as the manifest says",
                "Build the index again.");
        segments.Add(new IndexSegment(folder, card, dtype, Dimension, live, Count));
        Count += card.Live;
    }

    private IndexSegment SegmentOf(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        var (low, high) = (0, segments.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (segments[middle].FirstRow <= row) low = middle;
            else high = middle - 1;
        }

        return segments[low];
    }
}
