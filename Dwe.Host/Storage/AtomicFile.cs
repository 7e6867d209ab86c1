using System.Text;

namespace Dwe.Host.Storage;

/// <summary>
/// Writes a file so that its name always holds either the old bytes or all of the new ones: a temporary name in the same
/// folder, flushed to disk, then renamed. What a dead writer left behind is removed by the next one.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/> through the given stream. Creates its folder where absent.</summary>
    /// <exception cref="IOException">The disk is full, or the folder cannot be written; the old file is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full) ?? throw new ArgumentException($"{path} is not a file name", nameof(path));
        Directory.CreateDirectory(folder);
        Leftovers.Clean(full);
        var temporary = Leftovers.NewName(full);
        try
        {
            // Held exclusively while it is written: a lock that ends with its process is how the dead are told apart.
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        Directories.Flush(folder);
    }

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    public static void WriteText(string path, string text) =>
        Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
