using Dwe.Host.Evaluation;

namespace Dwe.Host.Experiments;

/// <summary>One of several runs of a configuration: of a seed, or of a fold.</summary>
internal sealed record Replicate
{
    public required string Name { get; init; }

    /// <summary>Mentions that it was evaluated on.</summary>
    public required int Mentions { get; init; }

    public required IReadOnlyDictionary<string, double?> Metrics { get; init; }
}

/// <summary>One configuration, several runs: how much its measures vary.</summary>
internal sealed record Replication
{
    private static readonly string[] Shares = ["hits@1", "hits@3", "hits@5", "hits@10", "hits@20", "mrr"];

    public string Format { get; init; } = "dwe-replication-1";

    /// <summary>What varies: <c>seed</c> or <c>fold</c>.</summary>
    public required string Over { get; init; }

    /// <summary>The first run's; each fold's hash and number of mentions are its own.</summary>
    public required ProtocolCard Card { get; init; }

    public required IReadOnlyList<Replicate> Runs { get; init; }
    public required IReadOnlyDictionary<string, Spread> Measures { get; init; }

    public static Replication Of(string over, IReadOnlyList<string> names, IReadOnlyList<EvaluationResult> results) => new()
    {
        Over = over,
        Card = results[0].Card,
        Runs = [.. names.Zip(results, (name, result) => new Replicate
        {
            Name = name,
            Mentions = result.Card.Mentions,
            Metrics = result.Metrics,
        })],
        Measures = Spread.Of(results, Shares),
    };

    public TextTable ToTable() => new(
        [Over, "mentions", .. Shares],
        [
            .. Runs.Select(run => (IReadOnlyList<string>)
                [run.Name, $"{run.Mentions:N0}", .. Shares.Select(share => Spread.Percent(run.Metrics[share] ?? 0))]),
            ["mean (deviation)", "", .. Shares.Select(share => Measures[share].ToString())],
        ],
        $"{Card.Protocol}: {(Over == "fold" ? "parts of train" : Card.Split)} of {Card.Dataset}, {Card.KnowledgeBaseSize:N0} entities, "
        + $"candidates: {Card.CandidateSource}. Percent; mean and sample standard deviation over {Over}s.");
}
