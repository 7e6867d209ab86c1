using Dwe.Model.Domain;
using Lucene.Net.Analysis;
using Lucene.Net.Documents;
using Lucene.Net.Index;
using Lucene.Net.Search.Similarities;
using Lucene.Net.Store;
using Lucene.Net.Util;

namespace Dwe.Host.Index;

/// <summary>The names of a segment as a Lucene index: one document for each different name of each entity, in row order.</summary>
internal static class LexicalWriter
{
    /// <summary>The name as it stands.</summary>
    public const string NameField = "name";

    /// <summary>The folded name.</summary>
    public const string FoldedField = "folded";

    /// <summary>The folded name's grams.</summary>
    public const string GramsField = "grams";

    /// <summary>The row in the segment.</summary>
    public const string RowField = "row";

    public static readonly Similarity Similarity = new BM25Similarity();

    private const double BufferMegabytes = 64;

    /// <summary>Writes the index into a folder, which is created.</summary>
    /// <param name="folder">Of this index alone.</param>
    /// <param name="entities">By row.</param>
    /// <param name="each">Called for every row.</param>
    public static void Write(string folder, IEnumerable<Entity> entities, Action each)
    {
        using var directory = new UnflushedDirectory(new SimpleFSDirectory(folder, NoLockFactory.GetNoLockFactory()));
        var configuration = new IndexWriterConfig(LuceneVersion.LUCENE_48, new NoAnalyzer())
        {
            Similarity = Similarity,
            RAMBufferSizeMB = BufferMegabytes,
            // Keeps documents in the order of rows; nothing is merged beside the writing thread.
            MergePolicy = new LogDocMergePolicy(),
            MergeScheduler = new SerialMergeScheduler(),
            OpenMode = OpenMode.CREATE,
        };
        using var writer = new IndexWriter(directory, configuration);
        var name = new NameDocument();
        var row = 0;
        foreach (var entity in entities)
        {
            foreach (var text in NamesOf(entity)) writer.AddDocument(name.Of(row, text));
            row++;
            each();
        }

        writer.ForceMerge(1);
        writer.Commit();
    }

    /// <summary>What an entity is called, each name once.</summary>
    private static IEnumerable<string> NamesOf(Entity entity) =>
        entity.Aliases.Prepend(entity.Name).Where(name => !string.IsNullOrWhiteSpace(name)).Distinct(StringComparer.Ordinal);

    /// <summary>A document used again and again: making fields costs more than filling them.</summary>
    private sealed class NameDocument
    {
        private readonly Document document = [];
        private readonly StringField name = new(NameField, "", Field.Store.NO);
        private readonly StringField folded = new(FoldedField, "", Field.Store.NO);
        private readonly NumericDocValuesField row = new(RowField, 0);
        private readonly GramStream grams = new();

        public NameDocument()
        {
            var type = new FieldType { IsIndexed = true, IsTokenized = true, IndexOptions = IndexOptions.DOCS_AND_FREQS };
            document.Add(name);
            document.Add(folded);
            document.Add(row);
            document.Add(new Field(GramsField, grams, type));
        }

        public Document Of(int number, string text)
        {
            var key = FoldedName.Of(text);
            name.SetStringValue(Verbatim(text));
            folded.SetStringValue(key);
            row.SetInt64Value(number);
            grams.Take(key);
            return document;
        }
    }

    /// <summary>A name as it is looked up letter by letter: Lucene refuses very long ones.</summary>
    public static string Verbatim(string text) =>
        text.Length <= FoldedName.MostLetters ? text : text[..FoldedName.MostLetters];

    /// <summary>Leaves flushing to whoever gives the folder its name: once, not at each of Lucene's steps.</summary>
    private sealed class UnflushedDirectory(FSDirectory directory) : FilterDirectory(directory)
    {
        public override void Sync(ICollection<string> names)
        {
        }
    }

    /// <summary>Asked for by Lucene, used by no field.</summary>
    private sealed class NoAnalyzer : Analyzer
    {
        protected override TokenStreamComponents CreateComponents(string fieldName, TextReader reader) =>
            throw new InvalidOperationException($"field {fieldName} brings its own terms");
    }
}
