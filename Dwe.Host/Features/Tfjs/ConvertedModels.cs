using Dwe.Host.Features.Onnx;

namespace Dwe.Host.Features.Tfjs;

/// <summary>
/// Converted models, kept so that each is converted once: <c>NAME-vCONVERTER-SOURCEHASH.onnx</c>. A new source or a new
/// converter has another name, so nothing is ever overwritten and nothing stale is ever read.
/// </summary>
internal sealed class ConvertedModels(string folder)
{
    /// <summary>The path of the ONNX form of a TFJS model, converted now if it was not yet.</summary>
    /// <param name="name">What to call it: letters, digits, `-` and `_`.</param>
    /// <param name="modelJson">The TFJS model's model.json; its shards stand beside it.</param>
    /// <param name="outputs">As for <see cref="TfjsToOnnx.Convert"/>; part of the source's identity.</param>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">A file of the model is missing or malformed.</exception>
    /// <exception cref="UnsupportedGraphException">The model uses something that has no conversion.</exception>
    public string PathOf(string name, string modelJson, params string[] outputs)
    {
        var source = TfjsModel.HashOf(modelJson)[..16];
        var wanted = outputs.Length == 0 ? "" : "-" + ShortHash(string.Join('\n', outputs));
        var path = Path.Combine(folder, $"{name}-v{TfjsToOnnx.Version}-{source}{wanted}.onnx");
        if (!File.Exists(path))
            WriteAtomically(path, OnnxModelWriter.ToBytes(TfjsToOnnx.Convert(TfjsModel.Read(modelJson), outputs)));
        return path;
    }

    /// <summary>The path of a graph that is made of a TFJS model by more than a conversion, now if it was not yet.</summary>
    /// <param name="name">What to call it: letters, digits, `-` and `_`.</param>
    /// <param name="modelJson">The TFJS model's model.json; its shards stand beside it.</param>
    /// <param name="version">Of the code that makes the graph.</param>
    /// <param name="graph">Makes it.</param>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">A file of the model is missing or malformed.</exception>
    public string PathOfMade(string name, string modelJson, string version, Func<TfjsModel, OnnxGraph> graph)
    {
        var source = TfjsModel.HashOf(modelJson)[..16];
        var path = Path.Combine(folder, $"{name}-v{TfjsToOnnx.Version}.{version}-{source}.onnx");
        if (!File.Exists(path)) WriteAtomically(path, OnnxModelWriter.ToBytes(graph(TfjsModel.Read(modelJson))));
        return path;
    }

    /// <summary>The path of a graph that is written from a weights manifest alone, now if it was not yet.</summary>
    /// <param name="name">What to call it: letters, digits, `-` and `_`.</param>
    /// <param name="manifest">The weights manifest; its shards stand beside it.</param>
    /// <param name="version">Of the code that writes the graph.</param>
    /// <param name="graph">Writes it.</param>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">A file is missing or malformed.</exception>
    public string PathOf(
        string name, string manifest, string version, Func<IReadOnlyDictionary<string, OnnxTensor>, OnnxGraph> graph)
    {
        var (weights, hash) = TfjsModel.ReadWeights(manifest);
        var path = Path.Combine(folder, $"{name}-v{version}-{hash[..16]}.onnx");
        if (!File.Exists(path)) WriteAtomically(path, OnnxModelWriter.ToBytes(graph(weights)));
        return path;
    }

    private static string ShortHash(string text) => Convert.ToHexStringLower(
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)))[..8];

    /// <summary>Under another name first, flushed, then renamed: a reader finds all of it or nothing. Two processes
    /// that convert at once write the same bytes, so it does not matter whose stays.</summary>
    private static void WriteAtomically(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
