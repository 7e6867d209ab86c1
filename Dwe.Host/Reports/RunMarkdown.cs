using System.Text;
using Dwe.Host.Checkpoints;
using Dwe.Host.Enrichment;

namespace Dwe.Host.Reports;

/// <summary>The tables of a report in Markdown, for a README or an issue.</summary>
internal static class RunMarkdown
{
    public static string Of(RunReport report)
    {
        var text = new StringBuilder();
        foreach (var compared in report.Comparisons)
        {
            Comparison(text, compared);
        }

        foreach (var ablation in report.Ablations)
        {
            Ablation(text, ablation);
        }

        foreach (var run in report.Runs)
        {
            Run(text, run);
        }

        return text.ToString();
    }

    private static void Run(StringBuilder text, ReportedRun run)
    {
        Heading(text, 2, run.Name);
        Training(text, run);
        if (run.Results.Count == 0)
        {
            text.Append("No results yet.\n\n");
            return;
        }

        Table(
            text,
            ["result", "hits@1", "95 %", "hits@3", "hits@5", "hits@10", "hits@20", "mrr", "mean rank", "missed"],
            run.Results.Select(one => (string[])
            [
                one.Name,
                ReportText.Percent(one.Result.Metrics.GetValueOrDefault("hits@1")),
                ReportText.Interval(one.Result.Intervals?.GetValueOrDefault("hits@1")),
                .. ReportText.Shares.Skip(1).Select(name => ReportText.Percent(one.Result.Metrics.GetValueOrDefault(name))),
                ReportText.Rank(one.Result.Metrics.GetValueOrDefault(ReportText.MeanRank)),
                one.Result.Counts.TryGetValue("missed", out var missed) ? ReportText.Count(missed) : ReportText.None,
            ]));
        foreach (var one in run.Results)
        {
            Heading(text, 3, one.Name);
            text.Append(string.Join("; ", ReportText.Card(one.Result.Card).Concat(ReportText.System(one.Result.System))
                .Select(field => $"{field.Name}: {Escaped(field.Value)}"))).Append(".\n\n");
            if (one.Result.Slices is { Count: > 0 } slices)
            {
                Table(text, ["slice", "mentions", "hits@1", "mrr"], slices.Select(slice => new[]
                {
                    slice.Key, ReportText.Count(slice.Value.Mentions),
                    ReportText.Percent(slice.Value.Metrics.GetValueOrDefault("hits@1")), ReportText.Percent(slice.Value.Metrics.GetValueOrDefault("mrr")),
                }));
            }

            Certainty(text, one);
        }
    }

    /// <summary>What the first, the best and the last evaluation found while the run was trained.</summary>
    private static void Training(StringBuilder text, ReportedRun run)
    {
        string[] losses = [.. run.History.SelectMany(point => point.Losses.Keys).Distinct().OrderBy(name => name != LossSums.Total)];
        if (losses.Length == 0) return;
        var shown = run.History.Where((point, at) => at == 0 || at == run.History.Count - 1 || point.Step == run.BestStep);
        Table(
            text,
            ["epoch", .. losses.Select(name => $"training: {ReportText.Words(name)}"), "learning rate", "dev hits@1"],
            shown.Select(point => (string[])
            [
                ReportText.Count(point.Epoch) + (point.Step == run.BestStep ? " (best checkpoint)" : ""),
                .. losses.Select(name => ReportText.Loss(point.Losses.GetValueOrDefault(name))),
                ReportText.Rate(point.LearningRate), ReportText.Percent(point.Metrics.GetValueOrDefault("hits@1")),
            ]));
    }

    private static void Certainty(StringBuilder text, ReportedResult one)
    {
        if (one.Result.Nil is { } nil)
        {
            Table(text, ["NIL mentions", "said NIL", "threshold", "chosen on", "precision", "recall", "F1", "AUROC", "link F1", "without threshold"],
            [
                [
                    ReportText.Count(nil.Mentions), ReportText.Count(nil.Said), ReportText.Number(nil.Threshold), nil.ChosenOn ?? ReportText.None,
                    ReportText.Percent(nil.Precision), ReportText.Percent(nil.Recall), ReportText.Percent(nil.F1), ReportText.Percent(nil.Auroc),
                    ReportText.Percent(nil.LinkF1), ReportText.Percent(nil.LinkF1WithoutThreshold),
                ],
            ]);
        }

        if (one.Result.Calibration is { } calibration)
        {
            Table(text, ["temperature", "chosen on", "calibration error", "Brier", "mentions"],
            [
                [
                    ReportText.Number(calibration.Temperature), calibration.ChosenOn ?? ReportText.None, ReportText.Percent(calibration.Error),
                    ReportText.Number(calibration.Brier), ReportText.Count(calibration.Mentions),
                ],
            ]);
        }
    }

    private static void Comparison(StringBuilder text, ReportedComparison compared)
    {
        Heading(text, 2, $"{compared.Comparison.Measure} of {compared.Result}");
        Table(text, ["run", compared.Comparison.Measure, "95 %", "difference", "95 %", "p"], compared.Comparison.Systems.Zip(compared.Names, (system, name) => new[]
        {
            name, ReportText.Percent(system.Value), ReportText.Interval(system.Interval),
            system.Difference is null ? "" : ReportText.Signed(system.Difference),
            system.DifferenceInterval is null ? "" : ReportText.SignedInterval(system.DifferenceInterval),
            system.PValue is { } p ? ReportText.Number(p) : "",
        }));
        foreach (var (system, name) in compared.Comparison.Systems.Zip(compared.Names))
        {
            if (EnrichedField.Line(name, system.EnrichedBy) is { } line) text.Append(Escaped(line)).Append("\n\n");
        }
    }

    private static void Ablation(StringBuilder text, ReportedAblation ablation)
    {
        Heading(text, 2, $"Ablation {ablation.Name}");
        var (head, rows) = ablation.Table();
        Table(text, head, rows);
    }

    private static void Heading(StringBuilder text, int level, string name) => text.Append('#', level).Append(' ').Append(Escaped(name)).Append("\n\n");

    private static void Table(StringBuilder text, string[] head, IEnumerable<string[]> rows)
    {
        void Row(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells.Select(Escaped)).Append(" |\n");
        Row(head);
        text.Append('|').Append(string.Concat(Enumerable.Repeat("---|", head.Length))).Append('\n');
        foreach (var row in rows)
        {
            Row(row);
        }

        text.Append('\n');
    }

    /// <summary>What Markdown or HTML would read as a mark of its own.</summary>
    private static string Escaped(string text) => string.Concat(text.Select(letter => letter switch
    {
        '|' or '*' or '_' or '`' or '[' or ']' or '<' or '>' or '\\' or '#' => $"\\{letter}",
        '\n' or '\r' => " ",
        _ => letter.ToString(),
    }));
}
