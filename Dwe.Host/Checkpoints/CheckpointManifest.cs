using System.Text.Json.Nodes;
using Dwe.Model;

namespace Dwe.Host.Checkpoints;

/// <summary>What a checkpoint says of itself, for people and for other tools.</summary>
internal sealed record CheckpointManifest
{
    public required string Format { get; init; }
    public required JsonNode? Config { get; init; }
    public required RunManifest Run { get; init; }
    public required IReadOnlyDictionary<string, long[]> Weights { get; init; }

    public static CheckpointManifest Of(Matcher matcher, RunManifest run) => new()
    {
        Format = "dwe-checkpoint-1",
        Config = JsonNode.Parse(Configuration.Write(matcher.Config)),
        Run = run,
        Weights = matcher.Weights.ToDictionary(weight => weight.Item1, weight => weight.Item2.shape),
    };
}
