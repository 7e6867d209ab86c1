using Dwe.Host.Storage;

namespace Dwe.Host.Index;

/// <summary>A segment of an index, opened: its files, and which rows of the index its living entities have.</summary>
internal sealed class IndexSegment : IDisposable
{
    public const string VectorsFile = "vectors.safetensors";
    public const string LexicalFolder = "lexical";

    private readonly int[]? localOf;

    public IndexSegment(string folder, IndexedSegment card, Dtype dtype, int dim, bool[] live, int firstRow)
    {
        (FirstRow, Live) = (firstRow, card.Live);
        if (card.Live < card.Rows)
        {
            localOf = [.. Enumerable.Range(0, card.Rows).Where(row => live[row])];
            RowOf = Enumerable.Repeat(-1, card.Rows).ToArray();
            for (var at = 0; at < localOf.Length; at++) RowOf[localOf[at]] = firstRow + at;
        }

        Lexical = Path.Combine(folder, LexicalFolder);
        Entities = EntityFile.Open(folder, card.Rows);
        try
        {
            Vectors = VectorFile.Open(Path.Combine(folder, VectorsFile), dtype, card.Rows, dim);
        }
        catch
        {
            Entities.Dispose();
            throw;
        }
    }

    public int FirstRow { get; }

    /// <summary>Rows of the index that are this segment's.</summary>
    public int Live { get; }

    public EntityFile Entities { get; }

    public VectorFile Vectors { get; }

    /// <summary>The Lucene index's folder.</summary>
    public string Lexical { get; }

    /// <summary>Row of the index by own row, -1 for the dead; null where all live.</summary>
    public int[]? RowOf { get; }

    /// <summary>The segment's own row of a row of the index.</summary>
    public int LocalOf(int row) => localOf is null ? row - FirstRow : localOf[row - FirstRow];

    /// <summary>The row of the index of an id, or -1.</summary>
    public int Find(string id)
    {
        foreach (var local in Entities.RowsOf(id))
        {
            var row = RowOf is null ? FirstRow + local : RowOf[local];
            if (row >= 0) return row;
        }

        return -1;
    }

    public void Dispose()
    {
        Vectors.Dispose();
        Entities.Dispose();
    }
}
