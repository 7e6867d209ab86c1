namespace Dwe.Host.Enrichment;

/// <summary>Who wrote a description field: <c>FILE.card.json</c> beside the entities. Without a date: the same answers, the same bytes.</summary>
internal sealed record EnrichmentCard
{
    public const string CurrentFormat = "dwe-enrichment-1";

    public string Format { get; init; } = CurrentFormat;
    public required string Field { get; init; }
    public required string EndpointHost { get; init; }
    public required string Model { get; init; }
    public required string PromptHash { get; init; }
    public required int Entities { get; init; }
    public required int Answered { get; init; }

    /// <summary>The model was asked and knew nothing.</summary>
    public required int Empty { get; init; }

    public required int Failed { get; init; }
}
