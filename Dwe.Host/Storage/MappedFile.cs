using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace Dwe.Host.Storage;

/// <summary>
/// A file mapped into memory, read only, unmapped when its last user lets go: the opener, and every pinned view. A write
/// through a view ends the process (the pages are read-only); files replaced by rename stay readable through old mappings.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor accessor;
    private readonly byte* start;
    private int users = 1;
    private int disposed;

    /// <summary>Maps the whole file, which must not be empty.</summary>
    public MappedFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        Length = stream.Length;
        file = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        accessor = file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        byte* pointer = null;
        accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        start = pointer + accessor.PointerOffset;
    }

    /// <summary>Bytes in the file when it was mapped.</summary>
    public long Length { get; }

    /// <summary>The address of a byte; valid while the mapping has a user.</summary>
    public byte* At(long offset) => start + offset;

    /// <summary>The bytes of a range of at most 2^31 - 1; valid while the mapping has a user.</summary>
    public ReadOnlySpan<byte> Span(long offset, int length) => new(start + offset, length);

    /// <summary>A view of <paramref name="count"/> elements that keeps the mapping alive while it is pinned.</summary>
    public Memory<T> View<T>(long offset, int count) where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        return new MappedMemory<T>(this, (T*)(start + offset), count).Memory;
    }

    /// <summary>Gives up the opener's own use.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0) Release();
    }

    /// <summary>Adds a user; each is ended by one <see cref="Release"/>.</summary>
    public void Acquire()
    {
        int seen;
        do
        {
            seen = Volatile.Read(ref users);
            ObjectDisposedException.ThrowIf(seen == 0, this);
        }
        while (Interlocked.CompareExchange(ref users, seen + 1, seen) != seen);
    }

    /// <summary>Ends one use; the last one unmaps the file.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref users) != 0) return;
        accessor.SafeMemoryMappedViewHandle.ReleasePointer();
        // The handle first: an accessor with an open one would flush the pages to disk, which nobody wrote to here.
        accessor.SafeMemoryMappedViewHandle.Dispose();
        accessor.Dispose();
        file.Dispose();
    }

    private sealed class MappedMemory<T>(MappedFile owner, T* start, int count) : MemoryManager<T> where T : unmanaged
    {
        public override Span<T> GetSpan()
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref owner.users) == 0, owner);
            return new Span<T>(start, count);
        }

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)count, nameof(elementIndex));
            owner.Acquire();
            return new MemoryHandle(start + elementIndex, pinnable: this);
        }

        public override void Unpin() => owner.Release();

        protected override void Dispose(bool disposing)
        {
        }
    }
}
