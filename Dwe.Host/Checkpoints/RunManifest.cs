using Dwe.Model;

namespace Dwe.Host.Checkpoints;

/// <summary>What a run was trained on: enough to find its data again and to refuse other data.</summary>
internal sealed record RunManifest
{
    public required string CodeVersion { get; init; }

    /// <summary>Folders as they were named, for later commands that name none.</summary>
    public required string Data { get; init; }

    public required string Features { get; init; }

    /// <summary>Content hashes.</summary>
    public required string DataHash { get; init; }

    public required string FeaturesHash { get; init; }

    /// <summary>Widths that the features dictate.</summary>
    public required int TextSize { get; init; }

    public required int ImageSize { get; init; }

    public required int EntitySize { get; init; }

    public FeatureSizes Sizes => new(TextSize, ImageSize, EntitySize);
}
