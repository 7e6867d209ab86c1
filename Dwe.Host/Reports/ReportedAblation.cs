using System.Text.Json.Serialization;
using Dwe.Host.Evaluation;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>A mean over seeds.</summary>
internal sealed record SeededMean
{
    public required double Mean { get; init; }

    /// <summary>Standard deviation; null of one seed.</summary>
    public double? Deviation { get; init; }
}

/// <summary>One variant of an ablation.</summary>
internal sealed record ReportedVariant
{
    public required string Name { get; init; }

    /// <summary>By measure.</summary>
    public required IReadOnlyDictionary<string, SeededMean> Measures { get; init; }

    /// <summary>Minus the first variant's; null for that one.</summary>
    public double? Difference { get; init; }

    public MeasureInterval? DifferenceInterval { get; init; }

    /// <summary>Adjusted for the number of variants.</summary>
    public double? PValue { get; init; }
}

/// <summary><c>ablation.json</c> as a report needs it.</summary>
internal sealed record ReportedAblation
{
    public const string FileName = "ablation.json";

    private const string CurrentFormat = "dwe-ablation-1";
    private const string What = "an ablation's results";

    /// <summary>The folder's name.</summary>
    [JsonIgnore]
    public string Name { get; init; } = "";

    public required string Format { get; init; }

    /// <summary>What differences are of.</summary>
    public required string Measure { get; init; }

    public required IReadOnlyList<long> Seeds { get; init; }

    public required ProtocolCard Card { get; init; }

    public required IReadOnlyList<ReportedVariant> Variants { get; init; }

    /// <summary>The measures that the variants have, in their order.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Measures => [.. Variants.SelectMany(variant => variant.Measures.Keys).Distinct()];

    /// <summary>Reads a folder's.</summary>
    /// <exception cref="UserErrorException">FileBroken.</exception>
    public static ReportedAblation Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var found = JsonFiles.Read<ReportedAblation>(path, What);
        return found.Format == CurrentFormat
            ? found with { Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) }
            : throw new UserErrorException(UserError.NewFileBroken(path, "top level", $"format '{found.Format}'", What));
    }

    /// <summary>Its table: names of columns, and a row a variant.</summary>
    public (string[] Head, IEnumerable<string[]> Rows) Table() => (
        ["variant", .. Measures.SelectMany(measure => new[] { measure, "±" }), "difference", "95 %", "p"],
        Variants.Select(variant => (string[])
        [
            variant.Name,
            .. Measures.Select(variant.Measures.GetValueOrDefault)
                .SelectMany(mean => new[] { ReportText.Percent(mean?.Mean), ReportText.Percent(mean?.Deviation) }),
            variant.Difference is null ? "" : ReportText.Signed(variant.Difference),
            variant.DifferenceInterval is null ? "" : ReportText.SignedInterval(variant.DifferenceInterval),
            variant.PValue is { } p ? ReportText.Number(p) : "",
        ]));
}
