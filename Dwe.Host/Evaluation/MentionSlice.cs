using Dwe.Host.Data;
using Dwe.Host.Training;

namespace Dwe.Host.Evaluation;

/// <summary>Some of a split's mentions, which results tell apart (docs/protocols.md).</summary>
/// <param name="Name">e.g. <c>unseen entity</c>.</param>
/// <param name="Rows">Rows of the split; at least one.</param>
internal sealed record MentionSlice(string Name, int[] Rows)
{
    /// <summary>
    /// Ambiguous or not (more than one entity bears the mention as name or alias, case aside), of an entity that train has
    /// a mention of or not (where there is a train split), with or without image, and by the type that the data set states.
    /// </summary>
    public static IReadOnlyList<MentionSlice> Of(RunData data, string split)
    {
        var mentions = data.Mentions(split);
        var bearers = Bearers(data.Dataset);
        var names = new List<(string Name, Func<int, bool> Holds)>
        {
            ("ambiguous mention", row => bearers.GetValueOrDefault(mentions[row].Text) > 1),
            ("other mention", row => bearers.GetValueOrDefault(mentions[row].Text) <= 1),
            ("with image", row => mentions[row].Images.Length > 0),
            ("without image", row => mentions[row].Images.Length == 0),
        };
        if (split != Splits.Train && data.Dataset.Mentions.ContainsKey(Splits.Train))
        {
            var (golds, seen) = (data.Golds(split), data.Golds(Splits.Train).ToHashSet());
            names.Add(("seen entity", row => golds[row] >= 0 && seen.Contains(golds[row])));
            names.Add(("unseen entity", row => golds[row] >= 0 && !seen.Contains(golds[row])));
        }

        foreach (var type in mentions.Select(mention => mention.Type).Where(type => type.Length > 0).Distinct().Order(StringComparer.Ordinal))
        {
            names.Add(($"type {type}", row => mentions[row].Type == type));
        }

        return [.. names
            .Select(slice => new MentionSlice(slice.Name, [.. Enumerable.Range(0, mentions.Count).Where(slice.Holds)]))
            .Where(slice => slice.Rows.Length > 0)];
    }

    /// <summary>How many entities bear each name or alias.</summary>
    private static Dictionary<string, int> Bearers(Dataset dataset)
    {
        var bearers = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in dataset.Entities.SelectMany(entity =>
            entity.Aliases.Prepend(entity.Name).Distinct(StringComparer.OrdinalIgnoreCase)))
        {
            bearers[name] = bearers.GetValueOrDefault(name) + 1;
        }

        return bearers;
    }
}
