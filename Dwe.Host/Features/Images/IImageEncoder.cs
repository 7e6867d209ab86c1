namespace Dwe.Host.Features.Images;

/// <summary>
/// A frozen model that turns an image into one vector, in two steps that a job can run side by side: what reads the
/// decoded pixels once (<see cref="Prepare"/>: resize, crop, normalise; on any thread) and what computes
/// (<see cref="Encode"/>: in batches).
/// </summary>
internal interface IImageEncoder : IDisposable
{
    /// <summary>What made the vectors: name, weights and preprocessing. Two encoders with one Id give the same vectors
    /// on the same machine; the manifest of a feature store records it.</summary>
    string Id { get; }

    /// <summary>The number of values in a vector.</summary>
    int Dimension { get; }

    /// <summary>The number of values of a prepared image.</summary>
    int PreparedLength { get; }

    /// <summary>The graph's input for one image. Thread-safe; depends on the pixels alone.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">1 = grey, 2 = grey and alpha, 3 = RGB, 4 = RGB and alpha.</param>
    /// <param name="pixels">[height; width; channels], 8 bits each.</param>
    /// <param name="target">Receives <see cref="PreparedLength"/> values.</param>
    /// <exception cref="ArgumentException">Sizes that do not fit each other.</exception>
    void Prepare(int width, int height, int channels, byte[] pixels, Span<float> target);

    /// <summary>One row per prepared image, in their order: [count; Dimension], row-major float32.</summary>
    /// <param name="prepared">[count; PreparedLength], as <see cref="Prepare"/> wrote it.</param>
    /// <param name="count">Number of images; 0 gives no rows.</param>
    /// <param name="cancel">Stops between batches.</param>
    float[] Encode(Memory<float> prepared, int count, CancellationToken cancel = default);
}
