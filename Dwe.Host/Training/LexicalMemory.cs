using System.Text.Json;
using Dwe.Host.Data;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Domain;
using Dwe.Model.Lexical;

namespace Dwe.Host.Training;

/// <summary>
/// What the lexical unit of a run remembers of training: <c>memory.jsonl</c> in the run's folder, one training mention a line.
/// With it and the knowledge base the unit is built again, so evaluation needs no training split.
/// </summary>
internal sealed class LexicalMemory
{
    private readonly RememberedMention[] mentions;

    private LexicalMemory(RememberedMention[] mentions) => this.mentions = mentions;

    /// <summary>What is remembered, in the order of training.</summary>
    public IReadOnlyList<RememberedMention> Mentions => mentions;

    /// <summary>Nothing: for a unit that may know no more than the knowledge base.</summary>
    public static LexicalMemory Empty { get; } = new([]);

    /// <summary>The training mentions whose entity is in the knowledge base.</summary>
    public static LexicalMemory Of(RunData data)
    {
        var golds = data.Golds(Splits.Train);
        return new([.. data.Mentions(Splits.Train)
            .Where((_, row) => golds[row] >= 0)
            .Select(mention => new RememberedMention(mention.Key, mention.Text, mention.Sentence, ((Gold.Entity)mention.Gold).id))]);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="UserErrorException">FileMissing, or FileBroken naming the line.</exception>
    public static LexicalMemory Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException(UserError.NewFileMissing(
                path, "what the run's lexical unit remembers of training", "Bring the run's whole folder, or train it again."));
        }

        return new([.. File.ReadLines(path).Select((line, number) => Parse(path, number + 1, line))]);
    }

    public void Write(string path) =>
        AtomicFile.WriteText(path, string.Concat(mentions.Select(mention => JsonSerializer.Serialize(
            new { key = mention.Key, mention = mention.Mention, sentence = mention.Sentence, entity = mention.Entity }) + "\n")));

    /// <summary>The unit over a data set's knowledge base.</summary>
    public LexicalUnit Unit(RunData data) =>
        LexicalUnit.Create(data.Dataset.Entities, EntityDescriptions.Of(data), mentions);

    /// <summary>The unit over any knowledge base.</summary>
    /// <param name="entities">The knowledge base.</param>
    /// <param name="descriptions">By row, "" where there is none.</param>
    public LexicalUnit Unit(IReadOnlyList<Entity> entities, string[] descriptions) =>
        LexicalUnit.Create(entities, descriptions, mentions);

    /// <summary>The mentions of a split; a remembered training mention does not count as its own evidence.</summary>
    public LexicalMentions Prepare(LexicalUnit unit, RunData data, string split)
    {
        var numbers = new Dictionary<(string Key, string Sentence), int>();
        for (var at = 0; at < mentions.Length; at++)
        {
            numbers[(mentions[at].Key, mentions[at].Sentence)] = at;
        }

        var own = data.Mentions(split)
            .Select(mention => split == Splits.Train ? numbers.GetValueOrDefault((mention.Key, mention.Sentence), -1) : -1);
        return unit.Prepare(data.Mentions(split), [.. own]);
    }

    private static RememberedMention Parse(string path, int number, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            string Text(string name) => json.RootElement.GetProperty(name).GetString() ?? throw new JsonException(name);
            return new RememberedMention(Text("key"), Text("mention"), Text("sentence"), Text("entity"));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                path, $"line {number}", $"'{line[..Math.Min(40, line.Length)]}'", "an object of key, mention, sentence and entity"));
        }
    }
}
