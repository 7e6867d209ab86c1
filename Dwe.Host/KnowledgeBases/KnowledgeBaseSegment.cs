using System.Collections;
using Dwe.Host.Features;
using Dwe.Host.Index;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>
/// A segment of a knowledge base, opened: ids that it removes from the segments before it, then entities with the vectors of
/// their texts. All is mapped; entities are read from their lines when they are asked for.
/// </summary>
internal sealed class KnowledgeBaseSegment : IDisposable
{
    public const string TextFile = "text.safetensors";
    public const string TextName = "text";
    public const string KeysName = "keys";
    public const string RemovedFile = "removed.json";

    private const string Remedy = "Build the knowledge base again with `dwe kb build`.";

    /// <summary>Elements in one view of the vectors.</summary>
    private const int ViewElements = 1 << 28;

    private readonly EntityFile? file;
    private readonly SafetensorsReader? text;
    private readonly IReadOnlyList<Memory<float>> views = [];
    private readonly int rowsPerView;

    /// <summary>Opens a segment; everything in it lives until the knowledge base says otherwise.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken or StoreMismatch.</exception>
    public KnowledgeBaseSegment(string folder, SegmentCard card, int dimension)
    {
        (Name, ContentHash, Dimension) = (card.Name, card.ContentHash, dimension);
        Live = new bool[card.Rows];
        Array.Fill(Live, true);
        rowsPerView = Math.Max(1, ViewElements / dimension);
        Removed = card.Removed == 0 ? [] : RemovedIn(folder, card.Removed);
        Entities = [];
        if (card.Rows == 0) return;
        file = EntityFile.Open(folder, card.Rows, Remedy);
        try
        {
            text = SafetensorsReader.Open(Path.Combine(folder, TextFile));
            Require(TextName, Dtype.F32, [card.Rows, dimension]);
            Require(KeysName, Dtype.I64, [card.Rows, 2]);
            views = text.Segments<float>(TextName, rowsPerView * dimension);
            Keys = text.View<long>(KeysName);
            Entities = new Rows(file, card.Rows);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Name { get; }

    /// <summary>Equal for equal entities, vectors and removed ids.</summary>
    public string ContentHash { get; }

    /// <summary>By row, the dead ones too; each is read from its line anew.</summary>
    public IReadOnlyList<Entity> Entities { get; }

    /// <summary>By row: whether it is still what its id means.</summary>
    public bool[] Live { get; }

    /// <summary>Ids that are no more, unless this segment or a later one has them.</summary>
    public IReadOnlyList<string> Removed { get; }

    public int Dimension { get; }

    /// <summary>[rows; 2]: what each vector was computed from; zeros where an entity has no text.</summary>
    public ReadOnlyMemory<long> Keys { get; }

    /// <summary>The lines; null in a segment without rows.</summary>
    public EntityFile? File => file;

    /// <summary>What a row's vector was computed from.</summary>
    public ContentKey KeyOf(int row) => new(Keys.Span[2 * row], Keys.Span[2 * row + 1]);

    /// <summary>The vector of a row's text, mapped; zeros where the entity has no text. Valid while the segment is open.</summary>
    public ReadOnlySpan<float> TextVector(int row) =>
        views[row / rowsPerView].Span.Slice(row % rowsPerView * Dimension, Dimension);

    /// <summary>Copies vectors from a row on; <paramref name="target"/> holds a whole number of them.</summary>
    public void CopyTextVectors(int first, Span<float> target)
    {
        for (var at = 0; at < target.Length; at += Dimension, first++) TextVector(first).CopyTo(target[at..]);
    }

    /// <summary>The living row of an id, or -1.</summary>
    public int RowOf(string id)
    {
        if (file is null) return -1;
        foreach (var row in file.RowsOf(id))
            if (Live[row]) return row;
        return -1;
    }

    public void Dispose()
    {
        text?.Dispose();
        file?.Dispose();
    }

    private static string[] RemovedIn(string folder, int count)
    {
        var path = Path.Combine(folder, RemovedFile);
        var ids = JsonFiles.Read<string[]>(path, "ids that were removed");
        return ids.Length == count
            ? ids
            : throw FeatureStore.Mismatch(path, $"{ids.Length} ids", $"{count} as the manifest says", Remedy);
    }

    private void Require(string name, Dtype dtype, long[] shape)
    {
        var found = text!.Entry(name);
        if (found.Dtype != dtype || !found.Shape.SequenceEqual(shape))
            throw FeatureStore.Mismatch(
                text.Path, $"{name} {found}", $"{dtype} [{string.Join(", ", shape)}] as the manifest says", Remedy);
    }

    private sealed class Rows(EntityFile file, int count) : IReadOnlyList<Entity>
    {
        public int Count => count;

        public Entity this[int row]
        {
            get
            {
                ArgumentOutOfRangeException.ThrowIfNegative(row);
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, count);
                return file.Read(row);
            }
        }

        public IEnumerator<Entity> GetEnumerator()
        {
            for (var row = 0; row < count; row++) yield return file.Read(row);
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
