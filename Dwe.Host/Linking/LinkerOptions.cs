using Dwe.Model.Config;
using Dwe.Model.Tensors;

namespace Dwe.Host.Linking;

/// <summary>How a linker is opened.</summary>
internal sealed record LinkerOptions
{
    public required string Run { get; init; }

    /// <summary>The folder of an index; null takes the data set and the features that the run was trained on.</summary>
    public string? Index { get; init; }

    /// <summary>The encoder of new mentions, which must be that of the run's features.</summary>
    public TextEncoderChoice Encoder { get; init; } = TextEncoderChoice.SentenceEncoder;

    /// <summary>How a CLIP encoder computes.</summary>
    public Precision Precision { get; init; } = Precision.Float32;

    public string Device { get; init; } = "auto";

    /// <summary>How many candidates are compared; 0 = every entity of the index.</summary>
    public int Candidates { get; init; } = 100;
}
