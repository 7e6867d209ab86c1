using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// MELBench's files and GHMFC's: one object of records whose <c>mentions</c>, <c>entities</c> and <c>answer</c> are lists side by
/// side (or texts), <c>splits.json</c> (split to record ids), <c>qid2abs.json</c> and <c>qid2abs_long.json</c> (descriptions),
/// <c>qid2ne.json</c> and <c>ne2qid.json</c> (names), <c>qids_ordered.json</c> (row order), <c>search_top100.json</c>.
/// </summary>
internal sealed class MelBenchReader : IDatasetReader
{
    private const string Cut = "splits.json";

    /// <summary>What a folder's records may be called, the fullest first.</summary>
    private static readonly string[] RecordFiles =
        ["nel_12n.json", "nel_121.json", "Wikidata-MEL.json", "Richpedia-MEL.json", "WikiMEL.json", "RichpediaMEL.json"];

    private static readonly (string File, string Field)[] Descriptions =
        [("qid2abs.json", "property"), ("qid2abs_long.json", "property_long")];

    /// <inheritdoc/>
    public string Format => "MELBench";

    /// <inheritdoc/>
    public string Signature => $"one of {string.Join(", ", RecordFiles)}, perhaps {Cut}, qid2abs.json, qid2ne.json";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["raw_data/imgs", "ImgData", "images"];

    /// <inheritdoc/>
    public bool Recognises(string folder) => RecordFiles.Any(name => File.Exists(Path.Combine(folder, name)));

    /// <inheritdoc/>
    public Dataset Read(string path)
    {
        var folder = new DatasetFolder(path, this);
        var name = RecordFiles.FirstOrDefault(folder.Has) ?? throw folder.Missing(RecordFiles[0], "the records");
        var records = new Dictionary<string, Mention[]>();
        var names = new List<(string Id, string Name)>();
        folder.Open(name, "the records").EachKeyedRecord(record => records.Add(record.Name, ToMentions(record, names)));

        var mentions = new Dictionary<string, MentionList>();
        var used = new HashSet<string>();
        foreach (var (split, ids) in ReadCut(folder, records.Keys))
        {
            var list = mentions[split] = new MentionList(folder);
            foreach (var id in ids)
            {
                if (!records.TryGetValue(id, out var own))
                {
                    folder.Remark($"ids in {Cut} without a record");
                    continue;
                }
                used.Add(id);
                foreach (var mention in own) list.Add(mention);
            }
        }
        folder.Remark($"records in no split of {Cut}", records.Count - used.Count);
        return folder.Finish(mentions, ReadEntities(folder, records.Values, names).Build(), DweLayout.Candidates);
    }

    private static Mention[] ToMentions(JsonRecord record, List<(string Id, string Name)> names)
    {
        // Empty texts are places too: lists are read as they stand.
        string[] Column(string field) => record.IsList(field) ? record.Texts(field) : record.TextOrNull(field) is { } text ? [text] : [];
        var texts = Column("mentions");
        var (titles, answers) = (Column("entities"), Column("answer"));
        if (texts.Length == 0) throw record.Broken(null, "a record without 'mentions'", "the mentions' texts");
        foreach (var (field, column) in new[] { ("entities", titles), ("answer", answers) })
        {
            if (column.Length != 0 && column.Length != texts.Length)
                throw record.Broken(field, $"{column.Length} for {texts.Length} mentions", "as many as mentions");
        }

        var sentence = record.Text("sentence", "the sentence");
        string[] images = [.. record.Texts("imgPath"), .. record.Texts("img_list")];
        return [.. texts.Select((text, i) =>
        {
            var gold = Record.GoldOf(answers.ElementAtOrDefault(i));
            if (gold is Gold.Entity entity && i < titles.Length) names.Add((entity.id, titles[i]));
            return new Mention(texts.Length == 1 ? record.Name : $"{record.Name}-{i}", text, sentence, images, "", gold, null);
        })];
    }

    /// <summary>The splits as they are given; else, as GHMFC cut them, 7 : 1 : 2, from an order that every run draws alike.</summary>
    private static IEnumerable<(string Split, IReadOnlyList<string> Ids)> ReadCut(DatasetFolder folder, IReadOnlyCollection<string> keys)
    {
        var cut = new List<(string, IReadOnlyList<string>)>();
        if (folder.OpenIfThere(Cut) is { } source)
        {
            source.EachMember((string split, ref Utf8JsonReader reader) =>
            {
                if (!Splits.All.Contains(split)) throw source.Broken(ref reader, split, $"'{split}'", "train, dev or test");
                if (reader.TokenType != JsonTokenType.StartArray) throw source.Broken(ref reader, split, JsonSource.KindOf(ref reader), "a list of ids");
                var ids = new List<string>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    ids.Add(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? $"{number}" : source.Text(split, ref reader));
                cut.Add((split, ids));
            });
            return cut;
        }

        folder.Remark($"records cut 7 : 1 : 2 into train, dev and test, for want of {Cut}", keys.Count);
        var order = keys.Order(StringComparer.Ordinal).ToArray();
        new SeededRandom(Seed.derive(0, "splits of MELBench", 0)).Shuffle(order);
        var (train, test) = (order.Length * 7 / 10, order.Length * 2 / 10);
        return
        [
            (Splits.Train, order[..train]),
            (Splits.Test, order[train..(train + test)]),
            (Splits.Dev, order[(train + test)..]),
        ];
    }

    /// <summary>The rows are those of <c>qids_ordered.json</c>; without it, every id that the files know.</summary>
    private static EntityTable ReadEntities(
        DatasetFolder folder, IEnumerable<Mention[]> records, List<(string Id, string Name)> names)
    {
        var entities = new EntityTable();
        var isOrdered = folder.Has(DweLayout.Order);
        foreach (var id in folder.OpenIfThere(DweLayout.Order)?.Texts() ?? [])
        {
            if (!entities.TryAdd(id)) throw new UserErrorException(UserError.NewFileBroken(
                folder.PathOf(DweLayout.Order), "entity ids", $"'{id}' twice", "every id once"));
        }

        void Row(string id)
        {
            if (!isOrdered) entities.TryAdd(id);
        }

        var qid2ne = folder.OpenIfThere("qid2ne.json");
        qid2ne?.EachMember((string id, ref Utf8JsonReader value) =>
        {
            Row(id);
            entities.Name(id, qid2ne.Text(id, ref value));
        });
        foreach (var (file, field) in Descriptions)
        {
            var source = folder.OpenIfThere(file);
            source?.EachMember((string id, ref Utf8JsonReader value) =>
            {
                Row(id);
                if (value.TokenType == JsonTokenType.Null) return;
                if (!entities.Describe(id, field, source.Text(id, ref value))) folder.Remark($"descriptions in {file} of entities outside of the knowledge base");
            });
        }
        var ne2qid = folder.OpenIfThere("ne2qid.json");
        ne2qid?.EachMember((string name, ref Utf8JsonReader value) =>
        {
            var id = ne2qid.Text(name, ref value);
            Row(id);
            entities.Name(id, name);
        });
        foreach (var own in records)
        {
            if (!isOrdered) entities.AddGolds(own);
        }
        foreach (var (id, name) in names)
        {
            if (!entities.IsNamed(id)) entities.Name(id, name);
        }
        return entities;
    }
}
