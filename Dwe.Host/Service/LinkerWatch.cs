using System.Diagnostics;
using System.Globalization;
using Dwe.Host.Linking;
using Dwe.Model.Domain;
using Microsoft.Extensions.Logging;

namespace Dwe.Host.Service;

/// <summary>Opens a linker.</summary>
/// <param name="report">Hears what is fetched or prepared.</param>
/// <param name="cancel">Stops it, with the service.</param>
internal delegate ILinker LinkerOpener(Action<string> report, CancellationToken cancel);

/// <summary>
/// Opens the first linker, and another one whenever the files it is made of change or <see cref="Reload"/> is called. A new
/// one that cannot be opened is refused, and the old one goes on.
/// </summary>
internal sealed class LinkerWatch : IDisposable
{
    private readonly Linkers _linkers;
    private readonly LinkerOpener _open;
    private readonly ServiceOptions _options;
    private readonly ServiceMetrics _metrics;
    private readonly ILogger _log;
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private volatile bool _asked;
    private readonly CancellationTokenSource _stop = new();

    public LinkerWatch(Linkers linkers, LinkerOpener open, ServiceOptions options, ServiceMetrics metrics, ILogger log)
    {
        (_linkers, _open, _options, _metrics, _log) = (linkers, open, options, metrics, log);
        _thread = new Thread(Watch) { Name = "dwe reload", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Done when the first linker is there; failed with what kept it from being opened.</summary>
    public Task First => _first.Task;

    /// <summary>Opens the linker anew, whether or not its files have changed.</summary>
    public void Reload()
    {
        _asked = true;
        _wake.Set();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _wake.Set();

        // A linker being opened is not waited for: the thread ends with the process.
        if (_thread.Join(TimeSpan.FromSeconds(2))) _wake.Dispose();
    }

    private void Watch()
    {
        // Looked at before opening: what changes meanwhile is seen as a change.
        var seen = Stamp();
        if (Open() is { } problem)
        {
            _first.TrySetException(problem);
            return;
        }

        _first.TrySetResult();
        while (!_stop.IsCancellationRequested)
        {
            _wake.WaitOne(_options.WatchInterval);
            var now = Stamp();
            if (_stop.IsCancellationRequested || (now == seen && !_asked)) continue;
            (_asked, seen) = (false, now);
            if (Open() is { } refused)
            {
                _metrics.Refused();

                // A user error names files of whoever runs the service; of anything else the message may quote a user.
                ServiceLog.Refused(_log, refused is UserErrorException or IOException ? refused.Message : ServiceLog.Describe(refused));
            }
        }
    }

    private Exception? Open()
    {
        try
        {
            var start = Stopwatch.GetTimestamp();
            var linker = _open(text => ServiceLog.Preparing(_log, text), _stop.Token);
            if (_stop.IsCancellationRequested)
            {
                linker.Dispose();
                return null;
            }

            var card = linker.Card;
            _metrics.Opened(card);
            _linkers.Put(linker);
            ServiceLog.Opened(_log, Stopwatch.GetElapsedTime(start).TotalSeconds, card.Run, card.Index, card.Entities);
            return null;
        }
        catch (Exception refused)
        {
            // Whatever is wrong with new files must not end a service that has good ones in memory.
            return refused;
        }
    }

    /// <summary>Times and lengths of the files; a file that is not there is a state too.</summary>
    private string Stamp() => string.Join('|', _options.LinkerFiles.Select(path =>
    {
        var file = new FileInfo(path);
        return file.Exists
            ? string.Create(CultureInfo.InvariantCulture, $"{file.LastWriteTimeUtc.Ticks}:{file.Length}")
            : "-";
    }));
}
