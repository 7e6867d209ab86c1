namespace Dwe.Host.Retrieval;

/// <summary>
/// The best likeness of the shorter text with a stretch of the longer one that is as long. Stretches begin where a common
/// stretch of one optimal edit path says; which path is taken decides scores, so it is that of python-Levenshtein:
/// walked from the end, a run of insertions or deletions is gone on with; else a match, a replacement, an insertion, a
/// deletion is taken, the first that is optimal.
/// </summary>
internal sealed class PartialRatio(int alphabet)
{
    private const int Insertion = 1;
    private const int Deletion = 2;

    /// <summary>A likeness above this counts as wholly alike.</summary>
    private const double Whole = 0.995;

    private readonly PatternMasks name = new(alphabet);
    private ulong[] diagonal = [];
    private ulong[] horizontal = [];
    private ulong[] vertical = [];
    private int[] distances = [];
    private int[] starts = [];
    private int startCount;

    /// <summary>
    /// Whole percents. <paramref name="query"/> holds the first text's masks; where both are equally long it counts as the
    /// shorter one.
    /// </summary>
    public int Percent(PatternMasks query, ushort[] other)
    {
        if (query.Text.SequenceEqual(other))
        {
            return 100;
        }

        if (query.Text.IsEmpty || other.Length == 0)
        {
            return 0;
        }

        if (query.Text.Length <= other.Length)
        {
            return Best(query, query.Text, other);
        }

        name.Set(other);
        return Best(name, other, query.Text);
    }

    private int Best(PatternMasks masks, ReadOnlySpan<ushort> shorter, ReadOnlySpan<ushort> longer)
    {
        FindStarts(masks, shorter, longer);
        var best = 0.0;
        for (var at = 0; at < startCount; at++)
        {
            var stretch = longer[starts[at]..Math.Min(longer.Length, starts[at] + shorter.Length)];
            var share = FuzzyScale.Share(masks.Common(stretch), shorter.Length + stretch.Length);
            if (share > Whole)
            {
                return 100;
            }

            best = Math.Max(best, share);
        }

        return FuzzyScale.Round(best);
    }

    private void FindStarts(PatternMasks masks, ReadOnlySpan<ushort> shorter, ReadOnlySpan<ushort> longer)
    {
        var prefix = shorter.CommonPrefixLength(longer);
        var suffix = 0;
        while (suffix < shorter.Length - prefix && shorter[^(suffix + 1)] == longer[^(suffix + 1)])
        {
            suffix++;
        }

        startCount = 0;
        if (starts.Length < shorter.Length + 2)
        {
            starts = new int[shorter.Length + 2];
        }

        Start(longer.Length - shorter.Length);
        if (prefix > 0)
        {
            Start(0);
        }

        var rows = shorter[prefix..^suffix];
        var columns = longer[prefix..^suffix];
        if (rows.IsEmpty)
        {
            return;
        }

        if (shorter.Length <= 64)
        {
            FillBits(masks.Single, rows.Length, prefix, columns);
            WalkBits(rows, columns);
        }
        else
        {
            FillTable(rows, columns);
            WalkTable(rows, columns);
        }
    }

    /// <summary>A stretch to try; a path that began before the longer text begins at its beginning.</summary>
    private void Start(int at)
    {
        at = Math.Max(0, at);
        if (!starts.AsSpan(0, startCount).Contains(at))
        {
            starts[startCount++] = at;
        }
    }

    /// <summary>Where the diagonal costs nothing, and where going right or down costs one, per column.</summary>
    private void FillBits(ReadOnlySpan<ulong> masks, int rows, int shift, ReadOnlySpan<ushort> columns)
    {
        if (diagonal.Length < columns.Length)
        {
            (diagonal, horizontal, vertical) = (new ulong[columns.Length], new ulong[columns.Length], new ulong[columns.Length]);
        }

        var inside = rows == 64 ? ulong.MaxValue : (1UL << rows) - 1;
        var (up, down) = (ulong.MaxValue, 0UL);
        for (var column = 0; column < columns.Length; column++)
        {
            var matches = (masks[columns[column]] >> shift) & inside;
            var free = (((matches & up) + up) ^ up) | matches | down;
            var right = down | ~(free | up);
            var left = free & up;
            diagonal[column] = free;
            horizontal[column] = right;
            right = (right << 1) | 1;
            left <<= 1;
            up = left | ~(free | right);
            down = right & free;
            vertical[column] = up;
        }
    }

    private void WalkBits(ReadOnlySpan<ushort> rows, ReadOnlySpan<ushort> columns)
    {
        for (int i = rows.Length, j = columns.Length, run = 0; i > 0 && j > 0;)
        {
            var bit = 1UL << (i - 1);
            var inserts = (horizontal[j - 1] & bit) != 0;
            var deletes = (vertical[j - 1] & bit) != 0;
            if (run == Insertion && inserts)
            {
                j--;
            }
            else if (run == Deletion && deletes)
            {
                i--;
            }
            else if (rows[i - 1] == columns[j - 1])
            {
                Start(j - i);
                (i, j, run) = (i - 1, j - 1, 0);
            }
            else if ((diagonal[j - 1] & bit) == 0)
            {
                (i, j, run) = (i - 1, j - 1, 0);
            }
            else if (inserts)
            {
                (j, run) = (j - 1, Insertion);
            }
            else
            {
                (i, run) = (i - 1, Deletion);
            }
        }
    }

    /// <summary>The same for texts of more than 64 letters, in whole numbers.</summary>
    private void FillTable(ReadOnlySpan<ushort> rows, ReadOnlySpan<ushort> columns)
    {
        var width = columns.Length + 1;
        if (distances.Length < (rows.Length + 1) * width)
        {
            distances = new int[(rows.Length + 1) * width];
        }

        for (var j = 0; j < width; j++)
        {
            distances[j] = j;
        }

        for (var i = 1; i <= rows.Length; i++)
        {
            distances[i * width] = i;
            for (var j = 1; j < width; j++)
            {
                var replaced = distances[(i - 1) * width + j - 1] + (rows[i - 1] == columns[j - 1] ? 0 : 1);
                var moved = Math.Min(distances[(i - 1) * width + j], distances[i * width + j - 1]) + 1;
                distances[i * width + j] = Math.Min(replaced, moved);
            }
        }
    }

    private void WalkTable(ReadOnlySpan<ushort> rows, ReadOnlySpan<ushort> columns)
    {
        var width = columns.Length + 1;
        for (int i = rows.Length, j = columns.Length, run = 0; i > 0 && j > 0;)
        {
            var here = distances[i * width + j];
            var inserts = here == distances[i * width + j - 1] + 1;
            var deletes = here == distances[(i - 1) * width + j] + 1;
            if (run == Insertion && inserts)
            {
                j--;
            }
            else if (run == Deletion && deletes)
            {
                i--;
            }
            else if (rows[i - 1] == columns[j - 1])
            {
                Start(j - i);
                (i, j, run) = (i - 1, j - 1, 0);
            }
            else if (here == distances[(i - 1) * width + j - 1] + 1)
            {
                (i, j, run) = (i - 1, j - 1, 0);
            }
            else if (inserts)
            {
                (j, run) = (j - 1, Insertion);
            }
            else
            {
                (i, run) = (i - 1, Deletion);
            }
        }
    }
}
