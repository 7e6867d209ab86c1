using System.Globalization;
using Dwe.Host.Evaluation;
using Dwe.Model;

namespace Dwe.Host.Experiments;

/// <summary>A measure over several runs: mean, and sample standard deviation where there is more than one.</summary>
internal sealed record Spread(double Mean, double? Deviation, IReadOnlyList<double> Values)
{
    /// <summary>Of the measures that results have in any case.</summary>
    public static IReadOnlyDictionary<string, Spread> Of(IReadOnlyList<EvaluationResult> results, params string[] measures) =>
        measures.ToDictionary(measure => measure, measure => Of([.. results.Select(result => result.Measure(measure))]));

    /// <summary>Percent with one decimal: <c>92.8 (0.2)</c>.</summary>
    public override string ToString() =>
        Percent(Mean) + (Deviation is { } deviation ? $" ({Percent(deviation)})" : "");

    public static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);

    public static string Signed(double share) => (100 * share).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture);

    private static Spread Of(double[] values)
    {
        var (mean, deviation) = Evidence.MeanAndDeviation(values);
        return new Spread(mean, deviation, values);
    }
}
