using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// The layout of MIMIC, which M3EL, MMoE, OT-MEL and others share: <c>*train.json</c>, <c>*dev.json</c>, <c>*test.json</c>
/// (lists of records with <c>id</c>, <c>sentence</c>, <c>mentions</c>, <c>answer</c>, <c>imgPath</c>), <c>kb_entity.json</c> (list
/// of entities with <c>id</c>, the row, <c>entity_name</c>, <c>attr</c>, <c>image_list</c> and, in newer releases, <c>qid</c>,
/// <c>desc</c>, <c>instance</c>), <c>qid2id.json</c>, <c>mention_image/</c> or <c>mention_images/</c>, <c>kb_image/</c>.
/// </summary>
internal sealed class MimicReader : IDatasetReader
{
    private const string Knowledge = "kb_entity.json";
    private const string Ids = "qid2id.json";

    /// <inheritdoc/>
    public string Format => "MIMIC";

    /// <inheritdoc/>
    public string Signature => $"*train.json, *dev.json, {Knowledge}, {Ids}";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["mention_image", "mention_images"];

    /// <inheritdoc/>
    public IReadOnlyList<string> EntityImageFolders => ["kb_image", "kb_images"];

    /// <inheritdoc/>
    public bool Recognises(string folder) => File.Exists(Path.Combine(folder, Knowledge));

    /// <inheritdoc/>
    public Dataset Read(string path)
    {
        var folder = new DatasetFolder(path, this);
        var (entities, idOfQid) = ReadEntities(folder);
        var mentions = new Dictionary<string, MentionList>();
        foreach (var split in Splits.All)
        {
            var names = folder.FilesWhere(name => name.EndsWith(split + ".json", StringComparison.OrdinalIgnoreCase));
            if (names.Length > 1)
            {
                throw new UserErrorException(UserError.NewFileBroken(
                    path, $"the {split} split", string.Join(" and ", names), $"one file whose name ends in {split}.json"));
            }
            if (names.Length == 0)
            {
                if (split != Splits.Test) throw folder.Missing($"*{split}.json", $"the {split} split");
                continue;
            }
            var list = mentions[split] = new MentionList(folder);
            folder.Open(names[0], $"the {split} split").EachListedRecord(record => list.Add(ToMention(split, record, idOfQid)));
        }
        return folder.Finish(mentions, entities.Build());
    }

    private static Mention ToMention(string split, JsonRecord record, Dictionary<string, string> idOfQid)
    {
        var gold = record.Gold("answer");
        if (gold is Gold.Entity { id: var qid } && idOfQid.TryGetValue(qid, out var id)) gold = Gold.NewEntity(id);
        return new Mention(
            record.IdOrNull("id") ?? $"{split}-{record.Name}",
            record.Text("mentions", "the mention's text"),
            record.Text("sentence", "the sentence"),
            [.. record.Texts("imgPath").Select(ImageName)],
            "",
            gold,
            null);
    }

    /// <summary>As MIMIC names the files that it ships: up to the first dot, then <c>.jpg</c>.</summary>
    public static string ImageName(string path) => path[(path.LastIndexOf('/') + 1)..].Split('.')[0] + ".jpg";

    /// <summary>An entity's id is its QID where there is one, else its row number; and the id that each QID leads to.</summary>
    private static (EntityTable Entities, Dictionary<string, string> IdOfQid) ReadEntities(DatasetFolder folder)
    {
        var rowOfQid = new Dictionary<string, string>();
        var qidOfRow = new Dictionary<string, string>();
        var ids = folder.OpenIfThere(Ids);
        ids?.EachMember((string qid, ref Utf8JsonReader value) =>
        {
            var row = value.TokenType == JsonTokenType.Number && value.TryGetInt64(out var number) ? $"{number}" : ids.Text(qid, ref value);
            rowOfQid.Add(qid, row);
            if (!qidOfRow.TryAdd(row, qid)) folder.Remark($"ids in {Ids} that share an entity");
        });

        var entities = new EntityTable();
        var idOfRow = new Dictionary<string, string>();
        folder.Open(Knowledge, "the entities").EachListedRecord(record =>
        {
            var row = record.IdOrNull("id") ?? record.Name;
            var id = record.IdOrNull("qid") ?? qidOfRow.GetValueOrDefault(row, row);
            if (!idOfRow.TryAdd(row, id)) throw record.Broken("id", $"'{row}' twice", "every id once");
            if (!entities.TryAdd(id)) throw record.Broken("qid", $"'{id}' twice", "every id once");
            entities.Name(id, Uri.UnescapeDataString(record.TextOrNull("entity_name") ?? ""));
            foreach (var field in (string[])["attr", "desc"]) entities.Describe(id, field, record.TextOrNull(field));
            entities.Type(id, string.Join(", ", record.Texts("instance")));
            entities.Images(id, record.Texts("image_list"));
        });

        var idOfQid = new Dictionary<string, string>();
        foreach (var (qid, row) in rowOfQid)
        {
            if (idOfRow.TryGetValue(row, out var id)) idOfQid[qid] = id;
            else folder.Remark($"ids in {Ids} without an entity");
        }
        return (entities, idOfQid);
    }
}
