using System.Text.Encodings.Web;
using System.Text.Json;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Data.Conversion;

/// <summary>A layout that a data set can be written in.</summary>
internal interface IDatasetWriter
{
    /// <summary>Its name on the command line.</summary>
    string Name { get; }

    /// <summary>Writes all files of the layout into an empty folder.</summary>
    void Write(Dataset dataset, string folder, Losses losses);
}

/// <summary>Writes data sets. Images are not copied: they keep their names, and their folder.</summary>
internal static class DatasetWriters
{
    public static readonly IReadOnlyList<IDatasetWriter> All = [new WikiMelWriter(), new MimicWriter(), new JsonLinesWriter()];

    /// <summary>Writes a folder, whole or not at all, and tells what the layout cannot hold.</summary>
    /// <exception cref="UserErrorException">UsageWrong: the folder holds something already.</exception>
    public static IReadOnlyDictionary<string, int> Write(Dataset dataset, string layout, string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new UserErrorException(UserError.NewUsageWrong($"{folder} is not empty", "Name a new folder with --out."));
        var writer = All.First(candidate => candidate.Name == layout);
        var losses = new Losses();
        using var target = new AtomicFolder(folder);
        writer.Write(dataset, target.Path, losses);
        target.Commit();
        return losses.Counts;
    }

    /// <summary>What stands for a gold in all layouts.</summary>
    public static string AnswerOf(Mention mention) => mention.Gold switch
    {
        Gold.Entity gold => gold.id,
        { IsNil: true } => "nil",
        _ => "",
    };

    /// <summary>Writes one JSON file: readable letters, one top-level item a line.</summary>
    public static void WriteJson(string path, bool isList, Action<Utf8JsonWriter, Action> write)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        if (isList) json.WriteStartArray();
        else json.WriteStartObject();
        write(json, () =>
        {
            if (json.BytesPending > 1 << 16) json.Flush();
        });
        if (isList) json.WriteEndArray();
        else json.WriteEndObject();
    }

    /// <summary>Writes a list of texts under a name.</summary>
    public static void WriteTexts(this Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
