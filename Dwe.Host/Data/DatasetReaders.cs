using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>One format of a data set.</summary>
internal interface IDatasetReader
{
    /// <summary>The format's name, e.g. <c>WikiMEL</c>.</summary>
    string Format { get; }

    /// <summary>The files by which the format is known, for messages.</summary>
    string Signature { get; }

    /// <summary>Folders below the data set's in which mention images lie.</summary>
    IReadOnlyList<string> MentionImageFolders => [];

    /// <summary>Folders below the data set's in which entity images lie.</summary>
    IReadOnlyList<string> EntityImageFolders => [];

    /// <summary>Whether the folder looks like this format. Looks at names, and no further than at a file's beginning.</summary>
    bool Recognises(string folder);

    /// <summary>Reads the folder.</summary>
    /// <exception cref="UserErrorException">A file is missing or broken; names the file and the place in it.</exception>
    Dataset Read(string folder);
}

/// <summary>The formats that are known, one file each. A new one is added to the list.</summary>
internal static class DatasetReaders
{
    /// <summary>In the order in which they are asked: those with names of their own first, then those that share names.</summary>
    public static readonly IReadOnlyList<IDatasetReader> All =
    [
        new MimicReader(),
        new JsonLinesReader(),
        new CsvReader(),
        new MelBenchReader(),
        new WikiDiverseUpstreamReader(),
        new WikiPersonReader(),
        new WikiDiverseReader(),
        new RichpediaMelReader(),
        new WikiMelReader(),
    ];

    /// <summary>Reads a data set in the format that is named, else in whichever its folder is.</summary>
    /// <exception cref="UserErrorException">
    /// KeyUnknown for no such format; FileMissing for no folder or no known format; else as the format's reader.
    /// </exception>
    public static Dataset Read(string folder, string? format = null)
    {
        var reader = format is null ? null : Named(format);
        if (!Directory.Exists(folder))
            throw new UserErrorException(UserError.NewFileMissing(folder, "the folder of a data set", "Check --data."));
        reader ??= All.FirstOrDefault(candidate => candidate.Recognises(folder));
        var known = string.Join(", ", All.Select(candidate => candidate.Format));
        return reader is not null
            ? reader.Read(folder)
            : throw new UserErrorException(UserError.NewFileMissing(
                Path.Combine(folder, "train.json"), $"a data set: {known}", "docs/data-formats.md has their files; --format names one."));
    }

    /// <summary>The reader of a format, upper and lower case alike.</summary>
    /// <exception cref="UserErrorException">KeyUnknown, with the nearest names.</exception>
    public static IDatasetReader Named(string format) =>
        All.FirstOrDefault(reader => reader.Format.Equals(format, StringComparison.OrdinalIgnoreCase))
        ?? throw new UserErrorException(UserError.NewKeyUnknown(
            "--format", format, Microsoft.FSharp.Collections.ListModule.OfSeq(All.Select(reader => reader.Format))));
}
