namespace Dwe.Host.Linking;

/// <summary>A mention to link, as it comes from a command line, a file or a request.</summary>
internal sealed record LinkRequest
{
    /// <summary>The mention's text as it stands in the sentence.</summary>
    public required string Mention { get; init; }

    /// <summary>The sentence, unmarked; may be the mention alone.</summary>
    public required string Text { get; init; }

    /// <summary>The bytes of an image file; null where there is none.</summary>
    public byte[]? Image { get; init; }

    /// <summary>Ids to choose among; null leaves the choice to the index. Ids that the knowledge base lacks are passed over.</summary>
    public IReadOnlyList<string>? Candidates { get; init; }

    /// <summary>How many entities to return.</summary>
    public int Top { get; init; } = 10;

    /// <summary>Whether to say what moved the scores.</summary>
    public bool Explain { get; init; }
}
