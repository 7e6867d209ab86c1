using Lucene.Net.Index;
using Lucene.Net.Search;
using Lucene.Net.Store;
using LuceneDirectory = Lucene.Net.Store.Directory;

namespace Dwe.Host.Index;

/// <summary>The names of a segment, and the rows of the index they belong to.</summary>
/// <param name="Folder">Of the Lucene index.</param>
/// <param name="FirstRow">The row of the first living one.</param>
/// <param name="RowOf">The row of each entity of the segment, -1 for the dead; null where all live.</param>
internal sealed record LexicalSegment(string Folder, int FirstRow, int[]? RowOf);

/// <summary>
/// Rows by name: first those so called to the letter, then those whose folded name is the same, then by BM25 over grams, summed
/// over all segments together. An entity counts once, with its best name.
/// </summary>
internal sealed class LexicalSearch : IDisposable
{
    /// <summary>Added to the BM25 score, which stays below, of a name that is the same.</summary>
    public const float SameLetters = 2000;

    /// <summary>Added where only the folded names are the same.</summary>
    public const float SameFolded = 1000;

    private readonly List<LuceneDirectory> directories = [];
    private readonly List<(AtomicReader Reader, LexicalSegment Segment)> leaves = [];
    private readonly IndexReader reader;
    private readonly IndexSearcher searcher;

    public LexicalSearch(IReadOnlyList<LexicalSegment> segments)
    {
        var readers = new List<IndexReader>();
        try
        {
            foreach (var segment in segments)
            {
                var directory = new MMapDirectory(segment.Folder, NoLockFactory.GetNoLockFactory());
                directories.Add(directory);
                var own = DirectoryReader.Open(directory);
                readers.Add(own);
                leaves.AddRange(own.Leaves.Select(leaf => (leaf.AtomicReader, segment)));
            }
        }
        catch
        {
            readers.ForEach(opened => opened.Dispose());
            directories.ForEach(opened => opened.Dispose());
            throw;
        }

        reader = new MultiReader([.. readers], closeSubReaders: true);
        searcher = new IndexSearcher(reader) { Similarity = LexicalWriter.Similarity };
    }

    /// <summary>As <see cref="IEntityIndex.Named"/>.</summary>
    public Found[] Named(string text, int top)
    {
        var folded = FoldedName.Of(text);
        if (folded.Length == 0 || reader.MaxDoc == 0) return [];
        var scores = new Dictionary<int, float>();
        foreach (var row in RowsCalled(LexicalWriter.NameField, LexicalWriter.Verbatim(text))) scores[row] = SameLetters;
        foreach (var row in RowsCalled(LexicalWriter.FoldedField, folded)) scores.TryAdd(row, SameFolded);
        if (scores.Count < top) AddAlike(folded, top, scores);
        var best = new TopRows(top);
        foreach (var (row, score) in scores) best.Offer(row, score);
        return best.Sorted();
    }

    public void Dispose()
    {
        reader.Dispose();
        directories.ForEach(directory => directory.Dispose());
    }

    private IEnumerable<int> RowsCalled(string field, string name)
    {
        var term = new Term(field, name);
        foreach (var (leaf, segment) in leaves)
        {
            if (leaf.GetTermDocsEnum(term) is not { } documents) continue;
            var rows = leaf.GetNumericDocValues(LexicalWriter.RowField);
            for (var at = documents.NextDoc(); at != DocIdSetIterator.NO_MORE_DOCS; at = documents.NextDoc())
                if (RowOf(segment, (int)rows.Get(at)) is >= 0 and var row) yield return row;
        }
    }

    /// <summary>
    /// Adds the best by BM25 until <paramref name="top"/> are there: asks for more names while those found belong to fewer
    /// entities.
    /// </summary>
    private void AddAlike(string folded, int top, Dictionary<int, float> scores)
    {
        var query = Query(folded);
        for (var names = 2 * top; ; names *= 4)
        {
            var hits = searcher.Search(query, Math.Min(names, reader.MaxDoc)).ScoreDocs;
            Array.ForEach(hits, hit => AddHit(hit, scores));
            if (scores.Count >= top || hits.Length < names) return;
        }
    }

    private void AddHit(ScoreDoc hit, Dictionary<int, float> scores)
    {
        var at = ReaderUtil.SubIndex(hit.Doc, reader.Leaves);
        var (leaf, segment) = leaves[at];
        var local = (int)leaf.GetNumericDocValues(LexicalWriter.RowField).Get(hit.Doc - reader.Leaves[at].DocBase);
        // Hits come best first: an entity keeps the score of its best name.
        if (RowOf(segment, local) is >= 0 and var row) scores.TryAdd(row, hit.Score);
    }

    private static Query Query(string folded)
    {
        var grams = new List<string>();
        NameGrams.Of(folded, grams);
        var query = new BooleanQuery(disableCoord: true);
        foreach (var gram in grams.Distinct()) query.Add(new TermQuery(new Term(LexicalWriter.GramsField, gram)), Occur.SHOULD);
        return query;
    }

    private static int RowOf(LexicalSegment segment, int local) =>
        segment.RowOf is { } rowOf ? rowOf[local] : segment.FirstRow + local;
}
