using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// WikiMEL as DWE lays it out: <c>train.json</c>, <c>dev.json</c> and perhaps <c>test.json</c> (key to record with
/// <c>sentence</c>, <c>mentions</c>, <c>answer</c>, <c>imgPath</c>), <c>qids_ordered.json</c> (row order of the entities),
/// <c>property.json</c> and/or <c>brief.json</c> (id to <c>Name [SEP]. description</c>), perhaps <c>qid2ne.json</c> and
/// <c>ne2qid.json</c> (names) and <c>search_top100.json</c> (candidates).
/// </summary>
internal sealed class WikiMelReader : IDatasetReader
{
    private const string Order = "qids_ordered.json";
    private const string Separator = "[SEP].";

    /// <summary>Files of descriptions; the stem becomes the field's name.</summary>
    private static readonly string[] FieldNames = ["property", "brief"];

    /// <inheritdoc/>
    public string Format => "WikiMEL";

    /// <inheritdoc/>
    public string Signature => $"train.json, dev.json, {Order}, property.json or brief.json";

    /// <inheritdoc/>
    public bool Recognises(string folder) =>
        File.Exists(Path.Combine(folder, Order))
        || FieldNames.Any(field => File.Exists(Path.Combine(folder, field + ".json")));

    /// <inheritdoc/>
    public Dataset Read(string folder)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        JsonSource Open(string name, string expected)
        {
            var source = JsonSource.Open(
                Path.Combine(folder, name), expected, $"A {Format} folder holds {Signature}; check --data.");
            files[name] = source.Hash;
            return source;
        }
        JsonSource? OpenIfThere(string name) => File.Exists(Path.Combine(folder, name)) ? Open(name, name) : null;

        var entities = ReadEntities(Open, OpenIfThere);
        var ids = entities.Select(entity => entity.Id).ToHashSet();
        var mentions = new Dictionary<string, IReadOnlyList<Mention>>();
        foreach (var split in Splits.All)
        {
            var name = split + ".json";
            var source = split == Splits.Test ? OpenIfThere(name) : Open(name, $"the {split} split");
            if (source is not null) mentions[split] = ReadMentions(source);
        }

        var candidates = Path.Combine(folder, "search_top100.json");
        return new Dataset
        {
            Folder = folder,
            Format = Format,
            Mentions = mentions,
            Entities = entities,
            CandidatePath = File.Exists(candidates) ? candidates : null,
            ContentHash = HashOf(files),
            GoldMissing = mentions.ToDictionary(
                split => split.Key,
                split => split.Value.Count(mention => mention.Gold is Gold.Entity gold && !ids.Contains(gold.id))),
        };
    }

    private static List<Mention> ReadMentions(JsonSource source)
    {
        var mentions = new List<Mention>();
        source.EachMember((string key, ref Utf8JsonReader reader) =>
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                throw source.Broken(ref reader, key, JsonSource.KindOf(ref reader), "a record");
            string? text = null, sentence = null, answer = null, image = null;
            var record = reader;
            source.EachMember(ref reader, (string field, ref Utf8JsonReader value) =>
            {
                switch (field)
                {
                    case "mentions": text = source.Text($"{key}' field '{field}", ref value); break;
                    case "sentence": sentence = source.Text($"{key}' field '{field}", ref value); break;
                    case "answer": answer = source.Text($"{key}' field '{field}", ref value); break;
                    case "imgPath": image = source.Text($"{key}' field '{field}", ref value); break;
                    default: value.Skip(); break;
                }
            });
            if (text is null) throw source.Broken(ref record, key, "a record without 'mentions'", "the mention's text");
            if (sentence is null) throw source.Broken(ref record, key, "a record without 'sentence'", "the sentence");
            mentions.Add(new Mention(key, text, sentence, string.IsNullOrEmpty(image) ? [] : [image], "", GoldOf(answer)));
        });
        return mentions;
    }

    private static Gold GoldOf(string? answer) => answer switch
    {
        null or "" => Gold.Unlabelled,
        _ when answer.Equals("nil", StringComparison.OrdinalIgnoreCase) => Gold.Nil,
        _ => Gold.NewEntity(answer),
    };

    private static List<Entity> ReadEntities(
        Func<string, string, JsonSource> open, Func<string, JsonSource?> openIfThere)
    {
        var orderSource = open(Order, "the entity ids in row order");
        var order = orderSource.Texts();
        var twice = order.GroupBy(id => id).FirstOrDefault(same => same.Count() > 1);
        if (twice is not null)
            throw new UserErrorException(UserError.NewFileBroken(
                orderSource.Path, "entity ids", $"'{twice.Key}' twice", "every id once"));

        var names = new Dictionary<string, List<string>>();
        void Name(string id, string name)
        {
            if (name.Length == 0) return;
            if (!names.TryGetValue(id, out var known)) names[id] = known = [];
            if (!known.Contains(name)) known.Add(name);
        }

        // The name an entity is known by: what qid2ne says, else the name before its description, else ne2qid's first.
        var qid2ne = openIfThere("qid2ne.json");
        qid2ne?.EachMember((string id, ref Utf8JsonReader value) => Name(id, qid2ne.Text(id, ref value)));
        var fields = new Dictionary<string, Dictionary<string, string>>();
        var sources = FieldNames.Select(field => (Field: field, Source: openIfThere(field + ".json"))).ToArray();
        if (sources.All(file => file.Source is null))
            sources[0].Source = open(FieldNames[0] + ".json", "descriptions of the entities");
        foreach (var (field, source) in sources)
        {
            if (source is null) continue;
            source.EachMember((string id, ref Utf8JsonReader value) =>
            {
                if (value.TokenType == JsonTokenType.Null) return;
                var (name, description) = Split(source.Text(id, ref value));
                Name(id, name);
                if (description.Length == 0) return;
                if (!fields.TryGetValue(id, out var ofEntity)) fields[id] = ofEntity = [];
                ofEntity[field] = description;
            });
        }
        var ne2qid = openIfThere("ne2qid.json");
        ne2qid?.EachMember((string name, ref Utf8JsonReader value) => Name(ne2qid.Text(name, ref value), name));

        var empty = new Dictionary<string, string>();
        return [.. order.Select(id =>
        {
            var known = names.GetValueOrDefault(id) ?? [id];
            return new Entity(id, known[0], [.. known.Skip(1)], "", fields.GetValueOrDefault(id) ?? empty, []);
        })];
    }

    /// <summary><c>Name [SEP]. description</c>: the name may be empty, the description too. Without the mark, all of it is
    /// description.</summary>
    private static (string Name, string Description) Split(string text)
    {
        var mark = text.IndexOf(Separator, StringComparison.Ordinal);
        return mark < 0 ? ("", text.Trim()) : (text[..mark].Trim(), text[(mark + Separator.Length)..].Trim());
    }

    private static string HashOf(SortedDictionary<string, byte[]> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, contents) in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name + "\n"));
            hash.AppendData(contents);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
