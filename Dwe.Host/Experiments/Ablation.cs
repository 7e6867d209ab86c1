using System.Globalization;
using Dwe.Host.Evaluation;

namespace Dwe.Host.Experiments;

/// <summary>A variant over its seeds, and how it differs from the first.</summary>
internal sealed record AblatedVariant
{
    public required string Name { get; init; }

    /// <summary>Folder of its runs, below that of the ablation.</summary>
    public required string Folder { get; init; }

    public required IReadOnlyDictionary<string, Spread> Measures { get; init; }

    /// <summary>Minus the first variant's, each mention's value averaged over seeds; null for the first.</summary>
    public double? Difference { get; init; }

    public MeasureInterval? DifferenceInterval { get; init; }

    /// <summary>Adjusted for the number of variants (Holm).</summary>
    public double? PValue { get; init; }

    public bool? Significant { get; init; }
}

/// <summary>What the parts of a model are worth: variants side by side, each compared with the first.</summary>
internal sealed record Ablation
{
    private const string Mrr = "mrr";

    public string Format { get; init; } = "dwe-ablation-1";

    /// <summary>What differences are of.</summary>
    public required string Measure { get; init; }

    public required IReadOnlyList<long> Seeds { get; init; }
    public required ProtocolCard Card { get; init; }
    public required IReadOnlyList<AblatedVariant> Variants { get; init; }

    /// <param name="variants">Names and folders.</param>
    /// <param name="results">By variant, one for every seed.</param>
    /// <param name="seeds">The seeds.</param>
    /// <param name="measure">What differences are of.</param>
    /// <exception cref="Model.Domain.UserErrorException">As <see cref="Comparison.Of"/>.</exception>
    public static Ablation Of(
        IReadOnlyList<GridVariant> variants, IReadOnlyList<EvaluationResult[]> results, IReadOnlyList<long> seeds, string measure)
    {
        var first = (variants[0].Name, results[0][0]);
        foreach (var (variant, own) in variants.Zip(results))
        {
            foreach (var result in own)
            {
                Comparison.RequireSameCard(first, (variant.Name, result));
            }
        }

        var compared = Comparison.WithFirst(
            [.. variants.Zip(results, (variant, own) => (variant.Name, OverSeeds(variant.Name, own, results[0][0], measure)))]);
        return new Ablation
        {
            Measure = measure,
            Seeds = seeds,
            Card = results[0][0].Card,
            Variants = [.. variants.Select((variant, at) => new AblatedVariant
            {
                Name = variant.Name,
                Folder = variant.Slug,
                Measures = Spread.Of(results[at], [.. new[] { measure, Mrr }.Distinct()]),
                Difference = compared[at].Difference,
                DifferenceInterval = compared[at].DifferenceInterval,
                PValue = compared[at].PValue,
                Significant = compared[at].Significant,
            })],
        };
    }

    public TextTable ToTable()
    {
        string[] measures = [.. new[] { Measure, Mrr }.Distinct()];
        return new TextTable(
            ["variant", .. measures, "difference", "95 %", "p"],
            [.. Variants.Select(variant => (IReadOnlyList<string>)
            [
                variant.Name,
                .. measures.Select(measure => variant.Measures[measure].ToString()),
                variant.Difference is { } difference ? Spread.Signed(difference) : "",
                variant.DifferenceInterval is { } bounds ? $"{Spread.Signed(bounds.Low)} to {Spread.Signed(bounds.High)}" : "",
                variant.PValue?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "",
            ])],
            Note);
    }

    private string Note =>
        $"{Card.Protocol}: {Card.Split} of {Card.Dataset} {Card.DatasetHash[..8]}, {Card.Mentions:N0} mentions, {Card.KnowledgeBaseSize:N0} "
        + $"entities, candidates: {Card.CandidateSource}; {SeedText}. Percent, mean over seeds (standard deviation); differences of "
        + $"{Measure} from '{Variants[0].Name}', a mention's value averaged over seeds, interval by bootstrap and p by randomisation over "
        + "mentions, p adjusted for the number of variants (Holm).";

    private string SeedText => Seeds.Count == 1 ? $"seed {Seeds[0]}" : $"seeds {string.Join(", ", Seeds)}";

    private static double[] OverSeeds(string name, EvaluationResult[] results, EvaluationResult order, string measure)
    {
        var values = results.Select(result => Comparison.Values(name, result, order, measure)).ToArray();
        return [.. Enumerable.Range(0, values[0].Length).Select(mention => values.Average(own => own[mention]))];
    }
}
