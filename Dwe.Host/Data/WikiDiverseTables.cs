using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>One mention of WikiDiverse before it is known which entity a title means.</summary>
/// <param name="Split">Its split.</param>
/// <param name="Mention">Everything but the gold.</param>
/// <param name="Title">The title of the gold's article, or NIL; null where the record has none.</param>
/// <param name="Answer">The gold's id, where the record has one.</param>
/// <param name="Candidates">Titles or ids of candidates.</param>
internal sealed record WikiDiverseMention(string Split, Mention Mention, string? Title, string? Answer, string[] Candidates);

/// <summary>
/// The knowledge base of WikiDiverse in both of its layouts. An entity's id is the one that the data give for its title,
/// else the title itself; all that a title stands for is looked up here.
/// </summary>
internal sealed class WikiDiverseTables(DatasetFolder folder)
{
    /// <summary>WikiDiverse's word for a mention without type.</summary>
    private const string NoType = "Unknown";

    private readonly Dictionary<string, string> idOfTitle = [];

    /// <summary>Titles with dashes as spaces; null where several titles become one.</summary>
    private readonly Dictionary<string, string?> undashed = [];

    /// <summary>The rows.</summary>
    public EntityTable Entities { get; } = new();

    /// <summary>The mentions in reading order.</summary>
    public List<WikiDiverseMention> Mentions { get; } = [];

    /// <summary>A mention's type, or "" for none.</summary>
    public static string TypeOf(string? type) => type is null or NoType ? "" : type;

    /// <summary>States a title's id. The first statement counts; a record's own answer is never changed by it.</summary>
    public void Identify(string title, string id) => idOfTitle.TryAdd(WikipediaNames.Plain(title), id);

    /// <summary>Adds an entity, if it is new, with its title as a name.</summary>
    public string Add(string title)
    {
        var plain = WikipediaNames.Plain(title);
        var id = IdOf(plain);
        Entities.TryAdd(id);
        Entities.Name(id, plain);
        var key = WikipediaNames.Undashed(plain);
        if (!undashed.TryAdd(key, id) && undashed[key] != id) undashed[key] = null;
        return id;
    }

    /// <summary>The entity that a title or an id stands for; null where none is known.</summary>
    public string? Find(string title)
    {
        if (Entities.Has(title)) return title;
        var plain = WikipediaNames.Plain(title);
        var id = IdOf(plain);
        if (Entities.Has(id)) return id;
        if (undashed.GetValueOrDefault(WikipediaNames.Undashed(plain)) is not { } near) return null;
        folder.Remark("titles found by taking dashes for spaces");
        return near;
    }

    /// <summary>Adds golds and candidates to the knowledge base, looks up what they mean, and puts all together.</summary>
    public Dataset Finish(string? candidateFile)
    {
        var splits = new Dictionary<string, MentionList>();
        var golds = Mentions.Select(GoldOf).ToArray();
        Entities.AddGolds(golds);
        for (var i = 0; i < Mentions.Count; i++)
        {
            if (Mentions[i] is { Answer: not null, Title: { } title } && golds[i].Gold is Gold.Entity gold) Entities.Name(gold.id, WikipediaNames.Plain(title));
        }

        var lists = candidateFile is not null && folder.Has(candidateFile) ? folder.CandidateLists(candidateFile) : [];
        var resolved = lists.ToDictionary(list => list.Key, list => list.Value.Select(CandidateOf).ToArray());
        if (candidateFile is not null) folder.AddFrom(candidateFile, resolved.Values.SelectMany(ids => ids), Entities);
        if (IsKeyedByGold(lists.Keys, golds))
        {
            folder.Remark($"candidate lists of {candidateFile} left out: they are keyed by the right entity", lists.Count);
            resolved.Clear();
        }

        // A file whose ids are ids can be read as it stands; titles must be looked up.
        var asItStands = resolved.All(list => list.Value.SequenceEqual(lists[list.Key]));
        for (var i = 0; i < Mentions.Count; i++)
        {
            var own = Mentions[i].Candidates.Length > 0 || asItStands
                ? [.. Mentions[i].Candidates.Select(CandidateOf)]
                : resolved.GetValueOrDefault(golds[i].Text, []);
            foreach (var id in own) Entities.TryAdd(id);
            if (!splits.TryGetValue(Mentions[i].Split, out var list)) splits[Mentions[i].Split] = list = new MentionList(folder);
            list.Add(golds[i], own);
        }
        return folder.Finish(splits, Entities.Build(), asItStands && resolved.Count > 0 ? candidateFile : null);
    }

    private string IdOf(string plain) => idOfTitle.GetValueOrDefault(plain, plain);

    private Mention GoldOf(WikiDiverseMention raw)
    {
        var gold = Record.GoldOf(raw.Answer);
        if (gold.IsUnlabelled && raw.Title is { Length: > 0 } title)
        {
            gold = Record.GoldOf(title);
            if (gold.IsEntity) gold = Gold.NewEntity(Find(title) ?? WikipediaNames.Plain(title));
        }
        var mention = raw.Mention;
        return new Mention(mention.Key, mention.Text, mention.Sentence, mention.Images, mention.Type, gold, mention.Box);
    }

    private string CandidateOf(string title) => Find(title) ?? WikipediaNames.Plain(title);

    private bool IsKeyedByGold(IReadOnlyCollection<string> keys, Mention[] mentions)
    {
        var texts = mentions.Select(mention => mention.Text).ToHashSet();
        var ids = mentions.Select(mention => mention.Gold).OfType<Gold.Entity>().Select(gold => gold.id).ToHashSet();
        return keys.Count(key => Find(key) is { } id && ids.Contains(id)) > keys.Count(texts.Contains);
    }
}
