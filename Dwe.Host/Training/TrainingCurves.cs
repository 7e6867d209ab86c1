using System.Text.Json;
using Dwe.Host.Storage;
using Dwe.Model.Training;
using TorchSharp;
using TorchSharp.Modules;

namespace Dwe.Host.Training;

/// <summary>
/// How a training goes, kept while it goes: TensorBoard events of every tenth step, and <c>history.jsonl</c> with one line an
/// evaluation. A resumed run first removes the lines that lie after its checkpoint, since it writes them again; events are
/// appended, and what is computed again is in them twice, with the same values.
/// </summary>
internal sealed class TrainingCurves : IDisposable
{
    // The writer opens its file anew for every value, so not every step is worth one.
    private const long StepsPerEvent = 10;

    private readonly SummaryWriter events;
    private readonly StreamWriter history;

    /// <summary>Goes on from the given step: what <paramref name="historyPath"/> says of later ones is removed.</summary>
    public TrainingCurves(string eventsFolder, string historyPath, long step)
    {
        KeepUntil(historyPath, step);
        Directory.CreateDirectory(eventsFolder);
        events = torch.utils.tensorboard.SummaryWriter(eventsFolder, createRunName: false);
        history = new StreamWriter(historyPath, append: true) { AutoFlush = true, NewLine = "\n" };
    }

    public void Step(long step, StepReport report)
    {
        if (step % StepsPerEvent != 0)
        {
            return;
        }

        events.add_scalar("train/loss", (float)report.Loss, (int)step);
        events.add_scalar("train/learning_rate", (float)report.Rate, (int)step);
        events.add_scalar("train/gradient_norm", (float)report.GradientNorm, (int)step);
        foreach (var (name, value) in report.MeanParts)
        {
            events.add_scalar($"train/{name}", (float)value, (int)step);
        }
    }

    /// <param name="step">Updates made.</param>
    /// <param name="epoch">Epochs done.</param>
    /// <param name="rate">The learning rate of the last update.</param>
    /// <param name="losses">Means over the steps since the evaluation before, by name.</param>
    /// <param name="metrics">On dev.</param>
    public void Evaluation(
        long step, int epoch, double rate, IReadOnlyDictionary<string, double> losses, IReadOnlyDictionary<string, double?> metrics)
    {
        foreach (var (name, value) in metrics)
        {
            // The mean rank of no found gold is nothing to draw.
            if (value is { } number)
            {
                events.add_scalar($"dev/{name}", (float)number, (int)step);
            }
        }

        history.WriteLine(JsonSerializer.Serialize(new { step, epoch, learning_rate = rate, losses, metrics }));
    }

    public void Dispose()
    {
        history.Dispose();
    }

    private static void KeepUntil(string path, long step)
    {
        if (File.Exists(path))
        {
            var kept = File.ReadLines(path).TakeWhile(line => StepOf(line) <= step).Select(line => line + "\n");
            AtomicFile.WriteText(path, string.Concat(kept));
        }
    }

    /// <summary>The step of a line; none for one that a kill has cut.</summary>
    private static long? StepOf(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("step").GetInt64();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
