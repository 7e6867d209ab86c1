using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Import.Pickle;

/// <summary>
/// A file of <c>torch.save</c> or <c>torch.jit.save</c>, read as data: a zip archive with a pickle and one entry per storage, or
/// the stream that PyTorch before 1.6 wrote. Its objects are read when it is opened, a tensor's elements when they are asked
/// for. See <see cref="PickleReader"/> for what is refused.
/// </summary>
internal sealed class TorchFile : IDisposable
{
    private static readonly BigInteger LegacyMagic = BigInteger.Parse("119547037146038801333356");
    private const long LegacyProtocol = 1001;
    private const int MaximumPickle = 1 << 28;
    private const int MaximumNesting = 64;

    private readonly IDisposable bytes;

    private TorchFile(string path, object? root, IDisposable bytes)
    {
        Path = path;
        Root = root;
        this.bytes = bytes;
    }

    /// <summary>The file's path, as it was named.</summary>
    public string Path { get; }

    /// <summary>
    /// The pickled value: null, bool, long, double, string, byte[], <see cref="PickleList"/>, <see cref="PickleTuple"/>,
    /// <see cref="PickleDict"/>, <see cref="PickleObject"/>, <see cref="TorchTensor"/>.
    /// </summary>
    public object? Root { get; }

    /// <summary>Opens a file and reads its objects.</summary>
    /// <param name="path">The file.</param>
    /// <param name="objects">The classes that it may hold.</param>
    /// <param name="record">
    /// Which pickle of an archive: <c>data</c>, or a TorchScript archive's <c>constants</c>. Its storages lie in the folder of
    /// the same name.
    /// </param>
    /// <exception cref="UserErrorException">FileMissing; FileBroken naming the place, and the class where one is refused.</exception>
    public static TorchFile Open(string path, TorchObjects objects, string record = "data")
    {
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(path, "a file of torch.save", "Check the path."));
        Span<byte> start = stackalloc byte[2];
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1))
        {
            if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length)
                throw Broken(path, "file", "no content", "a file of torch.save");
        }
        return start.SequenceEqual("PK"u8) ? OpenArchive(path, objects, record) : OpenStream(path, objects);
    }

    /// <summary>
    /// Every tensor that can be reached from the root, with its path of attributes, keys and places, e.g.
    /// <c>visual.conv1.weight</c>, in the file's order. A container that is reached twice is walked once.
    /// </summary>
    /// <exception cref="UserErrorException">FileBroken for nesting that no module has.</exception>
    public IReadOnlyList<(string Name, TorchTensor Tensor)> Tensors()
    {
        var tensors = new List<(string, TorchTensor)>();
        var walked = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var waiting = new Stack<(string Name, int Depth, object? Value)>();
        waiting.Push(("", 0, Root));
        while (waiting.TryPop(out var at))
        {
            if (at.Value is TorchTensor tensor) tensors.Add((at.Name, tensor));
            if (at.Value is null || Children(at.Value) is not { Count: > 0 } children || !walked.Add(at.Value)) continue;
            if (at.Depth == MaximumNesting) throw Broken(Path, at.Name, "deeper nesting", $"at most {MaximumNesting} levels");
            for (var i = children.Count - 1; i >= 0; i--)
            {
                var name = at.Name.Length == 0 ? children[i].Name : $"{at.Name}.{children[i].Name}";
                waiting.Push((name, at.Depth + 1, children[i].Value));
            }
        }
        return tensors;
    }

    /// <inheritdoc/>
    public void Dispose() => bytes.Dispose();

    private static IReadOnlyList<(string Name, object? Value)>? Children(object value) => value switch
    {
        PickleObject bag => Entries(bag.Attributes),
        PickleDict dict => Entries(dict),
        PickleList list => [.. list.Items.Select((item, place) => ($"{place}", item))],
        PickleTuple tuple => [.. tuple.Items.Select((item, place) => ($"{place}", item))],
        _ => null,
    };

    private static IReadOnlyList<(string Name, object? Value)> Entries(PickleDict dict) =>
        [.. dict.Entries.Select(entry => (entry.Key as string ?? "?", entry.Value))];

    private static UserErrorException Broken(string path, string place, string found, string expected) =>
        SafetensorsHeader.Broken(path, place, found, expected);

    // --- archives ---

    private static TorchFile OpenArchive(string path, TorchObjects objects, string record)
    {
        var archive = new ArchiveBytes(path, record);
        try
        {
            var pickle = archive.Entry($"{record}.pkl", MaximumPickle);
            var reader = new PickleReader(path, $"{record}.pkl", new TorchWorld(objects, archive));
            return new TorchFile(path, reader.Read(pickle, out _), archive);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The storages of an archive. PyTorch never compresses what is read here, so nothing compressed is read: no entry can be
    /// larger than the file.
    /// </summary>
    private sealed class ArchiveBytes : ITorchBytes, IDisposable
    {
        private const long CachedBytes = 1 << 26;

        private readonly string path;
        private readonly string folder;
        private readonly FileStream file;
        private readonly ZipArchive zip;
        private readonly Dictionary<string, ZipArchiveEntry> entries = [];
        private readonly string root;
        private readonly Dictionary<string, byte[]> cached = [];
        private long cachedBytes;

        public ArchiveBytes(string path, string record)
        {
            this.path = path;
            folder = record;
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            try
            {
                zip = Guarded("archive", () => new ZipArchive(file, ZipArchiveMode.Read));
                foreach (var entry in Guarded("directory", () => zip.Entries))
                {
                    if (!entries.TryAdd(entry.FullName, entry))
                        throw Broken(path, $"entry '{entry.FullName}'", "the name twice", "every name once");
                }
                var roots = entries.Keys.Where(name => name.EndsWith("/data.pkl", StringComparison.Ordinal)).ToArray();
                root = roots is [var only]
                    ? only[..^"data.pkl".Length]
                    : throw Broken(path, "archive", $"{roots.Length} entries FOLDER/data.pkl", "one, as torch.save writes it");
                if (entries.ContainsKey(root + "byteorder") && !Entry("byteorder", 16).AsSpan().SequenceEqual("little"u8))
                    throw Broken(path, "byteorder", "another than little-endian", "little");
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public bool Declare(string key, Dtype dtype, long count) => true;

        public ReadOnlyMemory<byte> Read(string key, long length)
        {
            if (cached.TryGetValue(key, out var known) && known.LongLength == length) return known;
            var name = $"{folder}/{key}";
            var bytes = Entry(name, Math.Min(length, Array.MaxLength));
            if (bytes.LongLength != length)
                throw Broken(path, $"entry '{root}{name}'", $"{bytes.LongLength} bytes", $"{length} for its storage");
            // Views of one storage come one after the other; a whole cache of features must not stay in memory.
            if (cachedBytes + length > CachedBytes)
            {
                cached.Clear();
                cachedBytes = 0;
            }
            cached[key] = bytes;
            cachedBytes += length;
            return bytes;
        }

        public byte[] Entry(string name, long most)
        {
            var place = $"entry '{root}{name}'";
            if (!entries.TryGetValue(root + name, out var entry)) throw Broken(path, place, "no such entry", "it");
            if (entry.CompressedLength != entry.Length)
                throw Broken(path, place, "compressed data", "stored data, as PyTorch writes it");
            if (entry.Length > Math.Min(most, file.Length))
                throw Broken(path, place, $"{entry.Length} bytes", $"at most {Math.Min(most, file.Length)}");
            return Guarded(place, () =>
            {
                var bytes = new byte[entry.Length];
                using var stream = entry.Open();
                stream.ReadExactly(bytes);
                return stream.ReadByte() < 0 ? bytes : throw new InvalidDataException("more data than its directory says");
            });
        }

        public void Dispose()
        {
            zip?.Dispose();
            file.Dispose();
        }

        /// <summary>What System.IO.Compression raises for archives that are none.</summary>
        private T Guarded<T>(string place, Func<T> read)
        {
            try
            {
                return read();
            }
            catch (Exception problem) when (problem
                is InvalidDataException or IOException or NotSupportedException or ArgumentException or OverflowException)
            {
                throw Broken(path, place, problem.Message.ReplaceLineEndings(" ").TrimEnd('.'), "a sound zip archive");
            }
        }
    }

    // --- the stream of PyTorch before 1.6 ---

    /// <summary>
    /// Pickles of a magic number, a version, the writer's machine, the objects and the storages' keys; then for each key an
    /// int64 count of elements and the elements.
    /// </summary>
    private static TorchFile OpenStream(string path, TorchObjects objects)
    {
        var file = new MappedFile(path);
        try
        {
            var storages = new StreamBytes(path, file);
            var world = new TorchWorld(objects, storages);
            var position = 0L;
            object? Next(string place)
            {
                var bytes = file.Span(position, (int)Math.Min(file.Length - position, MaximumPickle));
                var value = new PickleReader(path, place, world).Read(bytes, out var length);
                position += length;
                return value;
            }

            if (file.Span(0, 1)[0] != 0x80)
                throw Broken(path, "first byte", $"0x{file.Span(0, 1)[0]:x2}", "a file of torch.save: a zip archive or a pickle");
            if (Next("magic number") is not BigInteger magic || magic != LegacyMagic)
                throw Broken(path, "magic number", "another one", "that of torch.save");
            if (Next("protocol version") is not LegacyProtocol)
                throw Broken(path, "protocol version", "another one", $"{LegacyProtocol}");
            if (Next("system information") is not PickleDict machine
                || (machine.TryGet("little_endian", out var little) && little is not true))
                throw Broken(path, "system information", "none, or of a big-endian machine", "a little-endian machine");
            var root = Next("objects");
            if (Next("storage keys") is not PickleList keys || keys.Items.Any(key => key is not string))
                throw Broken(path, "storage keys", "no list of texts", "the storages' keys");
            storages.Find(keys.Items.Cast<string>(), position);
            return new TorchFile(path, root, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private sealed class StreamBytes(string path, MappedFile file) : ITorchBytes
    {
        private readonly Dictionary<string, (Dtype Dtype, long Count)> declared = [];
        private readonly Dictionary<string, (long Position, long Length)> places = [];

        public bool Declare(string key, Dtype dtype, long count) =>
            declared.TryAdd(key, (dtype, count)) || declared[key] == (dtype, count);

        /// <summary>Finds every storage, from the first one's position on.</summary>
        public void Find(IEnumerable<string> keys, long position)
        {
            foreach (var key in keys)
            {
                var place = $"storage '{key}'";
                if (!declared.TryGetValue(key, out var storage)) throw Broken(path, place, "one that no tensor has", "those of tensors");
                if (file.Length - position < sizeof(long)) throw Broken(path, place, "the end of the file", "its size");
                var count = BinaryPrimitives.ReadInt64LittleEndian(file.Span(position, sizeof(long)));
                position += sizeof(long);
                if (count != storage.Count) throw Broken(path, place, $"{count} elements", $"{storage.Count} as its tensors say");
                var length = count * storage.Dtype.Size();
                if (length > file.Length - position)
                    throw Broken(path, place, $"{file.Length - position} bytes", $"{length}");
                if (!places.TryAdd(key, (position, length))) throw Broken(path, place, "it twice", "it once");
                position += length;
            }
            if (position != file.Length) throw Broken(path, "end", $"{file.Length - position} more bytes", "the end of the file");
        }

        public ReadOnlyMemory<byte> Read(string key, long length) =>
            places.TryGetValue(key, out var place) && place.Length == length && length <= int.MaxValue
                ? file.View<byte>(place.Position, (int)length)
                : throw Broken(path, $"storage '{key}'", "no data of its size", $"{length} bytes, at most {int.MaxValue}");
    }
}
