using System.Globalization;
using System.Text.Json.Serialization;
using Dwe.Host.Evaluation;

namespace Dwe.Host.Experiments;

/// <summary>How a variant differs from the first: each mention's value averaged over seeds, right minus left.</summary>
internal sealed record VariantDifference
{
    public required double Mean { get; init; }

    /// <summary>Its interval at 95 %, by bootstrap over mentions.</summary>
    public required double Low { get; init; }

    public required double High { get; init; }

    /// <summary>Of a randomisation test over mentions, adjusted for the number of variants (Holm).</summary>
    public required double P { get; init; }
}

/// <summary>A variant over its seeds.</summary>
internal sealed record AblatedVariant
{
    public required string Name { get; init; }

    /// <summary>Folder of its runs, below that of the ablation.</summary>
    public required string Folder { get; init; }

    [JsonPropertyName(Ablation.HitsAt1)]
    public required Spread HitsAt1 { get; init; }

    public required Spread Mrr { get; init; }

    /// <summary>From the first variant, in hits@1; null for that one.</summary>
    public VariantDifference? Difference { get; init; }
}

/// <summary>What the parts of a model are worth: variants side by side, each compared with the first.</summary>
internal sealed record Ablation
{
    /// <summary>What differences are of.</summary>
    public const string HitsAt1 = "hits@1";

    private const string Mrr = "mrr";

    public string Format { get; init; } = "dwe-ablation-1";
    public required IReadOnlyList<long> Seeds { get; init; }
    public required ProtocolCard Card { get; init; }
    public required IReadOnlyList<AblatedVariant> Variants { get; init; }

    /// <param name="variants">Names and folders.</param>
    /// <param name="results">By variant, one for every seed.</param>
    /// <param name="seeds">The seeds.</param>
    /// <exception cref="Model.Domain.UserErrorException">As <see cref="Comparison.Of"/>.</exception>
    public static Ablation Of(
        IReadOnlyList<GridVariant> variants, IReadOnlyList<EvaluationResult[]> results, IReadOnlyList<long> seeds)
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
            [.. variants.Zip(results, (variant, own) => (variant.Name, OverSeeds(variant.Name, own, results[0][0])))]);
        return new Ablation
        {
            Seeds = seeds,
            Card = results[0][0].Card,
            Variants = [.. variants.Select((variant, at) => Variant(variant, Spread.Of(results[at], HitsAt1, Mrr), compared[at]))],
        };
    }

    public TextTable ToTable() => new(
        ["variant", HitsAt1, Mrr, "difference", "95 %", "p"],
        [.. Variants.Select(variant => (IReadOnlyList<string>)
        [
            variant.Name,
            variant.HitsAt1.ToString(),
            variant.Mrr.ToString(),
            .. variant.Difference is { } difference
                ? [Spread.Signed(difference.Mean), $"{Spread.Signed(difference.Low)} to {Spread.Signed(difference.High)}",
                    difference.P.ToString("0.0000", CultureInfo.InvariantCulture)]
                : new[] { "", "", "" },
        ])],
        Note);

    private string Note =>
        $"{Card.Protocol}: {Card.Split} of {Card.Dataset} {Card.DatasetHash[..8]}, {Card.Mentions:N0} mentions, {Card.KnowledgeBaseSize:N0} "
        + $"entities, candidates: {Card.CandidateSource}; {SeedText}. Percent, mean over seeds (standard deviation); differences of "
        + $"{HitsAt1} from '{Variants[0].Name}', a mention's value averaged over seeds, interval by bootstrap and p by randomisation over "
        + "mentions, p adjusted for the number of variants (Holm).";

    private string SeedText => Seeds.Count == 1 ? $"seed {Seeds[0]}" : $"seeds {string.Join(", ", Seeds)}";

    private static AblatedVariant Variant(
        GridVariant variant, IReadOnlyDictionary<string, Spread> measures, ComparedSystem compared) => new()
        {
            Name = variant.Name,
            Folder = variant.Slug,
            HitsAt1 = measures[HitsAt1],
            Mrr = measures[Mrr],
            Difference = compared is { Difference: { } mean, DifferenceInterval: { } bounds, PValue: { } p }
            ? new VariantDifference { Mean = mean, Low = bounds.Low, High = bounds.High, P = p }
            : null,
        };

    private static double[] OverSeeds(string name, EvaluationResult[] results, EvaluationResult order)
    {
        var values = results.Select(result => Comparison.Values(name, result, order, HitsAt1)).ToArray();
        return [.. Enumerable.Range(0, values[0].Length).Select(mention => values.Average(own => own[mention]))];
    }
}
