using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dwe.Host.Features;

/// <summary>
/// What a vector was computed from: 128 bits of SHA-256 over the encoder's id and the input. Equal keys mean equal vectors,
/// so work is found again by them, across runs and stores.
/// </summary>
internal readonly record struct ContentKey(long High, long Low)
{
    /// <summary>The key of a text.</summary>
    public static ContentKey OfText(string encoderId, string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{encoderId}\0{text}"), hash);
        return new ContentKey(BinaryPrimitives.ReadInt64LittleEndian(hash), BinaryPrimitives.ReadInt64LittleEndian(hash[8..]));
    }
}
