using Dwe.Host.Enrichment;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>The names of a user's own files, and what their fields mean; JSON Lines and CSV have the same ones.</summary>
internal static class OwnRecords
{
    /// <summary>All splits in one file, told apart by a field <c>split</c>.</summary>
    public const string MentionsStem = "mentions";

    public const string EntitiesStem = "entities";

    /// <summary>Fields of an entity that are not descriptions.</summary>
    public static readonly IReadOnlySet<string> Reserved = new HashSet<string> { "id", "name", "aliases", "type", "image", "images" };

    /// <summary>Whether a folder holds such files.</summary>
    public static bool Recognises(string folder, string ending) =>
        Splits.All.Append(MentionsStem).Any(stem => File.Exists(Path.Combine(folder, stem + ending)));

    /// <summary>Reads such a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="ending">The files' ending, with its dot.</param>
    /// <param name="read">The records of one file of the folder, streamed; their hash is added at the end.</param>
    public static Dataset Read(DatasetFolder folder, string ending, Func<string, IEnumerable<Record>> read)
    {
        var mentions = new Dictionary<string, MentionList>();
        foreach (var stem in Splits.All.Append(MentionsStem))
        {
            if (!folder.Has(stem + ending)) continue;
            var number = 0;
            if (stem != MentionsStem) mentions.TryAdd(stem, new MentionList(folder));
            foreach (var record in read(stem + ending))
            {
                var split = stem == MentionsStem ? SplitOf(record) : stem;
                if (!mentions.TryGetValue(split, out var list)) mentions[split] = list = new MentionList(folder);
                list.Add(ToMention(record, $"{stem}-{number++}"), record.Texts("candidates"));
            }
        }
        if (mentions.Count == 0) throw folder.Missing(Splits.Train + ending, "mentions");

        if (!folder.Has(EntitiesStem + ending)) throw folder.Missing(EntitiesStem + ending, "the entities");
        var entities = new List<Entity>();
        var ids = new HashSet<string>();
        foreach (var record in read(EntitiesStem + ending))
        {
            var entity = ToEntity(record);
            if (!ids.Add(entity.Id)) throw record.Broken("id", $"'{entity.Id}' twice", "every id once");
            entities.Add(entity);
        }
        var card = EnrichmentCard.Beside(folder.PathOf(EntitiesStem + ending));
        return folder.Finish(mentions, entities, DweLayout.Candidates) with { Enrichment = card };
    }

    /// <summary>An entity; texts under names of their own are descriptions.</summary>
    public static Entity ToEntity(Record record)
    {
        var id = record.IdOrNull("id") ?? throw record.Broken(null, "a record without 'id'", "the entity's id");
        var fields = new Dictionary<string, string>();
        foreach (var name in record.Names)
        {
            if (!Reserved.Contains(name) && record.TextIfAny(name)?.Trim() is { Length: > 0 } text) fields[name] = text;
        }
        return new Entity(
            id,
            record.TextOrNull("name")?.Trim() is { Length: > 0 } own ? own : id,
            record.Texts("aliases"),
            record.TextOrNull("type") ?? "",
            fields,
            ImagesOf(record));
    }

    private static Mention ToMention(Record record, string number) => new(
        record.IdOrNull("key") ?? record.IdOrNull("id") ?? number,
        record.Text("mention", "the mention's text"),
        record.TextOrNull("sentence") ?? "",
        ImagesOf(record),
        record.TextOrNull("type") ?? "",
        record.Gold("entity"),
        record.Box("box"));

    private static string[] ImagesOf(Record record) => [.. record.Texts("image"), .. record.Texts("images")];

    private static string SplitOf(Record record)
    {
        var split = record.TextUnlessEmpty("split") ?? Splits.Train;
        return Splits.All.Contains(split) ? split : throw record.Broken("split", Record.Shown(split), "train, dev or test");
    }
}
