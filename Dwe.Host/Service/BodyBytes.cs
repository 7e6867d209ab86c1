using Microsoft.AspNetCore.Http;

namespace Dwe.Host.Service;

/// <summary>A body, whole.</summary>
internal static class BodyBytes
{
    private const int FirstBuffer = 1 << 16;

    /// <summary>At most <paramref name="limit"/> bytes, whatever the head says of them.</summary>
    /// <exception cref="FaultException">413 or 415.</exception>
    public static async Task<ReadOnlyMemory<byte>> Read(HttpRequest http, long limit, CancellationToken cancel)
    {
        if (http.Headers.ContentEncoding.Count > 0) throw new FaultException(Fault.WrongMediaType);
        if (http.ContentLength > limit) throw new FaultException(Fault.TooLarge(limit));

        // Grows with what arrives: a length that is only claimed costs nothing.
        using var body = new MemoryStream(FirstBuffer);
        await http.Body.CopyToAsync(body, cancel);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }
}
