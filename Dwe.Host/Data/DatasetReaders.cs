using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>One format of a data set.</summary>
internal interface IDatasetReader
{
    /// <summary>The format's name, e.g. <c>WikiMEL</c>.</summary>
    string Format { get; }

    /// <summary>The files by which the format is known, for messages.</summary>
    string Signature { get; }

    /// <summary>Whether the folder looks like this format. Looks at names, and no further than at a file's beginning.</summary>
    bool Recognises(string folder);

    /// <summary>Reads the folder.</summary>
    /// <exception cref="UserErrorException">A file is missing or broken; names the file and the place in it.</exception>
    Dataset Read(string folder);
}

/// <summary>The formats that are known, one file each. A new one is added to the list.</summary>
internal static class DatasetReaders
{
    /// <summary>In the order in which they are asked.</summary>
    public static readonly IReadOnlyList<IDatasetReader> All = [new WikiMelReader()];

    /// <summary>Reads a data set in whichever format its folder is.</summary>
    /// <exception cref="UserErrorException">FileMissing for no folder or no known format; else as the format's reader.</exception>
    public static Dataset Read(string folder)
    {
        var known = string.Join("; ", All.Select(reader => $"{reader.Format} ({reader.Signature})"));
        if (!Directory.Exists(folder))
            throw new UserErrorException(UserError.NewFileMissing(folder, $"the folder of a data set: {known}", "Check --data."));
        var reader = All.FirstOrDefault(candidate => candidate.Recognises(folder));
        return reader is not null
            ? reader.Read(folder)
            : throw new UserErrorException(UserError.NewFileMissing(
                Path.Combine(folder, "train.json"), $"a data set: {known}", "Check --data."));
    }
}
