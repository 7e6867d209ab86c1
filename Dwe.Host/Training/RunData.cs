using Dwe.Host.Data;
using Dwe.Host.Evaluation;
using Dwe.Host.Features;
using Dwe.Model;
using Dwe.Model.Batches;
using Dwe.Model.Domain;
using Microsoft.FSharp.Core;
using TorchSharp;

namespace Dwe.Host.Training;

/// <summary>A data set with its features: what training and evaluation read. Tensors lie over the store's mapped files.</summary>
internal sealed class RunData : IDisposable
{
    private readonly Dictionary<string, int> rowOfEntity = [];

    private readonly FeatureStore? store;

    // Single vectors of which some are absent, packed: once per kind, since every evaluation asks for them.
    private readonly Dictionary<(string Table, string Kind), torch.Tensor> packed = [];
    private readonly Dictionary<string, RaggedFeatures> joined = [];
    private torch.Tensor? entitiesWithImages;

    // Where this is a part of other data: which rows of which of its splits each split is, and those features.
    private readonly RunData? whole;
    private readonly IReadOnlyDictionary<string, SplitPart> parts = new Dictionary<string, SplitPart>();
    private readonly Dictionary<(string Split, bool WithScene, bool WithTokens), MentionFeatures> partFeatures = [];

    private RunData(Dataset dataset, FeatureStore? store, RunData? whole = null, IReadOnlyDictionary<string, SplitPart>? parts = null)
    {
        Dataset = dataset;
        this.store = store;
        this.whole = whole;
        this.parts = parts ?? this.parts;
        for (var row = 0; row < dataset.Entities.Count; row++)
        {
            rowOfEntity[dataset.Entities[row].Id] = row;
        }
    }

    public Dataset Dataset { get; }

    /// <summary>The features; a baseline reads none.</summary>
    public FeatureStore Store => store ?? throw new InvalidOperationException("the data set was opened without features");

    /// <summary>SHA-256 of the store's manifest, which names encoders, template, counts and the data set's hash.</summary>
    public string FeaturesHash => ContentHash.OfFile(Path.Combine(Store.Folder, FeatureManifest.FileName));

    /// <summary>[entities; width] float32, in the order of <see cref="Dataset.Entities"/>: the store's own, never changed.</summary>
    public torch.Tensor Entities => Store.Table(FeatureStore.Entities).Kind(FeatureJob.TextKind).Vectors;

    /// <summary>
    /// The entities as a model takes them: <see cref="Entities"/>, or with their images beside them [entities; width + image
    /// width], zeros where there is none.
    /// </summary>
    public torch.Tensor EntitiesFor(Matcher matcher)
    {
        if (!matcher.SeesEntityImages) return Entities;
        if (entitiesWithImages is null)
        {
            using var scope = torch.NewDisposeScope();
            entitiesWithImages = torch.cat([Entities, EntityImages(matcher.Sizes.Image)], 1).MoveToOuterDisposeScope().DetachFromDisposeScope();
        }

        return entitiesWithImages;
    }

    /// <summary>Reads the data set, opens its store and refuses one that was made from other data.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken or StoreMismatch.</exception>
    public static RunData Open(string data, string features, string? format = null)
    {
        var dataset = DatasetReaders.Read(data, format);
        var store = FeatureStore.Open(features);
        try
        {
            store.RequireDataset(dataset);
            RequireSameRows(store, FeatureStore.Entities, dataset.Entities.Select(entity => entity.Id));
            foreach (var (split, mentions) in dataset.Mentions.Where(split => store.Has(split.Key)))
            {
                RequireSameRows(store, split, mentions.Select(mention => mention.Key));
                RequireSameWidth(store, split);
            }

            return new RunData(dataset, store);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Reads the data set alone.</summary>
    /// <exception cref="UserErrorException">FileMissing or FileBroken.</exception>
    public static RunData OpenWithoutFeatures(string data, string? format = null) =>
        new(DatasetReaders.Read(data, format), store: null);

    /// <summary>
    /// The same knowledge base and features with other splits, each some rows of one of these; not to be used after these data.
    /// </summary>
    /// <param name="dataset">The data set with those splits' mentions, and a hash of its own.</param>
    /// <param name="rows">By the name of the split.</param>
    public RunData Part(Dataset dataset, IReadOnlyDictionary<string, SplitPart> rows) => new(dataset, store, this, rows);

    /// <summary>The mentions of a split, in row order.</summary>
    /// <exception cref="UserErrorException">FileMissing where the data set has no such split.</exception>
    public IReadOnlyList<Mention> Mentions(string split) =>
        Dataset.Mentions.TryGetValue(split, out var mentions)
            ? mentions
            : throw new UserErrorException(UserError.NewFileMissing(
                Path.Combine(Dataset.Folder, split + ".json"), $"the {split} split", $"Splits here: {string.Join(", ", Dataset.Mentions.Keys)}."));

    /// <summary>The row of an entity, or -1 where the knowledge base does not have it.</summary>
    public int RowOf(string entity) => rowOfEntity.GetValueOrDefault(entity, -1);

    /// <summary>Row of each mention's gold; -1 for NIL, unlabelled mentions and golds outside of the knowledge base.</summary>
    public int[] Golds(string split) =>
        [.. Mentions(split).Select(mention => mention.Gold is Gold.Entity gold ? RowOf(gold.id) : -1)];

    /// <summary>The features of a split's mentions that a model reads, for batches.</summary>
    /// <exception cref="UserErrorException">StoreMismatch where it reads tokens and the store has none.</exception>
    public MentionFeatures Features(string split, Matcher matcher) => Features(split, matcher.ReadsScene, matcher.ReadsTokens);

    /// <summary>The features of a split's mentions, for batches.</summary>
    /// <param name="split">The split.</param>
    /// <param name="withScene">What the scene is counts as one more profile, the last.</param>
    /// <param name="withTokens">With the tokens of their texts.</param>
    /// <exception cref="UserErrorException">StoreMismatch where the store has no tokens and they are wanted.</exception>
    public MentionFeatures Features(string split, bool withScene, bool withTokens = false)
    {
        if (parts.TryGetValue(split, out var part))
        {
            var which = (split, withScene, withTokens);
            return partFeatures.TryGetValue(which, out var own)
                ? own
                : partFeatures[which] = SplitPart.Select(whole!.Features(part.Split, withScene, withTokens), part.Rows);
        }

        var table = Store.Table(split);
        if (withTokens && !table.Has(FeatureKinds.Tokens))
        {
            throw FeatureStore.Mismatch(
                Path.Combine(Store.Folder, split), $"kinds {string.Join(", ", table.Kinds)}",
                $"a kind '{FeatureKinds.Tokens}' as well, which model.tokens reads",
                "Make the features with `dwe features --tokens`, or set model.tokens=false.");
        }

        var profiles = Ragged(table, FeatureKinds.Profile);
        return new MentionFeatures(
            table.Kind(FeatureJob.MentionKind).Vectors,
            table.Kind(FeatureJob.TextKind).Vectors,
            withTokens ? Ragged(table, FeatureKinds.Tokens) : null,
            Ragged(table, FeatureKinds.Image),
            Ragged(table, FeatureKinds.Parts),
            withScene && table.Has(FeatureKinds.Scene) ? WithScene(table, profiles) : profiles);
    }

    /// <summary>Refuses features of these splits, or of the entities, that are not finite numbers.</summary>
    /// <exception cref="UserErrorException">FileBroken naming file and row.</exception>
    public void RequireFinite(params string[] splits)
    {
        foreach (var table in splits.Select(split => parts.TryGetValue(split, out var part) ? part.Split : split)
            .Append(FeatureStore.Entities).Distinct().Select(Store.Table))
        {
            table.RequireFinite();
        }
    }

    /// <summary>The widths that the features dictate.</summary>
    public FeatureSizes Sizes
    {
        get
        {
            var splits = Store.Tables.Where(name => name != FeatureStore.Entities).Select(Store.Table).ToArray();
            // A split whose mentions have no image has no such kind, and says nothing of the others'.
            var image = splits
                .SelectMany(split => new[] { FeatureKinds.Image, FeatureKinds.Parts }.Where(split.Has).Select(kind => split.Kind(kind).Dim))
                .FirstOrDefault();
            return new FeatureSizes(splits[0].Kind(FeatureJob.TextKind).Dim, image, (int)Entities.shape[1]);
        }
    }

    /// <summary>Which mentions of a split have an encoded text; the others were lost before they were encoded.</summary>
    public bool[] Encoded(string split)
    {
        if (parts.TryGetValue(split, out var part))
        {
            var encoded = whole!.Encoded(part.Split);
            return [.. part.Rows.Select(row => encoded[row])];
        }

        var text = Store.Table(split).Kind(FeatureJob.TextKind);
        return text.Present is { } present ? present.data<bool>().ToArray() : [.. Enumerable.Repeat(true, text.Rows)];
    }

    /// <summary>Refuses a table whose rows are not those of the data set, in its order.</summary>
    private static void RequireSameRows(FeatureStore store, string table, IEnumerable<string> keys)
    {
        var path = Path.Combine(store.Folder, table, FeatureStore.RowsFile);
        var (found, expected) = (store.Table(table).Rows, keys.ToList());
        if (found.Count != expected.Count)
        {
            throw FeatureStore.Mismatch(path, $"{found.Count} rows", $"{expected.Count} as the data set has");
        }

        var row = Enumerable.Range(0, expected.Count).FirstOrDefault(at => found[at] != expected[at], -1);
        if (row >= 0)
        {
            throw FeatureStore.Mismatch(path, $"'{found[row]}' in row {row}", $"'{expected[row]}' as in the data set");
        }
    }

    /// <summary>Refuses mentions, tokens or profiles encoded to another width than sentences, or than the other splits.</summary>
    private static void RequireSameWidth(FeatureStore store, string split)
    {
        var expected = store.Table(store.Tables.First(name => name != FeatureStore.Entities)).Kind(FeatureJob.TextKind).Dim;
        foreach (var name in new[] { FeatureJob.MentionKind, FeatureJob.TextKind, FeatureKinds.Profile, FeatureKinds.Tokens }.Where(store.Table(split).Has))
        {
            if (store.Table(split).Kind(name).Dim is var found && found != expected)
            {
                throw FeatureStore.Mismatch(
                    Path.Combine(store.Folder, split, name + FeatureStore.Extension), $"vectors of {found} values",
                    $"{expected} as everywhere in the store");
            }
        }
    }

    public void Dispose()
    {
        entitiesWithImages?.Dispose();
        foreach (var tensor in packed.Values) tensor.Dispose();
        foreach (var features in partFeatures.Values) SplitPart.Dispose(features);
        if (whole is null) store?.Dispose();
    }

    /// <summary>[entities; width] with zeros for those that have no readable image.</summary>
    private torch.Tensor EntityImages(int width)
    {
        var table = Store.Table(FeatureStore.Entities);
        if (!table.Has(FeatureKinds.Image)) return torch.zeros(Entities.shape[0], width);
        var kind = table.Kind(FeatureKinds.Image);
        return kind.Present is { } present ? kind.Vectors * present.unsqueeze(1) : kind.Vectors;
    }

    /// <summary>Each mention's profiles, then its scene where it has one.</summary>
    private RaggedFeatures WithScene(FeatureTable table, FSharpOption<RaggedFeatures>? profiles)
    {
        var scenes = Ragged(table, FeatureKinds.Scene)!.Value;
        if (profiles is null) return scenes;
        if (joined.TryGetValue(table.Name, out var known)) return known;
        var (first, count) = (profiles.Value.Rows.shape[0], profiles.Value.Offsets.Length - 1);
        var offsets = new long[count + 1];
        var order = new List<long>();
        for (var row = 0; row < count; row++)
        {
            for (var at = profiles.Value.Offsets[row]; at < profiles.Value.Offsets[row + 1]; at++) order.Add(at);
            for (var at = scenes.Offsets[row]; at < scenes.Offsets[row + 1]; at++) order.Add(first + at);
            offsets[row + 1] = order.Count;
        }

        using var scope = torch.NewDisposeScope();
        var all = torch.cat([profiles.Value.Rows, scenes.Rows], 0).index_select(0, torch.tensor(order.ToArray()));
        packed[(table.Name, FeatureKinds.Profile + "+" + FeatureKinds.Scene)] = all.MoveToOuterDisposeScope().DetachFromDisposeScope();
        return joined[table.Name] = new RaggedFeatures(all, offsets);
    }

    private FSharpOption<RaggedFeatures>? Ragged(FeatureTable table, string name)
    {
        if (!table.Has(name))
        {
            return null;
        }

        var kind = table.Kind(name);
        if (kind.IsRagged) return new RaggedFeatures(kind.Vectors, kind.RowOffsets.ToArray());
        if (kind.Present is null) return new RaggedFeatures(kind.Vectors, [.. Enumerable.Range(0, kind.Rows + 1).Select(row => (long)row)]);

        var present = kind.Present.data<bool>().ToArray();
        var offsets = new long[present.Length + 1];
        for (var row = 0; row < present.Length; row++) offsets[row + 1] = offsets[row] + (present[row] ? 1 : 0);
        if (!packed.TryGetValue((table.Name, name), out var vectors))
        {
            using var rows = torch.tensor(
                Enumerable.Range(0, present.Length).Where(row => present[row]).Select(row => (long)row).ToArray());
            vectors = packed[(table.Name, name)] = kind.Vectors.index_select(0, rows).DetachFromDisposeScope();
        }
        return new RaggedFeatures(vectors, offsets);
    }
}
