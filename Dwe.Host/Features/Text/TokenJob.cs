using System.Globalization;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Text;

/// <summary>Encodes the tokens of mentions' texts: each different text once, into the job's journal.</summary>
internal sealed class TokenJob(TokenWindow window, VectorJournal journal, KnownVectors known)
{
    private const int BatchTexts = 64;

    private readonly Dictionary<string, SortedSet<int>> wanted = new(StringComparer.Ordinal);

    /// <summary>What makes the vectors.</summary>
    public string Id => window.Id;

    public int Dimension => window.Encoder.Dimension;

    /// <summary>Texts whose tokens are wanted.</summary>
    public int Texts => wanted.Count;

    /// <summary>The key of every vector that stands for a mention; they are encoded by <see cref="Run"/>.</summary>
    public ContentKey[] Want(Mention mention)
    {
        var text = FeatureJob.TextOf(mention.Text, mention.Sentence);
        var places = window.Places(mention.Text, mention.Sentence);
        if (places.Length == 0) return [];
        if (!wanted.TryGetValue(text, out var own)) wanted[text] = own = [];
        own.UnionWith(places);
        return [.. places.Select(place => Key(text, place))];
    }

    /// <summary>Encodes what is known nowhere.</summary>
    /// <param name="shard">The share of the texts to do; null for all.</param>
    /// <param name="merging">Nothing may be missing: shards have done it.</param>
    /// <param name="progress">Hears how many texts are done after each batch, and once before the first.</param>
    /// <param name="cancel">Stops between batches; a later run continues.</param>
    /// <returns>Texts that this run encoded.</returns>
    /// <exception cref="UserErrorException">An encoder that gives values that are no numbers, or shards that lack some.</exception>
    public int Run(Shard? shard, bool merging, Action<long>? progress, CancellationToken cancel)
    {
        var remaining = wanted
            .Where(text => shard is not { } share || share.Has((ulong)Key(text.Key, 0).Low))
            .Where(text => text.Value.Any(place => !known.Contains(Key(text.Key, place), Dimension))).ToArray();
        if (merging && remaining.Length > 0)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"the shards lack the tokens of {remaining.Length} of {wanted.Count} texts",
                "Run every shard to its end, with the same options, and merge all of them."));
        }

        long done = wanted.Count - remaining.Length;
        progress?.Invoke(done);
        foreach (var batch in remaining.Chunk(BatchTexts))
        {
            cancel.ThrowIfCancellationRequested();
            var tokens = window.Encoder.EncodeTokens([.. batch.Select(text => text.Key)], cancel);
            KeyValuePair<ContentKey, string>[] keys =
            [
                .. batch.SelectMany(text => text.Value.Select(place => KeyValuePair.Create(Key(text.Key, place), text.Key))),
            ];
            float[] vectors = [.. batch.SelectMany((text, at) => window.Pick(tokens[at], [.. text.Value]))];
            FeatureJob.RequireNumbers(window.Encoder, keys, vectors);
            journal.Append([.. keys.Select(key => key.Key)], vectors, Dimension);
            done += batch.Length;
            progress?.Invoke(done);
        }

        journal.Flush();
        return remaining.Length;
    }

    private ContentKey Key(string text, int place) =>
        ContentKey.OfText(window.Id, place.ToString(CultureInfo.InvariantCulture) + "\0" + text);
}
