using System.Text;
using System.Text.Json;
using Dwe.Host.Storage;
using Dwe.Model.Domain;

namespace Dwe.Host.Enrichment;

/// <summary>
/// Answers as they come, <c>FILE.answers</c>: a JSON record a line, appended whole. It is the cache of later runs too, and is
/// not removed once it holds an answer. A last line that is not whole is cut off. One process at a time holds it.
/// </summary>
internal sealed class AnswerJournal : IDisposable
{
    private readonly FileStream stream;
    private readonly Dictionary<string, string> answers = [];
    private readonly Lock gate = new();

    private AnswerJournal(FileStream stream) => this.stream = stream;

    private sealed record Line(string Key, string Answer);

    /// <summary>The journal's file.</summary>
    public static string PathOf(string output) => Path.GetFullPath(output) + ".answers";

    /// <summary>Opens or begins the journal of an output file.</summary>
    /// <exception cref="UserErrorException">UsageWrong while another process has it.</exception>
    public static AnswerJournal Open(string output)
    {
        var path = PathOf(output);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{path} is in use: another job is writing this file", "Wait for it, or name another --out."));
        }
        var journal = new AnswerJournal(stream);
        try
        {
            journal.Recover();
            return journal;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The answer to a question, "" where the model knew nothing; null where it was not asked yet.</summary>
    public string? Find(string key)
    {
        lock (gate) return answers.GetValueOrDefault(key);
    }

    /// <summary>The line is on the disk before it returns: what was paid for is not asked again.</summary>
    public void Append(string key, string answer)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(new Line(key, answer), new JsonSerializerOptions(JsonFiles.Options) { WriteIndented = false });
        lock (gate)
        {
            stream.Write([.. line, (byte)'\n']);
            stream.Flush(flushToDisk: true);
            answers[key] = answer;
        }
    }

    /// <summary>Closes it; one without any answer is removed.</summary>
    public void Dispose()
    {
        if (stream.Length == 0) File.Delete(stream.Name);
        stream.Dispose();
    }

    private void Recover()
    {
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var whole = 0;
        for (var end = Array.IndexOf(bytes, (byte)'\n'); end >= 0; end = Array.IndexOf(bytes, (byte)'\n', whole))
        {
            if (Parse(Encoding.UTF8.GetString(bytes, whole, end - whole)) is not { } line) break;
            answers[line.Key] = line.Answer;
            whole = end + 1;
        }
        stream.SetLength(whole);
        stream.Position = whole;
    }

    private static Line? Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<Line>(text, JsonFiles.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
