using System.Security.Cryptography;
using Dwe.Model.Domain;

namespace Dwe.Host.Native;

/// <summary>The library to load on this system and why.</summary>
/// <param name="Path">The original, or its mended copy.</param>
/// <param name="IsMended">Whether it is the copy.</param>
/// <param name="GlibcxxNeeded">The newest GLIBCXX version the original needs; null when it needs none.</param>
/// <param name="GlibcxxOffered">The newest GLIBCXX version the system's libstdc++ offers; null when unknown.</param>
internal sealed record FittingLibrary(string Path, bool IsMended, string? GlibcxxNeeded, string? GlibcxxOffered);

/// <summary>
/// Keeps a mended copy of libLibTorchSharp.so on systems whose libstdc++ is too old for the original.
/// </summary>
internal static class MendedCopy
{
    private const string StandardLibrary = "libstdc++.so.6";

    /// <summary>
    /// The original where the system fits it; else its mended copy, written to the first writable folder.
    /// </summary>
    /// <param name="original">The library as its package ships it.</param>
    /// <param name="offered">The versions of the system's libstdc++; empty when unknown, and then nothing is
    /// mended.</param>
    /// <param name="folders">Where the copy may be kept, best first.</param>
    public static FittingLibrary Choose(
        string original, IReadOnlyCollection<string> offered, IEnumerable<string> folders)
    {
        var bytes = File.ReadAllBytes(original);
        var needed = ElfImage.Parse(original, bytes).NeededVersions()
            .Where(version => version.Library == StandardLibrary)
            .Select(version => version.Name)
            .ToList();
        var fits = offered.Count == 0
            || !needed.Contains(LibTorchSharpMend.Version)
            || offered.Contains(LibTorchSharpMend.Version);
        var mended = fits ? null : LibTorchSharpMend.Mend(original, bytes);
        return new FittingLibrary(
            mended is null ? original : Keep(original, bytes, mended, folders),
            mended is not null,
            NewestGlibcxx(needed),
            NewestGlibcxx(offered));
    }

    /// <summary>The newest of the versions named GLIBCXX_x.y.z; null when there is none.</summary>
    public static string? NewestGlibcxx(IEnumerable<string> versions) =>
        versions
            .Where(name => name.StartsWith("GLIBCXX_", StringComparison.Ordinal))
            .MaxBy(name => Version.TryParse(name.AsSpan("GLIBCXX_".Length), out var version) ? version : new Version());

    private static string Keep(string original, byte[] bytes, byte[] mended, IEnumerable<string> folders)
    {
        // The original's hash in the name: an updated package gets its own copy, and no process sees its library
        // replaced.
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var name = $"{Path.GetFileNameWithoutExtension(original)}-{hash}.so";
        var refusals = new List<string>();
        foreach (var folder in folders)
        {
            var path = Path.Combine(folder, name);
            try
            {
                if (!Holds(path, mended))
                {
                    WriteWhole(path, mended);
                }

                return path;
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                refusals.Add($"{folder} ({problem.Message.TrimEnd('.')})");
            }
        }

        throw new UserErrorException(UserError.NewExternalFailed(
            Path.GetFileName(original),
            $"the system's libstdc++ lacks {LibTorchSharpMend.Version}, and no folder takes a mended copy: "
            + string.Join(", ", refusals),
            "Make one of them writable, or name another with XDG_CACHE_HOME."));
    }

    private static bool Holds(string path, byte[] content) =>
        File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);

    /// <summary>Whoever looks sees the whole file or none; of two writers the last one's equal file stays.</summary>
    private static void WriteWhole(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
