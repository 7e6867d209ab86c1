using System.Runtime.InteropServices;

namespace Dwe.Host.Native;

/// <summary>
/// libtorch's OpenMP threads spin some 300,000 times before they sleep. On a machine that something else uses too, a
/// thread spins out its slice waiting for one that is not running: training at 60 mentions a second where threads that
/// sleep do 2,500 (two cores, load 10, one run each). On a quiet one a short spin was as fast as the long one. OpenMP reads its environment once, when it is loaded.
/// </summary>
internal static partial class OpenMpWaiting
{
    private const string Policy = "OMP_WAIT_POLICY";
    private const string SpinCount = "GOMP_SPINCOUNT";

    // Enough for the gap between two operations, far less than a slice.
    private const string ShortSpin = "10000";

    /// <summary>Lets threads spin only shortly, unless the environment says how they should wait. Before libtorch is loaded.</summary>
    public static void SpinShortly()
    {
        var decided = Environment.GetEnvironmentVariable(Policy) ?? Environment.GetEnvironmentVariable(SpinCount);
        if (OperatingSystem.IsWindows() || decided is not null)
        {
            return;
        }

        // .NET keeps an environment of its own: a native library sees only what libc was told.
        _ = SetEnvironment(SpinCount, ShortSpin, 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
