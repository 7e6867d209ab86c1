using Dwe.Host.Features.Images;
using Dwe.Host.Features.Vision;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>What a page about one mention says; everything has been read and computed.</summary>
internal sealed record MentionReport
{
    /// <summary>Format and folder of the data set.</summary>
    public required string Source { get; init; }

    public required string Split { get; init; }

    public required Mention Mention { get; init; }

    /// <summary>In the mention's order; empty where it has none.</summary>
    public required IReadOnlyList<ReportImage> Images { get; init; }

    /// <summary>Where the candidates come from; null where there are none for any mention.</summary>
    public required string? CandidateSource { get; init; }

    /// <summary>Best first.</summary>
    public required IReadOnlyList<ReportEntity> Candidates { get; init; }

    /// <summary>The gold; null for NIL, an unlabelled mention and a gold that the knowledge base lacks.</summary>
    public required ReportEntity? Gold { get; init; }

    /// <summary>Which guesses about faces are shown.</summary>
    public required TraitChoice Traits { get; init; }
}

/// <summary>One of a mention's images: what it looks like and what was seen in it, or why it could not be read.</summary>
/// <param name="Name">As the data set has it.</param>
/// <param name="Fault">Null where it was read.</param>
/// <param name="Address">A <c>data:</c> address; null where it was not read.</param>
/// <param name="Analysis">Boxes in the pixels of the picture as analysed; null where it was not read.</param>
internal sealed record ReportImage(string Name, ImageFault? Fault, Html? Address, ImageAnalysis? Analysis);

/// <summary>An entity as a page shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Entity">Null where the knowledge base lacks it.</param>
/// <param name="Thumbnail">A <c>data:</c> address; null where it has no readable picture.</param>
internal sealed record ReportEntity(string Id, Entity? Entity, Html? Thumbnail);
