using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>
/// A data set's folder while it is read: opens its files, remembers what was read for the content hash, and counts what
/// was mended or left out. What the readers of all formats share about a whole data set is here.
/// </summary>
internal sealed class DatasetFolder(string folder, IDatasetReader reader)
{
    private readonly SortedDictionary<string, byte[]> hashes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> remarks = new(StringComparer.Ordinal);

    /// <summary>The folder.</summary>
    public string Folder => folder;

    /// <summary>The path of a name in the folder.</summary>
    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>Whether the folder has a file of this name.</summary>
    public bool Has(string name) => File.Exists(PathOf(name));

    /// <summary>Reads a file, which is then part of the content hash.</summary>
    /// <exception cref="UserErrorException">FileMissing, with what was expected there.</exception>
    public JsonSource Open(string name, string expected)
    {
        var source = JsonSource.Open(PathOf(name), expected, Remedy);
        hashes[name] = source.Hash;
        return source;
    }

    /// <summary>As <see cref="Open"/>; null where there is no such file.</summary>
    public JsonSource? OpenIfThere(string name) => Has(name) ? Open(name, name) : null;

    /// <summary>Takes a file's hash that was computed while it was read elsewhere.</summary>
    public void AddHash(string name, byte[] hash) => hashes[name] = hash;

    /// <summary>Names of files directly in the folder, sorted, for which the test holds.</summary>
    public string[] FilesWhere(Func<string, bool> test) =>
        [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Where(test).Order(StringComparer.Ordinal)];

    /// <summary>Counts something that was mended or left out. In words that follow a number.</summary>
    public void Remark(string what, int count = 1)
    {
        if (count > 0) remarks[what] = remarks.GetValueOrDefault(what) + count;
    }

    /// <summary>
    /// Entities that only a candidate file knows: added without a name. They are part of the data set's hash, the rest of
    /// the file is not.
    /// </summary>
    public void AddFrom(string candidateFile, IEnumerable<string> ids, EntityTable entities)
    {
        var added = ids.Where(entities.TryAdd).ToArray();
        if (added.Length == 0) return;
        hashes[candidateFile + ", entities"] = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', added)));
        Remark($"entities known from {candidateFile} alone", added.Length);
    }

    /// <summary>Candidate lists as they stand in a file: key to ids.</summary>
    public Dictionary<string, string[]> CandidateLists(string name)
    {
        var source = JsonSource.Open(PathOf(name), "candidates", Remedy);
        var lists = new Dictionary<string, string[]>();
        source.EachMember((string key, ref Utf8JsonReader value) => lists[key] = source.Texts(key, ref value));
        return lists;
    }

    /// <summary>The error for a file that is needed and absent.</summary>
    public UserErrorException Missing(string name, string expected) =>
        new(UserError.NewFileMissing(PathOf(name), expected, Remedy));

    /// <summary>The files of the splits: train and dev must be there, test may be.</summary>
    public Dictionary<string, MentionList> ReadSplits(Action<JsonSource, MentionList> read)
    {
        var mentions = new Dictionary<string, MentionList>();
        foreach (var split in Splits.All)
        {
            var name = split + ".json";
            var source = split == Splits.Test ? OpenIfThere(name) : Open(name, $"the {split} split");
            if (source is not null) read(source, mentions[split] = new MentionList(this));
        }
        return mentions;
    }

    /// <summary>Puts together what was read.</summary>
    public Dataset Finish(
        IReadOnlyDictionary<string, MentionList> splits, IReadOnlyList<Entity> entities, string? candidates = null)
    {
        var mentions = splits.ToDictionary(split => split.Key, split => split.Value.Build());
        var ids = entities.Select(entity => entity.Id).ToHashSet();
        return new Dataset
        {
            Folder = folder,
            Format = reader.Format,
            Mentions = mentions,
            Entities = entities,
            CandidatePath = candidates is not null && Has(candidates) ? PathOf(candidates) : null,
            ContentHash = HashOf(),
            GoldMissing = mentions.ToDictionary(
                split => split.Key,
                split => split.Value.Count(mention => mention.Gold is Gold.Entity gold && !ids.Contains(gold.id))),
            Remarks = remarks,
            RecordCandidates = splits
                .Where(split => split.Value.Candidates.Count > 0)
                .ToDictionary(split => split.Key, split => split.Value.Candidates),
            MentionImageFolders = [.. reader.MentionImageFolders.Select(PathOf), folder],
            EntityImageFolders = [.. reader.EntityImageFolders.Select(PathOf), folder],
        };
    }

    private string Remedy => $"A {reader.Format} folder holds {reader.Signature}; check --data.";

    private string HashOf()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, contents) in hashes)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name + "\n"));
            hash.AppendData(contents);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
