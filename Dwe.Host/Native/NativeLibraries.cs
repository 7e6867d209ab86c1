using System.Runtime.InteropServices;
using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Native;

/// <summary>Which native libraries this process uses, and what was done to load them.</summary>
internal sealed record NativeReport
{
    /// <summary>The folder of libtorch.</summary>
    public required string LibraryFolder { get; init; }

    /// <summary>The files loaded, in order; empty where loading is left to TorchSharp (Windows, macOS).</summary>
    public IReadOnlyList<string> LoadedFiles { get; init; } = [];

    /// <summary>The libLibTorchSharp that was chosen; null when none was found.</summary>
    public FittingLibrary? Bridge { get; init; }

    /// <summary>The system loader's own words; null when all went well.</summary>
    public string? LoaderError { get; init; }
}

/// <summary>
/// Loads libtorch and libLibTorchSharp by full path before TorchSharp looks for them: a second copy of either in one
/// process crashes it.
/// </summary>
internal static class NativeLibraries
{
    /// <summary>Names a folder with another libtorch of the same version.</summary>
    public const string FolderVariable = "DWE_LIBTORCH";

    private const string Bridge = "LibTorchSharp";

    // Where the build puts the CPU libtorch; a CUDA one, whose packages have their own build steps, is beside the
    // program.
    private static readonly string OwnSubfolder = Path.Combine(AppContext.BaseDirectory, "libtorch");

    // Dependency order. The CUDA ones are there only in a CUDA libtorch.
    private static readonly (string Name, bool Required)[] Libraries =
        [("c10", true), ("torch_cpu", true), ("c10_cuda", false), ("torch_cuda", false), ("torch", true)];

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, nint> Handles = [];
    private static NativeReport? loaded;

    /// <summary>Loads the libraries once per process; later calls return the first report.</summary>
    /// <param name="libTorchFolder">A folder with libtorch; else what DWE_LIBTORCH names; else the program's
    /// own.</param>
    /// <returns>What was loaded; a failure of the system's loader is in the report, so that it can be shown.</returns>
    /// <exception cref="UserErrorException">The named folder holds no libtorch, or another one is loaded
    /// already.</exception>
    public static NativeReport EnsureLoaded(string? libTorchFolder = null)
    {
        lock (Gate)
        {
            var named = libTorchFolder ?? NullIfEmpty(Environment.GetEnvironmentVariable(FolderVariable));
            if (loaded is not null)
            {
                RequireSame(loaded, libTorchFolder);
                return loaded;
            }

            OpenMpWaiting.SpinShortly();
            return loaded = Load(named is null ? null : RequireAlone(RequireFolder(named)));
        }
    }

    /// <summary>As <see cref="EnsureLoaded"/>, for commands that cannot go on without libtorch.</summary>
    /// <exception cref="UserErrorException">Also when the system's loader refused a library; in its own
    /// words.</exception>
    public static NativeReport Require(string? libTorchFolder = null)
    {
        var report = EnsureLoaded(libTorchFolder);
        return report.LoaderError is null
            ? report
            : throw new UserErrorException(UserError.NewExternalFailed(
                "libtorch", report.LoaderError.TrimEnd('.'), "`dwe doctor` shows what was tried."));
    }

    /// <summary>The folder's full path.</summary>
    /// <exception cref="UserErrorException">It is absent, or lacks one of the libraries every libtorch has.</exception>
    public static string RequireFolder(string folder)
    {
        const string remedy = $"Name the folder 'lib' of a libtorch 2.10 with {FolderVariable}, or unset it.";
        if (!Directory.Exists(folder))
        {
            throw new UserErrorException(UserError.NewFileMissing(folder, "a folder with libtorch", remedy));
        }

        var missing = Libraries.FirstOrDefault(
            library => library.Required && !File.Exists(PathOf(folder, library.Name)));
        return missing.Name is null
            ? Path.GetFullPath(folder)
            : throw new UserErrorException(UserError.NewFileMissing(
                PathOf(folder, missing.Name), "a library of libtorch", remedy));
    }

    private static string OwnFolder() =>
        Directory.Exists(OwnSubfolder) ? OwnSubfolder : Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);

    /// <summary>
    /// TorchSharp would load a libtorch beside the program as well, and two of them abort the process.
    /// </summary>
    private static string RequireAlone(string folder)
    {
        var beside = PathOf(AppContext.BaseDirectory, "torch_cpu");
        return !File.Exists(beside) || Path.GetDirectoryName(beside) == folder
            ? folder
            : throw new UserErrorException(UserError.NewUsageWrong(
                $"{folder} cannot replace the libtorch beside the program ({beside})",
                $"Build with -p:LibTorch=none, or unset {FolderVariable}."));
    }

    private static NativeReport Load(string? namedFolder)
    {
        var report = new NativeReport { LibraryFolder = namedFolder ?? OwnFolder() };
        if (!OperatingSystem.IsLinux() && namedFolder is null)
        {
            return report;
        }

        var files = new List<string>();
        try
        {
            foreach (var (name, required) in Libraries)
            {
                var path = PathOf(report.LibraryFolder, name);
                if (required || File.Exists(path))
                {
                    LoadFile(name, path, files);
                }
            }

            report = report with { Bridge = ChooseBridge(PathOf(AppContext.BaseDirectory, Bridge)) };
            LoadFile(Bridge, report.Bridge.Path, files);
            NativeLibrary.SetDllImportResolver(
                typeof(torch).Assembly, (name, _, _) => Handles.GetValueOrDefault(name));
            return report with { LoadedFiles = files };
        }
        catch (Exception problem) when (problem is DllNotFoundException or BadImageFormatException
            or UserErrorException or IOException or UnauthorizedAccessException)
        {
            return report with { LoadedFiles = files, LoaderError = LoaderWords(problem.Message) };
        }
    }

    private static void LoadFile(string name, string path, List<string> files)
    {
        Handles[name] = NativeLibrary.Load(path);
        files.Add(path);
    }

    private static FittingLibrary ChooseBridge(string original) =>
        OperatingSystem.IsLinux()
            ? MendedCopy.Choose(original, SystemLibrary.StandardLibraryVersions(), CopyFolders())
            : new FittingLibrary(original, IsMended: false, GlibcxxNeeded: null, GlibcxxOffered: null);

    private static string[] CopyFolders()
    {
        var cache = NullIfEmpty(Environment.GetEnvironmentVariable("XDG_CACHE_HOME"))
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return [Path.Combine(AppContext.BaseDirectory, "mended"), Path.Combine(cache, "dwe")];
    }

    private static string PathOf(string folder, string name) => Path.Combine(folder, FileName(name));

    private static string FileName(string name) =>
        OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>.NET's message is one line of advice, then a line per attempt in the loader's words.</summary>
    private static string LoaderWords(string message)
    {
        var lines = message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return string.Join("; ", (lines.Length > 1 ? lines.Skip(1) : lines).Distinct());
    }

    private static void RequireSame(NativeReport report, string? folder)
    {
        if (folder is not null && Path.GetFullPath(folder) != Path.GetFullPath(report.LibraryFolder))
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"libtorch is loaded from {report.LibraryFolder} already, and one process holds one",
                $"Name {folder} before the first use, or with {FolderVariable}."));
        }
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
