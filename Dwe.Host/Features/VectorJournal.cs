using System.Buffers.Binary;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using Dwe.Host.Storage;
using Dwe.Model.Domain;
using Microsoft.Win32.SafeHandles;

namespace Dwe.Host.Features;

/// <summary>
/// Vectors as they are computed, so that a job that is killed loses seconds: an append-only file of records (key 16 bytes,
/// dimension 4, vector, CRC-32C 4; little-endian). Opening keeps the sound records and cuts off what follows them. One
/// process at a time holds it, which is also what keeps two jobs out of one store.
/// </summary>
internal sealed class VectorJournal : IDisposable
{
    private const int KeyBytes = 20;
    private const int ChecksumBytes = 4;
    private const int MaximumDimension = 1 << 20;
    private static readonly byte[] Magic = "DWEJRNL1"u8.ToArray();
    private static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(3);

    private readonly FileStream held;
    private readonly Dictionary<ContentKey, (long Offset, int Dimension)> records = [];
    private readonly Stopwatch sinceFlush = Stopwatch.StartNew();
    private long end;

    private VectorJournal(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    /// <summary>The journal's file.</summary>
    public string Path { get; }

    /// <summary>Sound records.</summary>
    public int Count => records.Count;

    private SafeFileHandle Handle => held.SafeFileHandle;

    /// <summary>Opens or starts the journal. Throws UsageWrong while another process has it.</summary>
    public static VectorJournal Open(string path)
    {
        FileStream held;
        try
        {
            held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{path} is in use: another job is writing this store", "Wait for it, or name another --out."));
        }
        var journal = new VectorJournal(path, held);
        try
        {
            journal.Recover();
            return journal;
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    /// <summary>Whether a vector of this dimension is there.</summary>
    public bool Contains(ContentKey key, int dimension) =>
        records.TryGetValue(key, out var record) && record.Dimension == dimension;

    /// <summary>Copies a vector out. False when it is not there.</summary>
    public bool TryRead(ContentKey key, Span<float> vector)
    {
        if (!Contains(key, vector.Length)) return false;
        ReadExactly(MemoryMarshal.AsBytes(vector), records[key].Offset);
        return true;
    }

    /// <summary>Appends vectors, row-major [keys.Count; dimension], in one write; on disk within seconds.</summary>
    public void Append(IReadOnlyList<ContentKey> keys, ReadOnlySpan<float> vectors, int dimension)
    {
        var vectorBytes = dimension * sizeof(float);
        var size = KeyBytes + vectorBytes + ChecksumBytes;
        var bytes = new byte[checked(keys.Count * size)];
        for (var row = 0; row < keys.Count; row++)
        {
            var record = bytes.AsSpan(row * size, size);
            BinaryPrimitives.WriteInt64LittleEndian(record, keys[row].High);
            BinaryPrimitives.WriteInt64LittleEndian(record[8..], keys[row].Low);
            BinaryPrimitives.WriteInt32LittleEndian(record[16..], dimension);
            MemoryMarshal.AsBytes(vectors.Slice(row * dimension, dimension)).CopyTo(record[KeyBytes..]);
            BinaryPrimitives.WriteUInt32LittleEndian(record[^ChecksumBytes..], Checksum(record[..^ChecksumBytes]));
        }
        RandomAccess.Write(Handle, bytes, end);
        for (var row = 0; row < keys.Count; row++) records[keys[row]] = (end + (long)row * size + KeyBytes, dimension);
        end += bytes.Length;
        if (sinceFlush.Elapsed >= FlushInterval) Flush();
    }

    /// <summary>Puts everything appended on the disk.</summary>
    public void Flush()
    {
        RandomAccess.FlushToDisk(Handle);
        sinceFlush.Restart();
    }

    /// <summary>Removes the file: its vectors are in the store's tables.</summary>
    public void Delete()
    {
        File.Delete(Path);
        if (System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) is { } folder) Directories.Flush(folder);
    }

    /// <inheritdoc/>
    public void Dispose() => held.Dispose();

    private void Recover()
    {
        var length = RandomAccess.GetLength(Handle);
        Span<byte> magic = stackalloc byte[Magic.Length];
        if (length >= Magic.Length) ReadExactly(magic, 0);
        if (!magic.SequenceEqual(Magic))
        {
            // A journal is only ever shorter work: one that cannot be read is started again.
            RandomAccess.SetLength(Handle, 0);
            RandomAccess.Write(Handle, Magic, 0);
            end = Magic.Length;
            return;
        }
        end = Magic.Length;
        var head = new byte[KeyBytes];
        while (end + KeyBytes + ChecksumBytes <= length)
        {
            ReadExactly(head, end);
            var dimension = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(16));
            if (dimension is < 1 or > MaximumDimension) break;
            var size = KeyBytes + dimension * sizeof(float) + ChecksumBytes;
            if (end + size > length) break;
            var record = new byte[size];
            ReadExactly(record, end);
            if (BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(size - ChecksumBytes))
                != Checksum(record.AsSpan(0, size - ChecksumBytes))) break;
            var key = new ContentKey(
                BinaryPrimitives.ReadInt64LittleEndian(record), BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(8)));
            records[key] = (end + KeyBytes, dimension);
            end += size;
        }
        RandomAccess.SetLength(Handle, end);
    }

    private void ReadExactly(Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            var read = RandomAccess.Read(Handle, target, offset);
            if (read == 0) throw new EndOfStreamException($"{Path} ends at byte {offset}");
            target = target[read..];
            offset += read;
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var checksum = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes)) checksum = BitOperations.Crc32C(checksum, word);
        foreach (var value in bytes[(bytes.Length / 8 * 8)..]) checksum = BitOperations.Crc32C(checksum, value);
        return ~checksum;
    }
}
