using System.Globalization;
using Dwe.Host.Enrichment;
using Dwe.Host.Terminal;
using Spectre.Console;

namespace Dwe.Host.Evaluation;

/// <summary>A result as people read it: percent, with the card below.</summary>
internal static class ResultTable
{
    private static readonly string[] Shares = ["hits@1", "hits@3", "hits@5", "hits@10", "hits@20", "mrr"];

    public static void Print(IAnsiConsole console, IReadOnlyList<EvaluationResult> results)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("system");
        foreach (var name in Shares)
        {
            table.AddColumn(new TableColumn(name).RightAligned());
            if (name == Shares[0])
            {
                table.AddColumn(new TableColumn("95 %").RightAligned());
            }
        }

        table.AddColumn(new TableColumn("mean rank").RightAligned()).AddColumn(new TableColumn("missed").RightAligned());
        foreach (var result in results)
        {
            string[] cells =
            [
                Markup.Escape(result.System.Name),
                Percent(result.Metrics[Shares[0]]),
                Interval(result),
                .. Shares.Skip(1).Select(name => Percent(result.Metrics[name])),
                result.Metrics["mean_rank"]?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-",
                result.Counts["missed"].ToString("N0", CultureInfo.InvariantCulture),
            ];
            table.AddRow(cells);
        }

        console.Write(table);
        console.Line(Describe(results[0]));
        foreach (var result in results)
        {
            if (EnrichedField.Line(result.System.Name, result.System.EnrichedBy) is { } line) console.Line(line);
        }

        foreach (var line in results.SelectMany(Certainties))
        {
            console.Line(line);
        }
    }

    private static IEnumerable<string> Certainties(EvaluationResult result)
    {
        if (result.Nil is { } nil)
        {
            var threshold = nil.Threshold is { } value
                ? $"below {Number(value)}, chosen on {nil.ChosenOn}"
                : "where there is no candidate: no threshold was chosen";
            var auroc = nil.Auroc is { } area ? $", AUROC {Percent(area)}" : "";
            yield return $"NIL: {nil.Mentions:N0} mentions; {nil.Said:N0} said NIL ({threshold}): precision {Percent(nil.Precision)}, recall "
                + $"{Percent(nil.Recall)}, F1 {Percent(nil.F1)}{auroc}. Links: precision {Percent(nil.LinkPrecision)}, recall "
                + $"{Percent(nil.LinkRecall)}, F1 {Percent(nil.LinkF1)} (without threshold {Percent(nil.LinkF1WithoutThreshold)}).";
        }

        if (result.Calibration is { } calibration)
        {
            if (result.Nil is null && calibration.ChosenOn == result.Card.Split)
            {
                yield return $"NIL: no threshold, for no mention of {result.Card.Split} is NIL.";
            }

            yield return $"calibration: temperature {Number(calibration.Temperature)}, chosen on {calibration.ChosenOn}; expected error "
                + $"{Percent(calibration.Error)}, Brier {Number(calibration.Brier)}, over {calibration.Mentions:N0} mentions.";
        }
    }

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static string Interval(EvaluationResult result) =>
        result.Intervals?[Shares[0]] is { } interval ? $"{Percent(interval.Low)}-{Percent(interval.High)}" : "-";

    private static string Percent(double? share) => share is { } value ? (100 * value).ToString("0.0", CultureInfo.InvariantCulture) : "-";

    private static string Looks(EvaluationResult result) =>
        result.Looks > 1 ? $" Evaluated on test {result.Looks} times: no longer a blind test." : "";

    private static string Describe(EvaluationResult result)
    {
        var card = result.Card;
        var recall = result.CandidateRecall.Count == 0
            ? ""
            : ", " + string.Join(", ", result.CandidateRecall.Select(item => $"{item.Key} {Percent(item.Value)}"));
        var gold = card.GoldInjected ? ", gold always scored" : "";
        var outside = result.Counts["gold_outside_kb"] > 0 ? $", {result.Counts["gold_outside_kb"]:N0} golds outside of it" : "";
        return $"{card.Protocol}: {card.Split} of {card.Dataset} {card.DatasetHash[..8]}, {card.Mentions:N0} mentions, "
            + $"{card.KnowledgeBaseSize:N0} entities{outside}; candidates: {card.CandidateSource}{gold}; ties: {card.TieRule}{recall}. "
            + $"Shares in percent.{Looks(result)}";
    }
}
