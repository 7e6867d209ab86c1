namespace Dwe.Host.Features.Text;

/// <summary>A text encoder that also says what it makes of each token where it stands.</summary>
internal interface ITokenEncoder : ITextEncoder
{
    /// <summary>What makes the tokens' vectors, as <see cref="ITextEncoder.Id"/> says of texts.</summary>
    string TokensId { get; }

    /// <summary>How many tokens of a text are read: 0 to the most that the encoder takes.</summary>
    int CountTokens(string text);

    /// <summary>
    /// Per text [tokens; <see cref="ITextEncoder.Dimension"/>], row-major float32, in the space of the texts' vectors; as many
    /// tokens as <see cref="CountTokens"/> says. A text's tokens depend on that text alone.
    /// </summary>
    float[][] EncodeTokens(IReadOnlyList<string> texts, CancellationToken cancel = default);
}
