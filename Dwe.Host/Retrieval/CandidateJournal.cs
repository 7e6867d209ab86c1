using System.Text;
using System.Text.Json;
using Dwe.Host.Storage;

namespace Dwe.Host.Retrieval;

/// <summary>
/// The lists of an unfinished job, <c>.FILE.journal</c>: a line with the job's card, then a line a mention. A last line that is
/// not whole is cut off; a journal of another card is begun anew.
/// </summary>
internal sealed class CandidateJournal : IDisposable
{
    private readonly FileStream stream;
    private readonly Dictionary<string, string[]> lists = [];

    private CandidateJournal(FileStream stream) => this.stream = stream;

    /// <summary>One mention's line.</summary>
    private sealed record Line(string Mention, string[] Ids);

    public IReadOnlyDictionary<string, string[]> Lists => lists;

    /// <summary>Opens the journal of a candidate file that is to be made, and reads what it has.</summary>
    public static CandidateJournal Open(string path, CandidateCard card)
    {
        var full = PathOf(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full) ?? throw new ArgumentException($"{path} is no file", nameof(path)));
        var stream = new FileStream(full, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            var journal = new CandidateJournal(stream);
            journal.Read(Serialize(card));
            return journal;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Removes the journal of a file that is whole.</summary>
    public static void Remove(string path) => File.Delete(PathOf(path));

    public void Append(string mention, string[] ids) => stream.Write(Encoding.UTF8.GetBytes(Serialize(new Line(mention, ids))));

    public void Dispose() => stream.Dispose();

    private static string PathOf(string path)
    {
        var full = Path.GetFullPath(path);
        return Path.Combine(Path.GetDirectoryName(full) ?? "", $".{Path.GetFileName(full)}.journal");
    }

    private static string Serialize<T>(T value) =>
        JsonSerializer.Serialize(value, new JsonSerializerOptions(JsonFiles.Options) { WriteIndented = false }) + "\n";

    private void Read(string head)
    {
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var whole = 0;
        for (var end = Array.IndexOf(bytes, (byte)'\n'); end >= 0; end = Array.IndexOf(bytes, (byte)'\n', whole))
        {
            var line = Encoding.UTF8.GetString(bytes, whole, end + 1 - whole);
            if (whole == 0 ? line != head : !Take(line))
            {
                break;
            }

            whole = end + 1;
        }

        if (whole == 0)
        {
            stream.SetLength(0);
            stream.Write(Encoding.UTF8.GetBytes(head));
        }
        else
        {
            stream.SetLength(whole);
            stream.Position = whole;
        }
    }

    private bool Take(string text)
    {
        try
        {
            if (JsonSerializer.Deserialize<Line>(text, JsonFiles.Options) is not { } line)
            {
                return false;
            }

            lists[line.Mention] = line.Ids;
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
