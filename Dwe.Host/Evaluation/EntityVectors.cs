using Dwe.Model;
using TorchSharp;

namespace Dwe.Host.Evaluation;

/// <summary>Entities as they are compared with queries, each of length 1.</summary>
internal sealed class EntityVectors : IDisposable
{
    private readonly Lazy<torch.Tensor> tensor;

    /// <param name="rows">[entities; dim], normalised in place.</param>
    /// <param name="dim">Their width.</param>
    public EntityVectors(float[] rows, int dim)
    {
        Ranks.Normalize(rows, dim);
        Rows = rows;
        Dim = dim;
        tensor = new Lazy<torch.Tensor>(() => torch.tensor(rows.AsMemory(), [Count, dim]).DetachFromDisposeScope());
    }

    public float[] Rows { get; }

    public int Dim { get; }

    public int Count => Rows.Length / Dim;

    /// <summary>[entities; dim]</summary>
    public torch.Tensor Tensor => tensor.Value;

    public void Dispose()
    {
        if (tensor.IsValueCreated)
        {
            tensor.Value.Dispose();
        }
    }
}
