using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Import;

/// <summary>What an import is to make.</summary>
/// <param name="Data">The data set's folder, in which the features lie too.</param>
/// <param name="Store">The store's folder.</param>
/// <param name="Format">wiki, rich, diverse or person; null for the one whose files are there.</param>
/// <param name="EntityFile">The entity matrix where it has another name or there are several; else null.</param>
internal sealed record FeatureImportOptions(string Data, string Store, string? Format = null, string? EntityFile = null);

/// <summary>
/// Makes a feature store of what DWE's code has computed: <c>cached_SPLIT_DATASET_clip</c> and HDF5 matrices beside the data
/// set's own files. Rows are matched by id, never by place alone; what a cache lacks is absent in the store, and counted.
/// </summary>
internal static class FeatureImport
{
    /// <summary>Says in a manifest that the texts and images were put together by DWE's code.</summary>
    public const string Preprocessing = "dwe-import-1";

    public const string WithoutFeatures = "mentions without features";
    public const string UnknownMentions = "records of unknown mentions";
    public const string EntitiesWithoutFeatures = "entities without features";

    private const int ClipWidth = 512;

    private static readonly IReadOnlySet<string> Single =
        new HashSet<string> { FeatureJob.MentionKind, FeatureJob.TextKind, FeatureKinds.Image };

    /// <summary>The count of rows whose vectors are zeros only, which stand for no image, no person found, no profile.</summary>
    public static string ZerosOf(string kind) => $"zeros in place of {kind}";

    /// <summary>The encoder's id in the manifest.</summary>
    public static string EncoderId(int dim) => dim == ClipWidth ? "dwe-import/clip-vit-b-32" : $"dwe-import/unknown-{dim}";

    /// <summary>Imports; returns the tables as written.</summary>
    /// <exception cref="UserErrorException">A file is missing or broken, or belongs to another data set.</exception>
    public static IReadOnlyDictionary<string, TableManifest> Run(FeatureImportOptions options)
    {
        var folder = options.Data;
        var format = ImportFormat.Of(folder, options.Format);
        var dataset = DatasetReaders.Read(folder, format.Dataset);
        var entityFile = options.EntityFile ?? EntityFileOf(folder, format);
        FeatureJob.RequireStoreOrEmpty(options.Store);

        using var writer = new FeatureStoreWriter(options.Store);
        var splits = dataset.Mentions.Keys.Where(split => File.Exists(Path.Combine(folder, format.CacheOf(split)))).ToArray();
        if (splits.Length == 0)
            throw new UserErrorException(UserError.NewFileMissing(
                Path.Combine(folder, format.CacheOf(Splits.Train)), "features cached by DWE", "Check --data and --format."));
        foreach (var split in Splits.All.Where(splits.Contains)) WriteMentions(writer, dataset, split, format);
        WriteEntities(writer, dataset, format, entityFile);
        writer.Commit(new FeatureManifest
        {
            Format = FeatureManifest.CurrentFormat,
            Dataset = dataset.Format,
            DatasetHash = dataset.ContentHash,
            Preprocessing = Preprocessing,
            EntityText = EntityTextOf(format, entityFile),
            Tables = writer.Tables,
        });
        return writer.Tables;
    }

    // --- mentions ---

    private static void WriteMentions(FeatureStoreWriter writer, Dataset dataset, string split, ImportFormat format)
    {
        var mentions = dataset.Mentions[split];
        using var cache = CachedFeatures.Open(Path.Combine(dataset.Folder, format.CacheOf(split)), format);
        var (recordOf, unknown) = Match(cache, dataset, mentions, format);
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal)
        {
            [WithoutFeatures] = recordOf.Count(record => record is null),
            [UnknownMentions] = unknown,
        };
        writer.Table(split, [.. mentions.Select(mention => mention.Key)], counts);
        foreach (var (field, kind) in ImportFormat.Kinds)
        {
            if (!recordOf.Any(record => record is not null && record.Vectors.ContainsKey(field))) continue;
            var rows = recordOf.Select(record => record is null ? null : cache.Rows(record, field)).ToArray();
            var zeros = 0;
            for (var row = 0; row < rows.Length; row++)
            {
                // A mention's own text always has a vector; images and what was seen in them may not.
                if (kind is FeatureJob.MentionKind or FeatureJob.TextKind || rows[row] is not { } found) continue;
                if (found.Values.AsSpan().ContainsAnyExcept(0f)) continue;
                rows[row] = null;
                zeros++;
            }
            if (kind is not (FeatureJob.MentionKind or FeatureJob.TextKind)) counts[ZerosOf(kind)] = zeros;
            WriteKind(writer, split, kind, rows, (row, problem, expected) => SafetensorsHeader.Broken(
                cache.Path, $"record '{recordOf[row]!.Key}', {field}", problem, expected));
        }

        var profiles = Path.Combine(dataset.Folder, ProfileFile);
        if (format.Keys == RecordKeys.ImageStem && File.Exists(profiles)) WriteProfiles(writer, dataset, split, profiles, counts);
    }

    private static (CachedRecord?[] RecordOf, int Unknown) Match(
        CachedFeatures cache, Dataset dataset, IReadOnlyList<Mention> mentions, ImportFormat format)
    {
        var entities = dataset.Entities.ToDictionary(entity => entity.Id, StringComparer.Ordinal);
        var byKey = new Dictionary<string, CachedRecord>(StringComparer.Ordinal);
        foreach (var record in cache.Records)
        {
            if (!byKey.TryAdd(record.Key, record) && format.Keys != RecordKeys.ImageStem)
                throw SafetensorsHeader.Broken(cache.Path, $"record '{record.Key}'", "the key twice", "every mention once");
        }

        var recordOf = new CachedRecord?[mentions.Count];
        var used = new HashSet<string>(StringComparer.Ordinal);
        for (var row = 0; row < mentions.Count; row++)
        {
            var key = format.Keys switch
            {
                RecordKeys.MentionKey => mentions[row].Key,
                RecordKeys.Place => row.ToString(System.Globalization.CultureInfo.InvariantCulture),
                _ => mentions[row].Images is [var image, ..] ? StemOf(image) : "",
            };
            if (!byKey.TryGetValue(key, out var record)) continue;
            var gold = mentions[row].Gold is Gold.Entity entity ? entities.GetValueOrDefault(entity.id) : null;
            RequireSame(cache, record, mentions[row], format.Keys == RecordKeys.Place ? gold : null);
            recordOf[row] = record;
            used.Add(key);
        }
        if (used.Count == 0)
            throw FeatureStore.Mismatch(
                cache.Path, "no record of any mention of the data set", "those of its split",
                "Bring the data set's files and its cache together again.");
        return (recordOf, byKey.Count - used.Count);
    }

    /// <summary>A key that fits by accident would give a mention another one's vectors: the texts must agree too.</summary>
    private static void RequireSame(CachedFeatures cache, CachedRecord record, Mention mention, Entity? gold)
    {
        var problem =
            record.Mention is { } text && text != mention.Text ? $"the mention '{text}', expected '{mention.Text}'"
            : gold is not null && record.Answer is { } answer && !NamesOf(gold).Contains(WikipediaNames.Plain(answer))
                ? $"the answer '{answer}', expected '{gold.Name}'"
            : null;
        if (problem is not null)
            throw FeatureStore.Mismatch(
                cache.Path, $"record '{record.Key}' has {problem}", "features of this data set",
                "Bring the data set's files and its cache together again.");
    }

    /// <summary>What DWE's files may call an entity: its id, or in WikiDiverse its title.</summary>
    private static IEnumerable<string> NamesOf(Entity entity) => [entity.Id, entity.Name, .. entity.Aliases];

    private delegate UserErrorException Refusal(int row, string found, string expected);

    private static void WriteKind(
        FeatureStoreWriter writer, string table, string kind, (float[] Values, int Rows, int Dim)?[] rows, Refusal refuse)
    {
        var first = Array.FindIndex(rows, row => row is not null);
        if (first < 0) return;
        var dim = rows[first]!.Value.Dim;
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row] is not { } found) continue;
            if (found.Dim != dim) throw refuse(row, $"{found.Dim} values", $"{dim} as in the first record");
            if (Single.Contains(kind) && found.Rows != 1) throw refuse(row, $"{found.Rows} vectors", "one");
        }

        if (Single.Contains(kind))
        {
            bool[] present = [.. rows.Select(row => row is not null)];
            writer.Dense(
                table, kind, EncoderId(dim), dim, null, present.All(there => there) ? null : present,
                (row, vector) => rows[row]!.Value.Values.CopyTo(vector));
            return;
        }

        var places = rows.SelectMany((row, place) => Enumerable.Range(0, row?.Rows ?? 0).Select(part => (place, part))).ToArray();
        writer.Ragged(
            table, kind, EncoderId(dim), dim, [.. rows.Select(row => row?.Rows ?? 0)], null,
            (vector, target) => rows[places[vector].place]!.Value.Values.AsSpan(places[vector].part * dim, dim).CopyTo(target));
    }

    // --- WikiPerson's profiles ---

    private const string ProfileFile = "profile.h5";
    private const string ProfileOrder = "input_img_list.json";

    private static void WriteProfiles(
        FeatureStoreWriter writer, Dataset dataset, string split, string path, SortedDictionary<string, int> counts)
    {
        var mentions = dataset.Mentions[split];
        var profiles = Hdf5Features.Read(path);
        var rowOf = OrderOf(dataset.Folder, ProfileOrder, profiles);
        var rows = mentions.Select(mention =>
            mention.Images is [var image, ..] && rowOf.TryGetValue(StemOf(image), out var row)
                ? (profiles.Row(row).ToArray(), 1, profiles.Dim)
                : ((float[], int, int)?)null).ToArray();
        counts[ZerosOf(FeatureKinds.Profile)] = RemoveEmpty(rows);
        WriteKind(writer, split, FeatureKinds.Profile, rows, (row, found, expected) =>
            SafetensorsHeader.Broken(path, $"row {row}", found, expected));
    }

    /// <summary>Rows that were never filled hold zeros or whatever the memory held: no encoder's vector.</summary>
    private static int RemoveEmpty((float[] Values, int Rows, int Dim)?[] rows)
    {
        var removed = 0;
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row] is not { } found) continue;
            if (found.Values.AsSpan().ContainsAnyExcept(0f) && found.Values.All(float.IsFinite)) continue;
            rows[row] = null;
            removed++;
        }
        return removed;
    }

    // --- entities ---

    private static void WriteEntities(FeatureStoreWriter writer, Dataset dataset, ImportFormat format, string entityFile)
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        writer.Table(FeatureStore.Entities, [.. dataset.Entities.Select(entity => entity.Id)], counts);
        WriteEntityKind(entityFile, FeatureJob.TextKind);
        var images = Path.Combine(dataset.Folder, "image_entity.h5");
        if (File.Exists(images)) WriteEntityKind(images, FeatureKinds.Image);

        void WriteEntityKind(string path, string kind)
        {
            var features = Hdf5Features.Read(path);
            var rowOf = OrderOf(dataset.Folder, format.OrderFile, features);
            // Titles are read as the data set's reader reads them: blanks for underscores, and so on.
            if (format.Keys == RecordKeys.Place)
                foreach (var (title, row) in rowOf.ToArray()) rowOf.TryAdd(WikipediaNames.Plain(title), row);
            var titles = format.Keys == RecordKeys.Place;
            var rows = dataset.Entities.Select(entity =>
            {
                foreach (var name in titles ? NamesOf(entity) : [entity.Id])
                {
                    if (rowOf.TryGetValue(name, out var row)) return (features.Row(row).ToArray(), 1, features.Dim);
                }
                return ((float[], int, int)?)null;
            }).ToArray();
            var unlisted = rows.Count(row => row is null);
            if (unlisted == rows.Length)
                throw FeatureStore.Mismatch(
                    Path.Combine(dataset.Folder, format.OrderFile), "no entity of the data set", "those of its knowledge base",
                    "Bring the data set's files and its features together again.");
            if (kind == FeatureJob.TextKind) counts[EntitiesWithoutFeatures] = unlisted;
            counts[ZerosOf(kind)] = RemoveEmpty(rows);
            WriteKind(writer, FeatureStore.Entities, kind, rows, (row, found, expected) =>
                SafetensorsHeader.Broken(path, $"row {row}", found, expected));
        }
    }

    /// <summary>Row by id.</summary>
    private static Dictionary<string, int> OrderOf(string folder, string name, Hdf5Features features)
    {
        var path = Path.Combine(folder, name);
        var order = JsonSource.Open(path, $"the row order of {Path.GetFileName(features.Path)}", "DWE's scripts write it.").Texts();
        if (order.Count != features.Rows)
            throw FeatureStore.Mismatch(
                features.Path, $"{features.Rows} rows", $"{order.Count}, one for each id of {name}",
                "Bring the two files together again: one was made without the other.");
        var rowOf = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var row = 0; row < order.Count; row++)
        {
            if (!rowOf.TryAdd(order[row], row))
                throw SafetensorsHeader.Broken(path, $"place {row}", $"'{order[row]}' twice", "every id once");
        }
        return rowOf;
    }

    private static string EntityFileOf(string folder, ImportFormat format)
    {
        foreach (var pattern in format.EntityFiles)
        {
            var found = Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal).ToArray();
            if (found is [var only]) return only;
            if (found.Length > 1)
                throw new UserErrorException(UserError.NewUsageWrong(
                    $"{folder} holds {string.Join(" and ", found.Select(Path.GetFileName))}",
                    "Name the one to read with --entities."));
        }
        throw new UserErrorException(UserError.NewFileMissing(
            Path.Combine(folder, format.EntityFiles[0]), "the entities' vectors", "Name the file with --entities."));
    }

    /// <summary>What DWE's scripts encode: a description alone (WikiMEL, RichpediaMEL), else name and description.</summary>
    private static string EntityTextOf(ImportFormat format, string entityFile)
    {
        if (format.Keys != RecordKeys.MentionKey) return "{name} [SEP] {description}";
        var stem = Path.GetFileNameWithoutExtension(entityFile);
        const string Prefix = "gt_feats_";
        return stem.StartsWith(Prefix, StringComparison.Ordinal) ? $"{{{stem[Prefix.Length..]}}}" : $"{{{stem}}}";
    }

    private static string StemOf(string image) => Path.GetFileNameWithoutExtension(image);
}
