using System.Text.Encodings.Web;
using System.Text.Json;
using Dwe.Host.Storage;

namespace Dwe.Host.Retrieval;

/// <summary>Writes a JSON object of id lists, one line a mention, in the order given: equal lists, equal bytes.</summary>
internal static class CandidateFileWriter
{
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static void Write(string path, IReadOnlyList<(string Key, string[] Ids)> lists) => AtomicFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
        writer.Write("{");
        for (var at = 0; at < lists.Count; at++)
        {
            writer.Write(at == 0 ? "\n" : ",\n");
            writer.Write($"{Quoted(lists[at].Key)}: [{string.Join(", ", lists[at].Ids.Select(Quoted))}]");
        }

        writer.WriteLine("\n}");
    });

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, Encoder)}\"";
}
