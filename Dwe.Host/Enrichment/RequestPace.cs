namespace Dwe.Host.Enrichment;

/// <summary>Lets requests go one after the other, at least 60 / rate seconds apart; the first at once.</summary>
internal sealed class RequestPace(int perMinute, TimeProvider time)
{
    private readonly TimeSpan apart = TimeSpan.FromMinutes(1.0 / perMinute);
    private readonly Lock gate = new();
    private DateTimeOffset next = DateTimeOffset.MinValue;

    /// <summary>Ends when the caller's turn has come.</summary>
    public async Task Turn(CancellationToken stop)
    {
        TimeSpan wait;
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (next < now) next = now;
            wait = next - now;
            next += apart;
        }

        await Task.Delay(wait, time, stop);
    }
}
