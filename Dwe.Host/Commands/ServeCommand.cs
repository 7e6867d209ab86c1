using System.Net;
using System.Runtime.InteropServices;
using Dwe.Host.Checkpoints;
using Dwe.Host.Index;
using Dwe.Host.Linking;
using Dwe.Host.Service;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Commands;

/// <summary><c>dwe serve</c>: links mentions over HTTP until it is told to stop.</summary>
internal static class ServeCommand
{
    public static int Run(ServeOptions options, CancellationToken stop)
    {
        var settings = Settings(options, FilesOf(options));
        // A wrong name is said before anything listens.
        new RunFolder(options.Run).Open();
        if (options.Index is not null) IndexManifest.Read(options.Index);
        Natives.Load(options.LibTorch);
        var linking = new LinkerOptions
        {
            Run = options.Run,
            Index = options.Index,
            Encoder = options.Encoder,
            Precision = options.Precision,
            Device = options.Device,
            Candidates = options.Candidates,
        };
        return Run(settings, (report, cancel) => Opened(linking, report, cancel), stop);
    }

    /// <summary>Opening a large knowledge base leaves gigabytes of texts behind, which nothing would make the process give back.</summary>
    private static Linker Opened(LinkerOptions linking, Action<string> report, CancellationToken cancel)
    {
        var linker = Linker.Open(linking, report, cancel);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return linker;
    }

    /// <summary>With a linker of the caller's.</summary>
    /// <exception cref="UserErrorException">What <paramref name="open"/> says of its files.</exception>
    public static int Run(ServiceOptions settings, LinkerOpener open, CancellationToken stop) =>
        Serve(settings, open, stop).GetAwaiter().GetResult();

    /// <summary>What is written last when a run or an index is made anew.</summary>
    private static IReadOnlyList<string> FilesOf(ServeOptions options)
    {
        var run = new RunFolder(options.Run);
        string[] ofRun = [Path.Combine(run.Path, "manifest.json"), Path.Combine(run.Path, "decisions.json"), Path.Combine(run.Best, "manifest.json")];
        return options.Index is null ? ofRun : [.. ofRun, Path.Combine(options.Index, IndexManifest.FileName)];
    }

    private static async Task<int> Serve(ServiceOptions settings, LinkerOpener open, CancellationToken stop)
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
        if (!asked.IsCancellationRequested) Streams.Results.Line($"listening on {service.Address} (Ctrl-C stops)");
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
