using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// WikiDiverse as DWE lays it out: <c>train.json</c>, <c>dev.json</c>, perhaps <c>test.json</c> (lists of records with
/// <c>sentence</c>, <c>mention</c>, <c>mention_type</c>, <c>mention_image</c>, <c>entity</c>, perhaps <c>answer</c> and
/// <c>cands</c>), <c>entity2desc.json</c> (title to description), <c>entity_list.json</c> (row order),
/// <c>search_top100.json</c>, and what may come with it: <c>gold_entity2qid.json</c>, <c>entity2property*.json</c> and
/// further <c>entity2desc*.json</c>.
/// </summary>
internal sealed class WikiDiverseReader : IDatasetReader
{
    private const string Descriptions = "entity2desc.json";
    private const string Candidates = "search_top100.json";

    /// <inheritdoc/>
    public string Format => "WikiDiverse";

    /// <inheritdoc/>
    public string Signature => $"train.json and dev.json (lists of records with mention and entity), {Descriptions} or gold_entity2qid.json";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["ImgData/wikidiverse", "images"];

    /// <inheritdoc/>
    public bool Recognises(string folder) =>
        JsonShape.Of(Path.Combine(folder, "train.json")) is { IsListOfRecords: true } shape
        && shape.Fields.Contains("mention");

    /// <inheritdoc/>
    public Dataset Read(string path)
    {
        var folder = new DatasetFolder(path, this);
        var tables = new WikiDiverseTables(folder);
        var titles = new List<string>();
        var ids = folder.OpenIfThere("gold_entity2qid.json");
        ids?.EachMember((string title, ref Utf8JsonReader value) =>
        {
            tables.Identify(title, ids.Text(title, ref value));
            titles.Add(title);
        });
        foreach (var split in Splits.All)
        {
            var source = split == Splits.Test ? folder.OpenIfThere("test.json") : folder.Open(split + ".json", $"the {split} split");
            source?.EachListedRecord(record => tables.Mentions.Add(ToMention(split, record)));
        }
        foreach (var mention in tables.Mentions)
        {
            if (mention is { Title: { Length: > 0 } title, Answer: { } answer } && Record.GoldOf(answer).IsEntity) tables.Identify(title, answer);
        }

        foreach (var title in folder.OpenIfThere("entity_list.json")?.Texts() ?? []) tables.Add(title);
        Describe(folder, tables, Descriptions, "description", isKnowledgeBase: true);
        foreach (var title in titles) tables.Add(title);
        tables.Entities.AddGolds(tables.Mentions.Where(mention => mention.Answer is not null).Select(mention => mention.Mention));
        foreach (var mention in tables.Mentions)
        {
            if (mention is { Answer: null, Title: { } title } && Record.GoldOf(title).IsEntity && tables.Find(title) is null) tables.Add(title);
        }
        foreach (var (prefix, field) in new[] { ("entity2desc", "description"), ("entity2property", "property") })
        {
            foreach (var name in folder.FilesWhere(name =>
                name != Descriptions && name.StartsWith(prefix, StringComparison.Ordinal) && name.EndsWith(".json", StringComparison.Ordinal)))
            {
                Describe(folder, tables, name, field, isKnowledgeBase: false);
            }
        }
        return tables.Finish(Candidates);
    }

    private static WikiDiverseMention ToMention(string split, JsonRecord record)
    {
        var image = WikipediaNames.AsPng(record.TextOrNull("mention_image") ?? "");
        var mention = new Mention(
            $"{split}-{record.Name}",
            record.Text("mention", "the mention's text"),
            record.Text("sentence", "the sentence"),
            image.Length > 0 ? [image] : [],
            WikiDiverseTables.TypeOf(record.TextOrNull("mention_type")),
            Record.GoldOf(record.IdOrNull("answer")),
            null);
        var title = record.TextOrNull("entity");
        return new WikiDiverseMention(
            split, mention, title is null ? null : WikipediaNames.TitleOf(title).Title, record.IdOrNull("answer"), record.FirstTexts("cands"));
    }

    /// <summary>The knowledge base's own file adds its titles; others describe what is there.</summary>
    private static void Describe(DatasetFolder folder, WikiDiverseTables tables, string file, string field, bool isKnowledgeBase)
    {
        var source = folder.OpenIfThere(file);
        source?.EachMember((string title, ref Utf8JsonReader value) =>
        {
            var id = isKnowledgeBase ? tables.Add(title) : tables.Find(title);
            if (value.TokenType == JsonTokenType.Null) return;
            var text = source.Text(title, ref value);
            if (id is null) folder.Remark($"descriptions in {file} of entities outside of the knowledge base");
            else tables.Entities.Describe(id, field, text);
        });
    }
}
