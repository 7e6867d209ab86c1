using System.ComponentModel;
using System.Text.Json;
using Dwe.Host.Linking;
using Dwe.Host.Storage;

namespace Dwe.Host.Service;

/// <summary>JSON as the service speaks it: snake_case like the files, on one line.</summary>
internal static class WireJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonFiles.Options) { WriteIndented = false };
}

/// <summary>The body of <c>/v1/link</c>, for the document; <see cref="RequestReader"/> reads it.</summary>
[Description("A mention to link.")]
internal sealed record LinkBody
{
    [Description("The mention as it stands in the text. May be left out where the text marks it: \"[[Jordan]] won\".")]
    public string? Mention { get; init; }

    [Description("The sentence. Without it the mention is linked by itself. Brackets are read as marks only where mention is left out.")]
    public string? Text { get; init; }

    [Description("An image file in base64: JPEG, PNG, GIF, WebP, TIFF or SVG, found out by its content.")]
    public string? Image { get; init; }

    [Description("Ids to choose among; without them the index proposes. Ids that the knowledge base lacks are passed over.")]
    public IReadOnlyList<string>? Candidates { get; init; }

    [Description("How many entities to return, 1 to 100; 10 where left out.")]
    public int? Top { get; init; }

    [Description("Whether to say what moved the scores: contributions, units, parts of the image.")]
    public bool? Explain { get; init; }
}

/// <summary>The body of <c>/v1/link:batch</c>.</summary>
[Description("Mentions to link together.")]
internal sealed record BatchBody
{
    public required IReadOnlyList<LinkBody> Requests { get; init; }
}

/// <summary>The answer of <c>/v1/link:batch</c>.</summary>
[Description("One answer a request, in their order.")]
internal sealed record BatchReply
{
    public required IReadOnlyList<BatchItem> Answers { get; init; }
}

/// <summary>Exactly one of the two.</summary>
[Description("An answer, or the error of this one request.")]
internal sealed record BatchItem
{
    public LinkAnswer? Answer { get; init; }

    public Fault? Error { get; init; }
}

/// <summary>The one shape of an error.</summary>
[Description("What went wrong, and what would have been right.")]
internal sealed record ErrorReply
{
    public required Fault Error { get; init; }
}

/// <summary>The answer of <c>/healthz</c> and <c>/readyz</c>.</summary>
internal sealed record StateReply(string Status);
