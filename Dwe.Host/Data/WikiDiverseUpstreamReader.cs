using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// WikiDiverse as its authors publish it: lists of passages <c>[sentence, image address, topic, [[mention, type, start, end,
/// article address], ...]]</c>, or lists of mentions with candidates in eleven places (<c>*_w_10cands.json</c>, which win where
/// both are there); splits <c>train</c>, <c>valid</c>, <c>test</c>; perhaps <c>entity2desc*</c>
/// (<c>title@@@@description</c>) and <c>entity2imgs*</c> (<c>title@@@@address[AND]address</c>), one a line.
/// </summary>
internal sealed class WikiDiverseUpstreamReader : IDatasetReader
{
    private const string WithCandidates = "_w_10cands";
    private const string Mark = "@@@@";

    private static readonly string[] Passage = ["sentence", "image", "topic", "mentions"];

    private static readonly string[] MentionOfPassage = ["mention", "type", "start", "end", "entity"];

    private static readonly string[] WithCandidatesPlaces =
        ["sentence", "image", "mention", "type", "left", "right", "entity", "candidates", "topic", "start", "end"];

    private static readonly (string Split, string[] Stems)[] Stems =
        [(Splits.Train, ["train"]), (Splits.Dev, ["valid", "dev", "val"]), (Splits.Test, ["test"])];

    /// <inheritdoc/>
    public string Format => "WikiDiverse-upstream";

    /// <inheritdoc/>
    public string Signature => $"train.json and valid.json (lists of passages), or train{WithCandidates}.json and valid{WithCandidates}.json";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["wikinewsImgs", "images"];

    /// <inheritdoc/>
    public IReadOnlyList<string> EntityImageFolders => ["wikipediaImgs", "images"];

    /// <inheritdoc/>
    public bool Recognises(string folder) =>
        Stems.SelectMany(split => split.Stems).SelectMany(Names)
            .Any(name => JsonShape.Of(Path.Combine(folder, name)).IsListOfLists);

    /// <inheritdoc/>
    public Dataset Read(string path)
    {
        var folder = new DatasetFolder(path, this);
        var tables = new WikiDiverseTables(folder);
        foreach (var name in folder.FilesWhere(name => IsTable(name, "entity2desc")))
        {
            foreach (var (title, text) in ReadTable(folder, name)) tables.Entities.Describe(tables.Add(title), "description", text);
        }
        foreach (var (split, stems) in Stems)
        {
            var name = stems.SelectMany(Names).FirstOrDefault(folder.Has);
            if (name is not null)
                folder.Open(name, $"the {split} split").EachTuple([Passage, WithCandidatesPlaces], record => Add(folder, tables, split, record));
            else if (split != Splits.Test)
                throw folder.Missing(stems[0] + ".json", $"the {split} split");
        }

        // Titles are names of golds and candidates, too; those that entity2desc has are rows already.
        foreach (var mention in tables.Mentions)
        {
            foreach (var title in mention.Candidates.Append(mention.Title ?? ""))
            {
                if (Record.GoldOf(title).IsEntity && tables.Find(title) is null) tables.Add(title);
            }
        }
        foreach (var name in folder.FilesWhere(name => IsTable(name, "entity2imgs")))
        {
            foreach (var (title, images) in ReadTable(folder, name))
            {
                if (tables.Find(title) is { } id) tables.Entities.Images(id, images.Split("[AND]").Select(WikipediaNames.ImageOf));
            }
        }
        return tables.Finish(candidateFile: null);
    }

    private static string[] Names(string stem) => [stem + WithCandidates + ".json", stem + ".json"];

    private static bool IsTable(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && !name.EndsWith(".json", StringComparison.Ordinal);

    private static void Add(DatasetFolder folder, WikiDiverseTables tables, string split, JsonRecord record)
    {
        var sentence = record.Text("sentence", "the sentence");
        var image = WikipediaNames.ImageOf(record.TextOrNull("image") ?? "");
        JsonRecord[] mentions = record.Names.Contains("mentions") ? [.. record.Tuples("mentions", MentionOfPassage)] : [record];
        foreach (var mention in mentions)
        {
            var title = TitleOf(folder, mention.TextOrNull("entity") ?? "");
            string[] candidates = [.. mention.Texts("candidates").Select(candidate => TitleOf(folder, candidate)).Where(one => Record.GoldOf(one).IsEntity)];
            tables.Mentions.Add(new WikiDiverseMention(
                split,
                new Mention(
                    $"{split}-{mention.Name}", mention.Text("mention", "the mention's text"), sentence, image.Length > 0 ? [image] : [],
                    WikiDiverseTables.TypeOf(mention.TextOrNull("type")), Gold.Unlabelled, null),
                title, null, candidates));
        }
    }

    private static string TitleOf(DatasetFolder folder, string address)
    {
        var (title, mended) = WikipediaNames.TitleOf(address);
        if (mended) folder.Remark("article addresses whose beginning is mistyped");
        return title;
    }

    private static IEnumerable<(string Title, string Text)> ReadTable(DatasetFolder folder, string name)
    {
        foreach (var (number, line) in TextLines.Read(folder, name))
        {
            if (line.Length == 0) continue;
            var mark = line.IndexOf(Mark, StringComparison.Ordinal);
            if (mark < 0)
            {
                throw new UserErrorException(UserError.NewFileBroken(
                    folder.PathOf(name), $"line {number}", Record.Shown(line), $"a title, {Mark} and what belongs to it"));
            }
            yield return (line[..mark], line[(mark + Mark.Length)..]);
        }
    }
}
