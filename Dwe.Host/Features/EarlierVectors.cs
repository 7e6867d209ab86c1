using Dwe.Model.Domain;

namespace Dwe.Host.Features;

/// <summary>Vectors that stores already hold, found by what they were computed from.</summary>
internal sealed class EarlierVectors : IDisposable
{
    private readonly List<FeatureStore> stores = [];
    private readonly List<Memory<float>> segments = [];
    private readonly Dictionary<ContentKey, (int Segment, int Vector)> places = [];
    private readonly int dimension;

    private EarlierVectors(int dimension) => this.dimension = dimension;

    /// <summary>Values per vector.</summary>
    public int Dimension => dimension;

    /// <summary>
    /// Opens the store's own earlier content, if it has one that is sound, and the others, which must; keeps what the same
    /// encoder made.
    /// </summary>
    /// <exception cref="UserErrorException">As <see cref="FeatureStore.Open"/>.</exception>
    public static EarlierVectors Open(string own, IReadOnlyList<string> others, string encoderId, int dimension)
    {
        var earlier = new EarlierVectors(dimension);
        try
        {
            if (File.Exists(Path.Combine(own, FeatureManifest.FileName)))
            {
                try
                {
                    earlier.Add(own, encoderId);
                }
                catch (UserErrorException)
                {
                    // Damaged or of another version: it is about to be written again, which is the remedy.
                }
            }
            foreach (var other in others) earlier.Add(other, encoderId);
            return earlier;
        }
        catch
        {
            earlier.Dispose();
            throw;
        }
    }

    /// <summary>Whether a vector for this input is there.</summary>
    public bool Contains(ContentKey key) => places.ContainsKey(key);

    /// <summary>Copies a vector out. False when it is not there.</summary>
    public bool TryRead(ContentKey key, Span<float> vector)
    {
        if (!places.TryGetValue(key, out var place)) return false;
        segments[place.Segment].Span.Slice(place.Vector * dimension, dimension).CopyTo(vector);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var store in stores) store.Dispose();
    }

    private void Add(string folder, string encoderId)
    {
        var store = FeatureStore.Open(folder);
        stores.Add(store);
        foreach (var table in store.Tables.Select(store.Table))
        {
            foreach (var kind in table.Kinds.Select(table.Kind))
            {
                if (kind.Manifest.Encoder == encoderId && kind.Dim == dimension && !kind.Keys.IsEmpty) Add(kind);
            }
        }
    }

    private void Add(FeatureKind kind)
    {
        var keys = kind.Keys.Span;
        var vector = 0;
        foreach (var segment in kind.Segments)
        {
            segments.Add(segment);
            for (var i = 0; i < segment.Length / dimension; i++, vector++)
            {
                var key = new ContentKey(keys[2 * vector], keys[2 * vector + 1]);
                if (key != default) places.TryAdd(key, (segments.Count - 1, i));
            }
        }
    }
}
