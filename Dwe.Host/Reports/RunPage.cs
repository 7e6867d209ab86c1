using Dwe.Host.Checkpoints;
using Dwe.Host.Enrichment;
using Dwe.Host.Evaluation;

namespace Dwe.Host.Reports;

/// <summary>
/// A report as one HTML page that stands alone: no script, nothing fetched (its policy forbids both), readable on a phone, in light
/// and in dark. Written so that it is XML too. The same report is the same text: it bears no date.
/// </summary>
internal static class RunPage
{
    private static readonly string[] Curves = ["hits@1", "hits@5", "mrr"];

    /// <summary>The page's text.</summary>
    public static string Of(RunReport report)
    {
        var title = report.Runs.Count > 0 ? string.Join(", ", report.Runs.Select(run => run.Name)) : string.Join(", ", report.Ablations.Select(one => one.Name));
        return Html.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'" />
            <title>{title}</title>
            <style>
            {new Html(RunPageStyle.Text)}
            </style>
            </head>
            <body>
            <main>
            <h1>Report: <bdi>{title}</bdi></h1>
            <p class="soft">Shares in percent; intervals at 95 %, by bootstrap over mentions.</p>
            {Contents(report)}
            {Compared(report)}
            {report.Ablations.Select(Ablation)}
            {report.Runs.Select(Run)}
            </main>
            </body>
            </html>

            """).Markup;
    }

    // --- contents ---

    private static Html Contents(RunReport report)
    {
        Html Link(string id, string name) => Html.Of($"<li><a href=\"#{id}\">{name}</a></li>\n");
        return Html.Of($"""
            <nav aria-label="contents"><ul>
            {(report.Runs.Count > 1 ? Link("comparison", "Comparison") : Html.Nothing)}
            {report.Ablations.Select((one, at) => Link($"ablation-{at}", $"Ablation {one.Name}"))}
            {report.Runs.Select((run, at) => Html.Of($"<li><a href=\"#run-{at}\"><bdi>{run.Name}</bdi></a>: <a href=\"#run-{at}-results\">results</a>, <a href=\"#run-{at}-curves\">curves</a>{(run.Wrong is null ? Html.Nothing : Html.Of($", <a href=\"#run-{at}-wrong\">linked wrongly</a>"))}, <a href=\"#run-{at}-configuration\">configuration</a></li>\n"))}
            </ul></nav>
            """);
    }

    // --- several runs ---

    private static Html Compared(RunReport report)
    {
        if (report.Runs.Count < 2) return Html.Nothing;
        var measure = Curves[0];
        return Html.Of($"""
            <section id="comparison"><h2>Comparison</h2>
            {Curve("comparison-curve", $"dev {measure} of every run by epoch", $"dev {measure}, percent", [.. report.Runs.Select(run => Dev(run.Name, run, measure))], null)}
            {Curve("comparison-loss", "training loss of every run by epoch", "training loss", [.. report.Runs.Select(run => Loss(run.Name, run, LossSums.Total))], null)}
            {report.Comparisons.Select(Comparison)}
            {(report.Comparisons.Count > 0 ? Html.Nothing : Html.Of($"<p class=\"absent\">No two runs have results under one card, so none are compared. <code>dwe compare</code> names the field that differs.</p>"))}
            </section>
            """);
    }

    private static Html Comparison(ReportedComparison compared, int at)
    {
        var systems = compared.Comparison.Systems.Zip(compared.Names, (system, name) => (Name: name, System: system)).ToArray();
        var title = $"{compared.Comparison.Measure} of {compared.Result}";
        return Html.Of($"""
            <h3>{title}</h3>
            {IntervalChart.Of($"comparison-{at}", title, $"{compared.Comparison.Measure}, percent, with 95 % intervals", [.. systems.Select(one => (one.Name, one.System.Value, one.System.Interval))])}
            {Table($"{title}: difference from {systems[0].Name}; p by randomisation over mentions, adjusted for the number of comparisons (Holm), significant below 0.05",
                ["run", compared.Comparison.Measure, "95 %", "difference", "95 %", "p", "significant"],
                systems.Select(one => new[]
                {
                    one.Name,
                    ReportText.Percent(one.System.Value),
                    ReportText.Interval(one.System.Interval),
                    one.System.Difference is null ? "" : ReportText.Signed(one.System.Difference),
                    one.System.DifferenceInterval is null ? "" : ReportText.SignedInterval(one.System.DifferenceInterval),
                    one.System.PValue is { } p ? ReportText.Number(p) : "",
                    one.System.Significant switch { true => "yes", false => "no", null => "" },
                }))}
            {systems.Select(one => EnrichedField.Line(one.Name, one.System.EnrichedBy) is { } line ? Html.Of($"<p>{line}</p>") : Html.Nothing)}
            {Fields(ReportText.Card(compared.Comparison.Card))}
            """);
    }

    private static Html Ablation(ReportedAblation ablation, int at)
    {
        var (head, rows) = ablation.Table();
        var seeds = string.Join(", ", ablation.Seeds);
        return Html.Of($"""
            <section id="ablation-{at}"><h2>Ablation <bdi>{ablation.Name}</bdi></h2>
            {Table($"Means over seeds {seeds} with their standard deviations; differences of {ablation.Measure} from the first variant, p by randomisation over mentions, adjusted for the number of variants (Holm)", head, rows)}
            {Fields(ReportText.Card(ablation.Card))}
            </section>
            """);
    }

    // --- one run ---

    private static Html Run(ReportedRun run, int at) => Html.Of($"""
        <section id="run-{at}"><h2><bdi>{run.Name}</bdi></h2>
        {Fields(Origin(run))}
        <h3 id="run-{at}-results">Results</h3>
        {Results(run, $"run-{at}")}
        <h3 id="run-{at}-curves">Learning curves</h3>
        {LearningCurves(run, $"run-{at}")}
        {(run.Wrong is null ? Html.Nothing : Html.Of($"<h3 id=\"run-{at}-wrong\">Linked wrongly on dev</h3>\n{WrongLinkSection.Of(run.Wrong)}"))}
        <h3 id="run-{at}-configuration">Configuration</h3>
        {Configuration(run)}
        </section>
        """);

    private static IEnumerable<(string Name, string Value)> Origin(ReportedRun run)
    {
        var manifest = run.Manifest;
        (string Name, string Value)[] all =
        [
            ("data set", manifest.Data.Length == 0 ? "none: imported weights" : $"{manifest.Format} {NameOf(manifest.Data)}, {ReportText.Short(manifest.DataHash)}"),
            ("features", $"{NameOf(manifest.Features)}, {ReportText.Short(manifest.FeaturesHash)}"),
            ("candidates", manifest.Candidates is { } file ? NameOf(file) : "the data set's own"),
            ("entity text", manifest.EntityText),
            (ReportText.EnrichedBy, EnrichedField.Describe(manifest.EnrichedBy) ?? ""),
            ("code version", manifest.CodeVersion),
        ];
        return all.Where(field => field.Value.Length > 0);
    }

    /// <summary>A folder's or file's own name: where it lies on one machine says nothing on another.</summary>
    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(path));

    private static Html LearningCurves(ReportedRun run, string id)
    {
        if (run.History.Count == 0) return Html.Of($"<p class=\"absent\">The run has not been evaluated while it was trained.</p>");
        var best = run.History.FirstOrDefault(point => point.Step == run.BestStep);
        string[] names = [.. run.History.SelectMany(point => point.Metrics.Keys).Distinct()];
        // The sum first: its parts are unweighted, so they do not add up to it.
        string[] losses = [.. run.History.SelectMany(point => point.Losses.Keys).Distinct().OrderBy(name => name != LossSums.Total)];
        string[] rate = run.History.Any(point => point.LearningRate is not null) ? ["learning rate"] : [];
        return Html.Of($"""
            {Curve($"{id}-curve", $"dev metrics of {run.Name} by epoch", "dev, percent", [.. Curves.Select(name => Dev(name, run, name))], best is null ? null : (best.Epoch, "best checkpoint"))}
            {Curve($"{id}-loss", $"training losses of {run.Name} by epoch", "loss, mean since the evaluation before", [.. losses.Select(name => Loss(ReportText.Words(name), run, name))], best is null ? null : (best.Epoch, "best checkpoint"))}
            <details><summary>Every evaluation</summary>
            {Table("dev after each epoch that was evaluated",
                ["epoch", "step", .. names.Select(ReportText.Words), .. losses.Select(name => $"training: {ReportText.Words(name)}"), .. rate],
                run.History.Select(point => (string[])
                [
                    ReportText.Count(point.Epoch), ReportText.Count(point.Step),
                    .. names.Select(name => ReportText.Metric(name, point.Metrics.GetValueOrDefault(name))),
                    .. losses.Select(name => ReportText.Loss(point.Losses.GetValueOrDefault(name))),
                    .. rate.Select(_ => ReportText.Rate(point.LearningRate)),
                ]))}
            </details>
            """);
    }

    private static Html Curve(
        string id, string title, string up, IReadOnlyList<LineSeries> lines, (double At, string Name)? marked) =>
        LineChart.Of(id, title, "epoch", up, lines, marked);

    private static LineSeries Dev(string name, ReportedRun run, string metric) =>
        Series(name, run, point => 100 * point.Metrics.GetValueOrDefault(metric));

    private static LineSeries Loss(string name, ReportedRun run, string loss) =>
        Series(name, run, point => point.Losses.GetValueOrDefault(loss));

    private static LineSeries Series(string name, ReportedRun run, Func<HistoryPoint, double?> value) =>
        new(name, [.. run.History.Where(point => value(point) is not null).Select(point => ((double)point.Epoch, value(point)!.Value))]);

    private static Html Configuration(ReportedRun run)
    {
        var changed = run.Config.Count(key => !key.IsDefault);
        return Html.Of($"""
            <details><summary>{run.Config.Count} keys, {changed} of them other than the defaults (bold)</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="configuration"><table>
            <thead><tr><th scope="col">key</th><th scope="col" class="text">value</th><th scope="col" class="text">meaning</th></tr></thead>
            <tbody>
            {run.Config.Select(key => Html.Of($"<tr{(key.IsDefault ? Html.Nothing : new Html(" class=\"changed\""))}><th scope=\"row\"><code>{key.Name}</code></th><td class=\"text\">{key.Value}</td><td class=\"text\">{key.Meaning}</td></tr>\n"))}
            </tbody></table></div>
            </details>
            """);
    }

    // --- results ---

    private static Html Results(ReportedRun run, string id)
    {
        if (run.Results.Count == 0) return Html.Of($"<p class=\"absent\">The run has no results yet: <code>dwe eval</code> makes them.</p>");
        return Html.Of($"""
            {Table("All results of the run",
                ["result", "hits@1", "95 %", .. ReportText.Shares.Skip(1).SkipLast(1), "mrr", "95 %", "mean rank"],
                run.Results.Select(one => (string[])
                [
                    one.Name,
                    ReportText.Percent(one.Result.Metrics.GetValueOrDefault("hits@1")),
                    ReportText.Interval(one.Result.Intervals?.GetValueOrDefault("hits@1")),
                    .. ReportText.Shares.Skip(1).SkipLast(1).Select(name => ReportText.Percent(one.Result.Metrics.GetValueOrDefault(name))),
                    ReportText.Percent(one.Result.Metrics.GetValueOrDefault("mrr")),
                    ReportText.Interval(one.Result.Intervals?.GetValueOrDefault("mrr")),
                    ReportText.Rank(one.Result.Metrics.GetValueOrDefault(ReportText.MeanRank)),
                ]))}
            {run.Results.Select((one, at) => Result(one, $"{id}-result-{at}"))}
            """);
    }

    private static Html Result(ReportedResult reported, string id)
    {
        var result = reported.Result;
        return Html.Of($"""
            <h4>{reported.Name}</h4>
            {(result.Looks > 1 ? Html.Of($"<p><strong>Evaluated on test {result.Looks.Value} times: no longer a blind test.</strong></p>") : Html.Nothing)}
            {(result.Looks == 1 ? Html.Of($"<p class=\"soft\">Evaluated on test once.</p>") : Html.Nothing)}
            <details><summary>Card: what must be equal before results are compared</summary>
            {Fields([.. ReportText.Card(result.Card), .. ReportText.System(result.System)])}
            </details>
            {Table("Ties: as the card counts them, all won, all lost",
                ["ties", .. result.Metrics.Keys.Select(ReportText.Words)],
                new[] { (result.Card.TieRule, result.Metrics), ("all won", result.Optimistic), ("all lost", result.Pessimistic) }.Select(row => (string[])
                    [row.Item1, .. result.Metrics.Keys.Select(name => ReportText.Metric(name, row.Item2.GetValueOrDefault(name)))]))}
            {Counts(result)}
            {Slices(result)}
            {Nil(result)}
            {Calibration(reported, id)}
            """);
    }

    private static Html Counts(EvaluationResult result) => Html.Of($"""
        {Table("Mentions", [.. result.Counts.Keys.Select(ReportText.Words)], [[.. result.Counts.Values.Select(count => ReportText.Count(count))]])}
        {(result.CandidateRecall.Count == 0 ? Html.Nothing : Table(
            "Candidates: the share of golds among the first K; no ranking of them does better",
            [.. result.CandidateRecall.Keys], [[.. result.CandidateRecall.Values.Select(recall => ReportText.Percent(recall))]]))}
        """);

    private static Html Slices(EvaluationResult result)
    {
        if (result.Slices is not { Count: > 0 } slices) return Html.Nothing;
        string[] names = [.. result.Metrics.Keys];
        return Table("Slices", ["mentions that are", "number", .. names.Select(ReportText.Words)], slices.Select(slice => (string[])
        [
            slice.Key, ReportText.Count(slice.Value.Mentions), .. names.Select(name => ReportText.Metric(name, slice.Value.Metrics.GetValueOrDefault(name))),
        ]));
    }

    private static Html Nil(EvaluationResult result)
    {
        if (result.Nil is not { } nil)
        {
            return result.Calibration is null ? Html.Nothing : Html.Of($"<p class=\"soft\">NIL: no mention is, and there is no threshold.</p>");
        }

        var rule = nil.Threshold is { } threshold
            ? $"said NIL below a best score of {ReportText.Number(threshold)}, chosen on {nil.ChosenOn}"
            : "said NIL where there is no candidate: no threshold was chosen";
        return Html.Of($"""
            {Table($"NIL: {ReportText.Count(nil.Mentions)} mentions mean nothing in the knowledge base; {ReportText.Count(nil.Said)} {rule}",
                ["answers", "precision", "recall", "F1", "AUROC"],
                [
                    ["NIL", ReportText.Percent(nil.Precision), ReportText.Percent(nil.Recall), ReportText.Percent(nil.F1), ReportText.Percent(nil.Auroc)],
                    ["an entity", ReportText.Percent(nil.LinkPrecision), ReportText.Percent(nil.LinkRecall), ReportText.Percent(nil.LinkF1), ""],
                    ["an entity, were none NIL", "", "", ReportText.Percent(nil.LinkF1WithoutThreshold), ""],
                ])}
            """);
    }

    private static Html Calibration(ReportedResult reported, string id)
    {
        if (reported.Result.Calibration is not { } calibration) return Html.Nothing;
        return Html.Of($"""
            <p>Calibration: expected error {ReportText.Percent(calibration.Error)}, Brier {ReportText.Number(calibration.Brier)}, over
            {ReportText.Count(calibration.Mentions)} mentions that have a candidate; temperature {ReportText.Number(calibration.Temperature)},
            chosen on {calibration.ChosenOn}.</p>
            {CalibrationChart.Of($"{id}-calibration", $"Calibration of {reported.Name}", calibration)}
            <details><summary>The bars in numbers</summary>
            {Table("By probability stated", ["stated", "right", "mentions"], calibration.Bins.Select(bin => new[]
                { ReportText.Percent(bin.Stated), ReportText.Percent(bin.Right), ReportText.Count(bin.Count) }))}
            </details>
            """);
    }

    // --- pieces ---

    /// <summary>A table that scrolls where it is wider than the page; the first cell of a row is its name.</summary>
    private static Html Table(string caption, IReadOnlyList<string> head, IEnumerable<string[]> rows) => Html.Of($"""
        <div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table>
        <caption>{caption}</caption>
        <thead><tr>{head.Select(name => Html.Of($"<th scope=\"col\">{name}</th>"))}</tr></thead>
        <tbody>
        {rows.Select(row => Html.Of($"<tr><th scope=\"row\">{row[0]}</th>{row.Skip(1).Select(cell => Html.Of($"<td>{cell}</td>"))}</tr>\n"))}
        </tbody></table></div>
        """);

    private static Html Fields(IEnumerable<(string Name, string Value)> fields) =>
        Html.Of($"<dl>{fields.Select(field => Html.Of($"<dt>{field.Name}</dt><dd>{field.Value}</dd>\n"))}</dl>");
}
