using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>One evaluation on dev while a run was trained.</summary>
/// <param name="Step">Updates made.</param>
/// <param name="Epoch">Epochs done.</param>
/// <param name="LearningRate">Of the last update; null in a run of an earlier version.</param>
/// <param name="Losses">Of training, means over the steps since the evaluation before: <c>loss</c> and its parts, unweighted.
/// None in a run of an earlier version.</param>
/// <param name="Metrics">By name; null where it is not defined.</param>
internal sealed record HistoryPoint(
    long Step, int Epoch, double? LearningRate, IReadOnlyDictionary<string, double?> Losses, IReadOnlyDictionary<string, double?> Metrics);

/// <summary><c>history.jsonl</c> of a run.</summary>
internal static class History
{
    /// <summary>Its lines; none where there is no file yet. A last line that a kill has cut is left out.</summary>
    /// <exception cref="UserErrorException">FileBroken naming the line.</exception>
    public static IReadOnlyList<HistoryPoint> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        var text = File.ReadAllText(path);
        var lines = text.Split('\n');
        // Whole lines end in one: what comes after the last is nothing, or the beginning of a line.
        return [.. lines.SkipLast(1).Select((line, number) => Parse(path, number + 1, line))];
    }

    private static HistoryPoint Parse(string path, int number, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return new HistoryPoint(
                root.GetProperty("step").GetInt64(),
                root.GetProperty("epoch").GetInt32(),
                root.TryGetProperty("learning_rate", out var rate) ? rate.GetDouble() : null,
                root.TryGetProperty("losses", out var losses) ? Numbers(losses) : new Dictionary<string, double?>(),
                Numbers(root.GetProperty("metrics")));
        }
        catch (Exception broken) when (broken is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                path, $"line {number}", "no evaluation", "{\"step\", \"epoch\", \"metrics\"}"));
        }
    }

    private static Dictionary<string, double?> Numbers(JsonElement named) => named.EnumerateObject().ToDictionary(
        number => number.Name, number => number.Value.ValueKind == JsonValueKind.Null ? (double?)null : number.Value.GetDouble());
}
