namespace Dwe.Host.Features;

/// <summary>Every vector that a job has or finds: its own journal, journals of shards, earlier content of stores.</summary>
internal sealed class KnownVectors(VectorJournal journal, IReadOnlyList<VectorJournal> shards, IReadOnlyList<EarlierVectors> earlier)
{
    /// <summary>In the journal of this job, or of a shard.</summary>
    public bool IsJournaled(ContentKey key, int dimension) =>
        journal.Contains(key, dimension) || shards.Any(shard => shard.Contains(key, dimension));

    public bool Contains(ContentKey key, int dimension) =>
        IsJournaled(key, dimension) || earlier.Any(store => store.Dimension == dimension && store.Contains(key));

    /// <summary>Copies a vector out. False when it is nowhere.</summary>
    public bool TryRead(ContentKey key, Span<float> vector)
    {
        if (journal.TryRead(key, vector)) return true;
        foreach (var shard in shards)
            if (shard.TryRead(key, vector)) return true;
        foreach (var store in earlier)
            if (store.Dimension == vector.Length && store.TryRead(key, vector)) return true;
        return false;
    }
}
