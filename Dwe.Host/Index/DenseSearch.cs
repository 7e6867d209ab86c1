using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Dwe.Host.Storage;
using Dwe.Model;

namespace Dwe.Host.Index;

/// <summary>Vectors of one segment, and the rows they have in the index: its own number from the first on, or as listed.</summary>
/// <param name="Vectors">All of them, the dead ones too.</param>
/// <param name="FirstRow">The row of the first living one.</param>
/// <param name="RowOf">The row of each vector, -1 for the dead; null where all live.</param>
internal sealed record DenseSegment(VectorFile Vectors, int FirstRow, int[]? RowOf);

/// <summary>
/// The nearest rows, exactly: every row is compared. A batch goes through tiles of queries and rows; one query through its rows
/// as they lie in the file, as fast as memory brings them. Each worker takes blocks of rows as it gets to them and keeps its
/// own best; what is found does not depend on how many there are.
/// </summary>
internal sealed unsafe class DenseSearch(IReadOnlyList<DenseSegment> segments, int dim)
{
    /// <summary>With rows of 512 numbers 256 KB, which stay in the second cache while all queries pass.</summary>
    private const int RowsOfBatch = 128;

    private const int RowsOfOne = 2048;

    /// <summary>Queries whose scores of a block and best rows are held at once.</summary>
    private const int QueriesAtOnce = 256;

    /// <summary>Fewer leave most of a tile empty.</summary>
    private const int FewQueries = 4;

    private readonly int padded = (dim + DotRows.Lanes - 1) / DotRows.Lanes * DotRows.Lanes;

    private bool RowsFillLanes => padded == dim;

    /// <summary>As <see cref="IEntityIndex.Nearest"/>.</summary>
    public Found[][] Nearest(ReadOnlySpan<float> queries, int top, int workers)
    {
        var count = queries.Length / dim;
        var nearest = new Found[count][];
        for (var first = 0; first < count; first += QueriesAtOnce)
        {
            var group = Math.Min(QueriesAtOnce, count - first);
            NearestOfGroup(queries.Slice(first * dim, group * dim), top, workers).CopyTo(nearest, first);
        }

        return nearest;
    }

    private Found[][] NearestOfGroup(ReadOnlySpan<float> queries, int top, int workers)
    {
        var count = queries.Length / dim;
        var lanes = new float[count * padded];
        for (var query = 0; query < count; query++) queries.Slice(query * dim, dim).CopyTo(lanes.AsSpan(query * padded));
        var scan = new Scan(lanes, count, Blocks(count == 1 && RowsFillLanes ? RowsOfOne : RowsOfBatch), top);
        workers = Math.Clamp(workers, 1, Math.Max(1, scan.Blocks.Count));
        var found = new TopRows[workers][];
        if (workers == 1) found[0] = Search(scan);
        else Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, at => found[at] = Search(scan));
        for (var at = 1; at < workers; at++)
            for (var query = 0; query < count; query++) found[0][query].Merge(found[at][query]);
        return [.. found[0].Select(best => best.Sorted())];
    }

    private sealed class Scan(float[] queries, int count, List<(DenseSegment, int, int)> blocks, int top)
    {
        private int next = -1;

        public float[] Queries => queries;

        public int Count => count;

        public int Top => top;

        public List<(DenseSegment Segment, int First, int Rows)> Blocks => blocks;

        public int Next() => Interlocked.Increment(ref next);
    }

    private List<(DenseSegment, int, int)> Blocks(int size)
    {
        var blocks = new List<(DenseSegment, int, int)>();
        foreach (var segment in segments)
            for (var first = 0; first < segment.Vectors.Rows; first += size)
                blocks.Add((segment, first, Math.Min(size, segment.Vectors.Rows - first)));
        return blocks;
    }

    private TopRows[] Search(Scan scan)
    {
        var best = new TopRows[scan.Count];
        for (var query = 0; query < best.Length; query++) best[query] = new TopRows(scan.Top);
        var few = RowsFillLanes && scan.Count < FewQueries;
        var scores = new float[few ? RowsOfOne : scan.Count * RowsOfBatch];
        var widened = few ? [] : new float[RowsOfBatch * padded];
        for (var at = scan.Next(); at < scan.Blocks.Count; at = scan.Next())
        {
            var (segment, first, rows) = scan.Blocks[at];
            if (few) ScoreFew(scan, segment, first, rows, scores, best);
            else ScoreMany(scan, segment, first, rows, widened, scores, best);
        }

        return best;
    }

    /// <summary>Query by query, straight from the file.</summary>
    private void ScoreFew(Scan scan, DenseSegment segment, int first, int rows, float[] scores, TopRows[] best)
    {
        var own = scores.AsSpan(0, rows);
        for (var query = 0; query < scan.Count; query++)
        {
            var numbers = scan.Queries.AsSpan(query * padded, padded);
            switch (segment.Vectors.Dtype)
            {
                case Dtype.F32: Score<float, SingleNumbers>(numbers, segment.Vectors, first, own); break;
                case Dtype.F16: Score<Half, HalfNumbers>(numbers, segment.Vectors, first, own); break;
                default: Score<sbyte, ByteNumbers>(numbers, segment.Vectors, first, own); break;
            }

            Offer(segment, first, own, best[query]);
        }
    }

    private void Score<TNumber, TNumbers>(ReadOnlySpan<float> query, VectorFile vectors, int first, Span<float> scores)
        where TNumber : unmanaged
        where TNumbers : IRowNumbers<TNumber>
    {
        var scaled = new float[padded];
        TensorPrimitives.Multiply(query, TNumbers.QueryScale, scaled);
        fixed (float* numbers = scaled) DotRows.Fill<TNumber, TNumbers>(numbers, padded, vectors.At<TNumber>(first), scores);
    }

    /// <summary>All queries with a block of rows, which is widened once for all of them.</summary>
    private void ScoreMany(
        Scan scan, DenseSegment segment, int first, int rows, float[] widened, float[] scores, TopRows[] best)
    {
        fixed (float* scratch = widened, queries = scan.Queries)
        {
            var block = scratch;
            if (RowsFillLanes && segment.Vectors.Dtype == Dtype.F32) block = segment.Vectors.At<float>(first);
            else for (var row = 0; row < rows; row++) segment.Vectors.Widen(first + row, widened.AsSpan(row * padded, dim));

            if (DotProducts.Fit(padded, scan.Count, rows))
                DotProducts.Fill(padded, scan.Queries, new ReadOnlySpan<float>(block, rows * padded), scores);
            else
                for (var query = 0; query < scan.Count; query++)
                    DotRows.Fill<float, SingleNumbers>(queries + query * padded, padded, block, scores.AsSpan(query * rows, rows));
        }

        for (var query = 0; query < scan.Count; query++) Offer(segment, first, scores.AsSpan(query * rows, rows), best[query]);
    }

    /// <summary>Most scores are below all that is kept: sixteen are passed over in one comparison.</summary>
    private static void Offer(DenseSegment segment, int first, Span<float> scores, TopRows best)
    {
        var scales = segment.Vectors.ScalesOf(first, scores.Length);
        if (scales.Length > 0) TensorPrimitives.Multiply(scores, scales, scores);
        var at = 0;
        for (; at + DotRows.Lanes <= scores.Length; at += DotRows.Lanes)
        {
            var sixteen = Vector512.Create<float>(scores.Slice(at, DotRows.Lanes));
            if (!Vector512.LessThanAll(sixteen, Vector512.Create(best.Least)))
                for (var one = at; one < at + DotRows.Lanes; one++) OfferOne(segment, first, one, scores, best);
        }

        for (; at < scores.Length; at++) OfferOne(segment, first, at, scores, best);
    }

    private static void OfferOne(DenseSegment segment, int first, int at, Span<float> scores, TopRows best)
    {
        var row = segment.RowOf is { } rowOf ? rowOf[first + at] : segment.FirstRow + first + at;
        if (row >= 0 && scores[at] >= best.Least) best.Offer(row, scores[at]);
    }
}
