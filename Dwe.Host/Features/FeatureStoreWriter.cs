using System.Text.Json;
using Dwe.Host.Storage;

namespace Dwe.Host.Features;

/// <summary>Fills one row: the vector's span is zeroed beforehand.</summary>
internal delegate void FillRow(int row, Span<float> vector);

/// <summary>
/// Writes the tables of a feature store. Everything goes to a folder <c>.next</c> inside the store, which gets that name
/// only when it is whole and on the disk; then its tables replace the old ones, the manifest last. A writer that is killed
/// in between is finished by the next one, and readers find a whole store or no manifest.
/// </summary>
internal sealed class FeatureStoreWriter : IDisposable
{
    /// <summary>What became of each image, a line each.</summary>
    public const string ImagesFile = "images.jsonl";

    private const string Next = ".next";
    private readonly string store;
    private readonly AtomicFolder folder;
    private readonly SortedDictionary<string, TableManifest> tables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> rowsOf = [];

    /// <summary>Starts a new content for the store's folder, which is created where absent.</summary>
    public FeatureStoreWriter(string store)
    {
        this.store = store;
        Finish(store);
        folder = new AtomicFolder(Path.Combine(store, Next));
    }

    /// <summary>The tables written so far, for the manifest.</summary>
    public SortedDictionary<string, TableManifest> Tables => tables;

    /// <summary>Starts a table with its row order.</summary>
    public void Table(string table, IReadOnlyList<string> rows, SortedDictionary<string, int> counts)
    {
        Directory.CreateDirectory(Path.Combine(folder.Path, table));
        File.WriteAllText(
            Path.Combine(folder.Path, table, FeatureStore.RowsFile), JsonSerializer.Serialize(rows) + "\n");
        rowsOf[table] = rows.Count;
        tables[table] = new TableManifest { Rows = rows.Count, Counts = counts, Kinds = new(StringComparer.Ordinal) };
    }

    /// <summary>
    /// Writes one vector per row, [rows; dimension] float32, the key of each row's input (null: the inputs are not known),
    /// and which rows have a vector at all (null: every one). Rows without one are zeros with the key 0.
    /// </summary>
    public void Dense(
        string table, string kind, string encoderId, int dimension, IReadOnlyList<ContentKey>? keys,
        IReadOnlyList<bool>? present, FillRow fill)
    {
        var rows = rowsOf[table];
        var tensors = new List<TensorSpec> { new(kind, Dtype.F32, [rows, dimension]) };
        if (keys is not null) tensors.Insert(0, new TensorSpec(FeatureStore.KeysName, Dtype.I64, [rows, 2]));
        if (present is not null) tensors.Add(new TensorSpec(FeatureStore.PresentName, Dtype.BOOL, [rows]));
        Write(table, kind, tensors, writer =>
        {
            AppendKeys(writer, keys);
            AppendRows(writer, kind, rows, dimension, (row, vector) =>
            {
                if (present is null || present[row]) fill(row, vector);
            });
            if (present is not null) writer.Append<bool>(FeatureStore.PresentName, present.ToArray());
        });
        tables[table].Kinds[kind] = new KindManifest
        {
            Encoder = encoderId,
            Dim = dimension,
            Dtype = nameof(Dtype.F32),
            Layout = KindLayout.Dense,
            Vectors = rows,
            Absent = present?.Count(there => !there) ?? 0,
        };
    }

    /// <summary>
    /// Writes any number of vectors per row: <c>kind</c> [sum of counts; dimension] float32 and <c>kind_offsets</c>
    /// [rows + 1] int64; <paramref name="fill"/> is asked by vector, counted through all rows.
    /// </summary>
    public void Ragged(
        string table, string kind, string encoderId, int dimension, IReadOnlyList<int> counts,
        IReadOnlyList<ContentKey>? keys, FillRow fill)
    {
        var rows = rowsOf[table];
        var offsets = new long[rows + 1];
        for (var row = 0; row < rows; row++) offsets[row + 1] = offsets[row] + counts[row];
        var vectors = offsets[rows];
        var tensors = new List<TensorSpec> { new(FeatureStore.OffsetsName(kind), Dtype.I64, [rows + 1]) };
        if (keys is not null) tensors.Add(new TensorSpec(FeatureStore.KeysName, Dtype.I64, [vectors, 2]));
        tensors.Add(new TensorSpec(kind, Dtype.F32, [vectors, dimension]));
        Write(
            table,
            kind,
            tensors,
            writer =>
            {
                writer.Append<long>(FeatureStore.OffsetsName(kind), offsets);
                AppendKeys(writer, keys);
                AppendRows(writer, kind, checked((int)vectors), dimension, fill);
            });
        tables[table].Kinds[kind] = new KindManifest
        {
            Encoder = encoderId,
            Dim = dimension,
            Dtype = nameof(Dtype.F32),
            Layout = KindLayout.Ragged,
            Vectors = vectors,
            Absent = counts.Count(count => count == 0),
        };
    }

    /// <summary>Writes <see cref="ImagesFile"/>.</summary>
    public void Images(IEnumerable<string> lines) =>
        File.WriteAllText(Path.Combine(folder.Path, ImagesFile), string.Concat(lines.Select(line => line + "\n")));

    /// <summary>Makes what was written the store's content.</summary>
    public void Commit(FeatureManifest manifest)
    {
        File.WriteAllText(Path.Combine(folder.Path, FeatureManifest.FileName), manifest.ToText());
        folder.Commit();
        Finish(store);
    }

    /// <summary>Removes what was not committed.</summary>
    public void Dispose() => folder.Dispose();

    /// <summary>Does, or goes on with, the replacement that a whole <c>.next</c> folder stands for.</summary>
    public static void Finish(string store)
    {
        var next = Path.Combine(store, Next);
        var manifest = Path.Combine(next, FeatureManifest.FileName);
        if (!Directory.Exists(next)) return;
        if (File.Exists(manifest))
        {
            File.Delete(Path.Combine(store, FeatureManifest.FileName));
            Directories.Flush(store);
            foreach (var table in FeatureStore.TableNames)
            {
                var (from, to) = (Path.Combine(next, table), Path.Combine(store, table));
                if (!Directory.Exists(from)) continue;
                if (Directory.Exists(to)) Directory.Delete(to, recursive: true);
                Directory.Move(from, to);
            }
            // Tables of a wider, older store would not be in the manifest; they go too.
            var kept = FeatureManifest.Read(next).Tables.Keys;
            foreach (var table in FeatureStore.TableNames.Except(kept))
            {
                var old = Path.Combine(store, table);
                if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
            }
            var images = Path.Combine(next, ImagesFile);
            if (File.Exists(images)) File.Move(images, Path.Combine(store, ImagesFile), overwrite: true);
            else if (FeatureManifest.Read(next).Images is null) File.Delete(Path.Combine(store, ImagesFile));
            Directories.Flush(store);
            File.Move(manifest, Path.Combine(store, FeatureManifest.FileName));
            Directories.Flush(store);
        }
        Directory.Delete(next, recursive: true);
    }

    private void Write(string table, string kind, IReadOnlyList<TensorSpec> tensors, Action<SafetensorsWriter> append)
    {
        // The whole folder is flushed and renamed at the end, so the file needs no temporary name of its own.
        using var stream = new FileStream(
            Path.Combine(folder.Path, table, kind + FeatureStore.Extension), FileMode.CreateNew, FileAccess.Write,
            FileShare.None, 1 << 16);
        var writer = new SafetensorsWriter(stream, tensors);
        append(writer);
        writer.Complete();
    }

    private static void AppendKeys(SafetensorsWriter writer, IReadOnlyList<ContentKey>? keys)
    {
        if (keys is null) return;
        var words = new long[2 * keys.Count];
        for (var row = 0; row < keys.Count; row++) (words[2 * row], words[2 * row + 1]) = keys[row];
        writer.Append<long>(FeatureStore.KeysName, words);
    }

    private static void AppendRows(SafetensorsWriter writer, string kind, int rows, int dimension, FillRow fill)
    {
        var vector = new float[dimension];
        for (var row = 0; row < rows; row++)
        {
            Array.Clear(vector);
            fill(row, vector);
            writer.Append<float>(kind, vector);
        }
    }
}
