using System.Collections;
using Dwe.Host.Data;
using Dwe.Host.Index;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>
/// Entities of one's own with the vectors of their texts: segments that never change, of which a later one overrules. What has
/// been opened stays as it is, whatever is written meanwhile.
/// </summary>
internal sealed class KnowledgeBase : IDisposable
{
    public const string SegmentsFolder = "segments";

    /// <summary>Images that lie in the knowledge base itself.</summary>
    public const string ImagesFolder = "images";

    /// <summary>Writers that may come between reading the manifest and opening its segments.</summary>
    private const int MostAttempts = 20;

    private readonly ImageFiles images;

    private KnowledgeBase(string folder, KnowledgeBaseManifest manifest, IReadOnlyList<KnowledgeBaseSegment> segments)
    {
        (Folder, Manifest, Segments) = (folder, manifest, segments);
        images = new ImageFiles([Path.Combine(folder, ImagesFolder), .. manifest.ImageFolders]);
        Entities = new LiveEntities(segments);
    }

    public string Folder { get; }

    public KnowledgeBaseManifest Manifest { get; }

    /// <summary>The oldest first.</summary>
    public IReadOnlyList<KnowledgeBaseSegment> Segments { get; }

    /// <summary>The living ones, in the order of segments and rows; each is read from its line anew.</summary>
    public IReadOnlyList<Entity> Entities { get; }

    /// <summary>Opens a knowledge base as its manifest is at this moment.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken or StoreMismatch.</exception>
    public static KnowledgeBase Open(string folder)
    {
        for (var attempt = 1; ; attempt++)
        {
            var manifest = KnowledgeBaseManifest.Read(folder);
            try
            {
                return new KnowledgeBase(folder, manifest, OpenSegments(folder, manifest));
            }
            catch (Exception gone) when (
                gone is UserErrorException or IOException && attempt < MostAttempts
                && KnowledgeBaseManifest.Read(folder).Generation != manifest.Generation)
            {
                // A writer has merged segments and removed the old ones meanwhile.
            }
        }
    }

    /// <summary>The folder of a segment.</summary>
    public static string FolderOf(string folder, string segment) => Path.Combine(folder, SegmentsFolder, segment);

    /// <summary>Copies the vector of a living entity's text.</summary>
    /// <param name="row">As in <see cref="Entities"/>.</param>
    /// <param name="target">[dimension].</param>
    public void CopyTextVector(int row, Span<float> target)
    {
        var (segment, own) = ((LiveEntities)Entities).Place(row);
        Segments[segment].TextVector(own).CopyTo(target);
    }

    /// <summary>Segment and row of a living entity; null where no living one has the id.</summary>
    public (KnowledgeBaseSegment Segment, int Row)? Find(string id)
    {
        for (var at = Segments.Count - 1; at >= 0; at--)
            if (Segments[at].RowOf(id) is >= 0 and var row) return (Segments[at], row);
        return null;
    }

    /// <summary>The file of an image that an entity names, or null.</summary>
    public string? ImageFile(string name) => images.Find(name);

    public void Dispose()
    {
        foreach (var segment in Segments) segment.Dispose();
    }

    private static List<KnowledgeBaseSegment> OpenSegments(string folder, KnowledgeBaseManifest manifest)
    {
        var segments = new List<KnowledgeBaseSegment>();
        try
        {
            foreach (var card in manifest.Segments)
                segments.Add(new KnowledgeBaseSegment(FolderOf(folder, card.Name), card, manifest.Dimension));
            Liveness.Mark(segments);
            return segments;
        }
        catch
        {
            foreach (var segment in segments) segment.Dispose();
            throw;
        }
    }
}

/// <summary>Which rows of a knowledge base are still what their ids mean: an id's last row, unless it was removed after it.</summary>
internal static class Liveness
{
    /// <summary>Marks the rows of segments that have just been opened, all of which live. From the last segment to the first,
    /// hashes of ids that have been seen rule out earlier rows; two ids of one hash are told apart by what they are.</summary>
    public static void Mark(IReadOnlyList<KnowledgeBaseSegment> segments)
    {
        if (segments.Count < 2) return;
        var seen = new Dictionary<long, SeenId>();
        var alike = new HashSet<string>();
        for (var at = segments.Count - 1; at >= 0; at--)
        {
            if (segments[at].File is { } file)
            {
                MarkOverruled(file, segments[at].Live, seen, alike);
                for (var place = 0; place < file.Hashes.Length; place++)
                    See(file.Hashes[place], new SeenId(file, file.HashedRows[place], null));
            }

            foreach (var id in segments[at].Removed) See(EntityFile.HashOf(id), new SeenId(null, 0, id));
        }

        void See(long hash, SeenId id)
        {
            if (!seen.TryAdd(hash, id)) alike.Add(id.Text);
        }
    }

    private static void MarkOverruled(EntityFile file, bool[] live, Dictionary<long, SeenId> seen, HashSet<string> alike)
    {
        for (var place = 0; place < file.Hashes.Length; place++)
        {
            if (!seen.TryGetValue(file.Hashes[place], out var other)) continue;
            var row = file.HashedRows[place];
            var id = file.Read(row).Id;
            live[row] = other.Text != id && !alike.Contains(id);
        }
    }

    /// <summary>An id by where it stands: few are ever read.</summary>
    private readonly record struct SeenId(EntityFile? File, int Row, string? Id)
    {
        public string Text => Id ?? File!.Read(Row).Id;
    }
}

/// <summary>The living entities of segments as one list.</summary>
internal sealed class LiveEntities : IReadOnlyList<Entity>
{
    private readonly IReadOnlyList<KnowledgeBaseSegment> segments;
    private readonly int[] starts;
    private readonly int[]?[] rows;

    public LiveEntities(IReadOnlyList<KnowledgeBaseSegment> segments)
    {
        this.segments = segments;
        starts = new int[segments.Count + 1];
        rows = new int[]?[segments.Count];
        for (var at = 0; at < segments.Count; at++)
        {
            var live = segments[at].Live;
            var count = live.Count(one => one);
            starts[at + 1] = starts[at] + count;
            if (count < live.Length) rows[at] = [.. Enumerable.Range(0, live.Length).Where(row => live[row])];
        }
    }

    public int Count => starts[^1];

    public Entity this[int row]
    {
        get
        {
            var (segment, own) = Place(row);
            return segments[segment].Entities[own];
        }
    }

    /// <summary>The segment's number and its row.</summary>
    public (int Segment, int Row) Place(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Count);
        var found = Array.BinarySearch(starts, row);
        var segment = found < 0 ? ~found - 1 : found;
        // Segments without a living row begin where the next one does.
        while (starts[segment + 1] <= row) segment++;
        var own = row - starts[segment];
        return (segment, rows[segment] is { } living ? living[own] : own);
    }

    public IEnumerator<Entity> GetEnumerator()
    {
        for (var row = 0; row < Count; row++) yield return this[row];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
