using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Enrichment;
using Dwe.Host.Features;
using Dwe.Host.Index;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>What a write came to.</summary>
/// <param name="Manifest">The current one.</param>
/// <param name="Added">Entities with ids that were not there.</param>
/// <param name="Changed">Entities in place of others with their ids.</param>
/// <param name="Same">Entities that were there as they are.</param>
/// <param name="Removed">Ids that are no more.</param>
/// <param name="Absent">Ids that were to be removed and were not there.</param>
/// <param name="Encoded">Texts that went through the encoder.</param>
/// <param name="WithoutText">Entities that have nothing of what the template asks for; their vectors are zeros.</param>
internal sealed record Written(
    KnowledgeBaseManifest Manifest, long Added = 0, long Changed = 0, long Same = 0, int Removed = 0, int Absent = 0,
    int Encoded = 0, long WithoutText = 0);

/// <summary>
/// Changes a knowledge base: a segment is written beside those that are there and counts when the manifest names it. Killed at
/// any moment, it leaves what was; one writer at a time.
/// </summary>
internal sealed class KnowledgeBaseWriter : IDisposable
{
    /// <summary>Entities in one segment of a large source: what is held in memory at once.</summary>
    public const int DefaultRowsAtOnce = 1 << 17;

    private const string LockFile = ".writer.lock";
    private const string Scratch = ".scratch";

    private readonly string folder;
    private readonly FileStream held;
    private readonly int rowsAtOnce;

    private KnowledgeBaseWriter(string folder, FileStream held, int rowsAtOnce)
    {
        (this.folder, this.held, this.rowsAtOnce) = (folder, held, rowsAtOnce);
        RemoveUnnamed(KnowledgeBaseManifest.IsIn(folder) ? KnowledgeBaseManifest.Read(folder) : null);
    }

    /// <summary>A folder for what is needed while writing; removed with the writer.</summary>
    public string ScratchFolder => Directory.CreateDirectory(Path.Combine(folder, Scratch)).FullName;

    /// <summary>Takes a folder for a new knowledge base.</summary>
    /// <exception cref="UserErrorException">UsageWrong where it holds anything, or another writer is at work.</exception>
    public static KnowledgeBaseWriter Begin(string folder, int rowsAtOnce = DefaultRowsAtOnce)
    {
        RequireFree(folder);
        Directory.CreateDirectory(folder);
        var writer = Take(folder, rowsAtOnce);
        if (!KnowledgeBaseManifest.IsIn(folder)) return writer;
        using (writer)
        {
            throw Taken(folder);
        }
    }

    /// <summary>Takes a knowledge base that is there.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken, or UsageWrong while another writer is at work.</exception>
    public static KnowledgeBaseWriter Open(string folder, int rowsAtOnce = DefaultRowsAtOnce)
    {
        _ = KnowledgeBaseManifest.Read(folder);
        return Take(folder, rowsAtOnce);
    }

    /// <summary>Adds entities to a knowledge base, or makes it of them: of equal ids the last one counts.</summary>
    /// <param name="feed">The entities.</param>
    /// <param name="encoding">How their texts are encoded.</param>
    /// <param name="imageFolders">Where their images lie.</param>
    /// <param name="progress">Hears how far the feed has been read, and what is happening.</param>
    /// <param name="stop">Stops; the knowledge base stays as it was, what was encoded is kept for the next writer.</param>
    public Written Add(
        IEntityFeed feed, TextEncoding encoding, IReadOnlyList<string> imageFolders, Action<long, long, string> progress,
        CancellationToken stop = default)
    {
        using var former = KnowledgeBaseManifest.IsIn(folder) ? KnowledgeBase.Open(folder) : null;
        string[] fields = [.. (former?.Manifest.FieldNames ?? []).Union(feed.FieldNames).Order(StringComparer.Ordinal)];
        var template = EntityTemplate.Parse(encoding.EntityText, fields);
        using var vectors = new TextVectors(folder, encoding, former);
        var addition = new Addition(former, template, vectors);
        var cards = new List<SegmentCard>(former?.Manifest.Segments ?? []);
        foreach (var chunk in Chunks(feed, progress, stop))
        {
            var content = addition.Take(chunk.Entities, (done, total) => chunk.Report($"encoding {done} of {total}"), stop);
            if (content is not null) cards.Add(SegmentWriter.Write(NextFolder(cards), encoding.Dimension, content));
        }

        stop.ThrowIfCancellationRequested();
        if (former is null && cards.Count == 0)
            throw new UserErrorException(UserError.NewFileBroken(feed.Name, "the source", "no entity", "entities to build a knowledge base of"));
        string[] folders = [.. (former?.Manifest.ImageFolders ?? []).Union(imageFolders.Select(Path.GetFullPath))];
        EnrichedField[] enriched = [.. (former?.Manifest.EnrichedBy ?? []).Union(feed.EnrichedBy)];
        var unchanged = former is not null && cards.Count == former.Manifest.Segments.Count
            && folders.Length == former.Manifest.ImageFolders.Count && enriched.Length == (former.Manifest.EnrichedBy?.Count ?? 0);
        var manifest = unchanged
            ? former!.Manifest
            : Commit(former?.Manifest, cards, encoding, fields, folders, enriched);
        vectors.Finish();
        return addition.Outcome(manifest);
    }

    /// <summary>Removes entities by their ids; those that are not there are counted.</summary>
    public Written Remove(IEnumerable<string> ids)
    {
        string[] gone;
        string[] wanted = [.. ids.Distinct()];
        using (var former = KnowledgeBase.Open(folder))
        {
            gone = [.. wanted.Where(id => former.Find(id) is not null)];
        }

        var before = KnowledgeBaseManifest.Read(folder);
        if (gone.Length == 0) return new Written(before, Absent: wanted.Length);
        var cards = before.Segments.ToList();
        cards.Add(SegmentWriter.Write(NextFolder(cards), before.Dimension, SegmentContent.Removal(gone)));
        var manifest = Commit(before, cards, EncodingOf(before), before.FieldNames, before.ImageFolders, before.EnrichedBy ?? []);
        return new Written(manifest, Removed: gone.Length, Absent: wanted.Length - gone.Length);
    }

    public void Dispose()
    {
        if (Directory.Exists(Path.Combine(folder, Scratch))) Directory.Delete(Path.Combine(folder, Scratch), recursive: true);
        held.Dispose();
    }

    // --- what the manifest says ---

    private static TextEncoding EncodingOf(KnowledgeBaseManifest manifest) => new()
    {
        Encoder = manifest.Encoder,
        Dimension = manifest.Dimension,
        EntityText = manifest.EntityText,
        Open = () => throw new InvalidOperationException("nothing is encoded here"),
    };

    /// <summary>Merges segments where it is time, then names them.</summary>
    private KnowledgeBaseManifest Commit(
        KnowledgeBaseManifest? former, List<SegmentCard> cards, TextEncoding encoding, IReadOnlyList<string> fields,
        IReadOnlyList<string> imageFolders, IReadOnlyList<EnrichedField> enriched)
    {
        var live = Merge(cards, encoding.Dimension);
        var manifest = new KnowledgeBaseManifest
        {
            Format = KnowledgeBaseManifest.CurrentFormat,
            Generation = (former?.Generation ?? 0) + 1,
            Encoder = encoding.Encoder,
            Dimension = encoding.Dimension,
            EntityText = encoding.EntityText,
            FieldNames = fields,
            ImageFolders = imageFolders,
            EnrichedBy = enriched.Count == 0 ? null : enriched,
            Live = live,
            Segments = cards,
            ContentHash = HashOf(encoding, cards),
        };
        JsonFiles.Write(Path.Combine(folder, KnowledgeBaseManifest.FileName), manifest);
        RemoveUnnamed(manifest);
        return manifest;
    }

    private static string HashOf(TextEncoding encoding, List<SegmentCard> cards)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Add($"{KnowledgeBaseManifest.CurrentFormat}\n{encoding.Encoder}\n{encoding.Dimension}\n{encoding.EntityText}");
        foreach (var card in cards) Add(card.ContentHash);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Puts one segment in place of those that <see cref="Compaction"/> names; returns how many entities live.</summary>
    private int Merge(List<SegmentCard> cards, int dimension)
    {
        var segments = new List<KnowledgeBaseSegment>();
        try
        {
            foreach (var card in cards)
                segments.Add(new KnowledgeBaseSegment(KnowledgeBase.FolderOf(folder, card.Name), card, dimension));
            Liveness.Mark(segments);
            var first = Compaction.First(segments);
            if (first < segments.Count)
            {
                var merged = Compaction.Merged(segments, first);
                var next = NextFolder(cards);
                cards.RemoveRange(first, cards.Count - first);
                if (merged.Entities.Count + merged.Removed.Count > 0) cards.Add(SegmentWriter.Write(next, dimension, merged));
            }

            return segments.Sum(segment => segment.Live.Count(live => live));
        }
        finally
        {
            foreach (var segment in segments) segment.Dispose();
        }
    }

    // --- the folder ---

    /// <summary>A number that no segment has had.</summary>
    private string NextFolder(List<SegmentCard> cards)
    {
        var last = cards.Count == 0 ? 0 : cards.Max(card => int.Parse(card.Name, CultureInfo.InvariantCulture));
        return KnowledgeBase.FolderOf(folder, (last + 1).ToString("000000", CultureInfo.InvariantCulture));
    }

    private static void RequireFree(string folder)
    {
        if (File.Exists(folder))
            throw new UserErrorException(UserError.NewUsageWrong($"{folder} is a file", "Name a folder with --out."));
        if (!Directory.Exists(folder)) return;
        if (KnowledgeBaseManifest.IsIn(folder)) throw Taken(folder);
        string[] own = [LockFile, Scratch, TextVectors.JournalFile, KnowledgeBase.SegmentsFolder, KnowledgeBase.ImagesFolder];
        var foreign = Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName)
            .FirstOrDefault(name => !own.Contains(name) && !name!.StartsWith($".{KnowledgeBaseManifest.FileName}", StringComparison.Ordinal));
        if (foreign is not null)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder} holds {foreign}, which is no knowledge base's", "Name a new folder with --out."));
    }

    private static UserErrorException Taken(string folder) => new(UserError.NewUsageWrong(
        $"{folder} is a knowledge base already", "Add to it with `dwe kb add`, or name another folder."));

    private static KnowledgeBaseWriter Take(string folder, int rowsAtOnce)
    {
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder} is being written by another process", "Wait for it, or end it: what it has written stays whole."));
        }

        try
        {
            return new KnowledgeBaseWriter(folder, held, rowsAtOnce);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Removes segments that the manifest does not name: of killed writers, or merged into another. Whoever has one
    /// open keeps its mapped files; where a system does not let them go, the next writer removes them.</summary>
    private void RemoveUnnamed(KnowledgeBaseManifest? manifest)
    {
        var segments = Path.Combine(folder, KnowledgeBase.SegmentsFolder);
        var named = manifest?.Segments.Select(card => card.Name).ToHashSet() ?? [];
        string[] entries = Directory.Exists(segments) ? Directory.GetFileSystemEntries(segments) : [];
        foreach (var entry in entries.Where(entry => !named.Contains(Path.GetFileName(entry))))
        {
            try
            {
                if (Directory.Exists(entry)) Directory.Delete(entry, recursive: true);
                else File.Delete(entry);
            }
            catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
            {
            }
        }

        Leftovers.Clean(Path.GetFullPath(Path.Combine(folder, KnowledgeBaseManifest.FileName)));
    }

    // --- what is added ---

    private sealed record Chunk(IReadOnlyList<Entity> Entities, Action<string> Report);

    private IEnumerable<Chunk> Chunks(IEntityFeed feed, Action<long, long, string> progress, CancellationToken stop)
    {
        var (position, length) = (0L, 0L);
        void Move(long done, long total)
        {
            (position, length) = (done, total);
            progress(done, total, "");
        }

        foreach (var entities in feed.Read(Move, ScratchFolder, stop).Chunk(rowsAtOnce))
        {
            stop.ThrowIfCancellationRequested();
            yield return new Chunk(entities, what => progress(position, length, what));
        }
    }

    /// <summary>Entities on their way into segments.</summary>
    private sealed class Addition(KnowledgeBase? former, EntityTemplate template, TextVectors vectors)
    {
        private readonly HashSet<string> written = [];
        private long added;
        private long changed;
        private long same;
        private long withoutText;

        /// <summary>What a segment is made of; null where nothing is new.</summary>
        public SegmentContent? Take(IReadOnlyList<Entity> entities, Action<long, long> progress, CancellationToken stop)
        {
            var last = new Dictionary<string, int>();
            for (var at = 0; at < entities.Count; at++) last[entities[at].Id] = at;
            Entity[] fresh = [.. entities.Where((entity, at) => last[entity.Id] == at && IsFresh(entity))];
            if (fresh.Length == 0) return null;

            var keys = vectors.Require([.. fresh.Select(entity => template.Fill(entity).Texts)], progress, stop);
            withoutText += keys.Count(own => own.Length == 0);
            return new SegmentContent
            {
                Entities = fresh,
                KeyOf = row => TextMean.KeyOf(keys[row]),
                Fill = (row, target) => vectors.Fill(keys[row], target),
            };
        }

        public Written Outcome(KnowledgeBaseManifest manifest) =>
            new(manifest, added, changed, same, Encoded: vectors.Encoded, WithoutText: withoutText);

        private bool IsFresh(Entity entity)
        {
            if (former is null)
            {
                added++;
                return true;
            }

            // What this writer has written already overrules what was there before it.
            if (!written.Add(entity.Id)) return true;
            if (former.Find(entity.Id) is not var (segment, row))
            {
                added++;
                return true;
            }

            if (segment.File!.Line(row).AsSpan().SequenceEqual(EntityFile.ToLine(entity)))
            {
                // Not written: a later one of the same id is to be compared with what is there.
                written.Remove(entity.Id);
                same++;
                return false;
            }

            changed++;
            return true;
        }
    }
}
