using Dwe.Host.Reports;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe report</c>: what runs learned, how well they link, what they get wrong and why, as one page.</summary>
internal static class ReportCommand
{
    public static int Run(ReportOptions options, IAnsiConsole results)
    {
        if (options.Images is { } folder && !Directory.Exists(folder))
        {
            throw new UserErrorException(UserError.NewFileMissing(folder, "a folder of images", "Check --images."));
        }

        (string Path, Func<RunReport, string> Text)[] files =
        [
            (options.Out, RunPage.Of),
            .. options.Markdown is { } markdown ? [(markdown, RunMarkdown.Of)] : Array.Empty<(string, Func<RunReport, string>)>(),
            .. options.Csv is { } csv ? [(csv, RunCsv.Of)] : Array.Empty<(string, Func<RunReport, string>)>(),
        ];
        foreach (var (path, _) in files.Where(file => Directory.Exists(file.Path)))
        {
            throw new UserErrorException(UserError.NewUsageWrong($"{path} is a folder", "Name a file."));
        }

        var report = RunReportReader.Read(options.Runs, new WrongLinkFinder(options.Examples, options.Images, options.LibTorch).Of);
        foreach (var (path, text) in files)
        {
            AtomicFile.WriteText(path, text(report));
        }

        results.Line($"{string.Join(", ", files.Select(file => file.Path))}: {report.Runs.Count} runs, {report.Runs.Sum(run => run.Results.Count)} results, "
            + $"{report.Runs.Sum(run => run.Wrong?.Examples.Count ?? 0)} examples");
        return ExitCode.Success;
    }
}
