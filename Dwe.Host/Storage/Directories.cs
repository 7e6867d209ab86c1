using System.Runtime.InteropServices;

namespace Dwe.Host.Storage;

/// <summary>What .NET does not offer: flushing a folder's entries, exchanging two folders, a second name for a file.</summary>
internal static partial class Directories
{
    private const int ReadOnly = 0;
    private const int CurrentFolder = -100;
    private const uint Exchange = 2;

    /// <summary>Makes names created, renamed or removed in the folder survive a power cut. Nothing to do on Windows.</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var handle = NativeOpen(folder, ReadOnly);
        if (handle < 0) throw new IOException($"{folder}: cannot be opened, error {Marshal.GetLastPInvokeError()}");
        try
        {
            // Some file systems cannot flush a folder (EINVAL); there is nothing more to be done on those.
            _ = NativeFlush(handle);
        }
        finally
        {
            _ = NativeClose(handle);
        }
    }

    /// <summary>Swaps two names in one step, so that neither is ever absent. False where the system cannot.</summary>
    public static bool TryExchange(string left, string right)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            return NativeRename(CurrentFolder, left, CurrentFolder, right, Exchange) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    /// <summary>
    /// Gives a file a second name, or copies it where the file system cannot. Neither may be written to afterwards.
    /// </summary>
    public static void LinkOrCopy(string file, string name)
    {
        if (!TryLink(file, name)) File.Copy(file, name);
    }

    private static bool TryLink(string file, string name)
    {
        if (OperatingSystem.IsWindows()) return false;
        try
        {
            return NativeLink(file, name) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int NativeLink(string file, string name);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int NativeOpen(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int NativeFlush(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int NativeClose(int handle);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int NativeRename(int leftFolder, string left, int rightFolder, string right, uint flags);
}
