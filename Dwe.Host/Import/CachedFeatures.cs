using System.Globalization;
using Dwe.Host.Import.Pickle;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Import;

/// <summary>One record of a cache.</summary>
/// <param name="Key">Which mention it is of; see <see cref="RecordKeys"/>.</param>
/// <param name="Mention">The mention's text, or null where the format leaves it out.</param>
/// <param name="Answer">The gold entity, or null where it says none.</param>
/// <param name="Vectors">Tensors by field.</param>
internal sealed record CachedRecord(string Key, string? Mention, string? Answer, IReadOnlyDictionary<string, TorchTensor> Vectors);

/// <summary>A file <c>cached_SPLIT_DATASET_clip</c>: a pickled list of records, as DWE's <c>load_and_cache_examples</c> saves it.</summary>
internal sealed class CachedFeatures : IDisposable
{
    private readonly TorchFile file;

    private CachedFeatures(TorchFile file, IReadOnlyList<CachedRecord> records)
    {
        this.file = file;
        Records = records;
    }

    /// <summary>The file.</summary>
    public string Path => file.Path;

    /// <summary>The records in file order. Their vectors are read while this is open.</summary>
    public IReadOnlyList<CachedRecord> Records { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="UserErrorException">As <see cref="TorchFile.Open"/>; FileBroken naming the record that does not fit.</exception>
    public static CachedFeatures Open(string path, ImportFormat format)
    {
        var file = TorchFile.Open(path, TorchObjects.DweCache);
        try
        {
            if (file.Root is not PickleList list) throw Broken(path, "top level", "no list", "a list of records");
            return new CachedFeatures(file, [.. list.Items.Select((item, place) => RecordOf(path, place, item, format))]);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The vectors of one field, one row each, or null where the record has none.</summary>
    /// <exception cref="UserErrorException">FileBroken for another shape, or values that are no numbers.</exception>
    public (float[] Values, int Rows, int Dim)? Rows(CachedRecord record, string field)
    {
        if (!record.Vectors.TryGetValue(field, out var tensor)) return null;
        var place = $"record '{record.Key}', {field}";
        var (rows, dim) = tensor.Shape switch
        {
            [var only] => (1, only),
            [var many, var width] => (many, width),
            _ => throw Broken(Path, place, tensor.ToString(), "one or two dimensions"),
        };
        if (tensor.Count > int.MaxValue / 8 || dim is < 1 or > int.MaxValue || rows > int.MaxValue)
            throw Broken(Path, place, tensor.ToString(), "vectors");
        var values = tensor.ToSingles();
        var bad = Array.FindIndex(values, value => !float.IsFinite(value));
        if (bad >= 0) throw Broken(Path, place, $"{values[bad]} at {bad}", "numbers");
        return (values, (int)rows, (int)dim);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static CachedRecord RecordOf(string path, int place, object? item, ImportFormat format)
    {
        if (item is not PickleObject record || record.ClassName != format.ClassName)
        {
            var found = item is PickleObject other ? other.ClassName : "no record";
            throw Broken(path, $"record {place}", found, format.ClassName);
        }

        var vectors = new Dictionary<string, TorchTensor>();
        foreach (var (name, value) in record.Attributes.Entries)
        {
            if (name is string field && Unwrapped(value) is TorchTensor tensor) vectors[field] = tensor;
        }
        var key = Field(record, format.KeyField) switch
        {
            string text => text,
            long number => number.ToString(CultureInfo.InvariantCulture),
            _ => throw Broken(path, $"record {place}", $"no {format.KeyField}", "a text or a number that says whose it is"),
        };
        return new CachedRecord(
            key, Field(record, "mentions") as string, (Field(record, "answer_id") ?? Field(record, "answer")) as string, vectors);
    }

    private static object? Field(PickleObject record, string name) =>
        record.Attributes.TryGet(name, out var value) ? Unwrapped(value) : null;

    /// <summary>A comma at the end of a line of prepare_wikidiverse.py makes 1-tuples of its fields.</summary>
    private static object? Unwrapped(object? value) => value is PickleTuple { Items: [var only] } ? only : value;

    private static UserErrorException Broken(string path, string place, string found, string expected) =>
        SafetensorsHeader.Broken(path, place, found, expected);
}
