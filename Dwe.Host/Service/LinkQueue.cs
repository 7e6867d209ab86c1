using System.Diagnostics;
using System.Threading.Channels;
using Dwe.Host.Linking;
using Microsoft.Extensions.Logging;

namespace Dwe.Host.Service;

/// <summary>
/// The bounded queue before the one thread that links. Whatever waits when the thread is free goes together, up to a batch;
/// nobody is kept waiting for company.
/// </summary>
/// <remarks>One thread, because tensors' scopes belong to a thread and a linker takes one call at a time.</remarks>
internal sealed class LinkQueue : IDisposable
{
    private readonly Channel<Waiting> _channel;
    private readonly Lock _entrance = new();
    private readonly Linkers _linkers;
    private readonly int _capacity;
    private readonly int _batch;
    private readonly ServiceMetrics _metrics;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _givenUp = new();
    private readonly Thread _thread;
    private double _secondsEach;

    public LinkQueue(Linkers linkers, int capacity, int batch, ServiceMetrics metrics, ILogger log)
    {
        (_linkers, _capacity, _batch, _metrics, _log) = (linkers, capacity, batch, metrics, log);
        _channel = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(capacity) { SingleReader = true });
        _thread = new Thread(Work) { Name = "dwe link", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Mentions that wait.</summary>
    public int Length => _channel.Reader.Count;

    /// <summary>Seconds until there should be room again: what waits at the pace of late, 1 to 60.</summary>
    public int SecondsToWait => (int)Math.Clamp(Math.Ceiling(Length * Volatile.Read(ref _secondsEach)), 1, 60);

    /// <summary>Queues all of these or, where there is no room for them, none: then null.</summary>
    /// <param name="requests">At most the queue's capacity.</param>
    /// <param name="gone">Cancelled when nobody waits for the answers any more; those that were not begun are left out.</param>
    public Task<LinkAnswer>[]? TryEnter(IReadOnlyList<LinkRequest> requests, CancellationToken gone)
    {
        var all = requests.Select(request => new Waiting(request, gone)).ToArray();
        lock (_entrance)
        {
            if (_channel.Reader.Count + all.Length > _capacity) return null;
            foreach (var one in all)
                if (!_channel.Writer.TryWrite(one)) throw new FaultException(Fault.Stopping);
        }

        return [.. all.Select(one => one.Answer)];
    }

    /// <summary>Finishes what waits, if <paramref name="patience"/> lasts; false where it did not.</summary>
    public bool Close(TimeSpan patience)
    {
        _channel.Writer.TryComplete();
        if (_thread.Join(patience)) return true;
        _givenUp.Cancel();
        return _thread.Join(TimeSpan.FromSeconds(1));
    }

    public void Dispose()
    {
        // A linker that does not return keeps its thread, which ends with the process.
        if (Close(TimeSpan.Zero)) _givenUp.Dispose();
    }

    private void Work()
    {
        var batch = new List<Waiting>(_batch);
        while (_channel.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < _batch && _channel.Reader.TryRead(out var next))
                if (next.IsWanted) batch.Add(next);
                else next.Cancel();
            _metrics.QueueLength.Set(Length);
            if (batch.Count > 0) Link(batch);
        }
    }

    private void Link(IReadOnlyList<Waiting> batch)
    {
        // Taken for this batch: a linker that is put in its place meanwhile serves the next.
        using var lease = _linkers.Take();
        if (lease is null)
        {
            foreach (var one in batch) one.Cancel();
            return;
        }

        _metrics.BatchSize.Observe(batch.Count);
        if (TryLink(lease.Linker, batch) || batch.Count == 1) return;
        foreach (var one in batch) TryLink(lease.Linker, [one]);
    }

    /// <summary>Links a batch; a single request that fails is answered, several are left to be tried one by one.</summary>
    private bool TryLink(ILinker linker, IReadOnlyList<Waiting> batch)
    {
        try
        {
            var start = Stopwatch.GetTimestamp();
            var answers = linker.Link([.. batch.Select(one => one.Request)], _givenUp.Token);
            if (answers.Count != batch.Count)
                throw new InvalidOperationException($"{answers.Count} answers to {batch.Count} requests");
            for (var i = 0; i < batch.Count; i++) batch[i].Set(answers[i]);
            Pace(Stopwatch.GetElapsedTime(start).TotalSeconds / batch.Count);
            return true;
        }
        catch (OperationCanceledException) when (_givenUp.IsCancellationRequested)
        {
            foreach (var one in batch) one.Cancel();
            return true;
        }
        catch (Exception failed)
        {
            // Whatever a request does to the linker, it does to itself alone: the thread and the others go on.
            ServiceLog.LinkFailed(_log, batch.Count, ServiceLog.Describe(failed));
            if (batch.Count == 1) batch[0].Fail();
            return false;
        }
    }

    private void Pace(double seconds)
    {
        const double Newest = 0.2;
        var old = Volatile.Read(ref _secondsEach);
        Volatile.Write(ref _secondsEach, old == 0 ? seconds : old + (Newest * (seconds - old)));
    }

    /// <summary>A mention in the queue, and whoever waits for it.</summary>
    private sealed class Waiting(LinkRequest request, CancellationToken gone)
    {
        private readonly TaskCompletionSource<LinkAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LinkRequest Request { get; } = request;

        public Task<LinkAnswer> Answer => _answer.Task;

        public bool IsWanted => !gone.IsCancellationRequested;

        public void Set(LinkAnswer answer) => _answer.TrySetResult(answer);

        public void Fail() => _answer.TrySetException(new FaultException(Fault.Internal));

        public void Cancel() => _answer.TrySetCanceled();
    }
}
