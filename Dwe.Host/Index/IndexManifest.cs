using Dwe.Host.Features;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Index;

/// <summary>
/// <c>manifest.json</c> of an index: which generation is the current one. Written last, so that whoever reads it finds that
/// generation whole. See docs/formats.md.
/// </summary>
internal sealed record IndexManifest
{
    /// <summary>The file's name in the index.</summary>
    public const string FileName = "manifest.json";

    /// <summary>What this program writes and reads.</summary>
    public const string CurrentFormat = "dwe-index-1";

    public required string Format { get; init; }

    /// <summary>Counts builds; names the folder.</summary>
    public required int Generation { get; init; }

    /// <summary>SHA-256 of what is in it; see <see cref="IEntityIndex.Version"/>.</summary>
    public required string Version { get; init; }

    /// <summary>How vectors are kept: F32, F16 or I8.</summary>
    public required string Dtype { get; init; }

    public required int Dimension { get; init; }

    /// <summary>Living entities.</summary>
    public required int Count { get; init; }

    /// <summary>What projected the vectors.</summary>
    public required IndexedRun Run { get; init; }

    /// <summary>What was encoded.</summary>
    public required IndexedSource Source { get; init; }

    /// <summary>In row order.</summary>
    public required IReadOnlyList<IndexedSegment> Segments { get; init; }

    /// <summary>Recall on dev by source of candidates; null where it was not measured.</summary>
    public MeasuredRecall? Recall { get; init; }

    /// <summary>The folder of a generation within the index.</summary>
    public static string FolderOf(int generation) => $"gen-{generation:000000}";

    /// <summary>Reads the manifest of an index.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken, or StoreMismatch for another format.</exception>
    public static IndexManifest Read(string index)
    {
        var path = Path.Combine(index, FileName);
        if (!File.Exists(path))
            throw new UserErrorException(UserError.NewFileMissing(path, "an index", "Build it with `dwe index`."));
        var manifest = JsonFiles.Read<IndexManifest>(path, "an index's manifest");
        return manifest.Format == CurrentFormat
            ? manifest
            : throw FeatureStore.Mismatch(path, $"format {manifest.Format}", CurrentFormat, "Build the index again with `dwe index`.");
    }
}

/// <summary>The run through whose entity side the vectors went.</summary>
internal sealed record IndexedRun
{
    /// <summary>The run folder's name.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the checkpoint's weights.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>Whether it projects entities; else their encoded texts are compared as they are.</summary>
    public required bool Projects { get; init; }
}

/// <summary>Where the entities come from.</summary>
internal sealed record IndexedSource
{
    /// <summary>The knowledge base folder's name.</summary>
    public required string Name { get; init; }

    /// <summary>The encoder of the texts.</summary>
    public required string Encoder { get; init; }

    /// <summary>The template of the texts.</summary>
    public required string EntityText { get; init; }

    /// <summary>Description fields that the entities have.</summary>
    public required IReadOnlyList<string> FieldNames { get; init; }

    /// <summary>Folders in which pictures may lie on the machine that built the index.</summary>
    public required IReadOnlyList<string> ImageFolders { get; init; }
}

/// <summary>A segment of the source as the index keeps it.</summary>
internal sealed record IndexedSegment
{
    /// <summary>The folder within the generation.</summary>
    public required string Folder { get; init; }

    /// <summary>Hash of the source's segment, by which it is known again.</summary>
    public required string SourceHash { get; init; }

    /// <summary>All rows, the dead ones too.</summary>
    public required int Rows { get; init; }

    public required int Live { get; init; }
}

/// <summary>Shares of dev mentions whose gold is among the first candidates.</summary>
internal sealed record MeasuredRecall
{
    /// <summary>Content hash of the data set.</summary>
    public required string DatasetHash { get; init; }

    /// <summary>Mentions whose gold the index has.</summary>
    public required int Mentions { get; init; }

    /// <summary>Of all mentions that have a gold, those whose gold the index lacks: no list can have it.</summary>
    public required int GoldMissing { get; init; }

    /// <summary>By source: <c>dense</c>, <c>lexical</c>, <c>prior</c>, <c>fused</c>; then by depth: <c>recall@1</c> and so on.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Sources { get; init; }
}
