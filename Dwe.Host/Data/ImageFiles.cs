namespace Dwe.Host.Data;

/// <summary>Finds images by the names that a data set gives them: below one of several folders, the first that has it.</summary>
internal sealed class ImageFiles(IReadOnlyList<string> folders)
{
    private readonly string[] existing = [.. folders.Where(Directory.Exists)];

    /// <summary>The file's path; null where no folder has it. The name is tried as it is, then without its folders.</summary>
    public string? Find(string name)
    {
        // Names come from files: one that leaves the folder is not followed.
        if (name.Length == 0 || name.Contains('\0') || Path.IsPathRooted(name) || name.Split('/', '\\').Contains("..")) return null;
        foreach (var candidate in new[] { name, Path.GetFileName(name) }.Distinct())
        {
            foreach (var folder in existing)
            {
                var path = Path.Combine(folder, candidate);
                if (File.Exists(path)) return path;
            }
        }
        return null;
    }
}
