using System.Globalization;
using Dwe.Host.Features;
using Dwe.Host.Import;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe import</c>: takes over features or weights that DWE's own code has computed.</summary>
internal static class ImportCommand
{
    public static int Run(ImportOptions options) => Run(Streams.Results, options);

    /// <summary>Lines about what was taken over go to <paramref name="results"/>.</summary>
    /// <exception cref="UserErrorException">A file is missing, broken, refused, or of another data set or model.</exception>
    public static int Run(IAnsiConsole results, ImportOptions options)
    {
        Natives.Load(libTorchFolder: null);
        if (options.Weights is not null) ImportWeights(results, options, options.Weights);
        else if (options.Data is not null) ImportFeatures(results, options, options.Data);
        return ExitCode.Success;
    }

    private static void ImportFeatures(IAnsiConsole results, ImportOptions options, string data)
    {
        var tables = FeatureImport.Run(new FeatureImportOptions(data, options.Out, options.Format, options.Entities));
        foreach (var name in FeatureStore.TableNames.Where(tables.ContainsKey))
        {
            var table = tables[name];
            var kinds = table.Kinds.Select(kind => $"{kind.Key} {Number(kind.Value.Rows(table))}");
            var lacks = table.Counts.Where(count => count.Value > 0).Select(count => $"{Number(count.Value)} {count.Key}");
            results.Line($"{options.Out}: {name}, {Number(table.Rows)} rows: {string.Join(", ", kinds.Concat(lacks))}");
        }
    }

    private static void ImportWeights(IAnsiConsole results, ImportOptions options, string weights)
    {
        var config = Configuration.Set(Configuration.Defaults, options.Set).OrThrow();
        var imported = PublishedWeights.Import(weights, options.Out, config);
        results.Line($"{options.Out}: {Number(imported.Taken.Count)} weights of {weights}");
        results.Line($"dropped, since nothing reads them: {string.Join(", ", imported.Dropped)}");
    }

    private static long Rows(this KindManifest kind, TableManifest table) => table.Rows - kind.Absent;

    private static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
