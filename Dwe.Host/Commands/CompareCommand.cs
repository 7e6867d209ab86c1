using System.Globalization;
using System.Text.Json;
using Dwe.Host.Enrichment;
using Dwe.Host.Evaluation;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe compare</c>: which of several results differ from the first by more than chance.</summary>
internal static class CompareCommand
{
    public static int Run(ComparisonOptions options, IAnsiConsole results, TextWriter output)
    {
        var protocol = EvaluationResult.NameOf(options.Protocol);
        var comparison = Comparison.Of(
            [.. options.Results.Select(name => Comparison.Read(name, options.Split, protocol))], options.Measure);
        if (options.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(comparison, JsonFiles.Options));
        }
        else
        {
            Print(results, comparison);
        }

        return ExitCode.Success;
    }

    private static void Print(IAnsiConsole results, Comparison comparison)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("system");
        foreach (var name in new[] { comparison.Measure, "95 %", "difference", "95 %", "p", "significant" })
        {
            table.AddColumn(new TableColumn(name).RightAligned());
        }

        foreach (var system in comparison.Systems)
        {
            table.AddRow(
                Markup.Escape(system.Name), Percent(system.Value), Bounds(system.Interval),
                system.Difference is { } difference ? Signed(difference) : "",
                system.DifferenceInterval is { } interval ? $"{Signed(interval.Low)} to {Signed(interval.High)}" : "",
                system.PValue?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "",
                system.Significant switch { true => "yes", false => "no", null => "" });
        }

        results.Write(table);
        foreach (var system in comparison.Systems)
        {
            if (EnrichedField.Line(system.Name, system.EnrichedBy) is { } line) results.Line(line);
        }

        var card = comparison.Card;
        results.Line(
            $"{card.Protocol}: {card.Split} of {card.Dataset} {card.DatasetHash[..8]}, {card.Mentions:N0} mentions. Percent; intervals by "
            + "bootstrap and p by randomisation over mentions, p adjusted for the number of comparisons (Holm), significant below 0.05.");
    }

    private static string Bounds(MeasureInterval interval) => $"{Percent(interval.Low)}-{Percent(interval.High)}";

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Signed(double share) => (100 * share).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture);
}
