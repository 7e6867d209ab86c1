namespace Dwe.Host.Storage;

/// <summary>
/// Fills a folder under a temporary name beside its target; <see cref="Commit"/> flushes every file and renames it, and
/// disposing without a commit leaves nothing. On Linux an existing target is exchanged in one step; elsewhere it is
/// absent for the moment between two renames.
/// </summary>
internal sealed class AtomicFolder : IDisposable
{
    private readonly string target;
    private readonly FileStream held;
    private bool committed;

    /// <summary>Starts an empty temporary folder for <paramref name="target"/>; removes dead writers' leftovers.</summary>
    public AtomicFolder(string target)
    {
        this.target = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        Directory.CreateDirectory(Parent);
        Leftovers.Clean(this.target);
        Path = Leftovers.NewName(this.target);
        held = new FileStream(Leftovers.LockOf(Path), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        Directory.CreateDirectory(Path);
    }

    /// <summary>The temporary folder: write here.</summary>
    public string Path { get; }

    private string Parent =>
        System.IO.Path.GetDirectoryName(target) ?? throw new ArgumentException($"{target} has no folder", nameof(target));

    /// <summary>Flushes all files and folders to disk and gives the folder its name, replacing what bore it.</summary>
    public void Commit()
    {
        foreach (var file in Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories))
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }
        foreach (var folder in Directory.EnumerateDirectories(Path, "*", SearchOption.AllDirectories))
            Directories.Flush(folder);
        Directories.Flush(Path);

        if (!Directory.Exists(target))
        {
            Directory.Move(Path, target);
        }
        else if (!Directories.TryExchange(Path, target))
        {
            var old = Leftovers.NewName(target);
            Directory.Move(target, old);
            Directory.Move(Path, target);
            Directory.Delete(old, recursive: true);
        }
        committed = true;
        Directories.Flush(Parent);
    }

    /// <summary>Removes the temporary folder: unfinished, or the one that was replaced.</summary>
    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
        held.Dispose();
        File.Delete(Leftovers.LockOf(Path));
        if (committed) Directories.Flush(Parent);
    }
}
