using Dwe.Host.Linking;

namespace Dwe.Host.Service;

/// <summary>The linker in use. A new one takes its place while the old one finishes what it is doing, and is then closed.</summary>
internal sealed class Linkers : IDisposable
{
    private readonly Lock _gate = new();
    private Shared? _current;

    public bool IsLoaded
    {
        get
        {
            lock (_gate) return _current is not null;
        }
    }

    /// <summary>The linker, which stays open until the lease is disposed; null before the first one is there.</summary>
    public Lease? Take()
    {
        lock (_gate)
        {
            if (_current is null) return null;
            _current.Users++;
            return new Lease(this, _current);
        }
    }

    /// <summary>From now on leases are of this one.</summary>
    public void Put(ILinker linker) => Leave(Exchange(new Shared(linker)));

    /// <summary>Closes the linker once nobody uses it.</summary>
    public void Dispose() => Leave(Exchange(null));

    private Shared? Exchange(Shared? next)
    {
        lock (_gate)
        {
            var old = _current;
            _current = next;
            return old;
        }
    }

    private void Leave(Shared? shared)
    {
        if (shared is null) return;
        bool last;
        lock (_gate) last = --shared.Users == 0;
        if (last) shared.Linker.Dispose();
    }

    /// <summary>A linker and how many hold it: <see cref="Linkers"/> itself is one.</summary>
    private sealed class Shared(ILinker linker)
    {
        public ILinker Linker { get; } = linker;

        public int Users { get; set; } = 1;
    }

    /// <summary>The right to use a linker.</summary>
    public sealed class Lease : IDisposable
    {
        private readonly Linkers _owner;
        private Shared? _shared;

        internal Lease(Linkers owner, object shared) => (_owner, _shared) = (owner, (Shared)shared);

        public ILinker Linker => (_shared ?? throw new ObjectDisposedException(nameof(Lease))).Linker;

        public void Dispose() => _owner.Leave(Interlocked.Exchange(ref _shared, null));
    }
}
