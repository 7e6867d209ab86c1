using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// WikiPerson as DWE lays it out: <c>train.json</c>, <c>dev.json</c>, perhaps <c>test.json</c> (lists of records with
/// <c>id</c>, <c>image</c>, <c>wikiid</c>, <c>boundingbox</c>), or one <c>sample.json</c>; entities as lists of records with
/// <c>id</c>, <c>name</c>, <c>description</c> in <c>TKB/*.json</c> or <c>entity_*.json</c>; <c>entity_list.json</c> (row order)
/// and photos <c>IKB/ID.jpg</c> where they are there. A mention is a box in a photo: it has no text and no sentence.
/// </summary>
internal sealed class WikiPersonReader : IDatasetReader
{
    private const string Order = "entity_list.json";
    private const string Sample = "sample.json";
    private const string Photos = "IKB";

    /// <summary>Of a sample without splits, the mentions of every fifth image are dev.</summary>
    private const int DevShare = 5;

    /// <summary>Its candidates are keyed by the right entity, so they are no candidates; it knows entities, though.</summary>
    private const string GoldKeyed = "search_100_random.json";

    /// <inheritdoc/>
    public string Format => "WikiPerson";

    /// <inheritdoc/>
    public string Signature => $"train.json and dev.json (lists of records with wikiid and boundingbox) or {Sample}, TKB/*.json or entity_*.json";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["ImgData/person", "images"];

    /// <inheritdoc/>
    public IReadOnlyList<string> EntityImageFolders => [Photos];

    /// <inheritdoc/>
    public bool Recognises(string folder) => new[] { "train.json", Sample }.Any(name =>
        JsonShape.Of(Path.Combine(folder, name)) is { IsListOfRecords: true } shape && shape.Fields.Contains("wikiid"));

    /// <inheritdoc/>
    public Dataset Read(string path)
    {
        var folder = new DatasetFolder(path, this);
        var mentions = folder.Has(Sample) && !folder.Has("train.json")
            ? ReadSample(folder)
            : folder.ReadSplits((source, list) => source.EachListedRecord(record => list.Add(ToMention(record))));
        var entities = new EntityTable();
        foreach (var id in folder.OpenIfThere(Order)?.Texts() ?? []) entities.TryAdd(id);
        foreach (var name in EntityFiles(folder)) ReadEntities(folder.Open(name, "entities"), entities);
        foreach (var split in mentions.Values) entities.AddGolds(split.Build());
        if (folder.Has(GoldKeyed))
        {
            folder.AddFrom(GoldKeyed, folder.CandidateLists(GoldKeyed).Values.SelectMany(ids => ids), entities);
            folder.Remark($"candidate lists of {GoldKeyed} left out: they are keyed by the right entity");
        }

        AddPhotos(folder, entities);
        return folder.Finish(mentions, entities.Build(), "search_top100.json");
    }

    /// <summary>All mentions of an image go into one split.</summary>
    private static Dictionary<string, MentionList> ReadSample(DatasetFolder folder)
    {
        var images = new Dictionary<string, int>();
        var (train, dev) = (new MentionList(folder), new MentionList(folder));
        folder.Open(Sample, "mentions").EachListedRecord(record =>
        {
            var mention = ToMention(record);
            var image = mention.Images.FirstOrDefault("");
            if (!images.TryGetValue(image, out var number)) images[image] = number = images.Count;
            (number % DevShare == DevShare - 1 ? dev : train).Add(mention);
        });
        folder.Remark($"images of {Sample}, of which every fifth with its mentions is dev", images.Count);
        return new() { [Splits.Train] = train, [Splits.Dev] = dev };
    }

    private static Mention ToMention(JsonRecord record)
    {
        var image = record.Text("image", "the image's name");
        return new Mention(
            record.IdOrNull("id") ?? $"image {image}", "", "", image.Length > 0 ? [image] : [], "", record.Gold("wikiid"),
            record.Box("boundingbox"));
    }

    private static IEnumerable<string> EntityFiles(DatasetFolder folder)
    {
        var published = folder.PathOf("TKB");
        return
        [
            .. (Directory.Exists(published) ? Directory.GetFiles(published, "*.json") : [])
                .Select(path => Path.Combine("TKB", Path.GetFileName(path)))
                .Order(StringComparer.Ordinal),
            .. folder.FilesWhere(name =>
                name.StartsWith("entity_", StringComparison.Ordinal) && name.EndsWith(".json", StringComparison.Ordinal) && name != Order),
        ];
    }

    private static void ReadEntities(JsonSource source, EntityTable entities) => source.EachListedRecord(record =>
    {
        var id = record.IdOrNull("id") ?? throw record.Broken(null, "a record without 'id'", "the entity's id");
        entities.TryAdd(id);
        entities.Name(id, record.TextOrNull("name") ?? "");
        entities.Describe(id, "description", record.TextOrNull("description"));
    });

    private static void AddPhotos(DatasetFolder folder, EntityTable entities)
    {
        if (!Directory.Exists(folder.PathOf(Photos))) return;
        foreach (var photo in Directory.EnumerateFiles(folder.PathOf(Photos)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal))
            entities.Images(Path.GetFileNameWithoutExtension(photo), [photo]);
    }
}
