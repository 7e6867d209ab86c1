using Dwe.Host.Enrichment;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>The names of the splits, as files and folders bear them.</summary>
internal static class Splits
{
    public const string Train = "train";
    public const string Dev = "dev";
    public const string Test = "test";

    /// <summary>All of them, in the order in which they are worked through.</summary>
    public static readonly IReadOnlyList<string> All = [Train, Dev, Test];
}

/// <summary>A data set as read: no tensors, no images opened.</summary>
internal sealed record Dataset
{
    /// <summary>The folder it was read from.</summary>
    public required string Folder { get; init; }

    /// <summary>The format it was recognised as, e.g. <c>WikiMEL</c>.</summary>
    public required string Format { get; init; }

    /// <summary>Mentions by split name, in file order. A split that the folder does not have is absent.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<Mention>> Mentions { get; init; }

    /// <summary>The knowledge base in row order; ids are unique.</summary>
    public required IReadOnlyList<Entity> Entities { get; init; }

    /// <summary>The candidate file that comes with the data set, or null.</summary>
    public required string? CandidatePath { get; init; }

    /// <summary>SHA-256 over names and contents of the files read, in hexadecimal; candidates are not part of it.</summary>
    public required string ContentHash { get; init; }

    /// <summary>Mentions per split whose answer is not in the knowledge base: kept, and never found.</summary>
    public required IReadOnlyDictionary<string, int> GoldMissing { get; init; }

    /// <summary>What the reader mended or left out: words that follow a number, and that number.</summary>
    public IReadOnlyDictionary<string, int> Remarks { get; init; } = new Dictionary<string, int>();

    /// <summary>Candidates that stand in the records themselves, by split and mention key: ids, best first.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string[]>> RecordCandidates { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, string[]>>();

    /// <summary>Folders in which a mention's image may lie, the likeliest first.</summary>
    public IReadOnlyList<string> MentionImageFolders { get; init; } = [];

    /// <summary>Folders in which an entity's image may lie, the likeliest first.</summary>
    public IReadOnlyList<string> EntityImageFolders { get; init; } = [];

    /// <summary>Who wrote description fields, as a card beside the entities says; null without one.</summary>
    public EnrichmentCard? Enrichment { get; init; }

    /// <summary>The description fields that a language model wrote.</summary>
    public IReadOnlyList<EnrichedField> EnrichedBy =>
        Enrichment is null ? [] : [.. Enrichment.Fields.Where(written => FieldNames.Contains(written.Field))];

    /// <summary>Whether candidates of a split come with the data set.</summary>
    public bool HasCandidates(string split) => CandidatePath is not null || RecordCandidates.ContainsKey(split);

    /// <summary>Names of the description fields that at least one entity has, sorted.</summary>
    public IReadOnlyList<string> FieldNames =>
        [.. Entities.SelectMany(entity => entity.Fields.Keys).Distinct().Order(StringComparer.Ordinal)];
}
