using Microsoft.ML.OnnxRuntime;

namespace Dwe.Host.Features.Vision;

/// <summary>
/// A net on ONNX Runtime that takes one picture at a time, on one thread: so that what it says of a picture depends on that
/// picture alone, to the last bit, whatever else is computed beside it. Any number of threads may call it at once.
/// </summary>
internal sealed class VisionNet : IDisposable
{
    private readonly InferenceSession session;
    private readonly string input;
    private readonly long[] shape;
    private readonly string[] outputs;

    /// <param name="onnxPath">The converted model.</param>
    /// <param name="width">Of the picture it takes.</param>
    /// <param name="height">Of the picture it takes.</param>
    /// <param name="channels">Samples per pixel.</param>
    /// <param name="outputs">The results to be computed, in this order.</param>
    public VisionNet(string onnxPath, int width, int height, int channels, params string[] outputs)
    {
        using var settings = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        session = new InferenceSession(onnxPath, settings);
        input = session.InputMetadata.Keys.Single();
        shape = [1, height, width, channels];
        this.outputs = outputs;
    }

    /// <summary>The results for [height; width; channels] values, each flat.</summary>
    /// <exception cref="ArgumentException">Another number of values.</exception>
    public float[][] Run(Memory<float> values)
    {
        if (values.Length != shape.Aggregate(1L, (product, length) => product * length))
            throw new ArgumentException($"{values.Length} values, expected [{string.Join(", ", shape)}]", nameof(values));
        using var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape);
        using var settings = new RunOptions();
        using var results = session.Run(settings, [input], [value], outputs);
        return [.. results.Select(result => result.GetTensorDataAsSpan<float>().ToArray())];
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();
}
