namespace Dwe.Host.Features.Text;

/// <summary>A frozen model that turns a text into one vector.</summary>
internal interface ITextEncoder : IDisposable
{
    /// <summary>What made the vectors: name, weights and preprocessing. Two encoders with one Id give the same vectors
    /// on the same machine; the manifest of a feature store records it.</summary>
    string Id { get; }

    /// <summary>The number of values in a vector.</summary>
    int Dimension { get; }

    /// <summary>One row per text, in the order of the texts: [texts.Count; Dimension], row-major float32.</summary>
    float[] Encode(IReadOnlyList<string> texts, CancellationToken cancel = default);
}
