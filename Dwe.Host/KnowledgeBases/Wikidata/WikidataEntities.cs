using System.Text;
using System.Text.Json;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases.Wikidata;

/// <summary>
/// Items of a dump of Wikidata as entities: label, aliases, type (the label of what it is an instance of), <c>description</c>,
/// <c>property</c> (<see cref="PropertyText"/>) and the names of its images (P18). The dump is read twice, since labels of values
/// stand anywhere in it: first the items, kept in a scratch file, then labels; and once before where subclasses count. Memory:
/// the labels that are needed.
/// </summary>
internal sealed class WikidataEntities(string path, WikidataChoice choice) : IEntityFeed
{
    public const string DescriptionField = "description";
    public const string PropertyField = "property";

    private const string DraftsFile = "items.jsonl";
    private const string InstanceOf = "P31";
    private const string Image = "P18";

    private readonly DumpLines lines = new(path, choice.SkipBroken);
    private readonly Dictionary<string, long> remarks = [];
    private long unnamed;

    public string Name => path;

    public string Unit => "bytes";

    public IReadOnlyList<string> FieldNames => [DescriptionField, PropertyField];

    public IReadOnlyList<string> ImageFolders => [];

    public IReadOnlyDictionary<string, long> Remarks => remarks;

    /// <summary>An item as it is kept until the labels of its values are known.</summary>
    private sealed record Draft(
        string Id, string Name, string[] Aliases, string? Class, string? Description, string[] Images, string[][] Values);

    private sealed record Labelled(string Id, string Label);

    public IEnumerable<Entity> Read(Action<long, long> progress, string scratch, CancellationToken stop)
    {
        var length = new FileInfo(path).Length;
        var readings = choice.Subclasses ? 3 : 2;
        var reading = 0;
        Action<long> Reading()
        {
            var before = length * reading++;
            return position => progress(before + position, length * readings);
        }

        var classes = choice.Subclasses ? Subclasses(Reading(), stop) : [.. choice.Classes];
        var drafts = Path.Combine(scratch, DraftsFile);
        var labels = KeepItems(drafts, classes, Reading(), stop);
        ReadLabels(labels, Reading(), stop);
        var text = new PropertyText(Properties, id => labels.GetValueOrDefault(id));
        foreach (var line in File.ReadLines(drafts))
        {
            stop.ThrowIfCancellationRequested();
            yield return ToEntity(JsonSerializer.Deserialize<Draft>(line)!, text, labels);
        }

        remarks["values without a label in these languages, left out"] = text.Unlabelled;
    }

    private (string, string)[] Properties => [.. choice.Properties.Select(pair => (pair.Item1, pair.Item2))];

    private HashSet<string> Subclasses(Action<long> progress, CancellationToken stop)
    {
        var tree = new SubclassTree();
        foreach (var edges in lines.Read(SubclassTree.MayConcern, SubclassTree.EdgesOf, progress, stop)) tree.Add(edges);
        return tree.Under(choice.Classes);
    }

    /// <summary>Writes the items that are wanted, and returns the ids whose labels they need.</summary>
    private Dictionary<string, string?> KeepItems(string drafts, HashSet<string> classes, Action<long> progress, CancellationToken stop)
    {
        var needed = new Dictionary<string, string?>();
        foreach (var (property, heading) in Properties)
            if (heading.Length == 0) needed[property] = null;
        unnamed = 0;
        using var writer = new StreamWriter(drafts, append: false, new UTF8Encoding(false), 1 << 16);
        foreach (var draft in lines.Read(_ => true, item => DraftOf(item, classes), progress, stop))
        {
            writer.WriteLine(JsonSerializer.Serialize(draft));
            foreach (var id in draft.Values.SelectMany(own => own).Where(value => value[0] == DumpItem.Reference)) needed.TryAdd(id[1..], null);
            if (draft.Class is { } type) needed.TryAdd(type, null);
        }

        remarks["broken lines, passed over"] = lines.Broken;
        remarks["items without a label in these languages, left out"] = unnamed;
        return needed;
    }

    private Draft? DraftOf(DumpItem item, HashSet<string> classes)
    {
        if (!item.IsItem) return null;
        string[] own = [.. item.References(InstanceOf)];
        if (classes.Count > 0 && !own.Any(classes.Contains)) return null;
        if (item.Label(choice.Languages) is not { } name)
        {
            unnamed++;
            return null;
        }

        return new Draft(
            item.Id, name, item.Aliases(choice.Languages, name), own.FirstOrDefault(), item.Description(choice.Languages),
            [.. item.Literals(Image)], [.. choice.Properties.Select(pair => item.Values(pair.Item1))]);
    }

    private void ReadLabels(Dictionary<string, string?> labels, Action<long> progress, CancellationToken stop)
    {
        Labelled? LabelOf(DumpItem item) =>
            labels.ContainsKey(item.Id) && item.Label(choice.Languages) is { } label ? new Labelled(item.Id, label) : null;
        foreach (var (id, label) in lines.Read(line => IdOf(line.Span) is not { } id || labels.ContainsKey(id), LabelOf, progress, stop))
            labels[id] = label;
    }

    /// <summary>The id of a record by the beginning of its line; null where it does not stand there.</summary>
    private static string? IdOf(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                reader.Read();
                if (isId) return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // The record is parsed whole, and refused there.
        }

        return null;
    }

    private Entity ToEntity(Draft draft, PropertyText text, Dictionary<string, string?> labels)
    {
        var fields = new Dictionary<string, string>();
        if (draft.Description is { } description) fields[DescriptionField] = description;
        if (text.Of(draft.Values) is { Length: > 0 } property) fields[PropertyField] = property;
        var type = draft.Class is null ? "" : labels.GetValueOrDefault(draft.Class) ?? draft.Class;
        return new Entity(draft.Id, draft.Name, draft.Aliases, type, fields, draft.Images);
    }
}
