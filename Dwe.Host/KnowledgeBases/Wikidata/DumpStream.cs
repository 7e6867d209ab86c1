using System.IO.Compression;
using ICSharpCode.SharpZipLib;
using ICSharpCode.SharpZipLib.BZip2;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases.Wikidata;

/// <summary>A dump's file, decompressed as it is read: gzip and bzip2 are known by their first bytes, and may be several
/// streams one after the other, as parallel compressors write them.</summary>
internal sealed class DumpStream : IDisposable
{
    private const int FileBuffer = 1 << 20;

    private readonly string path;
    private readonly FileStream file;
    private readonly Stream content;

    private DumpStream(string path, FileStream file, Stream content) => (this.path, this.file, this.content) = (path, file, content);

    /// <summary>Bytes of the file that have been read.</summary>
    public long Position => file.Position;

    /// <summary>Opens a file at its beginning.</summary>
    /// <exception cref="UserErrorException">FileMissing.</exception>
    public static DumpStream Open(string path)
    {
        if (!File.Exists(path)) throw new UserErrorException(UserError.NewFileMissing(path, "a dump of Wikidata", "Check the name."));
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileBuffer, FileOptions.SequentialScan);
        var begin = new byte[3];
        var count = file.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false);
        file.Position = 0;
        Stream content = begin.AsSpan(0, count) switch
        {
            [0x1F, 0x8B, ..] => new GZipStream(file, CompressionMode.Decompress, leaveOpen: true),
            [(byte)'B', (byte)'Z', (byte)'h'] => new BZip2Streams(file),
            _ => file,
        };
        return new DumpStream(path, file, content);
    }

    /// <summary>Reads decompressed bytes; 0 at the end.</summary>
    /// <exception cref="UserErrorException">FileBroken where compressed data are damaged or end early.</exception>
    public int Read(byte[] buffer, int offset, int count)
    {
        try
        {
            return content.Read(buffer, offset, count);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or SharpZipBaseException or EndOfStreamException or IndexOutOfRangeException)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                path, $"before byte {Position}", "compressed data that are damaged or end early", "a whole file; fetch it again"));
        }
    }

    public void Dispose()
    {
        content.Dispose();
        file.Dispose();
    }

    /// <summary>bzip2 streams one after the other: the library stops at the end of the first.</summary>
    private sealed class BZip2Streams(FileStream file) : Stream
    {
        // Opened by the first read, where damage is looked for: the library reads its first block at once.
        private BZip2InputStream? current;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            current ??= Next(file);
            while (true)
            {
                var read = current.Read(buffer, offset, count);
                if (read > 0 || file.Position >= file.Length) return read;
                current = Next(file);
            }
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private static BZip2InputStream Next(FileStream file) => new(file) { IsStreamOwner = false };
    }
}
