using Dwe.Model.Domain;

namespace Dwe.Host.Data.Conversion;

/// <summary>
/// MIMIC's layout, see <see cref="MimicReader"/>: one image a mention, by its file name; two descriptions, <c>attr</c> and
/// <c>desc</c>.
/// </summary>
internal sealed class MimicWriter : IDatasetWriter
{
    /// <inheritdoc/>
    public string Name => "mimic";

    /// <inheritdoc/>
    public void Write(Dataset dataset, string folder, Losses losses)
    {
        var nameOf = dataset.Entities.ToDictionary(entity => entity.Id, entity => entity.Name);
        foreach (var split in Splits.All.Where(split => split != Splits.Test || dataset.Mentions.ContainsKey(split)))
        {
            DatasetWriters.WriteJson(Path.Combine(folder, split + ".json"), isList: true, (json, next) =>
            {
                foreach (var mention in dataset.Mentions.GetValueOrDefault(split, []))
                {
                    json.WriteStartObject();
                    json.WriteString("id", mention.Key);
                    json.WriteString("sentence", mention.Sentence);
                    json.WriteString("mentions", mention.Text);
                    json.WriteString("entities", mention.Gold is Gold.Entity gold ? nameOf.GetValueOrDefault(gold.id, "") : "nil");
                    json.WriteString("answer", DatasetWriters.AnswerOf(mention));
                    json.WriteString("imgPath", mention.Images.FirstOrDefault(""));
                    json.WriteEndObject();
                    next();
                    losses.Add("mention images after the first", Math.Max(0, mention.Images.Length - 1));
                    losses.Add("folders and endings of image names", mention.Images.Take(1).Count(image => MimicReader.ImageName(image) != image));
                    losses.Add("mention types", mention.Type.Length > 0 ? 1 : 0);
                    losses.Add("mention boxes", mention.Box is null ? 0 : 1);
                }
            });
        }
        losses.Add("descriptions said to be a language model's", dataset.EnrichedBy.Count);
        losses.Add("candidate lists in records", dataset.RecordCandidates.Values.Sum(lists => lists.Count));
        losses.Add("candidate file", dataset.CandidatePath is null ? 0 : 1);
        WriteEntities(dataset, folder, losses);
    }

    private static void WriteEntities(Dataset dataset, string folder, Losses losses)
    {
        var (attr, desc) = FieldsOf(dataset.FieldNames);
        DatasetWriters.WriteJson(Path.Combine(folder, "kb_entity.json"), isList: true, (json, next) =>
        {
            for (var row = 0; row < dataset.Entities.Count; row++)
            {
                var entity = dataset.Entities[row];
                json.WriteStartObject();
                json.WriteNumber("id", row);
                json.WriteString("type", "entity");
                json.WriteString("qid", entity.Id);
                json.WriteString("entity_name", entity.Name == entity.Id ? "" : Uri.EscapeDataString(entity.Name));
                json.WriteString("attr", attr is null ? "" : entity.Fields.GetValueOrDefault(attr, ""));
                if (desc is not null) json.WriteString("desc", entity.Fields.GetValueOrDefault(desc, ""));
                if (entity.Type.Length > 0) json.WriteString("instance", entity.Type);
                json.WriteTexts("image_list", entity.Images);
                json.WriteEndObject();
                next();
                losses.Add("aliases", entity.Aliases.Length);
                losses.Add("descriptions beyond the two", entity.Fields.Keys.Count(field => field != attr && field != desc));
            }
        });
        foreach (var (field, place) in new[] { (attr, "attr"), (desc, "desc") })
        {
            if (field is not null && field != place)
                losses.Add($"descriptions '{field}' written as '{place}'", dataset.Entities.Count(entity => entity.Fields.ContainsKey(field)));
        }

        // MIMIC's loader reads one line.
        DatasetWriters.WriteJson(Path.Combine(folder, "qid2id.json"), isList: false, (json, next) =>
        {
            for (var row = 0; row < dataset.Entities.Count; row++)
            {
                json.WriteNumber(dataset.Entities[row].Id, row);
                next();
            }
        });
    }

    /// <summary>Attributes and a description: those of these names, else a property and a brief, else the first ones.</summary>
    private static (string? Attr, string? Desc) FieldsOf(IReadOnlyList<string> fields)
    {
        string? First(string[] wanted, string? taken) =>
            wanted.FirstOrDefault(name => fields.Contains(name) && name != taken) ?? fields.FirstOrDefault(name => name != taken && !wanted.Contains(name));
        if (fields.Count == 1) return fields[0] is "desc" or "description" or "brief" ? (null, fields[0]) : (fields[0], null);
        var desc = new[] { "desc", "description", "brief" }.FirstOrDefault(fields.Contains);
        var attr = First(["attr", "property", "property_long"], desc);
        return (attr, desc ?? First([], attr));
    }
}
