using System.Collections;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>
/// Which segments are merged, and into what. All of them when more than a third of the rows are dead; the small ones at the end
/// when there are many. Nothing is encoded again.
/// </summary>
internal static class Compaction
{
    /// <summary>A segment with fewer rows is a small one.</summary>
    private const int SmallRows = 1 << 14;

    /// <summary>More small segments at the end are merged.</summary>
    private const int MostSmall = 16;

    /// <summary>The first segment that is to be merged with all that follow it; their number where none is.</summary>
    public static int First(IReadOnlyList<KnowledgeBaseSegment> segments)
    {
        long rows = segments.Sum(segment => (long)segment.Live.Length);
        long dead = segments.Sum(segment => (long)segment.Live.Count(live => !live));
        if (dead * 3 > rows) return 0;
        var small = segments.Reverse().TakeWhile(segment => segment.Live.Length < SmallRows).Count();
        return small > MostSmall ? segments.Count - small : segments.Count;
    }

    /// <summary>The living rows from a segment on, and what they remove from the segments before it.</summary>
    public static SegmentContent Merged(IReadOnlyList<KnowledgeBaseSegment> segments, int first)
    {
        var rows = new List<(KnowledgeBaseSegment Segment, int Row)>();
        var removed = new HashSet<string>();
        for (var at = first; at < segments.Count; at++)
        {
            if (first > 0) removed.UnionWith(segments[at].Removed);
            for (var row = 0; row < segments[at].Live.Length; row++)
                if (segments[at].Live[row]) rows.Add((segments[at], row));
        }

        return new SegmentContent
        {
            Entities = new Picked(rows),
            KeyOf = row => rows[row].Segment.KeyOf(rows[row].Row),
            Fill = (row, target) => rows[row].Segment.TextVector(rows[row].Row).CopyTo(target),
            Removed = [.. removed.Where(id => IsIn(segments, first, id)).Order(StringComparer.Ordinal)],
        };
    }

    /// <summary>Whether a segment before <paramref name="first"/> has a row of the id.</summary>
    private static bool IsIn(IReadOnlyList<KnowledgeBaseSegment> segments, int first, string id) =>
        segments.Take(first).Any(segment => segment.File?.RowsOf(id).Any() == true);

    private sealed class Picked(List<(KnowledgeBaseSegment Segment, int Row)> rows) : IReadOnlyList<Entity>
    {
        public int Count => rows.Count;

        public Entity this[int at] => rows[at].Segment.Entities[rows[at].Row];

        public IEnumerator<Entity> GetEnumerator()
        {
            for (var at = 0; at < rows.Count; at++) yield return this[at];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
