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
    public static ContentKey OfText(string encoderId, string text) => Of(Encoding.UTF8.GetBytes($"{encoderId}\0{text}"));

    /// <summary>The key of the mean of several vectors. No encoder's id is empty, so it is no text's.</summary>
    public static ContentKey OfMean(IReadOnlyList<ContentKey> keys)
    {
        using var input = new MemoryStream();
        using var writer = new BinaryWriter(input);
        writer.Write("\0mean\0"u8);
        foreach (var key in keys)
        {
            writer.Write(key.High);
            writer.Write(key.Low);
        }
        writer.Flush();
        return Of(input.ToArray());
    }

    private static ContentKey Of(byte[] input)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return new ContentKey(BinaryPrimitives.ReadInt64LittleEndian(hash), BinaryPrimitives.ReadInt64LittleEndian(hash[8..]));
    }
}
