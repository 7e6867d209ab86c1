using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dwe.Host.Data;
using Dwe.Model.Domain;

namespace Dwe.Host.Retrieval;

/// <summary>
/// The names under which entities are searched, in the order that decides ties: those of <c>ne2qid.json</c> where the data set
/// has that file (the order of the published lists), then every name and alias it lacks, entity by entity. An entity
/// stands here once for each of its names; two entities may have one name.
/// </summary>
internal sealed class NameList
{
    private const string PublishedNames = "ne2qid.json";

    private NameList(List<(string Name, string Id)> pairs)
    {
        Names = [.. pairs.Select(pair => pair.Name)];
        var numberOf = new Dictionary<string, int>();
        EntityOf = new int[pairs.Count];
        for (var at = 0; at < pairs.Count; at++)
        {
            if (!numberOf.TryGetValue(pairs[at].Id, out EntityOf[at]))
            {
                EntityOf[at] = numberOf[pairs[at].Id] = numberOf.Count;
            }
        }

        Ids = new string[numberOf.Count];
        foreach (var (id, number) in numberOf)
        {
            Ids[number] = id;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, id) in pairs)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\t{id}\n"));
        }

        Hash = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>In the order that decides ties.</summary>
    public string[] Names { get; }

    /// <summary>Number of the entity that each name means: an index of <see cref="Ids"/>.</summary>
    public int[] EntityOf { get; }

    public string[] Ids { get; }

    /// <summary>SHA-256 over names and ids in order.</summary>
    public string Hash { get; }

    /// <summary>The names of a data set's entities.</summary>
    /// <exception cref="UserErrorException">FileBroken for a list of names that is none.</exception>
    public static NameList Of(Dataset dataset)
    {
        var pairs = new List<(string Name, string Id)>();
        var seen = new HashSet<(string Name, string Id)>();
        var known = dataset.Entities.Select(entity => entity.Id).ToHashSet();
        void Add(string name, string id)
        {
            if (seen.Add((name, id)))
            {
                pairs.Add((name, id));
            }
        }

        var published = Path.Combine(dataset.Folder, PublishedNames);
        if (File.Exists(published))
        {
            var source = JsonSource.Open(published, "names", "");
            source.EachMember((string name, ref Utf8JsonReader value) =>
            {
                var id = source.Text(name, ref value);
                if (known.Contains(id))
                {
                    Add(name, id);
                }
            });
        }

        foreach (var entity in dataset.Entities)
        {
            Add(entity.Name, entity.Id);
            foreach (var alias in entity.Aliases)
            {
                Add(alias, entity.Id);
            }
        }

        return new NameList(pairs);
    }

    /// <summary>Names with the ids they mean, in the order that decides ties.</summary>
    public static NameList Of(IEnumerable<(string Name, string Id)> pairs) => new([.. pairs]);
}
