using System.Text.Json.Serialization;

namespace Dwe.Host.Enrichment;

/// <summary>A description field that a language model wrote, as cards, stores, runs and results name it.</summary>
internal sealed record EnrichedField
{
    public required string Field { get; init; }

    /// <summary>As the service was asked for it.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 of the prompt's template.</summary>
    public required string PromptHash { get; init; }

    /// <summary>For people.</summary>
    [JsonIgnore]
    public string Words => $"{Field} by {Model}, prompt {(PromptHash.Length > 8 ? PromptHash[..8] : PromptHash)}";

    /// <summary>Those whose field is named; null where there is none.</summary>
    public static IReadOnlyList<EnrichedField>? AmongNamed(IReadOnlySet<string> names, IReadOnlyList<EnrichedField> all)
    {
        EnrichedField[] named = [.. all.Where(one => names.Contains(one.Field))];
        return named.Length == 0 ? null : named;
    }

    /// <summary>Both, each once; null where there is none.</summary>
    public static IReadOnlyList<EnrichedField>? Union(IReadOnlyList<EnrichedField>? first, IReadOnlyList<EnrichedField>? second)
    {
        EnrichedField[] all = [.. (first ?? []).Union(second ?? [])];
        return all.Length == 0 ? null : all;
    }

    /// <summary>What is said of a system that was given such fields; null for one that was not.</summary>
    public static string? Line(string system, IReadOnlyList<EnrichedField>? fields) =>
        Describe(fields) is { } all ? $"{system}: its entity texts hold what a language model wrote: {all}." : null;

    /// <summary>All of them for people; null where there is none.</summary>
    public static string? Describe(IReadOnlyList<EnrichedField>? fields) =>
        fields is { Count: > 0 } ? string.Join("; ", fields.Select(field => field.Words)) : null;
}
