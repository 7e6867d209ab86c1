using System.Text.Json;
using Dwe.Model.Training;
using TorchSharp;
using TorchSharp.Modules;

namespace Dwe.Host.Training;

/// <summary>
/// How a training goes, kept while it goes: TensorBoard events of every tenth step, and <c>history.jsonl</c> with one line an
/// evaluation. A resumed run appends; what it computes again after a kill is written again with the same values.
/// </summary>
internal sealed class TrainingCurves : IDisposable
{
    // The writer opens its file anew for every value, so not every step is worth one.
    private const long StepsPerEvent = 10;

    private readonly SummaryWriter events;
    private readonly StreamWriter history;

    public TrainingCurves(string eventsFolder, string historyPath)
    {
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

    public void Evaluation(long step, int epoch, IReadOnlyDictionary<string, double?> metrics)
    {
        foreach (var (name, value) in metrics)
        {
            // The mean rank of no found gold is nothing to draw.
            if (value is { } number)
            {
                events.add_scalar($"dev/{name}", (float)number, (int)step);
            }
        }

        history.WriteLine(JsonSerializer.Serialize(new { step, epoch, metrics }));
    }

    public void Dispose()
    {
        history.Dispose();
    }
}
