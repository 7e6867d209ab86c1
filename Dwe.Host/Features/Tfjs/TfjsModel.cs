using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dwe.Host.Features.Onnx;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Tfjs;

/// <summary>
/// A TFJS graph model (<c>model.json</c> and its weight shards, or the same as scripts, <c>model.min.js</c>) in
/// memory. Weights stored as float16, or as uint8 or uint16 with value = stored * scale + min, are widened to float32;
/// int32 becomes int64. Source of the format: the <c>weightsManifest</c> of TensorFlow.js' converter.
/// </summary>
internal sealed class TfjsModel
{
    private TfjsModel(
        IReadOnlyDictionary<string, TfjsNode> nodes, IReadOnlyDictionary<string, OnnxTensor> weights,
        IReadOnlyDictionary<string, string> outputs, string hash)
    {
        Nodes = nodes;
        Weights = weights;
        Outputs = outputs;
        Hash = hash;
    }

    public IReadOnlyDictionary<string, TfjsNode> Nodes { get; }

    public IReadOnlyDictionary<string, OnnxTensor> Weights { get; }

    /// <summary>Published output name to node output (<c>node</c> or <c>node:output</c>).</summary>
    public IReadOnlyDictionary<string, string> Outputs { get; }

    /// <summary>SHA-256 of model.json followed by the shards, in hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>SHA-256 of model.json followed by the shards, without building anything from them.</summary>
    /// <exception cref="UserErrorException">model.json or a shard is missing or malformed.</exception>
    public static string HashOf(string modelJson)
    {
        var json = ReadBytes(modelJson);
        return HashOf(json, ReadShards(modelJson, Parse(modelJson, json)));
    }

    /// <summary>Reads a model.json, or a model.min.js, and the shards that stand beside it.</summary>
    /// <exception cref="UserErrorException">model.json or a shard is missing, malformed or too short.</exception>
    public static TfjsModel Read(string modelJson)
    {
        var json = ReadBytes(modelJson);
        var root = Parse(modelJson, json);
        return Guarded(modelJson, () => Build(modelJson, root, ReadShards(modelJson, root), json));
    }

    /// <summary>Reads a weights manifest that comes without a graph (a list of groups), and the shards that stand beside
    /// it; with the SHA-256 of all of them.</summary>
    /// <exception cref="UserErrorException">The manifest or a shard is missing, malformed or too short.</exception>
    public static (IReadOnlyDictionary<string, OnnxTensor> Weights, string Hash) ReadWeights(string manifest)
    {
        var json = ReadBytes(manifest);
        var root = Parse(manifest, json);
        return Guarded(manifest, () =>
        {
            var groups = ReadShards(manifest, root);
            var weights = new Dictionary<string, OnnxTensor>();
            foreach (var (group, bytes) in root.EnumerateArray().Zip(groups)) ReadGroup(manifest, group, bytes, weights);
            return (weights, HashOf(json, groups));
        });
    }

    /// <summary>The model of a parsed model.json and its weight groups' bytes.</summary>
    /// <param name="place">What error messages call the model.</param>
    /// <param name="root">model.json.</param>
    /// <param name="groups">The bytes of each weight group, its shards joined.</param>
    /// <param name="json">model.json as it was read, for the hash.</param>
    public static TfjsModel Build(string place, JsonElement root, byte[][] groups, byte[] json)
    {
        var nodes = root.GetProperty("modelTopology").GetProperty("node").EnumerateArray().Select(ToNode)
            .ToDictionary(node => node.Name);
        var weights = new Dictionary<string, OnnxTensor>();
        var manifest = root.TryGetProperty("weightsManifest", out var listed) ? listed.EnumerateArray() : default;
        foreach (var (group, bytes) in manifest.Zip(groups)) ReadGroup(place, group, bytes, weights);
        return new TfjsModel(nodes, weights, OutputsOf(root, nodes), HashOf(json, groups));
    }

    private static TfjsNode ToNode(JsonElement node) => new(
        node.GetProperty("name").GetString()!,
        node.GetProperty("op").GetString()!,
        node.TryGetProperty("input", out var inputs)
            // `^node` only orders side effects, and these graphs have none.
            ? inputs.EnumerateArray().Select(input => input.GetString()!)
                .Where(input => !input.StartsWith('^')).ToArray()
            : [],
        node.TryGetProperty("attr", out var attributes) ? attributes.Clone() : default);

    /// <summary>The signature's outputs; without a signature, every node that no other node reads.</summary>
    private static Dictionary<string, string> OutputsOf(JsonElement root, Dictionary<string, TfjsNode> nodes)
    {
        // Older converters keep the signature under the user's own metadata.
        var owner = root.TryGetProperty("userDefinedMetadata", out var metadata) ? metadata : root;
        if (owner.TryGetProperty("signature", out var signature)
            && signature.TryGetProperty("outputs", out var outputs))
        {
            return outputs.EnumerateObject().ToDictionary(
                output => Unindexed(output.Name), output => output.Value.GetProperty("name").GetString()!);
        }
        var read = nodes.Values.SelectMany(node => node.Inputs).Select(input => input.Split(':')[0]).ToHashSet();
        return nodes.Keys.Where(name => !read.Contains(name)).ToDictionary(name => name);
    }

    /// <summary>`name:0` and `name` are the same thing in TensorFlow.</summary>
    private static string Unindexed(string name) => name.EndsWith(":0", StringComparison.Ordinal) ? name[..^2] : name;

    private static void ReadGroup(string place, JsonElement group, byte[] bytes, Dictionary<string, OnnxTensor> weights)
    {
        var offset = 0;
        foreach (var entry in group.GetProperty("weights").EnumerateArray())
        {
            var name = entry.GetProperty("name").GetString()!;
            var shape = entry.GetProperty("shape").EnumerateArray().Select(axis => axis.GetInt64()).ToArray();
            var count = checked((int)shape.Aggregate(1L, (product, length) => checked(product * length)));
            var stored = StoredType(entry);
            var size = count * BytesPerValue(place, name, stored);
            if (offset + size > bytes.Length)
                throw Broken(place, $"weight {name}", $"{bytes.Length - offset} bytes left", $"{size} bytes");
            weights[name] = ToTensor(entry, stored, bytes.AsSpan(offset, size), shape);
            offset += size;
        }
    }

    private static string StoredType(JsonElement entry) =>
        (entry.TryGetProperty("quantization", out var quantization) ? quantization : entry)
            .GetProperty("dtype").GetString()!;

    private static int BytesPerValue(string place, string name, string stored) => stored switch
    {
        "float32" or "int32" => 4,
        "float16" or "uint16" => 2,
        "uint8" or "bool" => 1,
        _ => throw Broken(place, $"weight {name}", $"type {stored}", "float32, float16, int32, uint16, uint8 or bool"),
    };

    private static OnnxTensor ToTensor(JsonElement entry, string stored, ReadOnlySpan<byte> bytes, long[] shape)
    {
        switch (stored)
        {
            case "int32":
                var integers = new long[bytes.Length / 4];
                for (var i = 0; i < integers.Length; i++) integers[i] = BitConverter.ToInt32(bytes[(4 * i)..]);
                return OnnxTensor.Of(integers, shape);
            case "bool":
                return new OnnxTensor(ElementType.Boolean, shape, bytes.ToArray());
            case "float16":
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                var widened = new float[halves.Length];
                for (var i = 0; i < widened.Length; i++) widened[i] = (float)halves[i];
                return OnnxTensor.Of(widened, shape);
            case "uint8" or "uint16":
                return OnnxTensor.Of(Dequantised(entry.GetProperty("quantization"), stored, bytes), shape);
            default:
                return new OnnxTensor(ElementType.Float32, shape, bytes.ToArray());
        }
    }

    /// <summary>value = stored * scale + min, in double and rounded once, as TensorFlow.js computes it.</summary>
    private static float[] Dequantised(JsonElement quantization, string stored, ReadOnlySpan<byte> bytes)
    {
        var scale = quantization.GetProperty("scale").GetDouble();
        var least = quantization.GetProperty("min").GetDouble();
        var width = stored == "uint8" ? 1 : 2;
        var values = new float[bytes.Length / width];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)((width == 1 ? bytes[i] : BitConverter.ToUInt16(bytes[(2 * i)..])) * scale + least);
        return values;
    }

    private static byte[][] ReadShards(string modelJson, JsonElement root) => Guarded(modelJson, () =>
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(modelJson))!;
        byte[] ReadBeside(string name) => ReadBytes(Path.Combine(folder, name));
        byte[] ReadShard(string name) => IsScript(modelJson)
            ? ScriptLiteral.ToBytes(Encoding.UTF8.GetString(ReadBeside(name + ScriptSuffix(modelJson))))
            : ReadBeside(name);
        var manifest = root.ValueKind == JsonValueKind.Array ? root : root.GetProperty("weightsManifest");
        return manifest.EnumerateArray()
            .Select(group => Joined(group.GetProperty("paths").EnumerateArray()
                .Select(path => ReadShard(Path.GetFileName(path.GetString()!)))))
            .ToArray();
    });

    private static bool IsScript(string path) => path.EndsWith(".js", StringComparison.Ordinal);

    /// <summary>`.min.js` of `model.min.js`; the shards' files end alike.</summary>
    private static string ScriptSuffix(string path) =>
        Path.GetFileName(path)[Path.GetFileName(path).IndexOf('.')..];

    /// <summary>A group's weights run on from shard to shard; one may straddle two.</summary>
    private static byte[] Joined(IEnumerable<byte[]> shards)
    {
        using var joined = new MemoryStream();
        foreach (var shard in shards) joined.Write(shard);
        return joined.ToArray();
    }

    private static string HashOf(byte[] json, byte[][] groups)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(json);
        foreach (var group in groups) hash.AppendData(group);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] ReadBytes(string path) => File.Exists(path)
        ? File.ReadAllBytes(path)
        : throw new UserErrorException(
            UserError.NewFileMissing(path, "a file of a TFJS graph model", "Run `dwe weights`."));

    private static JsonElement Parse(string place, byte[] json) =>
        Guarded(place, () => IsScript(place)
            ? JsonDocument.Parse(ScriptLiteral.ToJson(Encoding.UTF8.GetString(json))).RootElement
            : JsonDocument.Parse(json).RootElement);

    /// <summary>Malformed JSON or a missing property is the file's fault, and is reported as such.</summary>
    private static T Guarded<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception problem)
            when (problem is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw Broken(place, "model.json", problem.Message, "a TFJS graph model");
        }
    }

    private static UserErrorException Broken(string path, string place, string found, string expected) =>
        new(UserError.NewFileBroken(path, place, found, expected));
}
