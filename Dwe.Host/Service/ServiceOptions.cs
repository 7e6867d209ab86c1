using System.Net;
using Dwe.Host.Features.Images;
using Microsoft.Extensions.Logging;

namespace Dwe.Host.Service;

/// <summary>Where the service listens, and what it takes from a client.</summary>
internal sealed record ServiceOptions
{
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 for any that is free.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>What <c>/v1</c> and <c>/metrics</c> ask for; null where they are open.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Mentions that may wait; one more is refused with 429.</summary>
    public int Queue { get; init; } = 64;

    /// <summary>Mentions that are linked together, at most.</summary>
    public int Batch { get; init; } = 16;

    /// <summary>Bytes of a request's body, at most.</summary>
    public long MaxBody { get; init; } = 10L << 20;

    /// <summary>From the request's head to its answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For a request's head to arrive.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes a second below which a sender is given up, once <see cref="SlowGrace"/> is over.</summary>
    public double SlowestBody { get; init; } = 1024;

    public TimeSpan SlowGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bounds what the queue cannot: requests whose bodies are still on their way.</summary>
    public int Connections { get; init; } = 512;

    /// <summary>What a picture may be: less than for files of one's own, since anyone may send one.</summary>
    public ImageLimits Images { get; init; } = new() { Pixels = 50_000_000, Time = TimeSpan.FromSeconds(10) };

    /// <summary>How often <see cref="LinkerFiles"/> are looked at.</summary>
    public TimeSpan WatchInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Files whose change means a new linker.</summary>
    public IReadOnlyList<string> LinkerFiles { get; init; } = [];

    /// <summary>Where the log goes; null for JSON lines on standard error.</summary>
    public ILoggerProvider? Log { get; init; }
}
