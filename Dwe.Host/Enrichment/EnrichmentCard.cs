using System.Text.Json.Serialization;
using Dwe.Host.Features;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Enrichment;

/// <summary>One field of a file of entities, and what became of its questions.</summary>
internal sealed record EnrichmentEntry
{
    public required string Field { get; init; }
    public required string Model { get; init; }
    public required string PromptHash { get; init; }

    // What follows is not known of a field that came out of a knowledge base.

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? EndpointHost { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Entities { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Answered { get; init; }

    /// <summary>The model was asked and knew nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Empty { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Failed { get; init; }

    [JsonIgnore]
    public EnrichedField By => new() { Field = Field, Model = Model, PromptHash = PromptHash };

    public static EnrichmentEntry Of(EnrichedField field) =>
        new() { Field = field.Field, Model = field.Model, PromptHash = field.PromptHash };
}

/// <summary>
/// <c>FILE.card.json</c> beside a file of entities: which of its fields a language model wrote, the oldest first. Without a
/// date: the same answers, the same bytes.
/// </summary>
internal sealed record EnrichmentCard
{
    public const string CurrentFormat = "dwe-enrichment-1";

    public string Format { get; init; } = CurrentFormat;

    public required IReadOnlyList<EnrichmentEntry> Enrichments { get; init; }

    [JsonIgnore]
    public IReadOnlyList<EnrichedField> Fields => [.. Enrichments.Select(entry => entry.By).Distinct()];

    /// <summary>The card of a file of entities; null where it has none.</summary>
    /// <exception cref="UserErrorException">FileBroken, or StoreMismatch for another format.</exception>
    public static EnrichmentCard? Beside(string entities)
    {
        var path = PathOf(entities);
        if (!File.Exists(path)) return null;
        var card = JsonFiles.Read<EnrichmentCard>(path, "a card of `dwe enrich`");
        return card.Format == CurrentFormat
            ? card
            : throw FeatureStore.Mismatch(path, $"format {card.Format}", CurrentFormat, "Write the entities again with `dwe enrich`.");
    }

    /// <summary>The fields of such a card.</summary>
    /// <exception cref="UserErrorException">As <see cref="Beside"/>.</exception>
    public static IReadOnlyList<EnrichedField> FieldsBeside(string entities) => Beside(entities)?.Fields ?? [];

    /// <summary>Writes the card of a file of entities.</summary>
    public void Write(string entities) => JsonFiles.Write(PathOf(entities), this);

    private static string PathOf(string entities) => entities + ".card.json";
}
