using System.Security.Cryptography;
using System.Text;
using CsvHelper;
using Dwe.Model.Domain;
using Parser = CsvHelper.CsvReader;

namespace Dwe.Host.Data;

/// <summary>
/// A user's own data as comma-separated values (RFC 4180, UTF-8, a header line): files and columns as in
/// <see cref="JsonLinesReader"/>; lists in one cell are separated by <c>|</c>.
/// </summary>
internal sealed class CsvReader : IDatasetReader
{
    private const string Ending = ".csv";
    private const char Separator = '|';

    /// <summary>A longer record is refused: a quote that is never closed would swallow the file.</summary>
    private const int MaxRecord = 64 << 20;

    /// <inheritdoc/>
    public string Format => "CSV";

    /// <inheritdoc/>
    public string Signature => "train.csv, dev.csv or mentions.csv, and entities.csv";

    /// <inheritdoc/>
    public IReadOnlyList<string> MentionImageFolders => ["images"];

    /// <inheritdoc/>
    public IReadOnlyList<string> EntityImageFolders => ["entity_images", "images"];

    /// <inheritdoc/>
    public bool Recognises(string folder) => OwnRecords.Recognises(folder, Ending);

    /// <inheritdoc/>
    public Dataset Read(string path)
    {
        var folder = new DatasetFolder(path, this);
        return OwnRecords.Read(folder, Ending, name => Records(folder.PathOf(name), hash => folder.AddHash(name, hash)));
    }

    /// <summary>The entities of a knowledge base in CSV, streamed. Ids are not compared: that would hold them all.</summary>
    /// <exception cref="UserErrorException">FileMissing; FileBroken naming file, line and column.</exception>
    public static IEnumerable<Entity> ReadEntities(string path) => Records(path).Select(OwnRecords.ToEntity);

    /// <summary>The records of a file, streamed; <paramref name="finished"/> is told its SHA-256 at its end.</summary>
    public static IEnumerable<Record> Records(string path, Action<byte[]>? finished = null)
    {
        if (!File.Exists(path)) throw new UserErrorException(UserError.NewFileMissing(path, "comma-separated values", "Check the name."));
        using var sha = SHA256.Create();
        using (var file = File.OpenRead(path))
        using (var hashed = new CryptoStream(file, sha, CryptoStreamMode.Read))
        using (var text = new StreamReader(hashed, new UTF8Encoding(false, throwOnInvalidBytes: true)))
        using (var parser = Parser.Create(text, Options, leaveOpen: true))
        {
            var columns = Header(parser, path);
            var twice = columns.GroupBy(column => column).FirstOrDefault(same => same.Count() > 1);
            if (twice is not null) throw Broken(path, 1, $"the column '{twice.Key}' twice", "every column once");
            while (Guarded(path, parser.Read))
            {
                var cells = Guarded(path, () => Enumerable.Range(0, parser.FieldCount).Select(parser.GetString).ToArray());
                if (cells.Length != columns.Length)
                    throw Broken(path, parser.LineNumber, $"{cells.Length} cells", $"{columns.Length}, as in the first line");
                yield return new CsvRecord(path, parser.LineNumber, columns, cells);
            }
        }
        finished?.Invoke(sha.Hash ?? []);
    }

    private static CsvReaderOptions Options { get; } = CsvReaderOptions.Default with
    {
        Separator = ',',
        DetectSeparatorHint = false,
        MaxRecordSize = MaxRecord,
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
    };

    private static string[] Header(Parser parser, string path)
    {
        Guarded(path, () =>
        {
            parser.ReadHeader();
            return true;
        });
        string[] columns = [.. parser.Headers.Select(column => column.Trim())];
        return columns.Length > 0 ? columns : throw Broken(path, 1, "an empty file", "a line of column names");
    }

    private static T Guarded<T>(string path, Func<T> read)
    {
        const string Expected = "comma-separated values in UTF-8, quotes doubled within quotes";
        try
        {
            return read();
        }
        catch (CsvFormatException error)
        {
            throw Broken(path, Math.Max(1, error.LineNumber), "quotes that do not match, or an endless record", Expected);
        }
        catch (DecoderFallbackException)
        {
            throw new UserErrorException(UserError.NewFileBroken(path, "the file", "text that is not valid UTF-8", Expected));
        }
    }

    private static UserErrorException Broken(string path, long line, string found, string expected) =>
        new(UserError.NewFileBroken(path, $"line {line}", found, expected));

    /// <summary>One line of values; an empty cell is no value.</summary>
    private sealed class CsvRecord(string path, long line, string[] columns, string[] cells) : Record
    {
        public override IEnumerable<string> Names => columns;

        /// <summary>A column that is there has a text in every line: an empty mention is a mention.</summary>
        public override string? TextOrNull(string name) => Array.IndexOf(columns, name) is >= 0 and var column ? cells[column] : null;

        public override string? TextIfAny(string name) => TextOrNull(name);

        public override string? IdOrNull(string name) => TextUnlessEmpty(name);

        public override string[] Texts(string name) =>
            TextUnlessEmpty(name)?.Split(Separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

        public override UserErrorException Broken(string? field, string found, string expected) =>
            new(UserError.NewFileBroken(path, field is null ? $"line {line}" : $"line {line} column '{field}'", found, expected));
    }
}
