using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data.Conversion;

/// <summary>JSON Lines, see <see cref="JsonLinesReader"/>: holds all that a data set is.</summary>
internal sealed class JsonLinesWriter : IDatasetWriter
{
    /// <inheritdoc/>
    public string Name => "jsonl";

    /// <inheritdoc/>
    public void Write(Dataset dataset, string folder, Losses losses)
    {
        foreach (var (split, mentions) in dataset.Mentions)
        {
            var candidates = dataset.RecordCandidates.GetValueOrDefault(split);
            WriteLines(Path.Combine(folder, split + ".jsonl"), mentions, (json, mention) => Write(json, mention, candidates));
        }
        WriteLines(Path.Combine(folder, OwnRecords.EntitiesStem + ".jsonl"), dataset.Entities, Write);
        if (dataset.Enrichment is not null) dataset.Enrichment.Write(Path.Combine(folder, OwnRecords.EntitiesStem + ".jsonl"));
        if (dataset.CandidatePath is not null) File.Copy(dataset.CandidatePath, Path.Combine(folder, DweLayout.Candidates));
    }

    private static void Write(Utf8JsonWriter json, Mention mention, IReadOnlyDictionary<string, string[]>? candidates)
    {
        json.WriteString("key", mention.Key);
        json.WriteString("mention", mention.Text);
        json.WriteString("sentence", mention.Sentence);
        if (mention.Images.Length > 0) json.WriteTexts("images", mention.Images);
        if (!mention.Gold.IsUnlabelled) json.WriteString("entity", DatasetWriters.AnswerOf(mention));
        if (mention.Type.Length > 0) json.WriteString("type", mention.Type);
        if (mention.Box is { } box)
        {
            json.WriteStartArray("box");
            foreach (var edge in new[] { box.Left, box.Top, box.Right, box.Bottom }) json.WriteNumberValue(edge);
            json.WriteEndArray();
        }
        if (candidates?.GetValueOrDefault(mention.Key) is { } ids) json.WriteTexts("candidates", ids);
    }

    /// <summary>The fields of an entity, into a record that has been begun.</summary>
    public static void Write(Utf8JsonWriter json, Entity entity)
    {
        json.WriteString("id", entity.Id);
        if (entity.Name != entity.Id) json.WriteString("name", entity.Name);
        if (entity.Type.Length > 0) json.WriteString("type", entity.Type);
        if (entity.Aliases.Length > 0) json.WriteTexts("aliases", entity.Aliases);
        if (entity.Images.Length > 0) json.WriteTexts("images", entity.Images);
        foreach (var (field, text) in entity.Fields) json.WriteString(field, text);
    }

    private static void WriteLines<T>(string path, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        var line = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        foreach (var item in items)
        {
            json.WriteStartObject();
            write(json, item);
            json.WriteEndObject();
            json.Flush();
            stream.Write(line.WrittenSpan);
            stream.WriteByte((byte)'\n');
            line.ResetWrittenCount();
            json.Reset();
        }
    }
}
