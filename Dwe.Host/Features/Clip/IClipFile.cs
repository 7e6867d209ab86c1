using Dwe.Host.Import.Pickle;
using Dwe.Host.Storage;
using TorchSharp;

namespace Dwe.Host.Features.Clip;

/// <summary>A file of named tensors, whatever its format.</summary>
internal interface IClipFile : IDisposable
{
    /// <summary>Every tensor's extents.</summary>
    IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; }

    /// <summary>A tensor's elements, in its own or a wider type.</summary>
    torch.Tensor Read(string name);
}

/// <summary>safetensors, mapped.</summary>
internal sealed class ClipSafetensors(SafetensorsReader reader) : IClipFile
{
    /// <inheritdoc/>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; } =
        reader.Tensors.ToDictionary(entry => entry.Name, entry => entry.Shape);

    /// <inheritdoc/>
    public torch.Tensor Read(string name) => reader.Map(name);

    /// <inheritdoc/>
    public void Dispose() => reader.Dispose();
}

/// <summary>A state_dict of torch.save, or a TorchScript archive, whose code is not run.</summary>
internal sealed class ClipTorchFile : IClipFile
{
    private readonly TorchFile file;
    private readonly Dictionary<string, TorchTensor> tensors = [];

    /// <summary>Takes the file over.</summary>
    public ClipTorchFile(TorchFile file)
    {
        this.file = file;
        foreach (var (name, tensor) in file.Tensors()) tensors[name] = tensor;
        // open_clip's training checkpoints have the weights under this name, and under the one of their parallel wrapper.
        foreach (var prefix in new[] { "state_dict.", "module." })
        {
            if (tensors.Count > 0 && tensors.Keys.All(name => name.StartsWith(prefix, StringComparison.Ordinal)))
                tensors = tensors.ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);
        }
        Shapes = tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Shape);
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes { get; }

    /// <inheritdoc/>
    public torch.Tensor Read(string name) => torch.tensor(tensors[name].ToSingles(), [.. tensors[name].Shape]);

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
