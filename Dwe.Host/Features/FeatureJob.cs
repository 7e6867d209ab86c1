using Dwe.Host.Data;
using Dwe.Host.Features.Text;
using Dwe.Model.Domain;

namespace Dwe.Host.Features;

/// <summary>What a feature job is to make.</summary>
internal sealed record FeatureJobOptions
{
    /// <summary>The store's folder; created, continued or brought up to date.</summary>
    public required string Store { get; init; }

    /// <summary>The template of entity texts.</summary>
    public required string EntityText { get; init; }

    /// <summary>Splits to encode; null for all that the data set has.</summary>
    public IReadOnlyList<string>? Splits { get; init; }

    /// <summary>Other stores whose vectors may be used.</summary>
    public IReadOnlyList<string> Reuse { get; init; } = [];
}

/// <summary>What a feature job did.</summary>
/// <param name="Texts">Different texts that were needed.</param>
/// <param name="Encoded">Of those, texts encoded by this run.</param>
/// <param name="Continued">Of those, found in the journal of a run that did not end.</param>
/// <param name="Reused">Of those, found in this store's earlier content or in another store.</param>
/// <param name="MissingDescriptions">Entities that have none of the template's description fields.</param>
internal sealed record FeatureJobResult(int Texts, int Encoded, int Continued, int Reused, int MissingDescriptions);

/// <summary>
/// Encodes a data set's texts into a feature store: <c>mention</c> and <c>text</c> (<c>mention [SEP] sentence</c>) of every
/// mention, <c>text</c> of every entity. Each different text is encoded once; what a killed run, the store's earlier
/// content or another store already has is taken from there. Two runs write the same bytes.
/// </summary>
internal static class FeatureJob
{
    /// <summary>Changes when texts are put together differently.</summary>
    public const string Preprocessing = "text-1";

    public const string MentionKind = "mention";
    public const string TextKind = "text";
    private const string JournalFile = "journal.bin";
    private const int BatchTexts = 512;

    /// <summary>Runs the job.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="encoder">One vector per text, depending on that text alone.</param>
    /// <param name="options">What to make.</param>
    /// <param name="progress">Hears (texts done, texts in all) after each batch, and once before the first.</param>
    /// <param name="cancel">Stops between batches; a later run continues.</param>
    /// <exception cref="UserErrorException">
    /// A wrong template, a split the data set does not have, a store to re-use that is broken, a store that another job is
    /// writing, or an encoder that gives values that are no numbers.
    /// </exception>
    public static FeatureJobResult Run(
        Dataset dataset, ITextEncoder encoder, FeatureJobOptions options,
        Action<long, long>? progress = null, CancellationToken cancel = default)
    {
        var template = EntityTemplate.Parse(options.EntityText, dataset.FieldNames);
        var splits = options.Splits ?? [.. Splits.All.Where(dataset.Mentions.ContainsKey)];
        foreach (var split in splits)
        {
            if (!dataset.Mentions.ContainsKey(split))
                throw new UserErrorException(UserError.NewKeyUnknown(
                    "--splits", split, Microsoft.FSharp.Collections.ListModule.OfSeq(dataset.Mentions.Keys)));
        }

        var entityTexts = dataset.Entities.Select(template.Fill).ToArray();
        var plans = new List<TablePlan>();
        foreach (var split in Splits.All.Where(splits.Contains))
        {
            var mentions = dataset.Mentions[split];
            plans.Add(new TablePlan(split, [.. mentions.Select(mention => mention.Key)], [])
            {
                Kinds =
                {
                    new KindPlan(MentionKind, encoder.Id, [.. mentions.Select(mention => mention.Text)]),
                    new KindPlan(TextKind, encoder.Id, [.. mentions.Select(TextOf)]),
                },
            });
        }
        var missing = entityTexts.Count(text => text.MissesDescription);
        plans.Add(new TablePlan(
            FeatureStore.Entities, [.. dataset.Entities.Select(entity => entity.Id)], new() { ["missing descriptions"] = missing })
        {
            Kinds = { new KindPlan(TextKind, encoder.Id, [.. entityTexts.Select(text => text.Text)]) },
        });

        RequireStoreOrEmpty(options.Store);
        Directory.CreateDirectory(options.Store);
        using var journal = VectorJournal.Open(Path.Combine(options.Store, JournalFile));
        FeatureStoreWriter.Finish(options.Store);
        using var earlier = EarlierVectors.Open(options.Store, options.Reuse, encoder.Id, encoder.Dimension);
        var result = Encode(plans, encoder, journal, earlier, progress, cancel) with { MissingDescriptions = missing };

        using (var writer = new FeatureStoreWriter(options.Store))
        {
            foreach (var plan in plans) Write(writer, plan, encoder, journal, earlier);
            writer.Commit(new FeatureManifest
            {
                Format = FeatureManifest.CurrentFormat,
                Dataset = dataset.Format,
                DatasetHash = dataset.ContentHash,
                Preprocessing = Preprocessing,
                EntityText = template.Text,
                Tables = writer.Tables,
            });
        }
        journal.Delete();
        return result;
    }

    /// <summary>A mention that is a box in a photo has no text, and so no vector.</summary>
    private static string TextOf(Mention mention) =>
        mention.Text.Length == 0 && mention.Sentence.Length == 0 ? "" : $"{mention.Text} [SEP] {mention.Sentence}";

    /// <summary>Tables replace folders named train, dev, test and entities: never those of something else.</summary>
    public static void RequireStoreOrEmpty(string store)
    {
        if (File.Exists(store))
            throw new UserErrorException(UserError.NewUsageWrong($"{store} is a file", "Name a folder with --out."));
        if (!Directory.Exists(store) || !Directory.EnumerateFileSystemEntries(store).Any()) return;
        if (!File.Exists(Path.Combine(store, JournalFile)) && !File.Exists(Path.Combine(store, FeatureManifest.FileName)))
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{store} holds files and is no feature store", "Name a new folder with --out."));
    }

    private static FeatureJobResult Encode(
        List<TablePlan> plans, ITextEncoder encoder, VectorJournal journal, EarlierVectors earlier,
        Action<long, long>? progress, CancellationToken cancel)
    {
        var wanted = new Dictionary<ContentKey, string>();
        foreach (var kind in plans.SelectMany(plan => plan.Kinds))
        {
            for (var row = 0; row < kind.Texts.Length; row++)
            {
                if (kind.IsPresent(row)) wanted.TryAdd(kind.Keys[row], kind.Texts[row]);
            }
        }
        var continued = wanted.Keys.Count(key => journal.Contains(key, encoder.Dimension));
        var reused = wanted.Keys.Count(key => !journal.Contains(key, encoder.Dimension) && earlier.Contains(key));
        var remaining = wanted
            .Where(item => !journal.Contains(item.Key, encoder.Dimension) && !earlier.Contains(item.Key)).ToArray();

        long done = wanted.Count - remaining.Length;
        progress?.Invoke(done, wanted.Count);
        foreach (var batch in remaining.Chunk(BatchTexts))
        {
            cancel.ThrowIfCancellationRequested();
            var vectors = encoder.Encode([.. batch.Select(item => item.Value)], cancel);
            RequireNumbers(encoder, batch, vectors);
            journal.Append([.. batch.Select(item => item.Key)], vectors, encoder.Dimension);
            done += batch.Length;
            progress?.Invoke(done, wanted.Count);
        }
        journal.Flush();
        return new FeatureJobResult(wanted.Count, remaining.Length, continued, reused, 0);
    }

    private static void RequireNumbers(ITextEncoder encoder, KeyValuePair<ContentKey, string>[] batch, float[] vectors)
    {
        if (vectors.Length != batch.Length * encoder.Dimension)
            throw new InvalidOperationException(
                $"{encoder.Id} gave {vectors.Length} values for {batch.Length} texts of {encoder.Dimension}");
        var bad = Array.FindIndex(vectors, value => !float.IsFinite(value));
        if (bad >= 0)
            throw new UserErrorException(UserError.NewExternalFailed(
                $"encoder {encoder.Id}",
                $"the vector of '{batch[bad / encoder.Dimension].Value}' holds {vectors[bad]}",
                "Check the encoder's weights; what was encoded before is kept."));
    }

    private static void Write(
        FeatureStoreWriter writer, TablePlan plan, ITextEncoder encoder, VectorJournal journal, EarlierVectors earlier)
    {
        writer.Table(plan.Name, plan.Rows, plan.Counts);
        foreach (var kind in plan.Kinds)
        {
            bool[] present = [.. Enumerable.Range(0, kind.Texts.Length).Select(kind.IsPresent)];
            writer.Dense(
                plan.Name, kind.Name, encoder.Id, encoder.Dimension, kind.Keys, present.All(there => there) ? null : present,
                (row, vector) =>
                {
                    if (!journal.TryRead(kind.Keys[row], vector) && !earlier.TryRead(kind.Keys[row], vector))
                        throw new InvalidOperationException($"no vector for '{kind.Texts[row]}'");
                });
        }
    }

    /// <summary>One table to be written.</summary>
    private sealed record TablePlan(string Name, string[] Rows, SortedDictionary<string, int> Counts)
    {
        public List<KindPlan> Kinds { get; } = [];
    }

    /// <summary>One kind of one table: a text per row; an empty text is an absent row.</summary>
    private sealed class KindPlan(string name, string encoderId, string[] texts)
    {
        public string Name => name;

        public string[] Texts => texts;

        public ContentKey[] Keys { get; } =
            [.. texts.Select(text => text.Length == 0 ? default : ContentKey.OfText(encoderId, text))];

        public bool IsPresent(int row) => texts[row].Length > 0;
    }
}
