using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// Candidate lists from a JSON object of id lists, keyed by the mention's text (as DWE's <c>search_top100.json</c>) or by
/// the record's key; which of the two is found from the keys themselves.
/// </summary>
internal static class CandidateFile
{
    /// <summary>
    /// A key that is no mention: says how the lists were made where that must not be overlooked. A list of texts like all
    /// others, so that programs which know nothing of it read the file all the same.
    /// </summary>
    public const string SourceKey = "@source";

    /// <summary>
    /// Whether the file says of itself that its lists were made with the gold's help, so that strict evaluation must refuse it.
    /// </summary>
    public static bool IsOracle(string path)
    {
        var source = JsonSource.Open(path, "candidates: an object of id lists", "Name a file of candidates.");
        var oracle = false;
        source.EachMember((string key, ref Utf8JsonReader reader) =>
        {
            var ids = source.Texts(key, ref reader);
            oracle |= key == SourceKey && ids.Any(word => word.StartsWith("oracle", StringComparison.Ordinal));
        });
        return oracle;
    }

    /// <summary>The candidates that come with a data set, in a file or in its records; null where none do.</summary>
    /// <exception cref="UserErrorException">As <see cref="Read"/>.</exception>
    public static Candidates? OfDataset(Dataset dataset, string split)
    {
        if (dataset.CandidatePath is not null) return Read(dataset.CandidatePath, dataset.Mentions[split]);
        if (!dataset.RecordCandidates.TryGetValue(split, out var ids)) return null;
        string[] without = [.. dataset.Mentions[split].Select(mention => mention.Key).Where(key => !ids.ContainsKey(key))];
        return new Candidates("records", CandidateKey.RecordKey, ids, without);
    }

    /// <summary>The candidates of one split's mentions. Keys of other splits are passed over.</summary>
    /// <exception cref="UserErrorException">
    /// FileMissing; FileBroken naming file, line and key; ValueInvalid where no key belongs to the split.
    /// </exception>
    public static Candidates Read(string path, IReadOnlyList<Mention> mentions)
    {
        var source = JsonSource.Open(
            path, "candidates: an object of id lists", "Name a file of candidates, or leave the option out.");
        var lists = new Dictionary<string, string[]>();
        source.EachMember((string key, ref Utf8JsonReader reader) => lists[key] = source.Texts(key, ref reader));

        lists.Remove(SourceKey);
        var byKey = mentions.Count(mention => lists.ContainsKey(mention.Key));
        var byText = mentions.Count(mention => lists.ContainsKey(mention.Text));
        if (byKey == 0 && byText == 0 && mentions.Count > 0)
        {
            var examples = string.Join(", ", lists.Keys.Take(3).Select(key => $"'{key}'"));
            throw new UserErrorException(UserError.NewFileBroken(
                path,
                "keys",
                lists.Count == 0 ? "none" : $"{examples}, of which no mention knows any",
                $"mention texts such as '{mentions[0].Text}' or record keys such as '{mentions[0].Key}'"));
        }

        var keyedBy = byKey >= byText ? CandidateKey.RecordKey : CandidateKey.MentionText;
        var ids = new Dictionary<string, string[]>();
        var without = new List<string>();
        foreach (var mention in mentions)
        {
            if (lists.TryGetValue(keyedBy.IsRecordKey ? mention.Key : mention.Text, out var list)) ids[mention.Key] = list;
            else without.Add(mention.Key);
        }
        return new Candidates(Path.GetFileName(path), keyedBy, ids, [.. without]);
    }
}
