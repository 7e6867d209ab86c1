using Dwe.Host.Features.Text;
using Dwe.Host.Features.Weights;
using Dwe.Model;
using Dwe.Model.Tensors;
using TorchSharp;

namespace Dwe.Host.Features.Clip;

/// <summary>
/// CLIP's text tower: one vector per text, not normalised, in the space of its images. Texts are cut at the model's context
/// (77 tokens), as `clip.tokenize(truncate=True)` cuts them.
/// </summary>
/// <remarks>
/// Texts are encoded in batches of one shape: always <see cref="BatchTexts"/> rows, of the least of a few lengths that holds
/// the text. So the arithmetic of a text depends on its own length alone, not on the texts beside it. Not thread-safe; torch
/// uses its own threads.
/// </remarks>
internal sealed class ClipTextEncoder : ITextEncoder
{
    private const int BatchTexts = 16;
    private const int LengthStep = 8;

    private readonly ClipModel model;
    private readonly ClipTokens tokens;

    private ClipTextEncoder(ClipModel model, ClipTokens tokens, string id)
    {
        this.model = model;
        this.tokens = tokens;
        Id = id;
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <inheritdoc/>
    public int Dimension => model.Sizes.Embedding;

    /// <summary>Opens weights, and the vocabulary beside them or of the cache.</summary>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">As <see cref="ClipWeights.Open"/>,
    /// <see cref="ClipWeights.Load"/> and <see cref="ClipMerges.Open"/>.</exception>
    public static ClipTextEncoder Open(
        string path, Precision precision, torch.Device device, WeightCache cache, Action<string>? report = null,
        CancellationToken cancel = default)
    {
        using var weights = ClipWeights.Open(path);
        var tokens = ClipMerges.Open(weights.Folder, weights.Sizes.Vocabulary, cache, report, cancel);
        var id = ClipIds.Of(weights, precision, ClipTokens.Version);
        return new ClipTextEncoder(weights.Load(precision, device), tokens, id);
    }

    /// <inheritdoc/>
    public float[] Encode(IReadOnlyList<string> texts, CancellationToken cancel = default)
    {
        var vectors = new float[checked(texts.Count * Dimension)];
        var context = model.Sizes.Context;
        var rows = texts.AsParallel().AsOrdered().WithCancellation(cancel).Select(text => tokens.Row(context, text)).ToArray();
        var batches = Enumerable.Range(0, rows.Length)
            .GroupBy(text => Math.Min(context, (rows[text].Length + LengthStep - 1) / LengthStep * LengthStep))
            .OrderBy(sameLength => sameLength.Key)
            .SelectMany(sameLength => sameLength.Chunk(BatchTexts).Select(batch => (sameLength.Key, batch)));
        foreach (var (length, batch) in batches)
        {
            cancel.ThrowIfCancellationRequested();
            // Rows without a text repeat the first one: the shape is always the same.
            var ids = new long[BatchTexts * length];
            for (var row = 0; row < BatchTexts; row++)
            {
                var text = rows[batch[row < batch.Length ? row : 0]];
                for (var place = 0; place < text.Length; place++) ids[(row * length) + place] = text[place];
            }
            var encoded = model.EncodeTexts(ids, BatchTexts);
            for (var row = 0; row < batch.Length; row++)
                encoded.AsSpan(row * Dimension, Dimension).CopyTo(vectors.AsSpan(batch[row] * Dimension));
        }
        return vectors;
    }

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)model).Dispose();
}
