using Dwe.Host.Features.Images;
using Dwe.Model;
using Dwe.Model.Tensors;
using TorchSharp;

namespace Dwe.Host.Features.Clip;

/// <summary>CLIP's image tower, a transformer or a ResNet: one vector per image, not normalised.</summary>
/// <remarks>
/// Images are encoded in batches of always <see cref="BatchImages"/> rows, so that the vector of an image does not depend on
/// how many are beside it. <see cref="Encode"/> is not thread-safe; torch uses its own threads.
/// </remarks>
internal sealed class ClipImageEncoder : IImageEncoder
{
    private const int BatchImages = 16;

    private readonly ClipModel model;

    private ClipImageEncoder(ClipModel model, string id)
    {
        this.model = model;
        Id = id;
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <inheritdoc/>
    public int Dimension => model.Sizes.Embedding;

    /// <inheritdoc/>
    public int PreparedLength => 3 * model.Sizes.Resolution * model.Sizes.Resolution;

    /// <summary>Opens weights.</summary>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">As <see cref="ClipWeights.Open"/> and
    /// <see cref="ClipWeights.Load"/>.</exception>
    public static ClipImageEncoder Open(string path, Precision precision, torch.Device device)
    {
        using var weights = ClipWeights.Open(path);
        var id = ClipIds.Of(weights, precision, ClipImages.Version);
        return new ClipImageEncoder(weights.Load(precision, device), id);
    }

    /// <inheritdoc/>
    public void Prepare(int width, int height, int channels, byte[] pixels, Span<float> target) =>
        ClipImages.Prepare(model.Sizes.Resolution, width, height, channels, pixels, target);

    /// <inheritdoc/>
    public float[] Encode(Memory<float> prepared, int count, CancellationToken cancel = default)
    {
        if (prepared.Length != (long)count * PreparedLength)
            throw new ArgumentException($"{prepared.Length} values for {count} images of {PreparedLength}", nameof(prepared));
        var vectors = new float[checked(count * Dimension)];
        for (var done = 0; done < count; done += BatchImages)
        {
            cancel.ThrowIfCancellationRequested();
            var images = Math.Min(BatchImages, count - done);
            var batch = prepared.Slice(done * PreparedLength, images * PreparedLength);
            if (images < BatchImages)
            {
                var whole = new float[BatchImages * PreparedLength];
                batch.CopyTo(whole);
                batch = whole;
            }
            model.EncodeImages(batch, BatchImages).AsSpan(0, images * Dimension).CopyTo(vectors.AsSpan(done * Dimension));
        }
        return vectors;
    }

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)model).Dispose();
}
