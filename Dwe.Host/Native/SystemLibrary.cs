using System.Runtime.InteropServices;

namespace Dwe.Host.Native;

/// <summary>What the C++ runtime library of this system offers.</summary>
internal static class SystemLibrary
{
    private const string StandardLibrary = "libstdc++.so.6";
    private const string MemoryMap = "/proc/self/maps";

    /// <summary>
    /// The symbol versions of the libstdc++ this process uses; empty where there is none or it cannot be found.
    /// </summary>
    public static IReadOnlyList<string> StandardLibraryVersions() =>
        NativeLibrary.TryLoad(StandardLibrary, out _) && MappedFiles(StandardLibrary) is [var path, ..]
            ? ElfImage.Parse(path, File.ReadAllBytes(path)).DefinedVersions()
            : [];

    /// <summary>The files mapped into this process whose name starts so; each once.</summary>
    public static IReadOnlyList<string> MappedFiles(string namePrefix)
    {
        if (!File.Exists(MemoryMap))
        {
            return [];
        }

        // address perms offset device inode path
        return [.. File.ReadLines(MemoryMap)
            .Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length == 6)
            .Select(fields => fields[5])
            .Where(path => Path.GetFileName(path).StartsWith(namePrefix, StringComparison.Ordinal) && File.Exists(path))
            .Distinct()];
    }
}
