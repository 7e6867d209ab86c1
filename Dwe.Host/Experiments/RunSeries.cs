using System.Diagnostics;
using Dwe.Host.Evaluation;
using Dwe.Host.Terminal;
using Dwe.Host.Training;
using TorchSharp;

namespace Dwe.Host.Experiments;

/// <summary>
/// Runs one after the other. What is finished is not trained again, what was interrupted goes on, what is something else is
/// refused by name before anything is trained.
/// </summary>
internal static class RunSeries
{
    /// <summary>Their results on dev, in the order of the plan; null where it was stopped. libtorch must be loaded.</summary>
    /// <exception cref="Model.Domain.UserErrorException">As <see cref="PlannedRun.RequireUsable"/> and <see cref="RunTraining.Begin"/>.</exception>
    public static IReadOnlyList<EvaluationResult>? Run(
        IReadOnlyList<PlannedRun> plan, RunInputs inputs, torch.Device device, CancellationToken stop)
    {
        RequireUsable(plan, inputs);
        var results = new List<EvaluationResult>();
        var pace = new Pace(plan.Count(run => run.Finished is null));
        foreach (var run in plan)
        {
            var place = $"run {results.Count + 1} of {plan.Count}: {run.Name}";
            if (run.Finished is { } result)
            {
                Streams.Note($"{place}, finished before");
            }
            else
            {
                Streams.Note($"{place}{(run.IsBegun ? ", goes on" : "")}{pace.Left}");
                if (Train(run, inputs, device, stop) is not { } trained)
                {
                    return null;
                }

                result = trained;
                pace.Done();
            }

            results.Add(result);
        }

        return results;
    }

    /// <summary>What can be refused before any training is.</summary>
    public static void RequireUsable(IReadOnlyList<PlannedRun> plan, RunInputs inputs)
    {
        foreach (var run in plan)
        {
            inputs.Candidates(run.Config);
            run.RequireUsable(inputs);
        }
    }

    private static EvaluationResult? Train(PlannedRun run, RunInputs inputs, torch.Device device, CancellationToken stop)
    {
        using var training = run.IsBegun
            ? RunTraining.Resume(run.Folder, inputs, device)
            : RunTraining.Begin(run.Folder, run.Config, inputs, device);
        return training.Run(stop).Result;
    }

    /// <summary>How long what is left will take, judged by what was trained in this process.</summary>
    private sealed class Pace(int runs)
    {
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private int done;

        public string Left => done == 0 ? "" : $" (about {clock.Elapsed / done * (runs - done):h\\:mm\\:ss} left)";

        public void Done() => done++;
    }
}
