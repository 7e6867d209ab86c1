using Dwe.Model.Domain;

namespace Dwe.Host.Data.Conversion;

/// <summary>
/// DWE's WikiMEL, see <see cref="WikiMelReader"/>. A mention with several images has <c>img_list</c>, as in RichpediaMEL; a
/// description that is neither property nor brief is a file <c>field_NAME.json</c> of this program's own, but where there is
/// neither, the first one becomes <c>brief.json</c>, without which DWE reads nothing.
/// </summary>
internal sealed class WikiMelWriter : IDatasetWriter
{
    /// <inheritdoc/>
    public string Name => "wikimel";

    /// <inheritdoc/>
    public void Write(Dataset dataset, string folder, Losses losses)
    {
        var nameOf = dataset.Entities.ToDictionary(entity => entity.Id, entity => entity.Name);
        foreach (var split in Splits.All.Where(split => split != Splits.Test || dataset.Mentions.ContainsKey(split)))
        {
            DatasetWriters.WriteJson(Path.Combine(folder, split + ".json"), isList: false, (json, next) =>
            {
                foreach (var mention in dataset.Mentions.GetValueOrDefault(split, []))
                {
                    json.WriteStartObject(mention.Key);
                    json.WriteString("id", mention.Key);
                    json.WriteString("sentence", mention.Sentence);
                    if (mention.Images.Length > 1) json.WriteTexts("img_list", mention.Images);
                    else json.WriteString("imgPath", mention.Images.FirstOrDefault(""));
                    json.WriteString("mentions", mention.Text);
                    if (mention.Gold is Gold.Entity gold && nameOf.TryGetValue(gold.id, out var name)) json.WriteString("entities", name);
                    json.WriteString("answer", DatasetWriters.AnswerOf(mention));
                    json.WriteEndObject();
                    next();
                    losses.Add("mention types", mention.Type.Length > 0 ? 1 : 0);
                    losses.Add("mention boxes", mention.Box is null ? 0 : 1);
                }
            });
        }
        losses.Add("descriptions said to be a language model's", dataset.EnrichedBy.Count);
        losses.Add("candidate lists in records", dataset.RecordCandidates.Values.Sum(lists => lists.Count));
        WriteEntities(dataset, folder, losses);
        if (dataset.CandidatePath is not null) File.Copy(dataset.CandidatePath, Path.Combine(folder, DweLayout.Candidates));
    }

    private static void WriteEntities(Dataset dataset, string folder, Losses losses)
    {
        DatasetWriters.WriteJson(Path.Combine(folder, DweLayout.Order), isList: true, (json, next) =>
        {
            foreach (var entity in dataset.Entities)
            {
                json.WriteStringValue(entity.Id);
                next();
            }
        });
        DatasetWriters.WriteJson(Path.Combine(folder, "qid2ne.json"), isList: false, (json, next) =>
        {
            foreach (var entity in dataset.Entities.Where(entity => entity.Name != entity.Id))
            {
                json.WriteString(entity.Id, entity.Name);
                next();
            }
        });
        DatasetWriters.WriteJson(Path.Combine(folder, "ne2qid.json"), isList: false, (json, next) =>
        {
            // A name leads to one entity in this file: the second bearer of an alias loses it.
            var taken = new HashSet<string>();
            foreach (var entity in dataset.Entities)
            {
                foreach (var alias in entity.Aliases)
                {
                    if (taken.Add(alias)) json.WriteString(alias, entity.Id);
                    else losses.Add("aliases that another entity has, too");
                }
                next();
            }
        });
        foreach (var (field, file) in FilesOf(dataset.FieldNames))
        {
            if (file == "brief.json" && field != "brief") losses.Add($"descriptions '{field}' written as 'brief'", Described(dataset, field));
            DatasetWriters.WriteJson(Path.Combine(folder, file), isList: false, (json, next) =>
            {
                foreach (var entity in dataset.Entities)
                {
                    if (entity.Fields.TryGetValue(field, out var text)) json.WriteString(entity.Id, $"{entity.Name} [SEP]. {text}");
                    next();
                }
            });
        }
        losses.Add("entity types", dataset.Entities.Count(entity => entity.Type.Length > 0));
        losses.Add("entity images", dataset.Entities.Sum(entity => entity.Images.Length));
    }

    /// <summary>Each description field with its file. DWE itself must find property.json or brief.json.</summary>
    private static IEnumerable<(string Field, string File)> FilesOf(IReadOnlyList<string> fields)
    {
        if (fields.Count == 0) return [("brief", "brief.json")];
        var first = fields.Contains("property") || fields.Contains("brief") ? null : fields[0];
        return fields.Select(field => (
            field,
            field == first ? "brief.json" : DweLayout.FieldNames.Contains(field) ? field + ".json" : $"{DweLayout.FieldPrefix}{field}.json"));
    }

    private static int Described(Dataset dataset, string field) => dataset.Entities.Count(entity => entity.Fields.ContainsKey(field));
}
