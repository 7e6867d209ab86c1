using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// What WikiMEL and RichpediaMEL have in common as DWE lays them out: records by key, ids in row order, files of
/// descriptions (id to <c>Name [SEP]. description</c>) and of names.
/// </summary>
internal static class DweLayout
{
    public const string Order = "qids_ordered.json";
    public const string Candidates = "search_top100.json";
    public const string FieldPrefix = "field_";
    private const string Separator = "[SEP].";

    /// <summary>Files of descriptions; the stem becomes the field's name. Further ones are called <c>field_NAME.json</c>.</summary>
    public static readonly string[] FieldNames = ["property", "property_long", "brief"];

    /// <summary>A wrong answer in the published RichpediaMEL, and the right one, as DWE's code mends it.</summary>
    private static readonly (string Wrong, string Right) Patch = ("c", "Q5729149");

    /// <summary>Whether the folder has the entities of this layout.</summary>
    public static bool HasEntities(string folder) =>
        File.Exists(Path.Combine(folder, Order))
        || FieldNames.Any(field => File.Exists(Path.Combine(folder, field + ".json")));

    /// <summary>Reads a folder of this layout.</summary>
    public static Dataset Read(DatasetFolder folder)
    {
        var entities = ReadEntities(folder);
        var mentions = folder.ReadSplits((source, list) => ReadMentions(source, list, folder));
        return folder.Finish(mentions, entities.Build(), Candidates);
    }

    private static void ReadMentions(JsonSource source, MentionList mentions, DatasetFolder folder) =>
        source.EachKeyedRecord(record =>
        {
            var text = record.Text("mentions", "the mention's text");
            var sentence = record.Text("sentence", "the sentence");
            var answer = record.TextOrNull("answer");
            if (answer == Patch.Wrong)
            {
                answer = Patch.Right;
                folder.Remark($"answers '{Patch.Wrong}' read as {Patch.Right}");
            }
            string[] images = [.. record.Texts("imgPath"), .. record.Texts("img_list")];
            mentions.Add(new Mention(record.Name, text, sentence, images, "", Record.GoldOf(answer), null));
        });

    private static EntityTable ReadEntities(DatasetFolder folder)
    {
        var entities = new EntityTable();
        var order = folder.Open(Order, "the entity ids in row order");
        foreach (var id in order.Texts())
        {
            if (!entities.TryAdd(id))
            {
                throw new UserErrorException(UserError.NewFileBroken(
                    order.Path, "entity ids", $"'{id}' twice", "every id once"));
            }
        }

        // The name an entity is known by: what qid2ne says, else the name before its description, else ne2qid's first.
        var qid2ne = folder.OpenIfThere("qid2ne.json");
        qid2ne?.EachMember((string id, ref Utf8JsonReader value) => entities.Name(id, qid2ne.Text(id, ref value)));
        string[] fields =
        [
            .. FieldNames.Where(field => folder.Has(field + ".json")),
            .. folder.FilesWhere(name => name.StartsWith(FieldPrefix, StringComparison.Ordinal) && name.EndsWith(".json", StringComparison.Ordinal))
                .Select(name => name[..^".json".Length]),
        ];
        if (fields.Length == 0) throw folder.Missing(FieldNames[0] + ".json", "descriptions of the entities");
        foreach (var field in fields)
        {
            var source = folder.Open(field + ".json", "descriptions of the entities");
            var name = field.StartsWith(FieldPrefix, StringComparison.Ordinal) ? field[FieldPrefix.Length..] : field;
            source.EachMember((string id, ref Utf8JsonReader value) =>
            {
                if (value.TokenType == JsonTokenType.Null) return;
                var (title, description) = Split(source.Text(id, ref value));
                entities.Name(id, title);
                if (!entities.Describe(id, name, description)) folder.Remark($"descriptions in {field}.json of entities outside of the knowledge base");
            });
        }
        var ne2qid = folder.OpenIfThere("ne2qid.json");
        ne2qid?.EachMember((string name, ref Utf8JsonReader value) => entities.Name(ne2qid.Text(name, ref value), name));
        return entities;
    }

    /// <summary><c>Name [SEP]. description</c>: the name may be empty, the description too. Without the mark, all of it is
    /// description.</summary>
    private static (string Name, string Description) Split(string text)
    {
        var mark = text.IndexOf(Separator, StringComparison.Ordinal);
        return mark < 0 ? ("", text) : (text[..mark], text[(mark + Separator.Length)..]);
    }
}
