using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// The mentions of one split while they are read. Keys become unique: the second record of a key is <c>KEY#2</c>, so that
/// none is lost.
/// </summary>
internal sealed class MentionList(DatasetFolder folder)
{
    private readonly List<Mention> mentions = [];
    private readonly Dictionary<string, string[]> candidates = [];
    private readonly HashSet<string> keys = [];

    /// <summary>Candidates that stand in the records themselves, by mention key.</summary>
    public IReadOnlyDictionary<string, string[]> Candidates => candidates;

    public void Add(Mention mention, string[]? itsCandidates = null)
    {
        var key = mention.Key;
        for (var number = 2; !keys.Add(key); number++) key = $"{mention.Key}#{number}";
        if (key != mention.Key) folder.Remark("mentions whose key another one has (told apart by #2, #3, ...)");
        mentions.Add(key == mention.Key
            ? mention
            : new Mention(key, mention.Text, mention.Sentence, mention.Images, mention.Type, mention.Gold, mention.Box));
        if (itsCandidates is { Length: > 0 }) candidates.Add(key, itsCandidates);
    }

    public IReadOnlyList<Mention> Build() => mentions;
}
