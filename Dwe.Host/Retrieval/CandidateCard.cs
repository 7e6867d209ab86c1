using System.Text.Json;
using Dwe.Host.Data;
using Dwe.Host.Storage;

namespace Dwe.Host.Retrieval;

/// <summary>How a file of candidates was made: <c>FILE.card.json</c> beside it. Files of equal cards hold equal lists.</summary>
internal sealed record CandidateCard
{
    public string Format { get; init; } = "dwe-candidates-1";

    public required string Method { get; init; }

    public required string Description { get; init; }

    /// <summary>Length of a list, at most.</summary>
    public required int Top { get; init; }

    /// <summary>Number of names that were searched.</summary>
    public required int Names { get; init; }

    /// <summary>SHA-256 over names and ids in their order.</summary>
    public required string NamesHash { get; init; }

    /// <summary>The seed of what was drawn; null where nothing was.</summary>
    public long? Seed { get; init; }

    public static string PathOf(string candidates) => candidates + ".card.json";

    /// <summary>The lists of a file with this very card; none where there is no such file.</summary>
    public static IReadOnlyDictionary<string, string[]> ListsOf(string path, CandidateCard card)
    {
        var lists = new Dictionary<string, string[]>();
        if (!File.Exists(path) || !File.Exists(PathOf(path))
            || JsonFiles.Read<CandidateCard>(PathOf(path), "the card of a candidate file") != card)
        {
            return lists;
        }

        var source = JsonSource.Open(path, "candidates", "");
        source.EachMember((string key, ref Utf8JsonReader reader) => lists[key] = source.Texts(key, ref reader));
        return lists;
    }
}
