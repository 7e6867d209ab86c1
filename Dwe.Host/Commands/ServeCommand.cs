using System.Net;
using System.Runtime.InteropServices;
using Dwe.Host.Linking;
using Dwe.Host.Service;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Commands;

/// <summary><c>dwe serve</c>: links mentions over HTTP until it is told to stop.</summary>
internal static class ServeCommand
{
    /// <summary>With a linker of the caller's.</summary>
    /// <exception cref="UserErrorException">An address or key that cannot be used, or what <paramref name="open"/> says of its files.</exception>
    public static int Run(ServeOptions options, Func<ILinker> open, IReadOnlyList<string> linkerFiles, CancellationToken stop) =>
        Serve(Settings(options, linkerFiles), open, stop).GetAwaiter().GetResult();

    private static async Task<int> Serve(ServiceOptions settings, Func<ILinker> open, CancellationToken stop)
    {
        using var asked = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            // As with Ctrl-C: the first one asks, a second one ends the process.
            signal.Cancel = !asked.IsCancellationRequested;
            asked.Cancel();
        });
        await using var service = await LinkService.Start(settings, open);
        using var reload = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            service.Reload();
        });
        await Task.WhenAny(service.Loaded, Ended(asked.Token));
        if (service.Loaded.IsFaulted) await service.Loaded;
        Streams.Results.Line($"listening on {service.Address} (Ctrl-C stops)");
        await Ended(asked.Token);
        return await service.Stop() ? ExitCode.Success : ExitCode.FoundWanting;
    }

    private static Task Ended(CancellationToken token)
    {
        var ended = new TaskCompletionSource();
        token.Register(ended.SetResult);
        return ended.Task;
    }

    private static ServiceOptions Settings(ServeOptions options, IReadOnlyList<string> linkerFiles) => new()
    {
        Address = AddressOf(options.Host),
        Port = options.Port,
        ApiKey = options.ApiKeyFrom is { } variable ? KeyOf(variable) : null,
        Queue = options.Queue,
        Batch = options.Batch,
        MaxBody = options.MaxBody,
        Timeout = TimeSpan.FromSeconds(options.Timeout),
        LinkerFiles = linkerFiles,
    };

    private static IPAddress AddressOf(string host) => host switch
    {
        "localhost" => IPAddress.Loopback,
        _ when IPAddress.TryParse(host, out var address) => address,
        _ => throw new UserErrorException(UserError.NewValueInvalid(
            "command line", "--host", host, "an address of this machine, e.g. 127.0.0.1, or 0.0.0.0 for all of them")),
    };

    private static string KeyOf(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } key
        ? key.Trim()
        : throw new UserErrorException(UserError.NewUsageWrong(
            $"the environment variable {variable}, which --api-key-from names, is not set", "Set it to the key that clients send."));
}
