using Dwe.Host.Features.Images;
using Dwe.Host.Features.Tfjs;
using Dwe.Host.Features.Weights;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Vision;

/// <summary>
/// MobileNetV2 1.4 (Sandler et al. 2018), 1792 numbers per picture: what stands before the classifier's last layer, each
/// at least 0. The picture is stretched to 224 x 224, 0..1. The default where nobody brought CLIP: it knows things, not words.
/// </summary>
internal sealed class MobileNetEncoder : IImageEncoder
{
    private const int Side = 224;
    private const string Output =
        "StatefulPartitionedCall/sequential/keras_layer/StatefulPartitionedCall/StatefulPartitionedCall/StatefulPartitionedCall/predict/feature_vector/SpatialSqueeze";

    private readonly VisionNet net;

    private MobileNetEncoder(string onnxPath, string id)
    {
        net = new VisionNet(onnxPath, Side, Side, 3, Output);
        Id = id;
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <inheritdoc/>
    public int Dimension => 1792;

    /// <inheritdoc/>
    public int PreparedLength => Side * Side * 3;

    /// <summary>Opens the encoder; fetches and converts its weights first if this machine does not have them.</summary>
    /// <exception cref="UserErrorException">The weights are absent and cannot be fetched, or are damaged.</exception>
    public static MobileNetEncoder Open(WeightCache weights, Action<string>? report = null, CancellationToken cancel = default)
    {
        var package = WeightCatalogue.ImageEncoder;
        var folder = weights.Ensure(package, report, cancel);
        var onnx = new ConvertedModels(weights.ConvertedFolder).PathOf(
            "mobilenet-v2-1.4", Path.Combine(folder, "dist", "models", "mobilenet_v2_mid", "model.min.js"), Output);
        return new MobileNetEncoder(
            onnx, $"mobilenet-v2-1.4/{package.Version}/sha256-{package.Sha256[..16]}/stretch-triangle-1/onnx-{TfjsToOnnx.Version}");
    }

    /// <inheritdoc/>
    public void Prepare(int width, int height, int channels, byte[] pixels, Span<float> target)
    {
        if (pixels.Length != width * height * channels || target.Length != PreparedLength)
            throw new ArgumentException(
                $"{pixels.Length} samples for {width} x {height} x {channels}, {target.Length} values for {PreparedLength}");
        var rgb = Resampling.Rgb(new DecodedImage(width, height, channels, pixels));
        Resampling.Smooth(rgb, Side, Side).Map(value => value / 255).Values.CopyTo(target);
    }

    /// <inheritdoc/>
    /// <remarks>One picture per run and one run per processor, so no vector depends on the others.</remarks>
    public float[] Encode(Memory<float> prepared, int count, CancellationToken cancel = default)
    {
        if (prepared.Length != (long)count * PreparedLength)
            throw new ArgumentException($"{prepared.Length} values for {count} pictures of {PreparedLength}", nameof(prepared));
        var vectors = new float[count * Dimension];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
        Parallel.For(
            0, count, parallel,
            i => net.Run(prepared.Slice(i * PreparedLength, PreparedLength))[0].CopyTo(vectors, i * Dimension));
        return vectors;
    }

    /// <inheritdoc/>
    public void Dispose() => net.Dispose();
}
