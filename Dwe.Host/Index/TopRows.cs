namespace Dwe.Host.Index;

/// <summary>
/// The best <paramref name="top"/> rows of those offered, whatever their order: a heap whose root is the worst that is kept. Of
/// equal scores the lower row is better, so that rows found by several threads merge into what one would have found.
/// </summary>
internal sealed class TopRows(int top)
{
    private readonly Found[] heap = new Found[top];
    private int count;

    /// <summary>A score below this is not kept; one that equals it is for the row to decide.</summary>
    public float Least { get; private set; } = float.NegativeInfinity;

    /// <summary>Keeps the row if it is among the best.</summary>
    public void Offer(int row, float score)
    {
        var found = new Found(row, score);
        if (count < heap.Length)
        {
            heap[count] = found;
            Rise(count++);
        }
        else if (IsBetter(found, heap[0]))
        {
            heap[0] = found;
            Sink();
        }

        if (count == heap.Length) Least = heap[0].Score;
    }

    /// <summary>Keeps what is best in both.</summary>
    public void Merge(TopRows other)
    {
        foreach (var found in other.heap.AsSpan(0, other.count)) Offer(found.Row, found.Score);
    }

    /// <summary>Best first; equal scores by row.</summary>
    public Found[] Sorted()
    {
        var sorted = heap[..count];
        Array.Sort(sorted, (left, right) => IsBetter(left, right) ? -1 : IsBetter(right, left) ? 1 : 0);
        return sorted;
    }

    private static bool IsBetter(Found left, Found right) =>
        left.Score > right.Score || (left.Score == right.Score && left.Row < right.Row);

    private void Rise(int at)
    {
        for (var parent = (at - 1) / 2; at > 0 && IsBetter(heap[parent], heap[at]); parent = (at - 1) / 2)
        {
            (heap[parent], heap[at]) = (heap[at], heap[parent]);
            at = parent;
        }
    }

    private void Sink()
    {
        for (var at = 0; 2 * at + 1 < count;)
        {
            var child = 2 * at + 1;
            if (child + 1 < count && IsBetter(heap[child], heap[child + 1])) child++;
            if (!IsBetter(heap[at], heap[child])) return;
            (heap[child], heap[at]) = (heap[at], heap[child]);
            at = child;
        }
    }
}
