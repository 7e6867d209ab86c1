using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Features;
using Dwe.Host.Index;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>What a segment is to hold.</summary>
internal sealed record SegmentContent
{
    /// <summary>Every id once.</summary>
    public required IReadOnlyList<Entity> Entities { get; init; }

    /// <summary>By row: what its text's vector is computed from; default where there is no text.</summary>
    public required Func<int, ContentKey> KeyOf { get; init; }

    /// <summary>Puts the vector of a row into a target; not asked for rows without a text.</summary>
    public required FillVector Fill { get; init; }

    /// <summary>Ids that earlier segments have and that are no more.</summary>
    public IReadOnlyList<string> Removed { get; init; } = [];

    public delegate void FillVector(int row, Span<float> target);

    /// <summary>Nothing but removals.</summary>
    public static SegmentContent Removal(IReadOnlyList<string> ids) => new()
    {
        Entities = [],
        KeyOf = _ => default,
        Fill = (_, _) => { },
        Removed = ids,
    };
}

/// <summary>Writes a segment's folder, atomically.</summary>
internal static class SegmentWriter
{
    private const int RowsAtOnce = 4096;

    /// <summary>Writes and returns what the manifest is to say of it.</summary>
    public static SegmentCard Write(string folder, int dimension, SegmentContent content)
    {
        using var target = new AtomicFolder(folder);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (content.Entities.Count > 0)
        {
            EntityFile.Write(target.Path, content.Entities);
            HashLines(target.Path, hash);
            WriteVectors(Path.Combine(target.Path, KnowledgeBaseSegment.TextFile), dimension, content, hash);
        }

        if (content.Removed.Count > 0)
        {
            JsonFiles.Write(Path.Combine(target.Path, KnowledgeBaseSegment.RemovedFile), content.Removed.ToArray());
            foreach (var id in content.Removed) hash.AppendData(Encoding.UTF8.GetBytes($"- {id}\n"));
        }

        target.Commit();
        return new SegmentCard
        {
            Name = Path.GetFileName(folder),
            Rows = content.Entities.Count,
            Removed = content.Removed.Count,
            ContentHash = Convert.ToHexStringLower(hash.GetHashAndReset()),
        };
    }

    private static void HashLines(string folder, IncrementalHash hash)
    {
        using var lines = EntityFile.OpenLines(folder);
        var buffer = new byte[1 << 20];
        for (var count = lines.Read(buffer); count > 0; count = lines.Read(buffer)) hash.AppendData(buffer, 0, count);
    }

    private static void WriteVectors(string path, int dimension, SegmentContent content, IncrementalHash hash)
    {
        var rows = content.Entities.Count;
        SafetensorsWriter.WriteFile(
            path,
            [
                new TensorSpec(KnowledgeBaseSegment.KeysName, Dtype.I64, [rows, 2]),
                new TensorSpec(KnowledgeBaseSegment.TextName, Dtype.F32, [rows, dimension]),
            ],
            null,
            writer =>
            {
                AppendKeys(writer, rows, content, hash);
                AppendVectors(writer, rows, dimension, content, hash);
            });
    }

    private static void AppendKeys(SafetensorsWriter writer, int rows, SegmentContent content, IncrementalHash hash)
    {
        var keys = new long[2 * RowsAtOnce];
        for (var first = 0; first < rows; first += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, rows - first);
            for (var at = 0; at < count; at++)
                (keys[2 * at], keys[2 * at + 1]) = (content.KeyOf(first + at).High, content.KeyOf(first + at).Low);
            Append(writer, KnowledgeBaseSegment.KeysName, keys.AsSpan(0, 2 * count), hash);
        }
    }

    private static void AppendVectors(
        SafetensorsWriter writer, int rows, int dimension, SegmentContent content, IncrementalHash hash)
    {
        var vectors = new float[RowsAtOnce * dimension];
        for (var first = 0; first < rows; first += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, rows - first);
            for (var at = 0; at < count; at++)
            {
                var vector = vectors.AsSpan(at * dimension, dimension);
                if (content.KeyOf(first + at) == default) vector.Clear();
                else content.Fill(first + at, vector);
            }

            Append(writer, KnowledgeBaseSegment.TextName, vectors.AsSpan(0, count * dimension), hash);
        }
    }

    private static void Append<T>(SafetensorsWriter writer, string name, ReadOnlySpan<T> values, IncrementalHash hash)
        where T : unmanaged
    {
        writer.Append(name, values);
        hash.AppendData(MemoryMarshal.AsBytes(values));
    }
}
