using Dwe.Host.Evaluation;

namespace Dwe.Host.Reports;

/// <summary>A number of a result: what it is of, its name, its value and its interval where it has one.</summary>
internal sealed record RunNumber(string Of, string Measure, double? Value, MeasureInterval? Interval = null);

/// <summary>Every number that a result holds, but for the ranks of single mentions.</summary>
internal static class RunNumbers
{
    public static IEnumerable<RunNumber> Of(EvaluationResult result) =>
    [
        new("card", "mentions", result.Card.Mentions),
        new("card", "knowledge_base_size", result.Card.KnowledgeBaseSize),
        .. Named("metrics", result.Metrics).Select(number => number with { Interval = result.Intervals?.GetValueOrDefault(number.Measure) }),
        .. Named("optimistic", result.Optimistic),
        .. Named("pessimistic", result.Pessimistic),
        .. result.CandidateRecall.Select(recall => new RunNumber("candidates", recall.Key, recall.Value)),
        .. result.Counts.Select(count => new RunNumber("counts", count.Key, count.Value)),
        .. (result.Slices ?? new Dictionary<string, SliceResult>()).SelectMany(slice =>
            Named($"slice {slice.Key}", slice.Value.Metrics).Prepend(new RunNumber($"slice {slice.Key}", "mentions", slice.Value.Mentions))),
        .. result.Nil is { } nil ? OfNil(nil) : [],
        .. result.Calibration is { } calibration ? OfCalibration(calibration) : [],
        .. result.Looks is { } looks ? [new RunNumber("looks", "looks", looks)] : Array.Empty<RunNumber>(),
    ];

    private static IEnumerable<RunNumber> Named(string of, IReadOnlyDictionary<string, double?> metrics) =>
        metrics.Select(metric => new RunNumber(of, metric.Key, metric.Value));

    private static IEnumerable<RunNumber> OfNil(NilResult nil) =>
    [
        new("nil", "mentions", nil.Mentions),
        new("nil", "said", nil.Said),
        new("nil", "threshold", nil.Threshold),
        new("nil", "precision", nil.Precision),
        new("nil", "recall", nil.Recall),
        new("nil", "f1", nil.F1),
        new("nil", "auroc", nil.Auroc),
        new("nil", "link_precision", nil.LinkPrecision),
        new("nil", "link_recall", nil.LinkRecall),
        new("nil", "link_f1", nil.LinkF1),
        new("nil", "link_f1_without_threshold", nil.LinkF1WithoutThreshold),
    ];

    private static IEnumerable<RunNumber> OfCalibration(CalibrationResult calibration) =>
    [
        new("calibration", "temperature", calibration.Temperature),
        new("calibration", "mentions", calibration.Mentions),
        new("calibration", "error", calibration.Error),
        new("calibration", "brier", calibration.Brier),
        .. calibration.Bins.SelectMany((bin, at) => new RunNumber[]
        {
            new($"calibration bin {at + 1}", "count", bin.Count),
            new($"calibration bin {at + 1}", "stated", bin.Stated),
            new($"calibration bin {at + 1}", "right", bin.Right),
        }),
    ];
}
