namespace Dwe.Host.Storage;

/// <summary>
/// Names of unfinished files and folders, <c>.NAME.RANDOM.partial</c>, beside the name they are meant for. A writer holds a
/// lock on its file (for a folder: on <c>.NAME.RANDOM.partial.lock</c> beside it); a leftover that can be locked is dead.
/// </summary>
internal static class Leftovers
{
    private const string Suffix = ".partial";
    private const string LockSuffix = ".partial.lock";

    /// <summary>A fresh temporary name in the folder of <paramref name="target"/> (a full path).</summary>
    public static string NewName(string target) =>
        Path.Combine(FolderOf(target), $".{Path.GetFileName(target)}.{Guid.NewGuid():N}{Suffix}");

    /// <summary>The lock file of an unfinished folder.</summary>
    public static string LockOf(string partialFolder) => partialFolder + ".lock";

    /// <summary>Removes what dead writers of <paramref name="target"/> (a full path) left; the living keep theirs.</summary>
    public static void Clean(string target)
    {
        var folder = FolderOf(target);
        if (!Directory.Exists(folder)) return;
        var prefix = $".{Path.GetFileName(target)}.";

        foreach (var file in Directory.EnumerateFiles(folder, prefix + "*" + Suffix).ToArray())
            if (IsOurs(file, prefix, Suffix)) WhenDead(file, () => File.Delete(file));

        foreach (var lockFile in Directory.EnumerateFiles(folder, prefix + "*" + LockSuffix).ToArray())
        {
            if (!IsOurs(lockFile, prefix, LockSuffix)) continue;
            WhenDead(lockFile, () =>
            {
                var partial = lockFile[..^".lock".Length];
                if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
                File.Delete(lockFile);
            });
        }
    }

    private static string FolderOf(string target) =>
        Path.GetDirectoryName(target) ?? throw new ArgumentException($"{target} has no folder", nameof(target));

    private static bool IsOurs(string file, string prefix, string suffix)
    {
        var name = Path.GetFileName(file);
        return name.Length == prefix.Length + 32 + suffix.Length
            && Guid.TryParseExact(name.AsSpan(prefix.Length, 32), "N", out _);
    }

    private static void WhenDead(string file, Action remove)
    {
        try
        {
            using var held = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            remove();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Alive, already gone, or not ours to remove: a leftover is only rubbish, never a reason to stop.
        }
    }
}
