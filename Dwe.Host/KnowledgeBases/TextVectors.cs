using Dwe.Host.Features;
using Dwe.Host.Features.Text;
using Dwe.Model.Domain;

namespace Dwe.Host.KnowledgeBases;

/// <summary>How the texts of a knowledge base are encoded. The encoder is opened when the first text needs it.</summary>
internal sealed record TextEncoding
{
    public required string Encoder { get; init; }

    public required int Dimension { get; init; }

    /// <summary>The template of the texts.</summary>
    public required string EntityText { get; init; }

    /// <summary>Gives the encoder, which stays the giver's.</summary>
    public required Func<ITextEncoder> Open { get; init; }

    /// <summary>A feature store whose vectors are taken before any is encoded; null for none.</summary>
    public string? Store { get; init; }
}

/// <summary>
/// Vectors of texts: from the knowledge base itself, a journal that a killed writer has left, a feature store, and else from the
/// encoder, whose work goes into the journal at once.
/// </summary>
internal sealed class TextVectors : IDisposable
{
    public const string JournalFile = "journal.bin";

    private const int BatchTexts = 512;

    private readonly TextEncoding encoding;
    private readonly VectorJournal journal;
    private readonly EarlierVectors earlier;
    private readonly KnownVectors known;
    private readonly KnowledgeBase? former;
    private readonly Lazy<Dictionary<ContentKey, (int Segment, int Row)>> places;
    private ITextEncoder? encoder;

    /// <summary>Opens the journal of a knowledge base's folder.</summary>
    public TextVectors(string folder, TextEncoding encoding, KnowledgeBase? former)
    {
        (this.encoding, this.former) = (encoding, former);
        journal = VectorJournal.Open(Path.Combine(folder, JournalFile));
        try
        {
            // A knowledge base's folder holds no feature store of its own.
            earlier = EarlierVectors.Open(
                Path.Combine(folder, "none"), encoding.Store is null ? [] : [encoding.Store], encoding.Encoder, encoding.Dimension);
        }
        catch
        {
            journal.Dispose();
            throw;
        }

        known = new KnownVectors(journal, [], [earlier]);
        places = new(PlacesInFormer);
    }

    /// <summary>Texts that this writer has encoded.</summary>
    public int Encoded { get; private set; }

    /// <summary>Encodes what is known from nowhere; returns the keys of each entity's texts.</summary>
    /// <param name="entities">The different texts of each.</param>
    /// <param name="progress">Hears how many of the texts have a vector, after every batch.</param>
    /// <param name="stop">Stops between batches; what was encoded is kept.</param>
    /// <exception cref="UserErrorException">StoreMismatch for another encoder; ExternalFailed for vectors that are no numbers.</exception>
    public ContentKey[][] Require(IReadOnlyList<string[]> entities, Action<long, long> progress, CancellationToken stop)
    {
        ContentKey[][] keys = [.. entities.Select(texts => TextMean.KeysOf(encoding.Encoder, texts))];
        var wanted = new Dictionary<ContentKey, string>();
        for (var row = 0; row < keys.Length; row++)
        {
            // Of a mean that is known no text is needed.
            if (keys[row].Length > 1 && Has(TextMean.KeyOf(keys[row]))) continue;
            foreach (var text in entities[row]) wanted.TryAdd(ContentKey.OfText(encoding.Encoder, text), text);
        }

        var missing = wanted.Where(text => !Has(text.Key)).ToArray();
        long done = wanted.Count - missing.Length;
        progress(done, wanted.Count);
        foreach (var batch in missing.Chunk(BatchTexts))
        {
            stop.ThrowIfCancellationRequested();
            encoder ??= OpenEncoder();
            var vectors = encoder.Encode([.. batch.Select(text => text.Value)], stop);
            FeatureJob.RequireNumbers(encoder, batch, vectors);
            journal.Append([.. batch.Select(text => text.Key)], vectors, encoding.Dimension);
            Encoded += batch.Length;
            done += batch.Length;
            progress(done, wanted.Count);
        }

        if (missing.Length > 0) journal.Flush();
        return keys;
    }

    /// <summary>Puts the mean of vectors that are known into its place.</summary>
    public void Fill(ContentKey[] texts, Span<float> target)
    {
        if (!TryRead(TextMean.KeyOf(texts), target)) TextMean.Fill(texts, target, TryRead);
    }

    /// <summary>Removes the journal: its vectors are in segments that the manifest names.</summary>
    public void Finish() => journal.Delete();

    public void Dispose()
    {
        earlier.Dispose();
        journal.Dispose();
    }

    private bool Has(ContentKey key) => places.Value.ContainsKey(key) || known.Contains(key, encoding.Dimension);

    private bool TryRead(ContentKey key, Span<float> target)
    {
        if (!places.Value.TryGetValue(key, out var place)) return known.TryRead(key, target);
        former!.Segments[place.Segment].TextVector(place.Row).CopyTo(target);
        return true;
    }

    private ITextEncoder OpenEncoder()
    {
        var opened = encoding.Open();
        return opened.Id == encoding.Encoder && opened.Dimension == encoding.Dimension
            ? opened
            : throw new UserErrorException(UserError.NewStoreMismatch(
                "--encoder", $"{opened.Id} with {opened.Dimension} values", $"{encoding.Encoder} with {encoding.Dimension}",
                "Name the encoder that the run, the store or the knowledge base was made with."));
    }

    private Dictionary<ContentKey, (int Segment, int Row)> PlacesInFormer()
    {
        var found = new Dictionary<ContentKey, (int, int)>();
        for (var at = 0; at < (former?.Segments.Count ?? 0); at++)
        {
            var segment = former!.Segments[at];
            for (var row = 0; row < segment.Entities.Count; row++)
                if (segment.KeyOf(row) is var key && key != default) found.TryAdd(key, (at, row));
        }

        return found;
    }
}
