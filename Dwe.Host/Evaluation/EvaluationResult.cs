using Dwe.Model.Config;
using Dwe.Model.Linking;

namespace Dwe.Host.Evaluation;

/// <summary>
/// What must be equal before two results may be compared (docs/protocols.md). Hashes, not paths: the same data elsewhere is
/// the same data.
/// </summary>
internal sealed record ProtocolCard
{
    public required string Protocol { get; init; }
    public required string Dataset { get; init; }
    public required string DatasetHash { get; init; }
    public required string Split { get; init; }
    public required int Mentions { get; init; }
    public required int KnowledgeBaseSize { get; init; }

    /// <summary>File name of the candidate lists; <c>every entity</c> under full-kb.</summary>
    public required string CandidateSource { get; init; }

    public required string CandidateHash { get; init; }
    public required bool GoldInjected { get; init; }
    public required string TieRule { get; init; }

    /// <summary>The split on which the checkpoint was chosen.</summary>
    public required string SelectionSplit { get; init; }
}

/// <summary>What was evaluated: a run's checkpoint, or a baseline.</summary>
internal sealed record EvaluatedSystem
{
    public required string Name { get; init; }
    public required string CodeVersion { get; init; }
    public string? FeaturesHash { get; init; }
    public string? EntityText { get; init; }
    public long? Seed { get; init; }
    public string? Precision { get; init; }
    public long? Step { get; init; }
}

/// <summary>Where a mean lies at 95 %, by bootstrap over mentions.</summary>
internal sealed record MeasureInterval
{
    public required double Low { get; init; }
    public required double High { get; init; }
}

/// <summary>The metrics of some of the mentions.</summary>
internal sealed record SliceResult
{
    public required int Mentions { get; init; }
    public required IReadOnlyDictionary<string, double?> Metrics { get; init; }
}

/// <summary>One evaluation: one JSON file. Metrics are fractions; a miss has rank infinity.</summary>
internal sealed record EvaluationResult
{
    public const string CurrentFormat = "dwe-result-1";

    public string Format { get; init; } = CurrentFormat;
    public required ProtocolCard Card { get; init; }
    public required EvaluatedSystem System { get; init; }

    /// <summary>hits@1, hits@3, hits@5, hits@10, hits@20, mrr, mean_rank (null where every gold was missed).</summary>
    public required IReadOnlyDictionary<string, double?> Metrics { get; init; }

    /// <summary>The same where every tie is won, and where every tie is lost.</summary>
    public required IReadOnlyDictionary<string, double?> Optimistic { get; init; }

    public required IReadOnlyDictionary<string, double?> Pessimistic { get; init; }

    /// <summary>recall@K of the candidates: no ranking of them does better.</summary>
    public required IReadOnlyDictionary<string, double> CandidateRecall { get; init; }

    /// <summary>missed, without_candidates, gold_outside_kb, nil, unlabelled.</summary>
    public required IReadOnlyDictionary<string, int> Counts { get; init; }

    /// <summary>Of hits@1 and mrr; null in results that are older than intervals.</summary>
    public IReadOnlyDictionary<string, MeasureInterval>? Intervals { get; init; }

    /// <summary>Slices by name (docs/protocols.md), those without mentions left out.</summary>
    public IReadOnlyDictionary<string, SliceResult>? Slices { get; init; }

    /// <summary>Rank of each mention by key, under the card's rule of ties; null for a miss.</summary>
    public IReadOnlyDictionary<string, double?>? Ranks { get; init; }

    /// <summary>How often this run was evaluated on this test split under this protocol; null on dev.</summary>
    public int? Looks { get; init; }

    public double Measure(string name) =>
        Metrics[name] ?? throw new InvalidOperationException($"{name} is not defined: every gold was missed");

    public static IReadOnlyDictionary<string, double?> Named(Metrics metrics) => new Dictionary<string, double?>
    {
        ["hits@1"] = metrics.HitsAt1,
        ["hits@3"] = metrics.HitsAt3,
        ["hits@5"] = metrics.HitsAt5,
        ["hits@10"] = metrics.HitsAt10,
        ["hits@20"] = metrics.HitsAt20,
        ["mrr"] = metrics.Mrr,
        ["mean_rank"] = metrics.MeanRank,
    };

    public static string NameOf(Protocol protocol) =>
        protocol.IsLegacy ? "legacy" : protocol.IsStrict ? "strict" : "full-kb";
}
