using System.Text.Json.Serialization;
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

/// <summary>Where a difference lies, and how likely it is by chance.</summary>
internal sealed record SeededDifference
{
    public required double Low { get; init; }

    public required double High { get; init; }

    public double? P { get; init; }
}

/// <summary>One variant of an ablation.</summary>
internal sealed record AblatedVariant
{
    public required string Name { get; init; }

    [JsonPropertyName("hits@1")]
    public SeededMean? HitsAt1 { get; init; }

    public SeededMean? Mrr { get; init; }

    /// <summary>From the first variant, in hits@1; null for that one.</summary>
    public SeededDifference? Difference { get; init; }
}

/// <summary><c>ablation.json</c> as a report needs it.</summary>
internal sealed record ReportedAblation
{
    public const string FileName = "ablation.json";

    [JsonIgnore]
    public string Name { get; init; } = "";

    public required IReadOnlyList<AblatedVariant> Variants { get; init; }

    /// <summary>Reads a folder's.</summary>
    /// <exception cref="UserErrorException">FileBroken.</exception>
    public static ReportedAblation Read(string folder) =>
        JsonFiles.Read<ReportedAblation>(Path.Combine(folder, FileName), "an ablation's results") with
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
        };
}
