using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Domain;
using Dwe.Model.Linking;

namespace Dwe.Host.Index;

/// <summary>
/// Builds an index, or brings one up to date: a generation is written beside the current one, takes the segments that have not
/// changed by a second name, and becomes current when the manifest names it. Killed at any moment, it leaves the former.
/// </summary>
internal sealed class IndexBuilder(string folder, IEntitySource source, IEntityProjection projection, Dtype dtype)
{
    private const string LockFile = ".writer.lock";

    /// <summary>What a build came to.</summary>
    /// <param name="Manifest">The current one.</param>
    /// <param name="Written">Rows that were projected and written.</param>
    /// <param name="Taken">Rows of segments that were there.</param>
    /// <param name="Changed">False where the index was up to date.</param>
    public sealed record Outcome(IndexManifest Manifest, int Written, int Taken, bool Changed);

    /// <summary>Builds and removes former generations.</summary>
    /// <param name="progress">Steps done, of how many: two a row that is written.</param>
    /// <param name="stop">Ends the build; the former index stays.</param>
    /// <exception cref="UserErrorException">
    /// UsageWrong while another writer is at work or for a folder that is no index; ValueInvalid for an id that lives twice or a
    /// vector that is not finite.
    /// </exception>
    public Outcome Build(Action<long, long> progress, CancellationToken stop = default)
    {
        RequireOwnFolder();
        Directory.CreateDirectory(folder);
        using var writer = TakeLock();
        var former = File.Exists(Path.Combine(folder, IndexManifest.FileName)) ? IndexManifest.Read(folder) : null;
        RequireUniqueIds();
        var version = VersionOf();
        if (former?.Version == version)
        {
            RemoveOthers(former.Generation);
            return new Outcome(former, 0, former.Segments.Sum(segment => segment.Rows), Changed: false);
        }

        var known = former is not null && Fits(former)
            ? former.Segments.DistinctBy(segment => segment.SourceHash).ToDictionary(segment => segment.SourceHash)
            : [];
        var fresh = source.Segments.Where(segment => !known.ContainsKey(segment.ContentHash)).Sum(segment => segment.Entities.Count);
        var steps = new Steps(2L * fresh, progress);
        var number = (former?.Generation ?? 0) + 1;
        var cards = new List<IndexedSegment>();
        using (var target = new AtomicFolder(Path.Combine(folder, IndexManifest.FolderOf(number))))
        {
            for (var at = 0; at < source.Segments.Count; at++)
            {
                var name = (at + 1).ToString("000000", CultureInfo.InvariantCulture);
                var into = Path.Combine(target.Path, name);
                Directory.CreateDirectory(into);
                if (known.TryGetValue(source.Segments[at].ContentHash, out var there))
                    Take(Path.Combine(folder, IndexManifest.FolderOf(former!.Generation), there.Folder), into);
                else WriteSegment(source.Segments[at], into, steps, stop);
                cards.Add(Card(name, source.Segments[at]));
            }

            WriteLive(Path.Combine(target.Path, SegmentIndex.LiveFile), cards);
            stop.ThrowIfCancellationRequested();
            target.Commit();
        }

        var manifest = ManifestOf(number, version, cards);
        JsonFiles.Write(Path.Combine(folder, IndexManifest.FileName), manifest);
        RemoveOthers(number);
        return new Outcome(manifest, fresh, cards.Sum(card => card.Rows) - fresh, Changed: true);
    }

    /// <summary>Writes what was measured on the current generation into its manifest.</summary>
    public static void Record(string folder, IndexManifest manifest, MeasuredRecall recall) =>
        JsonFiles.Write(Path.Combine(folder, IndexManifest.FileName), manifest with { Recall = recall });

    private IndexManifest ManifestOf(int number, string version, List<IndexedSegment> cards) => new()
    {
        Format = IndexManifest.CurrentFormat,
        Generation = number,
        Version = version,
        Dtype = dtype.ToString(),
        Dimension = projection.Dimension,
        Count = cards.Sum(card => card.Live),
        Run = projection.Card,
        Source = source.Card,
        Segments = cards,
    };

    /// <summary>Whether segments of the former index are what would be written now.</summary>
    private bool Fits(IndexManifest former) =>
        former.Dtype == dtype.ToString() && former.Dimension == projection.Dimension
        && former.Run.Checkpoint == projection.Card.Checkpoint && former.Run.Projects == projection.Card.Projects;

    private string VersionOf()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Add(IndexManifest.CurrentFormat);
        Add($"{dtype} {projection.Dimension} {projection.Card.Checkpoint} {projection.Card.Projects}");
        Add($"{source.Card.Encoder}\t{source.Card.EntityText}\t{string.Join('\t', source.Card.FieldNames)}");
        foreach (var segment in source.Segments)
        {
            Add(segment.ContentHash);
            hash.AppendData([.. segment.Live.Select(live => live ? (byte)1 : (byte)0)]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IndexedSegment Card(string name, IEntitySourceSegment segment) => new()
    {
        Folder = name,
        SourceHash = segment.ContentHash,
        Rows = segment.Entities.Count,
        Live = segment.Live.Count(live => live),
    };

    private static void Take(string segment, string into)
    {
        foreach (var file in Directory.EnumerateFiles(segment, "*", SearchOption.AllDirectories))
        {
            var name = Path.Combine(into, Path.GetRelativePath(segment, file));
            Directory.CreateDirectory(Path.GetDirectoryName(name)!);
            Directories.LinkOrCopy(file, name);
        }
    }

    private void WriteSegment(IEntitySourceSegment segment, string into, Steps steps, CancellationToken stop)
    {
        // Names on one core while vectors are projected on the other.
        var names = Task.Run(
            () =>
            {
                EntityFile.Write(into, segment.Entities);
                // The dead too: what is dead in this generation may live in another that takes the segment over.
                LexicalWriter.Write(Path.Combine(into, IndexSegment.LexicalFolder), segment.Entities, () => steps.Done(1, stop));
            },
            CancellationToken.None);
        try
        {
            VectorFile.Write(
                Path.Combine(into, IndexSegment.VectorsFile), dtype, segment.Entities.Count, projection.Dimension,
                Project(segment, steps, stop));
        }
        finally
        {
            names.GetAwaiter().GetResult();
        }
    }

    private IEnumerable<ReadOnlyMemory<float>> Project(IEntitySourceSegment segment, Steps steps, CancellationToken stop)
    {
        for (var first = 0; first < segment.Entities.Count; first += projection.RowsAtOnce)
        {
            var rows = Math.Min(projection.RowsAtOnce, segment.Entities.Count - first);
            var encoded = new float[rows * source.Dimension];
            segment.CopyVectors(first, encoded);
            var projected = projection.Project(encoded, source.Dimension);
            RequireFinite(projected, segment, first);
            Ranks.Normalize(projected, projection.Dimension);
            yield return projected;
            steps.Done(rows, stop);
        }
    }

    private void RequireFinite(float[] rows, IEntitySourceSegment segment, int first)
    {
        for (var at = 0; at < rows.Length; at += projection.Dimension)
        {
            var row = rows.AsSpan(at, projection.Dimension);
            if (!float.IsFinite(Scoring.dot(row, row)))
                throw new UserErrorException(UserError.NewValueInvalid(
                    source.Card.Name, $"the vector of entity '{segment.Entities[first + at / projection.Dimension].Id}'",
                    "not a finite number", "finite numbers; encode the knowledge base again"));
        }
    }

    private void WriteLive(string path, List<IndexedSegment> cards) => SafetensorsWriter.WriteFile(
        path,
        [.. cards.Select(card => new TensorSpec(card.Folder, Dtype.BOOL, [card.Rows]))],
        null,
        writer =>
        {
            for (var at = 0; at < cards.Count; at++) writer.Append<bool>(cards[at].Folder, source.Segments[at].Live.ToArray());
        });

    private void RequireUniqueIds()
    {
        var seen = new HashSet<string>();
        foreach (var segment in source.Segments)
        {
            var (entities, live) = (segment.Entities, segment.Live);
            for (var row = 0; row < entities.Count; row++)
                if (live[row] && !seen.Add(entities[row].Id))
                    throw new UserErrorException(UserError.NewValueInvalid(
                        source.Card.Name, "an id that two living entities have", entities[row].Id, "every id once"));
        }
    }

    private void RequireOwnFolder()
    {
        if (!Directory.Exists(folder) || File.Exists(Path.Combine(folder, IndexManifest.FileName))) return;
        var foreign = Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName)
            .FirstOrDefault(name => name is not null && name != LockFile && !name.StartsWith("gen-", StringComparison.Ordinal)
                && !name.StartsWith(".gen-", StringComparison.Ordinal) && !name.StartsWith($".{IndexManifest.FileName}", StringComparison.Ordinal));
        if (foreign is not null)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder} holds {foreign}, which is no index's", "Name a folder for the index alone."));
    }

    private FileStream TakeLock()
    {
        try
        {
            return new FileStream(Path.Combine(folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder} is being written by another process", "Wait for it, or end it: what it has written stays whole."));
        }
    }

    /// <summary>
    /// Removes generations that are not current. Whoever has one open keeps its mapped files; where a system does not let them
    /// go, the next build removes them.
    /// </summary>
    private void RemoveOthers(int current)
    {
        foreach (var other in Directory.EnumerateFileSystemEntries(folder, "*gen-*").ToArray())
        {
            if (Path.GetFileName(other) == IndexManifest.FolderOf(current)) continue;
            try
            {
                if (Directory.Exists(other)) Directory.Delete(other, recursive: true);
                else File.Delete(other);
            }
            catch (Exception held) when (held is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    /// <summary>Counts what two threads have done.</summary>
    private sealed class Steps(long total, Action<long, long> progress)
    {
        private readonly Lock gate = new();
        private long done;

        public void Done(int more, CancellationToken stop)
        {
            stop.ThrowIfCancellationRequested();
            lock (gate)
            {
                done += more;
                if (more > 1 || done % 256 == 0) progress(done, total);
            }
        }
    }
}
