using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Dwe.Host.Service;

/// <summary>
/// The service, running. Answers <c>/healthz</c> from its start, and links once its linker is loaded, which
/// <see cref="Loaded"/> tells.
/// </summary>
internal sealed class LinkService : IAsyncDisposable
{
    private readonly ServiceOptions _options;
    private readonly WebApplication _app;
    private readonly Linkers _linkers = new();
    private readonly LinkerWatch _watch;
    private readonly LinkQueue _queue;
    private readonly ILogger _log;
    private volatile bool _stopping;
    private bool _stopped;

    private LinkService(ServiceOptions options, LinkerOpener open)
    {
        _options = options;
        _app = Build(options);
        _log = _app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("dwe");
        var metrics = new ServiceMetrics();
        _queue = new LinkQueue(_linkers, options.Queue, options.Batch, metrics, _log);
        metrics.Registry.AddBeforeCollectCallback(() => metrics.QueueLength.Set(_queue.Length));
        _app.Use(new Answering(options, metrics, _log).Around);
        new Routes(options, _linkers, _queue, () => _stopping).Map(_app);
        _app.MapMetrics("/metrics", metrics.Registry).WithMetadata(NeedsKey.Instance);
        _app.MapOpenApi("/openapi/{documentName}.json");
        Page.Map(_app);
        _watch = new LinkerWatch(_linkers, open, options, metrics, _log);
    }

    /// <summary>Where it listens, e.g. <c>http://127.0.0.1:8080/</c>.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    /// <summary>Done when the first linker is there; failed with what kept it from being opened.</summary>
    public Task Loaded => _watch.First;

    /// <summary>Listens.</summary>
    /// <param name="options">Where, and what is taken.</param>
    /// <param name="open">Opens a linker; called on a thread of its own, again after every change.</param>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<LinkService> Start(ServiceOptions options, LinkerOpener open)
    {
        var service = new LinkService(options, open);
        try
        {
            await service._app.StartAsync();
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }

        service.Announce();
        return service;
    }

    /// <summary>Opens the linker anew; the old one goes on until then.</summary>
    public void Reload() => _watch.Reload();

    /// <summary>Takes no mention any more; <c>/readyz</c> says so.</summary>
    public void BeginStop() => _stopping = true;

    /// <summary>Finishes what was accepted; false where that took longer than a request may.</summary>
    public async Task<bool> Stop()
    {
        if (_stopped) return true;
        _stopped = true;
        BeginStop();
        ServiceLog.Stopping(_log, _queue.Length);

        // First the connections, whose requests wait for the queue; then the queue, which is empty unless they were given up.
        await _app.StopAsync();
        var complete = _queue.Close(_options.Timeout);
        _watch.Dispose();
        ServiceLog.Stopped(_log, complete);
        return complete;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Stop();
        _queue.Dispose();
        _linkers.Dispose();
        await _app.DisposeAsync();
    }

    private void Announce()
    {
        ServiceLog.Listening(_log, Address.ToString());
        if (!System.Net.IPAddress.IsLoopback(_options.Address))
            ServiceLog.Exposed(_log, Address.ToString(), _options.ApiKey is null ? "without an API key" : "with an API key");
    }

    private static WebApplication Build(ServiceOptions options)
    {
        // Empty: no file, variable or argument but Dwe's own decides what the service does.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "dwe", ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, options));
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Timeout + TimeSpan.FromSeconds(2));
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        ServiceDocument.Add(builder.Services, options);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("dwe", LogLevel.Information);
        if (options.Log is { } provider) builder.Logging.AddProvider(provider);
        else
        {
            builder.Logging.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
            builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
                console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        }

        return builder.Build();
    }

    private static void Limit(KestrelServerOptions kestrel, ServiceOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Listen(options.Address, options.Port, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Limits.MaxConcurrentConnections = options.Connections;
        kestrel.Limits.MaxRequestBodySize = options.MaxBody;
        kestrel.Limits.RequestHeadersTimeout = options.HeaderTimeout;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(options.SlowestBody, options.SlowGrace);
        kestrel.Limits.MinResponseDataRate = new MinDataRate(options.SlowestBody, options.SlowGrace);
    }

    /// <summary>Signals are the program's to hear: see <c>ServeCommand</c>.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
