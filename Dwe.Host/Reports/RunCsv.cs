using System.Globalization;
using CsvHelper;

namespace Dwe.Host.Reports;

/// <summary>
/// A report for spreadsheets and programs: one number a line, unrounded; <c>run,result,of,measure,value,low,high</c>, the last two
/// empty where there is no interval, the value empty where it is not defined.
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
        }

        return text.ToString();
    }

    private static string Exact(double? number) => number?.ToString("R", CultureInfo.InvariantCulture) ?? "";
}
