using System.Security.Cryptography;
using Dwe.Host.Import.Pickle;
using Dwe.Host.Native;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Domain;
using Dwe.Model.Encoders;
using Dwe.Model.Tensors;
using TorchSharp;

namespace Dwe.Host.Features.Clip;

/// <summary>
/// A file of CLIP weights: OpenAI's release (TorchScript, <c>.pt</c>), Hugging Face's CLIPModel or open_clip
/// (<c>.safetensors</c>, or a state_dict of torch.save). Its names and extents are read when it is opened, the elements when
/// a model is made. docs/clip.md has the layouts.
/// </summary>
internal sealed class ClipWeights : IDisposable
{
    private readonly IClipFile file;
    private readonly Dictionary<string, ClipSource> sources;

    private ClipWeights(string path, IClipFile file)
    {
        Path = path;
        this.file = file;
        var huggingFace = ClipNames.IsHuggingFace(file.Shapes.Keys);
        sources = ClipNames.Map([.. file.Shapes.Keys]);
        var settings = ClipSettingsFile.Read(Folder, huggingFace, file.Shapes.ContainsKey("input_resolution"));
        Shapes = sources.ToDictionary(entry => entry.Key, entry => ShapeOf(entry.Key, entry.Value));
        var sizes = ClipSizesModule.infer(settings, Shapes);
        Sizes = sizes.IsOk ? sizes.ResultValue : throw Mismatch([.. sizes.ErrorValue]);
    }

    /// <summary>The file, as it was named.</summary>
    public string Path { get; }

    /// <summary>What the extents of the weights imply.</summary>
    public ClipSizes Sizes { get; }

    /// <summary>Every weight's extents, under our names.</summary>
    public IReadOnlyDictionary<string, long[]> Shapes { get; }

    /// <summary>The folder in which settings and vocabulary may lie beside the weights.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    /// <summary>Opens a file and finds out what model it is.</summary>
    /// <exception cref="UserErrorException">FileMissing; FileBroken; CheckpointMismatch naming what is missing.</exception>
    public static ClipWeights Open(string path)
    {
        NativeLibraries.Require();
        IClipFile file = path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            ? new ClipSafetensors(SafetensorsReader.Open(path))
            : new ClipTorchFile(TorchFile.Open(path, TorchObjects.Script));
        try
        {
            return new ClipWeights(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>SHA-256 of the file, lower-case hexadecimal.</summary>
    public string Sha256()
    {
        using var bytes = File.OpenRead(Path);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    /// <summary>A model without values, against which the file was checked name by name and extent by extent.</summary>
    /// <exception cref="UserErrorException">CheckpointMismatch: missing, unexpected, or of another shape.</exception>
    public ClipModel Check(Precision precision, torch.Device device)
    {
        var model = ClipModel.Create(Sizes, precision, device);
        var wanted = model.Weights.ToDictionary(weight => weight.Item1, weight => weight.Item2.shape);
        string[] differences =
        [
            .. wanted.Keys.Except(Shapes.Keys).Select(name => $"missing {name}"),
            .. Shapes.Keys.Except(wanted.Keys).Select(name => $"unexpected {name}"),
            .. wanted.Where(weight => Shapes.TryGetValue(weight.Key, out var shape) && !shape.SequenceEqual(weight.Value))
                .Select(weight => $"{weight.Key} is {Extents(Shapes[weight.Key])}, expected {Extents(weight.Value)}"),
        ];
        if (differences.Length == 0) return model;
        ((IDisposable)model).Dispose();
        throw Mismatch(differences);
    }

    /// <summary>The model with its weights; numbers of any type become the model's.</summary>
    /// <exception cref="UserErrorException">As <see cref="Check"/>; FileBroken where elements cannot be read.</exception>
    public ClipModel Load(Precision precision, torch.Device device)
    {
        var model = Check(precision, device);
        using var noGradients = torch.no_grad();
        foreach (var (name, weight) in model.Weights.Select(weight => (weight.Item1, weight.Item2)))
        {
            using var scope = torch.NewDisposeScope();
            var source = sources[name];
            var values = torch.cat([.. source.Names.Select(file.Read).Select(part => part.dim() == 0 ? part.reshape(1) : part)]);
            weight.copy_((source.Transposed ? values.t() : values).reshape(weight.shape));
        }
        return model;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    /// <summary>The extents of a weight that may lie in parts or on its side.</summary>
    private long[] ShapeOf(string name, ClipSource source)
    {
        var missing = source.Names.Where(part => !file.Shapes.ContainsKey(part)).ToArray();
        if (missing.Length > 0) throw Mismatch([.. missing.Select(part => $"missing {part}")]);
        var parts = source.Names.Select(part => file.Shapes[part]).ToArray();
        if (parts.Any(part => !part.Skip(1).SequenceEqual(parts[0].Skip(1))) || (source.Transposed && parts[0].Count != 2))
            throw Mismatch([$"{name} is made of {string.Join(" and ", parts.Select(Extents))}"]);
        if (parts.Length == 1) return source.Transposed ? [.. parts[0].Reverse()] : [.. parts[0]];
        return parts[0].Count == 0
            ? throw Mismatch([$"{name} is made of scalars"])
            : [parts.Sum(part => part[0]), .. parts[0].Skip(1)];
    }

    private UserErrorException Mismatch(IReadOnlyList<string> differences) => new(
        UserError.NewCheckpointMismatch(Path, Microsoft.FSharp.Collections.ListModule.OfSeq(differences)));

    private static string Extents(IEnumerable<long> shape) => $"[{string.Join("; ", shape)}]";
}
