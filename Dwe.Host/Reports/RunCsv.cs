using System.Globalization;
using CsvHelper;

namespace Dwe.Host.Reports;

/// <summary>
/// A report for spreadsheets and programs: one number a line, unrounded; <c>run,result,of,measure,value,low,high</c>, the last two
/// empty where there is no interval, the value empty where it is not defined. The result <c>training</c> is of
/// <c>epoch N</c>: losses, means since the evaluation before, and the learning rate.
/// </summary>
internal static class RunCsv
{
    private static readonly CsvWriterOptions Options = CsvWriterOptions.Default with { NewLine = "\n" };

    public static string Of(RunReport report)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (var csv = CsvWriter.Create(text, Options, leaveOpen: true))
        {
            csv.WriteRecord(["run", "result", "of", "measure", "value", "low", "high"]);
            foreach (var (run, result, number) in
                from run in report.Runs
                from result in run.Results
                from number in RunNumbers.Of(result.Result)
                select (run.Name, result.Name, number))
            {
                csv.WriteRecord(
                    [run, result, number.Of, number.Measure, Exact(number.Value), Exact(number.Interval?.Low), Exact(number.Interval?.High)]);
            }
            foreach (var (run, point, number) in
                from run in report.Runs
                from point in run.History
                from number in Training(point)
                select (run.Name, point, number))
            {
                csv.WriteRecord([run, "training", $"epoch {point.Epoch}", number.Measure, Exact(number.Value), "", ""]);
            }
        }

        return text.ToString();
    }

    private static IEnumerable<(string Measure, double? Value)> Training(HistoryPoint point) =>
        point.Losses.OrderBy(loss => loss.Key, StringComparer.Ordinal).Select(loss => (loss.Key, loss.Value))
            .Concat(point.LearningRate is { } rate ? [("learning_rate", rate)] : Array.Empty<(string, double?)>());

    private static string Exact(double? number) => number?.ToString("R", CultureInfo.InvariantCulture) ?? "";
}
