using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Weights;

/// <summary>An npm tarball: a gzipped tar whose entries all stand under one folder, <c>package/</c>.</summary>
internal static class PackageArchive
{
    private const string Root = "package/";

    /// <summary>SHA-256 of a file, lower-case hexadecimal.</summary>
    public static string Sha256Of(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>Unpacks the wanted files, and only those, below <paramref name="folder"/>; flushes each to
    /// disk.</summary>
    /// <exception cref="UserErrorException">The archive is damaged, lacks a wanted file, has an entry that would leave
    /// the folder, or has something other than a plain file where a wanted file should be.</exception>
    public static void Unpack(string tarball, IReadOnlyCollection<string> wanted, string folder)
    {
        var missing = wanted.ToHashSet();
        try
        {
            using var file = File.OpenRead(tarball);
            using var unzipped = new GZipStream(file, CompressionMode.Decompress);
            using var tar = new TarReader(unzipped);
            while (tar.GetNextEntry() is { } entry)
            {
                var target = TargetOf(tarball, entry, folder);
                if (entry.Name.StartsWith(Root, StringComparison.Ordinal) && missing.Remove(entry.Name[Root.Length..]))
                    Write(tarball, entry, target);
            }
        }
        catch (Exception problem) when (problem is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw Broken(tarball, "archive", problem.Message, "a gzipped tar");
        }
        if (missing.Count > 0)
            throw Broken(tarball, "archive", $"no {string.Join(", ", missing.Order())}", "every file of the catalogue");
    }

    /// <summary>Every entry is checked, wanted or not: an archive with one such path is not to be trusted at
    /// all.</summary>
    private static string TargetOf(string tarball, TarEntry entry, string folder)
    {
        var inside = entry.Name.StartsWith(Root, StringComparison.Ordinal) ? entry.Name[Root.Length..] : entry.Name;
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        var target = Path.GetFullPath(Path.Combine(root, inside));
        return target.StartsWith(root, StringComparison.Ordinal) || target + Path.DirectorySeparatorChar == root
            ? target
            : throw Broken(tarball, $"entry {entry.Name}", "a path that leaves the folder", "paths below package/");
    }

    private static void Write(string tarball, TarEntry entry, string target)
    {
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw Broken(tarball, $"entry {entry.Name}", entry.EntryType.ToString(), "a plain file");
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        using var output = new FileStream(target, FileMode.CreateNew);
        // An empty file has no stream.
        entry.DataStream?.CopyTo(output);
        output.Flush(flushToDisk: true);
    }

    private static UserErrorException Broken(string path, string place, string found, string expected) =>
        new(UserError.NewFileBroken(path, place, found, expected));
}
