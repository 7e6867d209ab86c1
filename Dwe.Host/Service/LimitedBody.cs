using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dwe.Host.Service;

/// <summary>
/// A body of which no more than so many bytes are read. Kestrel's own limit cuts the connection under a client that is still
/// sending, which then never sees the 413; here the rest is drained for some seconds, and the answer arrives.
/// </summary>
internal sealed class LimitedBody(Stream body, long limit) : Stream
{
    private long _read;

    /// <summary>Puts the limit in place of Kestrel's.</summary>
    /// <exception cref="FaultException">413 where the head says more already, 415 for a compressed body.</exception>
    public static void Set(HttpRequest http, long limit)
    {
        if (http.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } kestrel)
            kestrel.MaxRequestBodySize = null;
        if (http.Headers.ContentEncoding.Count > 0) throw new FaultException(Fault.WrongMediaType);
        if (http.ContentLength > limit) throw new FaultException(Fault.TooLarge(limit));
        http.Body = new LimitedBody(http.Body, limit);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(buffer, cancellationToken);
        _read += read;
        return _read <= limit ? read : throw new FaultException(Fault.TooLarge(limit));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
