using System.Text.Json.Serialization;
using Dwe.Host.Enrichment;
using Dwe.Host.Evaluation;
using Dwe.Host.Features;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Domain;

namespace Dwe.Host.Checkpoints;

/// <summary>What a run was trained on: enough to find its data again and to refuse other data.</summary>
internal sealed record RunManifest
{
    public required string CodeVersion { get; init; }

    /// <summary>Folders as they were named, for later commands that name none; empty for imported weights.</summary>
    public required string Data { get; init; }

    /// <summary>The format that the data set was read as; null in runs that are older than the choice.</summary>
    public string? Format { get; init; }

    public required string Features { get; init; }

    /// <summary>The candidate file that was named, or null for the data set's own.</summary>
    public string? Candidates { get; init; }

    /// <summary>SHA-256 of that file; null where none was named, and in runs that are older than the check.</summary>
    public string? CandidatesHash { get; init; }

    /// <summary>Content hashes.</summary>
    public required string DataHash { get; init; }

    public required string FeaturesHash { get; init; }

    /// <summary>The template of entity texts that the store was made with.</summary>
    public required string EntityText { get; init; }

    /// <summary>Those fields of the template that a language model wrote; absent where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<EnrichedField>? EnrichedBy { get; init; }

    /// <summary>What made the features; null in runs that are older than the record.</summary>
    public RunEncoders? Encoders { get; init; }

    /// <summary>Widths that the features dictate.</summary>
    public required int TextSize { get; init; }

    public required int ImageSize { get; init; }

    public required int EntitySize { get; init; }

    public FeatureSizes Sizes => new(TextSize, ImageSize, EntitySize);

    /// <summary>Refuses data or features other than the run's own: a resumed run must read what it read before.</summary>
    /// <exception cref="UserErrorException">StoreMismatch.</exception>
    public void RequireSame(RunData data, string run)
    {
        if (data.Dataset.ContentHash != DataHash || data.FeaturesHash != FeaturesHash)
        {
            throw FeatureStore.Mismatch(
                run, "other data or features than this run was begun with", "the same files",
                "Bring them back, or train a new run.");
        }
    }

    /// <summary>Refuses candidate lists other than the run's own: they decide which checkpoint is best, and may be its negatives.</summary>
    /// <exception cref="UserErrorException">StoreMismatch.</exception>
    public void RequireSameCandidates(string? path)
    {
        if (Candidates is null && path is not null)
        {
            throw FeatureStore.Mismatch(
                path, "candidate lists", "the data set's own, with which this run was begun", "Leave --candidates out.");
        }

        if (CandidatesHash is not null && path is not null && HashOfCandidates(path) is { } found && found != CandidatesHash)
        {
            throw FeatureStore.Mismatch(
                path, "other candidate lists than this run was begun with", "the same file",
                "Bring it back, or train a new run.");
        }
    }

    /// <summary>What <see cref="CandidatesHash"/> is for a file; null where there is none, which reading it will say.</summary>
    public static string? HashOfCandidates(string? path) => File.Exists(path) ? ContentHash.OfFile(path) : null;

    /// <summary>Refuses features of other widths than the run's weights have.</summary>
    /// <exception cref="UserErrorException">StoreMismatch.</exception>
    public void RequireSameSizes(RunData data, string run)
    {
        var sizes = data.Sizes;
        if (sizes.Text != TextSize || sizes.Entity != EntitySize || (sizes.Image != 0 && sizes.Image != ImageSize))
        {
            throw FeatureStore.Mismatch(
                data.Store.Folder, $"widths {sizes.Text}, {sizes.Image} and {sizes.Entity} (text, image, entity)",
                $"those of {run}: {TextSize}, {ImageSize} and {EntitySize}",
                "Encode the data with the encoder of the run's features.");
        }
    }
}
