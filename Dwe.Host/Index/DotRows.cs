using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dwe.Host.Index;

/// <summary>
/// Dot products of one query with stored rows: sixteen running sums a row, in the order of <c>Tile.fill</c>, so that a score is
/// the same bits alone and in a batch. Without AVX-512 the same sums are kept in halves or quarters.
/// </summary>
internal static unsafe class DotRows
{
    /// <summary>Numbers a step; rows are a whole number of these long.</summary>
    public const int Lanes = 16;

    /// <summary>scores[i] = query · row i, for rows that lie one after the other.</summary>
    /// <param name="query">[dim], times <see cref="IRowNumbers{TNumber}.QueryScale"/>.</param>
    /// <param name="dim">A multiple of <see cref="Lanes"/>.</param>
    /// <param name="rows">[count; dim]</param>
    /// <param name="scores">[count]</param>
    public static void Fill<TNumber, TNumbers>(float* query, int dim, TNumber* rows, Span<float> scores)
        where TNumber : unmanaged
        where TNumbers : IRowNumbers<TNumber>
    {
        var at = 0;
        for (; at + 4 <= scores.Length; at += 4)
        {
            var first = rows + (long)at * dim;
            Four<TNumber, TNumbers>(query, dim, first, first + dim, first + 2 * dim, first + 3 * dim, scores[at..]);
        }

        Span<float> rest = stackalloc float[4];
        for (; at < scores.Length; at++)
        {
            var only = rows + (long)at * dim;
            Four<TNumber, TNumbers>(query, dim, only, only, only, only, rest);
            scores[at] = rest[0];
        }
    }

    // Four rows at once hide the latency of the sums. Compiled fully at once, like Tile.fill.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<TNumber, TNumbers>(
        float* query, int dim, TNumber* row0, TNumber* row1, TNumber* row2, TNumber* row3, Span<float> scores)
        where TNumber : unmanaged
        where TNumbers : IRowNumbers<TNumber>
    {
        var (sum0, sum1) = (Vector512<float>.Zero, Vector512<float>.Zero);
        var (sum2, sum3) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var at = 0; at < dim; at += Lanes)
        {
            var own = Vector512.Load(query + at);
            sum0 = Vector512.FusedMultiplyAdd(own, TNumbers.Load(row0 + at), sum0);
            sum1 = Vector512.FusedMultiplyAdd(own, TNumbers.Load(row1 + at), sum1);
            sum2 = Vector512.FusedMultiplyAdd(own, TNumbers.Load(row2 + at), sum2);
            sum3 = Vector512.FusedMultiplyAdd(own, TNumbers.Load(row3 + at), sum3);
        }

        scores[0] = Vector512.Sum(sum0);
        scores[1] = Vector512.Sum(sum1);
        scores[2] = Vector512.Sum(sum2);
        scores[3] = Vector512.Sum(sum3);
    }
}
