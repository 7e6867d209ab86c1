using System.Text.Json.Serialization;
using Dwe.Host.Enrichment;
using Dwe.Host.Features;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>
/// <c>manifest.json</c> of a knowledge base: which segments make it up, in order. Written last, so that whoever reads it finds
/// them whole. See docs/knowledge-bases.md.
/// </summary>
internal sealed record KnowledgeBaseManifest
{
    /// <summary>The file's name in the folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>What this program writes and reads.</summary>
    public const string CurrentFormat = "dwe-kb-1";

    public required string Format { get; init; }

    /// <summary>Counts the writes that changed something.</summary>
    public required int Generation { get; init; }

    /// <summary>Id of the encoder of the texts.</summary>
    public required string Encoder { get; init; }

    /// <summary>Width of the vectors.</summary>
    public required int Dimension { get; init; }

    /// <summary>The template of the texts.</summary>
    public required string EntityText { get; init; }

    /// <summary>Description fields that entities have had, sorted.</summary>
    public required IReadOnlyList<string> FieldNames { get; init; }

    /// <summary>Folders in which images were said to lie, on the machine that wrote this.</summary>
    public required IReadOnlyList<string> ImageFolders { get; init; }

    /// <summary>Fields that a language model wrote, as the sources said when they were added; absent where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<EnrichedField>? EnrichedBy { get; init; }

    /// <summary>Living entities.</summary>
    public required int Live { get; init; }

    /// <summary>The oldest first: a later one overrules.</summary>
    public required IReadOnlyList<SegmentCard> Segments { get; init; }

    /// <summary>SHA-256 of encoder, template and the segments' hashes.</summary>
    public required string ContentHash { get; init; }

    /// <summary>Whether a folder is a knowledge base.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>Reads the manifest of a knowledge base.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken, or StoreMismatch for another format.</exception>
    public static KnowledgeBaseManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(path, "a knowledge base", "Build it with `dwe kb build`."));
        var manifest = JsonFiles.Read<KnowledgeBaseManifest>(path, "a knowledge base's manifest");
        return manifest.Format == CurrentFormat
            ? manifest
            : throw FeatureStore.Mismatch(
                path, $"format {manifest.Format}", CurrentFormat, "Build the knowledge base again with `dwe kb build`.");
    }
}

/// <summary>A segment as the manifest names it.</summary>
internal sealed record SegmentCard
{
    /// <summary>The folder below <c>segments</c>: a number, never used twice.</summary>
    public required string Name { get; init; }

    /// <summary>Entities in it, those that a later segment overrules too.</summary>
    public required int Rows { get; init; }

    /// <summary>Ids that it removes from the segments before it.</summary>
    public required int Removed { get; init; }

    /// <summary>SHA-256 of entities, vectors and removed ids.</summary>
    public required string ContentHash { get; init; }
}
