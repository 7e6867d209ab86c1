using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Import;

/// <summary>
/// The HDF5 that h5py writes unless it is told otherwise: superblock 0, one group of names, a data set in one piece. Read here,
/// since the library makes arrays of any length that a damaged header states; here every address and length is checked first.
/// Layouts that are sound and other (chunks, filters, newer superblocks) are left to the library.
/// </summary>
/// <remarks>HDF5 File Format Specification 3.0, sections II.A, III.A.1, III.B to D, IV.A.1.a and IV.A.2.</remarks>
internal sealed class PlainHdf5(string path, MappedFile file)
{
    // A group of features has a handful of names, a data set a handful of messages; a damaged count may say anything.
    private const int MaximumBlocks = 64;
    private const int MaximumBlockBytes = 1 << 16;
    private const int MaximumNames = 1 << 12;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'H', (byte)'D', (byte)'F', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n'];

    /// <summary>A matrix of float32, or null where the file is of another layout.</summary>
    /// <exception cref="UserErrorException">FileBroken for what is damaged, or holds another type or shape.</exception>
    public static (float[] Values, int Rows, int Dim)? Read(string path, string dataset)
    {
        if (new FileInfo(path).Length == 0) throw SafetensorsHeader.Broken(path, "file", "no content", "an HDF5 file");
        using var file = new MappedFile(path);
        return new PlainHdf5(path, file).Read(dataset);
    }

    private (float[] Values, int Rows, int Dim)? Read(string dataset)
    {
        if (file.Length < 96) throw Broken("file", $"{file.Length} bytes", "an HDF5 file");
        var start = At(0, 96, "superblock");
        if (!start[..8].SequenceEqual(Signature)) throw Broken("signature", "another one", "that of HDF5");
        if (start[8] != 0) return null;
        if (start[13] != 8 || start[14] != 8) throw Broken("superblock", "addresses of another size", "8 bytes");
        if (Find(Number(start[64..]), dataset) is not { } header) return null;

        (long Rows, long Dim)? size = null;
        (long Address, long Length)? data = null;
        var isSingle = false;
        foreach (var (type, at, length) in Messages(header))
        {
            var message = At(at, length, "message");
            switch (type)
            {
                case 0x01:
                    var (rank, first) = (length > 8 ? message[1] : (byte)0, message.Length > 0 && message[0] == 2 ? 4 : 8);
                    if (rank != 2 || length < first + 16)
                        throw Broken($"data set '{dataset}'", $"{rank} dimensions", "two dimensions, rows and values");
                    size = (Number(message[first..]), Number(message[(first + 8)..]));
                    break;
                case 0x03:
                    isSingle = length >= 20 && (message[0] & 15) == 1 && (message[1] & 1) == 0
                        && message[4..20].SequenceEqual((ReadOnlySpan<byte>)[4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]);
                    if (!isSingle) throw Broken($"data set '{dataset}'", "elements of another type", "little-endian float32");
                    break;
                case 0x08:
                    if (length < 2 || message[0] != 3 || message[1] > 2) throw Broken("layout", "a version or class unknown", "version 3");
                    if (message[1] != 1) return null;
                    if (length < 18) throw Broken("layout", $"{length} bytes", "18");
                    data = (Number(message[2..]), Number(message[10..]));
                    break;
                case 0x0b:
                    return null;
            }
        }
        if (size is not var (rows, dim) || data is not var (address, bytes) || !isSingle)
            throw Broken($"data set '{dataset}'", "no size, type or place", "all three");
        if (dim < 1 || rows < 0 || (Int128)rows * dim * sizeof(float) > file.Length)
            throw Broken($"data set '{dataset}'", $"[{rows}, {dim}]", $"at most {file.Length / sizeof(float)} values in a file of this size");
        if (bytes != rows * dim * sizeof(float)) throw Broken("layout", $"{bytes} bytes", $"{rows * dim * sizeof(float)}");
        if (bytes > Array.MaxLength) throw Broken($"data set '{dataset}'", $"{bytes} bytes", $"at most {Array.MaxLength}");
        return (MemoryMarshal.Cast<byte, float>(At(address, bytes, "data")).ToArray(), (int)rows, (int)dim);
    }

    /// <summary>The object header of a name in the root group; null where the group is kept in another way.</summary>
    private long? Find(long root, string name)
    {
        (long Tree, long Heap)? group = null;
        foreach (var (type, at, length) in Messages(root))
        {
            if (type == 0x11) group = (Number(At(at, 16, "group")), Number(At(at + 8, 8, "group")));
        }
        if (group is not var (tree, heap)) return null;
        var names = At(heap, 32, "heap");
        if (!names[..4].SequenceEqual("HEAP"u8)) throw Broken("heap", "another signature", "HEAP");
        var (namesLength, namesAt) = (Number(names[8..]), Number(names[24..]));

        var node = At(tree, 24, "names' tree");
        if (!node[..4].SequenceEqual("TREE"u8) || node[4] != 0) throw Broken("names' tree", "another signature", "TREE of a group");
        if (node[5] != 0) return null;
        var children = BinaryPrimitives.ReadUInt16LittleEndian(node[6..]);
        var seen = 0;
        for (var child = 0; child < children; child++)
        {
            var symbols = Number(At(tree + 24 + 8 + child * 16, 8, "names' tree"));
            var table = At(symbols, 8, "names");
            if (!table[..4].SequenceEqual("SNOD"u8)) throw Broken("names", "another signature", "SNOD");
            var count = BinaryPrimitives.ReadUInt16LittleEndian(table[6..]);
            if (count == 0) seen++;
            for (var entry = 0; entry < count; entry++)
            {
                if (++seen > MaximumNames) throw Broken("names", "too many", $"at most {MaximumNames}");
                var symbol = At(symbols + 8 + entry * 40, 40, "names");
                var offset = Number(symbol);
                if (offset < 0 || offset >= namesLength) throw Broken("names", $"a name at {offset}", $"a place within the heap's {namesLength} bytes");
                var text = At(namesAt + offset, Math.Min(namesLength - offset, 256), "heap");
                var end = text.IndexOf((byte)0);
                if (end >= 0 && Encoding.UTF8.GetString(text[..end]) == name) return Number(symbol[8..]);
            }
        }
        throw Broken("names", $"no '{name}'", "a data set of that name");
    }

    /// <summary>Type, place and length of an object header's messages, those of its continuations too.</summary>
    private List<(int Type, long At, int Length)> Messages(long header)
    {
        var messages = new List<(int, long, int)>();
        var start = At(header, 16, "object header");
        if (start[0] != 1) throw Broken("object header", $"version {start[0]}", "version 1");
        var blocks = new Queue<(long At, long Length)>();
        blocks.Enqueue((header + 16, BinaryPrimitives.ReadUInt32LittleEndian(start[8..])));
        for (var block = 0; blocks.TryDequeue(out var within); block++)
        {
            if (block == MaximumBlocks) throw Broken("object header", "too many pieces", $"at most {MaximumBlocks}");
            if (within.Length > MaximumBlockBytes) throw Broken("object header", $"{within.Length} bytes", $"at most {MaximumBlockBytes}");
            var bytes = At(within.At, within.Length, "object header");
            for (var at = 0; at + 8 <= bytes.Length;)
            {
                var type = BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
                var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(at + 2)..]);
                at += 8;
                if (length > bytes.Length - at) throw Broken("object header", $"a message of {length} bytes", $"at most {bytes.Length - at}");
                if (type == 0x10 && length >= 16) blocks.Enqueue((Number(bytes[at..]), Number(bytes[(at + 8)..])));
                else messages.Add((type, within.At + at, length));
                at += length;
            }
        }
        return messages;
    }

    /// <summary>An address or length; one above 2^63 (also the mark for none) is refused where it is used.</summary>
    private static long Number(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes);

    private ReadOnlySpan<byte> At(long offset, long length, string what) =>
        offset >= 0 && length >= 0 && length <= int.MaxValue && offset <= file.Length - length
            ? file.Span(offset, (int)length)
            : throw Broken(what, $"bytes {offset} to {(Int128)offset + length}", $"bytes within the file's {file.Length}");

    private UserErrorException Broken(string place, string found, string expected) =>
        SafetensorsHeader.Broken(path, place, found, expected);
}
