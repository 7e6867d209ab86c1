using System.Security.Cryptography;

namespace Dwe.Host.Evaluation;

/// <summary>SHA-256 in hexadecimal: what a card says instead of a path.</summary>
internal static class ContentHash
{
    public static string OfFile(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
