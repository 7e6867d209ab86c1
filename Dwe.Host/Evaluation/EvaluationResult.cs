using System.Text.Json.Serialization;
using Dwe.Host.Enrichment;
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

    /// <summary>Fields of the entity text that a language model wrote, in training or here; absent where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<EnrichedField>? EnrichedBy { get; init; }

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

/// <summary>
/// How well mentions that mean nothing in the knowledge base (NIL) are told from the others by a threshold on the best score
/// (docs/protocols.md).
/// </summary>
internal sealed record NilResult
{
    /// <summary>Mentions whose gold is no entity of the knowledge base.</summary>
    public required int Mentions { get; init; }

    /// <summary>A mention whose best score lies below is said NIL; null: nothing was chosen, all that have a candidate are linked.</summary>
    public required double? Threshold { get; init; }

    public required string? ChosenOn { get; init; }

    /// <summary>Mentions that were said NIL.</summary>
    public required int Said { get; init; }

    /// <summary>Of those said NIL, the share that is; of those that are, the share that was said so; their harmonic mean.</summary>
    public required double Precision { get; init; }

    public required double Recall { get; init; }

    public required double F1 { get; init; }

    /// <summary>The chance that a mention with an entity has a higher best score than one without; null where one kind is absent.</summary>
    public required double? Auroc { get; init; }

    /// <summary>Of the mentions that were linked, the share linked to their gold; of those that have an entity, the share.</summary>
    public required double LinkPrecision { get; init; }

    public required double LinkRecall { get; init; }

    /// <summary>What the threshold was chosen by.</summary>
    public required double LinkF1 { get; init; }

    public required double LinkF1WithoutThreshold { get; init; }
}

/// <summary>One bar of a calibration plot.</summary>
internal sealed record StatedBin
{
    public required int Count { get; init; }

    /// <summary>Mean probability that was stated.</summary>
    public required double Stated { get; init; }

    /// <summary>Share that was right.</summary>
    public required double Right { get; init; }
}

/// <summary>Whether the probability of the best candidate is the share of mentions of which it is the gold.</summary>
internal sealed record CalibrationResult
{
    public required double Temperature { get; init; }

    public required string? ChosenOn { get; init; }

    /// <summary>Mentions that have a candidate.</summary>
    public required int Mentions { get; init; }

    /// <summary>Expected calibration error over the bins.</summary>
    public required double Error { get; init; }

    public required double Brier { get; init; }

    /// <summary>Ten of equal width over 0 to 1, empty ones left out.</summary>
    public required IReadOnlyList<StatedBin> Bins { get; init; }
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

    /// <summary>Null under legacy, where no mention is NIL and none was said so, and in older results.</summary>
    public NilResult? Nil { get; init; }

    /// <summary>Null under legacy, for baselines, where no temperature was chosen, and in older results.</summary>
    public CalibrationResult? Calibration { get; init; }

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
