using System.Security.Cryptography;
using System.Text;
using Dwe.Model.Domain;

namespace Dwe.Host.Data;

/// <summary>A text file of a data set, line by line; its hash is known when the last line has been read.</summary>
internal static class TextLines
{
    /// <summary>The lines with their numbers, from 1.</summary>
    /// <exception cref="UserErrorException">FileBroken for text that is not UTF-8.</exception>
    public static IEnumerable<(int Number, string Line)> Read(DatasetFolder folder, string name)
    {
        using var sha = SHA256.Create();
        using (var file = File.OpenRead(folder.PathOf(name)))
        using (var hashed = new CryptoStream(file, sha, CryptoStreamMode.Read))
        using (var lines = new StreamReader(hashed, new UTF8Encoding(false, throwOnInvalidBytes: true)))
        {
            for (var number = 1; NextLine(lines, folder.PathOf(name), number) is { } line; number++) yield return (number, line);
        }
        folder.AddHash(name, sha.Hash ?? []);
    }

    private static string? NextLine(StreamReader lines, string path, int number)
    {
        try
        {
            return lines.ReadLine();
        }
        catch (DecoderFallbackException)
        {
            // The stream reader decodes ahead of the line that it gives.
            throw new UserErrorException(UserError.NewFileBroken(
                path, $"at or after line {number}", "text that is not valid UTF-8", "UTF-8"));
        }
    }
}
