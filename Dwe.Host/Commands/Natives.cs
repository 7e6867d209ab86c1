using Dwe.Host.Native;

namespace Dwe.Host.Commands;

/// <summary>What a command does before it touches a tensor.</summary>
internal static class Natives
{
    /// <summary>Sets the allocator's options and loads libtorch.</summary>
    public static void Load(string? libTorchFolder)
    {
        GlibcAllocator.Tune();
        NativeLibraries.Require(libTorchFolder);
    }
}
