using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Data.Conversion;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe data convert</c>: writes a data set in another layout, and says what that cannot hold.</summary>
internal static class DataConvertCommand
{
    public static int Run(DataConvertOptions options, IAnsiConsole results)
    {
        var dataset = DatasetReaders.Read(options.Data, options.Format);
        var losses = DatasetWriters.Write(dataset, options.To, options.Out);
        var mentions = string.Join(", ", dataset.Mentions.Select(split => $"{Number(split.Value.Count)} {split.Key}"));
        results.Line($"{options.Out}: {mentions} mentions and {Number(dataset.Entities.Count)} entities of {dataset.Format} as {options.To}");
        foreach (var (what, count) in losses) results.Line($"not held by {options.To}: {Number(count)} {what}");
        return ExitCode.Success;
    }

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
