using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Storage;
using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Features;

/// <summary>
/// A folder of vectors, mapped into memory: a manifest, and per table (<c>train</c>, <c>dev</c>, <c>test</c>,
/// <c>entities</c>) the row order and one safetensors file per kind. See docs/formats.md.
/// </summary>
internal sealed class FeatureStore : IDisposable
{
    public const string Entities = "entities";
    public const string RowsFile = "rows.json";
    public const string Extension = ".safetensors";
    public const string PresentName = "present";
    public const string KeysName = "keys";

    /// <summary>The names that a table can have.</summary>
    public static readonly IReadOnlyList<string> TableNames = [.. Splits.All, Entities];

    private readonly Dictionary<string, FeatureTable> tables = [];

    private FeatureStore(string folder, FeatureManifest manifest)
    {
        Folder = folder;
        Manifest = manifest;
    }

    /// <summary>The store's folder.</summary>
    public string Folder { get; }

    /// <summary>What the store says of itself; checked against its files.</summary>
    public FeatureManifest Manifest { get; }

    /// <summary>The names of the tables that are there.</summary>
    public IEnumerable<string> Tables => tables.Keys;

    /// <summary>The name of the offsets of a ragged kind.</summary>
    public static string OffsetsName(string kind) => kind + "_offsets";

    /// <summary>Opens a store and checks every table's rows, sizes, element types and offsets against the manifest.</summary>
    /// <exception cref="UserErrorException">
    /// FileMissing, FileBroken, or StoreMismatch naming the file and what differs.
    /// </exception>
    public static FeatureStore Open(string folder)
    {
        var store = new FeatureStore(folder, FeatureManifest.Read(folder));
        try
        {
            foreach (var (name, table) in store.Manifest.Tables)
            {
                if (!TableNames.Contains(name))
                    throw Mismatch(
                        Path.Combine(folder, FeatureManifest.FileName), $"a table '{name}'", string.Join(", ", TableNames));
                store.tables[name] = new FeatureTable(folder, name, table);
            }
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Whether the table is there.</summary>
    public bool Has(string table) => tables.ContainsKey(table);

    /// <summary>A table.</summary>
    /// <exception cref="UserErrorException">StoreMismatch when the store was written without it.</exception>
    public FeatureTable Table(string name) =>
        tables.TryGetValue(name, out var table)
            ? table
            : throw Mismatch(
                Folder, $"tables {string.Join(", ", tables.Keys)}", $"a table '{name}' as well",
                $"Write it with `dwe features --splits`.");

    /// <summary>Refuses a data set that is not the one the store was made from.</summary>
    /// <exception cref="UserErrorException">StoreMismatch, with both hashes.</exception>
    public void RequireDataset(Dataset dataset)
    {
        if (Manifest.DatasetHash != dataset.ContentHash)
            throw Mismatch(
                Folder,
                $"features of a data set with hash {Manifest.DatasetHash[..Math.Min(12, Manifest.DatasetHash.Length)]}",
                $"those of {dataset.Folder}, {dataset.ContentHash[..12]}",
                "Run `dwe features` again; what has not changed is not encoded again.");
    }

    /// <summary>Closes the files. Tensors taken from the store are disposed; copies gathered from them are not.</summary>
    public void Dispose()
    {
        foreach (var table in tables.Values) table.Dispose();
    }

    internal static UserErrorException Mismatch(
        string path, string found, string expected, string remedy = "Write the store again with `dwe features`.") =>
        new(UserError.NewStoreMismatch(path, found, expected, remedy));
}

/// <summary>One table of a store: rows in a fixed order, and kinds of features for them.</summary>
internal sealed class FeatureTable : IDisposable
{
    private readonly string folder;
    private readonly Dictionary<string, FeatureKind> kinds = [];
    private readonly Dictionary<string, int> rowOf = [];

    internal FeatureTable(string store, string name, TableManifest manifest)
    {
        Name = name;
        folder = Path.Combine(store, name);
        var rowsPath = Path.Combine(folder, FeatureStore.RowsFile);
        Rows = JsonSource.Open(rowsPath, "the table's row order", "Write the store again with `dwe features`.").Texts();
        if (Rows.Count != manifest.Rows)
            throw FeatureStore.Mismatch(rowsPath, $"{Rows.Count} rows", $"{manifest.Rows} as the manifest says");
        for (var row = 0; row < Rows.Count; row++)
        {
            if (!rowOf.TryAdd(Rows[row], row))
                throw FeatureStore.Mismatch(rowsPath, $"the row '{Rows[row]}' twice", "every row once");
        }
        try
        {
            foreach (var (kind, description) in manifest.Kinds)
                kinds[kind] = new FeatureKind(Path.Combine(folder, kind + FeatureStore.Extension), kind, Rows.Count, description);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The table's name.</summary>
    public string Name { get; }

    /// <summary>Mention keys or entity ids, in row order.</summary>
    public IReadOnlyList<string> Rows { get; }

    /// <summary>The names of the kinds that are there.</summary>
    public IEnumerable<string> Kinds => kinds.Keys;

    /// <summary>Whether the kind is there.</summary>
    public bool Has(string kind) => kinds.ContainsKey(kind);

    /// <summary>The row of a mention key or entity id, or null.</summary>
    public int? RowOf(string key) => rowOf.TryGetValue(key, out var row) ? row : null;

    /// <summary>A kind of features.</summary>
    /// <exception cref="UserErrorException">StoreMismatch when the store was written without it.</exception>
    public FeatureKind Kind(string name) =>
        kinds.TryGetValue(name, out var kind)
            ? kind
            : throw FeatureStore.Mismatch(folder, $"kinds {string.Join(", ", kinds.Keys)}", $"a kind '{name}' as well");

    /// <summary>Refuses vectors that are not finite numbers. Reads the whole table.</summary>
    /// <exception cref="UserErrorException">FileBroken naming file and row.</exception>
    public void RequireFinite()
    {
        foreach (var kind in kinds.Values) kind.RequireFinite(Rows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var kind in kinds.Values) kind.Dispose();
    }
}

/// <summary>The vectors of one kind. Tensors are made over the mapped file, once, and live until the store is closed.</summary>
internal sealed class FeatureKind : IDisposable
{
    private readonly SafetensorsReader reader;
    private readonly Dictionary<string, torch.Tensor> tensors = [];

    internal FeatureKind(string path, string name, int rows, KindManifest manifest)
    {
        Name = name;
        Rows = rows;
        Manifest = manifest;
        reader = SafetensorsReader.Open(path);
        try
        {
            if (manifest.Dtype != nameof(Dtype.F32) || manifest.Dim < 1)
                throw FeatureStore.Mismatch(path, $"{manifest.Dtype} vectors of {manifest.Dim} values", "F32 vectors");
            if (manifest.Layout == KindLayout.Dense && manifest.Vectors != rows)
                throw FeatureStore.Mismatch(path, $"{manifest.Vectors} vectors in the manifest", $"{rows}, one per row");
            Require(name, Dtype.F32, [manifest.Vectors, manifest.Dim]);
            if (reader.Contains(FeatureStore.KeysName)) Require(FeatureStore.KeysName, Dtype.I64, [manifest.Vectors, 2]);
            if (reader.Contains(FeatureStore.PresentName)) Require(FeatureStore.PresentName, Dtype.BOOL, [rows]);
            if (manifest.Layout == KindLayout.Ragged) RequireOffsets(FeatureStore.OffsetsName(name));
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>The kind's name.</summary>
    public string Name { get; }

    /// <summary>Rows of the table; a ragged kind has more or fewer vectors.</summary>
    public int Rows { get; }

    /// <summary>Encoder, dimension, layout.</summary>
    public KindManifest Manifest { get; }

    /// <summary>Values per vector.</summary>
    public int Dim => Manifest.Dim;

    /// <summary>Whether rows have any number of vectors.</summary>
    public bool IsRagged => Manifest.Layout == KindLayout.Ragged;

    /// <summary>
    /// [rows; dim] float32, or [sum of counts; dim] when ragged: not a copy, the store's own. Gather from it
    /// (<c>index_select</c>); never change or dispose it.
    /// </summary>
    public torch.Tensor Vectors => TensorOf(Name);

    /// <summary>[rows] bool: which rows have a vector; null when all have. The others are zeros.</summary>
    public torch.Tensor? Present => reader.Contains(FeatureStore.PresentName) ? TensorOf(FeatureStore.PresentName) : null;

    /// <summary>[rows + 1] int64 of a ragged kind: row i has vectors offsets[i] to offsets[i + 1]; else null.</summary>
    public torch.Tensor? Offsets => IsRagged ? TensorOf(FeatureStore.OffsetsName(Name)) : null;

    /// <summary>The offsets as numbers, for making batches; empty when dense.</summary>
    public ReadOnlyMemory<long> RowOffsets =>
        IsRagged ? reader.View<long>(FeatureStore.OffsetsName(Name)) : ReadOnlyMemory<long>.Empty;

    /// <summary>The vectors as memory, in views of whole vectors; not a copy.</summary>
    public IReadOnlyList<Memory<float>> Segments => reader.Segments<float>(Name);

    /// <summary>[vectors; 2]: the content key of every vector's input; empty where the file has none.</summary>
    public ReadOnlyMemory<long> Keys =>
        reader.Contains(FeatureStore.KeysName) ? reader.View<long>(FeatureStore.KeysName) : ReadOnlyMemory<long>.Empty;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in tensors.Values) tensor.Dispose();
        reader.Dispose();
    }

    internal void RequireFinite(IReadOnlyList<string> rows)
    {
        var first = 0L;
        foreach (var segment in Segments)
        {
            var values = segment.Span;
            for (var at = 0; at < values.Length; at++)
            {
                if (!float.IsFinite(values[at]))
                    throw new UserErrorException(UserError.NewFileBroken(
                        reader.Path, $"row '{rows[RowOf((first + at) / Dim)]}'",
                        values[at].ToString(CultureInfo.InvariantCulture), "finite numbers"));
            }
            first += values.Length;
        }
    }

    private int RowOf(long vector)
    {
        if (!IsRagged) return (int)vector;
        var offsets = RowOffsets.Span;
        var row = 0;
        while (offsets[row + 1] <= vector) row++;
        return row;
    }

    private torch.Tensor TensorOf(string name)
    {
        lock (tensors)
        {
            if (!tensors.TryGetValue(name, out var tensor))
                tensors[name] = tensor = reader.Map(name).DetachFromDisposeScope();
            return tensor;
        }
    }

    private void Require(string name, Dtype dtype, long[] shape)
    {
        var expected = $"{name} {dtype} [{string.Join(", ", shape)}]";
        if (!reader.Contains(name)) throw FeatureStore.Mismatch(reader.Path, $"no tensor '{name}'", expected);
        var found = reader.Entry(name);
        if (found.Dtype != dtype || !found.Shape.SequenceEqual(shape))
            throw FeatureStore.Mismatch(reader.Path, $"{name} {found}", expected + " as the manifest says");
    }

    private void RequireOffsets(string name)
    {
        Require(name, Dtype.I64, [Rows + 1L]);
        var offsets = reader.View<long>(name).Span;
        var sound = offsets[0] == 0 && offsets[^1] == Manifest.Vectors;
        for (var row = 0; row < Rows; row++) sound &= offsets[row] <= offsets[row + 1];
        if (!sound)
            throw FeatureStore.Mismatch(reader.Path, $"{name} that skip or run back", $"a rise from 0 to {Manifest.Vectors}");
    }
}
