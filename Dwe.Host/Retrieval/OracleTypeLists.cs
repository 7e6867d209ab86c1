using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Retrieval;

/// <summary>
/// The published lists of WikiDiverse: a mention's candidates, then random entities of its gold's type until the list is
/// full. The type is the one that the data set states for the mention, which is its gold's: the lists give away what is to
/// be found, so they are marked, and strict evaluation refuses them. An entity has every type under which it is some
/// mention's gold, and the one it states itself.
/// </summary>
internal static class OracleTypeLists
{
    public const string Method = "oracle-type";

    /// <summary>Draws the lists, keyed by record, and writes them with their mark and card.</summary>
    /// <exception cref="UserErrorException">StoreMismatch where the mentions state no types.</exception>
    public static IReadOnlyList<(string Key, string[] Ids)> Write(
        Dataset dataset, IReadOnlyList<string> splits, Func<Mention, string[]> candidatesOf, NameList names, int top, long seed,
        string path)
    {
        var ofType = EntitiesByType(dataset);
        var mentions = splits.SelectMany(split => dataset.Mentions[split]).ToList();
        if (ofType.Count == 0)
        {
            throw new UserErrorException(UserError.NewStoreMismatch(
                dataset.Folder, "mentions without types", "types, from which the lists are filled", "Use another --method."));
        }

        var lists = new List<(string, string[])> { (CandidateFile.SourceKey, [Method]) };
        for (var at = 0; at < mentions.Count; at++)
        {
            var mention = mentions[at];
            var random = new SeededRandom(Seed.derive(seed, Method, at));
            lists.Add((mention.Key, Fill(candidatesOf(mention), ofType.GetValueOrDefault(mention.Type) ?? [], top, random)));
        }

        CandidateFileWriter.Write(path, lists);
        JsonFiles.Write(CandidateCard.PathOf(path), new CandidateCard
        {
            Method = Method,
            Description = $"candidates, then random entities of the gold's type up to {top.ToString(CultureInfo.InvariantCulture)}; version 1",
            Top = top,
            Names = names.Names.Length,
            NamesHash = names.Hash,
            Seed = seed,
        });
        return lists[1..];
    }

    private static Dictionary<string, string[]> EntitiesByType(Dataset dataset)
    {
        var known = dataset.Entities.Select(entity => entity.Id).ToHashSet();
        var typed = dataset.Mentions.Values.SelectMany(mentions => mentions)
            .Select(mention => (mention.Type, Id: mention.Gold is Gold.Entity gold ? gold.id : ""))
            .Concat(dataset.Entities.Select(entity => (entity.Type, entity.Id)))
            .Where(pair => pair.Type.Length > 0 && known.Contains(pair.Id));
        return typed.GroupBy(pair => pair.Type).ToDictionary(
            group => group.Key,
            group => group.Select(pair => pair.Id).Distinct().Order(StringComparer.Ordinal).ToArray());
    }

    private static string[] Fill(string[] candidates, string[] pool, int top, SeededRandom random)
    {
        var ids = candidates.Distinct().Take(top).ToList();
        var listed = ids.ToHashSet();
        var open = pool.Where(id => !listed.Contains(id)).ToArray();
        random.Shuffle(open);
        return [.. ids, .. open.Take(top - ids.Count)];
    }
}
