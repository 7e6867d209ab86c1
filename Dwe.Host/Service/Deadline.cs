namespace Dwe.Host.Service;

/// <summary>A request's time: over when it is used up, or when its sender has gone.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationToken _gone;
    private readonly CancellationTokenSource _over;

    public Deadline(CancellationToken gone, TimeSpan time)
    {
        _gone = gone;
        _over = CancellationTokenSource.CreateLinkedTokenSource(gone);
        _over.CancelAfter(time);
    }

    public CancellationToken Token => _over.Token;

    /// <summary>What comes in time.</summary>
    /// <exception cref="FaultException"><paramref name="late"/>, when it does not.</exception>
    /// <exception cref="OperationCanceledException">The sender has gone.</exception>
    public async Task<T> Or<T>(Task<T> work, Fault late)
    {
        try
        {
            return await work.WaitAsync(Token);
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested && !_gone.IsCancellationRequested)
        {
            throw new FaultException(late);
        }
    }

    public void Dispose() => _over.Dispose();
}
