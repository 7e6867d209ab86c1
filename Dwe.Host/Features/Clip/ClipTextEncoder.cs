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
internal sealed class ClipTextEncoder : ITokenEncoder
{
    private const int BatchTexts = 16;
    private const int LengthStep = 8;

    // Start and end.
    private const int Marks = 2;

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
    public string TokensId => $"{Id}/tokens-1";

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
        EncodeBatches(texts, model.EncodeTexts, cancel, (text, encoded, at, _, _) =>
            encoded.AsSpan(at * Dimension, Dimension).CopyTo(vectors.AsSpan(text * Dimension)));
        return vectors;
    }

    /// <inheritdoc/>
    /// <remarks>Start and end mark are none.</remarks>
    public int CountTokens(string text) => tokens.Row(model.Sizes.Context, text).Length - Marks;

    /// <inheritdoc/>
    /// <remarks>The last layer's places, normalised and projected as the end mark's is; neither start nor end mark. A token sees
    /// those before it.</remarks>
    public float[][] EncodeTokens(IReadOnlyList<string> texts, CancellationToken cancel = default)
    {
        var found = new float[texts.Count][];
        EncodeBatches(texts, model.EncodeTokens, cancel, (text, encoded, at, length, places) =>
            found[text] = encoded.AsSpan(((at * length) + 1) * Dimension, (places - Marks) * Dimension).ToArray());
        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)model).Dispose();

    /// <summary>Hears of every text what was made of its batch: number of the text, values, its row, the places of every row,
    /// those of its own.</summary>
    private delegate void TakeText(int text, float[] encoded, int at, int length, int places);

    private void EncodeBatches(
        IReadOnlyList<string> texts, Func<long[], int, float[]> encode, CancellationToken cancel, TakeText take)
    {
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
            var encoded = encode(ids, BatchTexts);
            for (var row = 0; row < batch.Length; row++) take(batch[row], encoded, row, length, rows[batch[row]].Length);
        }
    }
}
