using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// The knowledge base while it is read, in row order. Entities are told apart by id alone; what several files say about
/// one is put together. The first name that is given is its name, the others are aliases; without any, its id stands for
/// the name.
/// </summary>
internal sealed class EntityTable
{
    private static readonly IReadOnlyDictionary<string, string> NoFields = new Dictionary<string, string>();

    private readonly List<Draft> drafts = [];
    private readonly Dictionary<string, Draft> byId = [];

    public int Count => drafts.Count;

    public bool Has(string id) => byId.ContainsKey(id);

    /// <summary>Adds a row; false where the id has one.</summary>
    public bool TryAdd(string id)
    {
        if (byId.ContainsKey(id)) return false;
        var draft = new Draft(id);
        drafts.Add(draft);
        byId.Add(id, draft);
        return true;
    }

    /// <summary>The golds of mentions, as rows.</summary>
    public void AddGolds(IEnumerable<Mention> mentions)
    {
        foreach (var mention in mentions)
        {
            if (mention.Gold is Gold.Entity gold) TryAdd(gold.id);
        }
    }

    /// <summary>A name of an entity that has a row; others are passed over.</summary>
    public void Name(string id, string name)
    {
        name = name.Trim();
        if (name.Length > 0 && byId.TryGetValue(id, out var draft) && !draft.Names.Contains(name)) draft.Names.Add(name);
    }

    /// <summary>A description of an entity that has a row; false where it has none. An empty one is none.</summary>
    public bool Describe(string id, string field, string? text)
    {
        if (!byId.TryGetValue(id, out var draft)) return false;
        text = text?.Trim();
        if (!string.IsNullOrEmpty(text)) (draft.Fields ??= [])[field] = text;
        return true;
    }

    /// <summary>The type of an entity that has a row.</summary>
    public void Type(string id, string type)
    {
        if (byId.TryGetValue(id, out var draft)) draft.Type = type.Trim();
    }

    /// <summary>Images of an entity that has a row.</summary>
    public void Images(string id, IEnumerable<string> names)
    {
        if (byId.TryGetValue(id, out var draft)) draft.Images.AddRange(names.Where(name => name.Length > 0));
    }

    /// <summary>Whether an entity has a name of its own.</summary>
    public bool IsNamed(string id) => byId.TryGetValue(id, out var draft) && draft.Names.Count > 0;

    /// <summary>The rows.</summary>
    public IReadOnlyList<Entity> Build() => [.. drafts.Select(draft => new Entity(
        draft.Id,
        draft.Names.Count > 0 ? draft.Names[0] : draft.Id,
        [.. draft.Names.Skip(1)],
        draft.Type,
        draft.Fields ?? NoFields,
        [.. draft.Images]))];

    private sealed class Draft(string id)
    {
        public string Id => id;

        public List<string> Names { get; } = [];

        public Dictionary<string, string>? Fields { get; set; }

        public List<string> Images { get; } = [];

        public string Type { get; set; } = "";
    }
}
