using System.Text;

namespace Dwe.Host.Features.Images;

/// <summary>
/// What became of the images so far: a line naming the settings, then a record per line. Appended to while a job runs; what a
/// torn write left at the end is cut off. A file of other settings is started again.
/// </summary>
internal sealed class ImageJournal : IDisposable
{
    private readonly FileStream file;

    private ImageJournal(FileStream file) => this.file = file;

    /// <summary>The records by content hash and name.</summary>
    public Dictionary<(string Hash, string Image), ImageRecord> Records { get; } = [];

    /// <summary>Opens or starts the journal.</summary>
    public static ImageJournal Open(string path, string settings)
    {
        var known = Read(path, settings, out var sound);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var journal = new ImageJournal(file);
        file.SetLength(sound);
        file.Seek(0, SeekOrigin.End);
        if (sound == 0) journal.Write(settings);
        foreach (var record in known) journal.Records[(record.Hash, record.Image)] = record;
        return journal;
    }

    /// <summary>The records of a journal, or of a store's <c>images.jsonl</c>, made with these settings.</summary>
    public static IReadOnlyList<ImageRecord> Read(string path, string settings) => Read(path, settings, out _);

    /// <summary>Adds a record. Its vectors must be on the disk first.</summary>
    public void Append(ImageRecord record)
    {
        Write(record.ToLine());
        Records[(record.Hash, record.Image)] = record;
    }

    /// <summary>Puts everything appended on the disk.</summary>
    public void Flush() => file.Flush(flushToDisk: true);

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Write(string line) => file.Write(Encoding.UTF8.GetBytes(line + "\n"));

    private static List<ImageRecord> Read(string path, string settings, out long sound)
    {
        var records = new List<ImageRecord>();
        sound = 0;
        if (!File.Exists(path)) return records;
        var bytes = File.ReadAllBytes(path).AsSpan();
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            var line = Encoding.UTF8.GetString(bytes[..end]);
            if (sound == 0 && line != settings) break;
            if (sound > 0)
            {
                if (ImageRecord.OfLine(line) is not { } record) break;
                records.Add(record);
            }
            sound += end + 1;
            bytes = bytes[(end + 1)..];
        }
        return records;
    }
}
