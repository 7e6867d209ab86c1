using System.Runtime.InteropServices;

namespace Dwe.Host.Native;

/// <summary>How the C library keeps the memory that libtorch gives back.</summary>
internal static partial class NativeMemory
{
    // <malloc.h> of glibc
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MaximalMaps = -4;

    private const int Never = -1;
    private const int TopPadBytes = 256 << 20;

    /// <summary>
    /// Keeps freed memory in the process. By default glibc maps every tensor above 32 MiB afresh and unmaps it when freed,
    /// so each step pays a page fault per 4 KiB of its temporaries. The price: the process stays at its peak size.
    /// Call it before the first large tensor. The environment variables MALLOC_MMAP_MAX_ and so on do the same.
    /// </summary>
    /// <returns>False where the C library is not glibc; nothing is changed then.</returns>
    public static bool Tune()
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            return SetMallocOption(MaximalMaps, 0) != 0
                && SetMallocOption(TrimThreshold, Never) != 0
                && SetMallocOption(TopPad, TopPadBytes) != 0;
        }
        catch (Exception problem) when (problem is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int option, int value);
}
