using Dwe.Host.Data;
using Dwe.Host.Enrichment;
using Dwe.Host.Features.Images;
using Dwe.Host.Features.Text;
using Dwe.Host.Features.Vision;
using Dwe.Model.Domain;

namespace Dwe.Host.Features;

/// <summary>A share of a job's work: one of <paramref name="Count"/> equal ones, counted from 1.</summary>
internal readonly record struct Shard(int Number, int Count)
{
    /// <summary>Whether the work with this number belongs to the shard.</summary>
    public bool Has(ulong work) => work % (ulong)Count == (ulong)(Number - 1);
}

/// <summary>What a feature job is to make.</summary>
internal sealed record FeatureJobOptions
{
    /// <summary>The store's folder; created, continued or brought up to date.</summary>
    public required string Store { get; init; }

    /// <summary>The template of entity texts.</summary>
    public required string EntityText { get; init; }

    /// <summary>How many tokens of its text are stored a mention; 0 for none. The encoder must be an <see cref="ITokenEncoder"/>.</summary>
    public int Tokens { get; init; }

    /// <summary>Splits to encode; null for all that the data set has.</summary>
    public IReadOnlyList<string>? Splits { get; init; }

    /// <summary>Other stores whose vectors may be used.</summary>
    public IReadOnlyList<string> Reuse { get; init; } = [];

    /// <summary>Do this share only and leave it in the store's folder unfinished, to be merged; null does everything.</summary>
    public Shard? Shard { get; init; }

    /// <summary>Folders that shards have left: what they did is taken over, and nothing may be missing.</summary>
    public IReadOnlyList<string> Merge { get; init; } = [];
}

/// <summary>What became of a data set's images.</summary>
/// <param name="Named">Different images.</param>
/// <param name="Found">Of those, records of an earlier or unfinished run.</param>
/// <param name="Records">One per image.</param>
internal sealed record ImageJobResult(int Named, int Found, IReadOnlyList<ImageRecord> Records)
{
    public int Read => Records.Count(record => record.Fault is null);

    public int WithoutPerson => OfMentions.Count(record => record.Persons == 0);

    public int WithoutFace => OfMentions.Count(record => record.Profiles.Length == 0);

    public int Persons => Records.Sum(record => record.Persons);

    public int Faces => Records.Sum(record => record.Profiles.Length);

    /// <summary>Entities' images are encoded as a whole; only mentions' are looked at for parts.</summary>
    private IEnumerable<ImageRecord> OfMentions =>
        Records.Where(record => record.Fault is null && !record.Image.StartsWith(FeatureJob.EntityImages, StringComparison.Ordinal));
}

/// <summary>What a feature job did.</summary>
/// <param name="Texts">Different texts that were needed.</param>
/// <param name="Encoded">Of those, texts encoded by this run.</param>
/// <param name="Continued">Of those, found in the journal of a run that did not end.</param>
/// <param name="Reused">Of those, found in this store's earlier content or in another store.</param>
/// <param name="MissingDescriptions">Entities that have none of the template's description fields.</param>
/// <param name="Images">What became of the images; null where none were looked for.</param>
/// <param name="TokenTexts">Different texts whose tokens were needed.</param>
/// <param name="TokenTextsEncoded">Of those, texts whose tokens were encoded by this run.</param>
internal sealed record FeatureJobResult(
    int Texts, int Encoded, int Continued, int Reused, int MissingDescriptions, ImageJobResult? Images = null,
    int TokenTexts = 0, int TokenTextsEncoded = 0);

/// <summary>
/// Encodes a data set into a feature store. Of every mention <c>mention</c>, <c>text</c> (<c>mention [SEP] sentence</c>),
/// where wanted <c>tokens</c> of that text and, with images, <c>image</c>, <c>parts</c>, <c>profile</c>, <c>attributes</c>, <c>identity</c>, <c>scene</c>; of every entity
/// <c>text</c> and <c>image</c>. Each different text and image is encoded once; what a killed run, the store's earlier
/// content or another store already has is taken from there. Two runs write the same bytes.
/// </summary>
internal static class FeatureJob
{
    /// <summary>Changes when texts are put together differently.</summary>
    public const string Preprocessing = "text-1";

    public const string MentionKind = "mention";
    public const string TextKind = "text";

    /// <summary>The texts of which an entity's <see cref="TextKind"/> is the mean; only where its template has several.</summary>
    public const string TextsKind = "texts";

    /// <summary>Counts in the manifest's tables.</summary>
    public const string WithoutImage = "mentions without image";
    public const string WithoutReadableImage = "mentions without a readable image";
    public const string WithoutPerson = "mentions without person";
    public const string WithoutFace = "mentions without face";
    public const string EntitiesWithoutImage = "entities without a readable image";

    private const string JournalFile = "journal.bin";
    private const string ImageJournalFile = "images.journal";

    /// <summary>Begins the record names of entities' images: a mention's may have the same file name.</summary>
    public const string EntityImages = "entities/";

    private const int BatchTexts = 512;

    /// <summary>Runs the job.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="encoder">One vector per text, depending on that text alone.</param>
    /// <param name="options">What to make.</param>
    /// <param name="progress">Hears (texts done, texts in all) after each batch, and once before the first.</param>
    /// <param name="cancel">Stops between batches; a later run continues.</param>
    /// <param name="images">What to do with images; null leaves them out.</param>
    /// <param name="imageProgress">Hears (images done, images in all); all images come before all texts.</param>
    /// <exception cref="UserErrorException">
    /// A wrong template, a split the data set does not have, a store to re-use that is broken, a store that another job is
    /// writing, shards that do not make a whole, or an encoder that gives values that are no numbers.
    /// </exception>
    public static FeatureJobResult Run(
        Dataset dataset, ITextEncoder encoder, FeatureJobOptions options,
        Action<long, long>? progress = null, CancellationToken cancel = default,
        ImageWork? images = null, Action<long, long>? imageProgress = null)
    {
        var template = EntityTemplate.Parse(options.EntityText, dataset.FieldNames);
        var splits = SplitsOf(dataset, options);
        RequireStoreOrEmpty(options.Store);
        Directory.CreateDirectory(options.Store);
        using var journal = VectorJournal.Open(Path.Combine(options.Store, JournalFile));
        FeatureStoreWriter.Finish(options.Store);
        using var sources = new Sources(options, encoder, images);
        var known = new KnownVectors(journal, sources.Shards, sources.Earlier);

        var seen = images is null ? null : SeeImages(dataset, splits, options, images, journal, known, imageProgress, cancel);
        var plans = Plans(dataset, splits, template, encoder, images, seen, options.Shard is not null);
        var tokens = WindowOf(encoder, options) is { } window ? new TokenJob(window, journal, known) : null;
        if (tokens is not null) AddTokens(plans, dataset, tokens);
        var more = tokens?.Texts ?? 0;
        var missing = dataset.Entities.Count(entity => template.Fill(entity).MissesDescription);
        var result = Encode(plans, encoder, options, journal, known, (done, all) => progress?.Invoke(done, all + more), cancel)
            with
        { MissingDescriptions = missing, Images = seen, TokenTexts = more };
        if (tokens is not null)
        {
            var (texts, all) = (result.Texts, result.Texts + more);
            result = result with
            {
                TokenTextsEncoded = tokens.Run(
                    options.Shard, options.Merge.Count > 0, done => progress?.Invoke(texts + done, all), cancel),
            };
        }

        if (options.Shard is not null) return result;

        using (var writer = new FeatureStoreWriter(options.Store))
        {
            foreach (var plan in plans) Write(writer, plan, known);
            if (seen is not null) writer.Images(ImageLines(images!, seen));
            writer.Commit(new FeatureManifest
            {
                Format = FeatureManifest.CurrentFormat,
                Dataset = dataset.Format,
                DatasetHash = dataset.ContentHash,
                Preprocessing = Preprocessing,
                EntityText = template.Text,
                EnrichedBy = EnrichedField.AmongNamed(template.FieldNames, dataset.EnrichedBy),
                Tables = writer.Tables,
                Images = seen is null ? null : ManifestOf(images!, seen),
            });
        }
        journal.Delete();
        File.Delete(Path.Combine(options.Store, ImageJournalFile));
        return result;
    }

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

    /// <summary>How many of the images that a data set names are there.</summary>
    public static (int Named, int Found) CountImages(Dataset dataset, IReadOnlyList<string> folders)
    {
        var images = ImagesToRead(dataset, [.. dataset.Mentions.Keys], folders);
        return (images.Count, images.Count(image => image.Path is not null));
    }

    private static List<string> SplitsOf(Dataset dataset, FeatureJobOptions options)
    {
        var splits = options.Splits ?? [.. Splits.All.Where(dataset.Mentions.ContainsKey)];
        foreach (var split in splits)
        {
            if (!dataset.Mentions.ContainsKey(split))
                throw new UserErrorException(UserError.NewKeyUnknown(
                    "--splits", split, Microsoft.FSharp.Collections.ListModule.OfSeq(dataset.Mentions.Keys)));
        }
        return [.. Splits.All.Where(splits.Contains)];
    }

    // --- images ---

    private static ImageJobResult SeeImages(
        Dataset dataset, IReadOnlyList<string> splits, FeatureJobOptions options, ImageWork work, VectorJournal journal,
        KnownVectors known, Action<long, long>? progress, CancellationToken cancel)
    {
        var images = ImagesToRead(dataset, splits, work.Folders);
        if (options.Shard is { } shard) images = [.. images.Where((_, i) => shard.Has((ulong)i))];
        using var records = ImageJournal.Open(Path.Combine(options.Store, ImageJournalFile), work.Settings);
        foreach (var folder in options.Reuse.Prepend(options.Store))
            foreach (var record in ImageJournal.Read(Path.Combine(folder, FeatureStoreWriter.ImagesFile), work.Settings))
                records.Records.TryAdd((record.Hash, record.Image), record);
        foreach (var folder in options.Merge)
            foreach (var record in ImageJournal.Read(Path.Combine(folder, ImageJournalFile), work.Settings))
                records.Records.TryAdd((record.Hash, record.Image), record);

        var job = new ImageJob(work, journal, records, known);
        // Before any is made: else a second try would find what the first one made.
        if (options.Merge.Count > 0 && job.Unmade(images) is > 0 and var unmade)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"the shards lack {unmade} of {images.Count} images", "Run every shard to its end, with the same options, and merge all of them."));
        var found = job.Run(images, progress, cancel);
        return new ImageJobResult(images.Count, job.Found, [.. images.Select(image => found[image.Name])]);
    }

    private static List<ImageToRead> ImagesToRead(
        Dataset dataset, IReadOnlyList<string> splits, IReadOnlyList<string> folders)
    {
        var ofMentions = new ImageFiles([.. folders, .. dataset.MentionImageFolders]);
        var ofEntities = new ImageFiles([.. folders, .. dataset.EntityImageFolders]);
        return
        [
            .. splits.SelectMany(split => dataset.Mentions[split]).SelectMany(mention => mention.Images).Distinct()
                .Select(name => new ImageToRead(name, ofMentions.Find(name), WithParts: true)),
            .. dataset.Entities.SelectMany(entity => entity.Images).Distinct()
                .Select(name => new ImageToRead(EntityImages + name, ofEntities.Find(name), WithParts: false)),
        ];
    }

    private static IEnumerable<string> ImageLines(ImageWork work, ImageJobResult seen) =>
        seen.Records.OrderBy(record => record.Image, StringComparer.Ordinal).Select(record => record.ToLine())
            .Prepend(work.Settings);

    private static ImagesManifest ManifestOf(ImageWork work, ImageJobResult seen)
    {
        return new ImagesManifest
        {
            Parts = work.Finder.Id,
            Named = seen.Named,
            Read = seen.Read,
            WithoutPerson = seen.WithoutPerson,
            WithoutFace = seen.WithoutFace,
            Unreadable = new(
                seen.Records.Where(record => record.Fault is not null)
                    .ToDictionary(record => record.Image, record => ImageFaults.Describe(record.Fault!.Value)),
                StringComparer.Ordinal),
        };
    }

    // --- what is to be written ---

    /// <summary>A mention that is a box in a photo has no text, and so no vector.</summary>
    private static string TextOf(Mention mention) => TextOf(mention.Text, mention.Sentence);

    /// <summary>What stands for a mention in its sentence.</summary>
    public static string TextOf(string mention, string sentence) =>
        mention.Length == 0 && sentence.Length == 0 ? "" : $"{mention} [SEP] {sentence}";

    private static List<TablePlan> Plans(
        Dataset dataset, IReadOnlyList<string> splits, EntityTemplate template, ITextEncoder encoder, ImageWork? work,
        ImageJobResult? seen, bool partly)
    {
        var recordOf = seen?.Records.ToDictionary(record => record.Image, StringComparer.Ordinal) ?? [];
        ImageRecord[] Readable(IEnumerable<string> names) =>
        [
            .. names.Select(recordOf.GetValueOrDefault).OfType<ImageRecord>().Where(record => record.Fault is null),
        ];

        var plans = new List<TablePlan>();
        foreach (var split in splits)
        {
            var mentions = dataset.Mentions[split];
            var plan = new TablePlan(split, [.. mentions.Select(mention => mention.Key)]);
            plan.Kinds.Add(KindPlan.OfTexts(MentionKind, encoder, [.. mentions.Select(mention => mention.Text)]));
            plan.Kinds.Add(KindPlan.OfTexts(TextKind, encoder, [.. mentions.Select(TextOf)]));
            if (work is not null) AddImages(plan, encoder, work, [.. mentions.Select(mention => Readable(mention.Images))]);
            if (work is not null && !partly) CountImages(plan, mentions, mention => Readable(mention.Images));
            plans.Add(plan);
        }

        var texts = dataset.Entities.Select(template.Fill).ToArray();
        var entities = new TablePlan(FeatureStore.Entities, [.. dataset.Entities.Select(entity => entity.Id)]);
        entities.Counts["missing descriptions"] = texts.Count(text => text.MissesDescription);
        AddEntityTexts(entities, template, encoder, [.. texts.Select(text => text.Texts)]);
        if (work is not null && dataset.Entities.Any(entity => entity.Images.Length > 0))
        {
            var records = dataset.Entities
                .Select(entity => Readable(entity.Images.Select(name => EntityImages + name))).ToArray();
            entities.Counts[EntitiesWithoutImage] = records.Count(found => found.Length == 0);
            if (records.Any(found => found.Length > 0)) entities.Kinds.Add(WholeImages(work, records));
        }
        plans.Add(entities);
        return plans;
    }

    /// <summary>Where an entity has several texts they are kept beside their mean: another template costs only what it adds.</summary>
    private static void AddEntityTexts(TablePlan plan, EntityTemplate template, ITextEncoder encoder, string[][] texts)
    {
        if (!template.HasSeveral)
        {
            plan.Kinds.Add(KindPlan.OfTexts(TextKind, encoder, [.. texts.Select(own => own.FirstOrDefault(""))]));
            return;
        }
        AddUnlessEmpty(plan, KindPlan.OfManyTexts(TextsKind, encoder, texts));
        plan.Kinds.Add(KindPlan.OfMeans(TextKind, encoder, texts));
    }

    private static void CountImages(TablePlan plan, IReadOnlyList<Mention> mentions, Func<Mention, ImageRecord[]> readable)
    {
        var found = mentions.Select(readable).ToArray();
        plan.Counts[WithoutImage] = mentions.Count(mention => mention.Images.Length == 0);
        plan.Counts[WithoutReadableImage] = found.Where((own, i) => own.Length == 0 && mentions[i].Images.Length > 0).Count();
        plan.Counts[WithoutPerson] = found.Count(own => own.Sum(record => record.Persons) == 0);
        plan.Counts[WithoutFace] = found.Count(own => own.Sum(record => record.Profiles.Length) == 0);
    }

    /// <summary>The whole image is the first that can be read; parts, profiles and faces are those of all, in their order. A
    /// further image is itself a part, before its own, as all images are in the published features of RichpediaMEL.</summary>
    private static void AddImages(TablePlan plan, ITextEncoder encoder, ImageWork work, ImageRecord[][] records)
    {
        if (records.All(own => own.Length == 0)) return;
        plan.Kinds.Add(WholeImages(work, records));
        AddUnlessEmpty(plan, KindPlan.Many(
            FeatureKinds.Parts, work.Encoder.Id, work.Encoder.Dimension,
            [.. records.Select(own => own.SelectMany((record, place) => PartKeys(work, record, isFurther: place > 0)).ToArray())]));
        AddUnlessEmpty(plan, KindPlan.OfManyTexts(
            FeatureKinds.Profile, encoder, [.. records.Select(own => own.SelectMany(record => record.Profiles).ToArray())]));
        AddUnlessEmpty(plan, KindPlan.OfValues(
            FeatureKinds.Attributes, work.Finder.Id, [.. records.Select(own => own.SelectMany(record => record.Attributes).ToArray())]));
        AddUnlessEmpty(plan, KindPlan.Many(
            FeatureKinds.Identity, work.Finder.Id, FaceReader.IdentityLength,
            [.. records.Select(own => own.SelectMany(record =>
                Enumerable.Range(0, record.Identities).Select(face => ImageJob.IdentityKey(work, record, face))).ToArray())]));
        AddUnlessEmpty(plan, KindPlan.OfTexts(
            FeatureKinds.Scene, encoder, [.. records.Select(own => own.Length == 0 ? "" : own[0].Scene)]));
    }

    private static IEnumerable<ContentKey> PartKeys(ImageWork work, ImageRecord record, bool isFurther) =>
    [
        .. isFurther ? [ImageJob.WholeKey(work.Encoder, record)] : Array.Empty<ContentKey>(),
        .. Enumerable.Range(0, record.Parts).Select(part => ImageJob.PartKey(work, record, part)),
    ];

    private static void AddUnlessEmpty(TablePlan plan, KindPlan kind)
    {
        if (kind.Keys.Any(key => key != default) || kind.Values.Length > 0) plan.Kinds.Add(kind);
    }

    private static KindPlan WholeImages(ImageWork work, ImageRecord[][] records) => KindPlan.One(
        FeatureKinds.Image, work.Encoder.Id, work.Encoder.Dimension,
        [.. records.Select(own => own.Length == 0 ? default : ImageJob.WholeKey(work.Encoder, own[0]))]);

    // --- texts ---

    /// <exception cref="UserErrorException">UsageWrong for an encoder that gives none.</exception>
    private static TokenWindow? WindowOf(ITextEncoder encoder, FeatureJobOptions options)
    {
        if (options.Tokens == 0) return null;
        return encoder is ITokenEncoder gives
            ? new TokenWindow(gives, options.Tokens)
            : throw new UserErrorException(UserError.NewUsageWrong(
                $"{encoder.Id} gives no tokens", "Leave --tokens out, or name another --encoder."));
    }

    private static void AddTokens(List<TablePlan> plans, Dataset dataset, TokenJob tokens)
    {
        foreach (var plan in plans.Where(plan => plan.Name != FeatureStore.Entities))
        {
            plan.Kinds.Add(KindPlan.Many(
                FeatureKinds.Tokens, tokens.Id, tokens.Dimension, [.. dataset.Mentions[plan.Name].Select(tokens.Want)]));
        }
    }

    private static FeatureJobResult Encode(
        List<TablePlan> plans, ITextEncoder encoder, FeatureJobOptions options, VectorJournal journal, KnownVectors known,
        Action<long, long>? progress, CancellationToken cancel)
    {
        var wanted = new Dictionary<ContentKey, string>();
        foreach (var kind in plans.SelectMany(plan => plan.Kinds))
        {
            for (var vector = 0; vector < kind.Texts.Length; vector++)
            {
                var key = kind.Keys[vector];
                // What images gave is this shard's own; other texts are dealt out.
                var own = kind.IsFromImages || options.Shard is not { } shard || shard.Has((ulong)key.Low);
                if (key != default && own) wanted.TryAdd(key, kind.Texts[vector]);
            }
        }
        var continued = wanted.Keys.Count(key => known.IsJournaled(key, encoder.Dimension));
        var remaining = wanted.Where(item => !known.Contains(item.Key, encoder.Dimension)).ToArray();
        if (options.Merge.Count > 0 && remaining.Length > 0)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"the shards lack {remaining.Length} of {wanted.Count} texts", "Run every shard to its end, with the same options, and merge all of them."));

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
        var reused = wanted.Count - remaining.Length - continued;
        return new FeatureJobResult(wanted.Count, remaining.Length, continued, reused, 0);
    }

    /// <summary>Refuses what an encoder made of texts where it holds values that are no numbers.</summary>
    /// <exception cref="UserErrorException">ExternalFailed.</exception>
    public static void RequireNumbers(
        ITextEncoder encoder, IReadOnlyList<KeyValuePair<ContentKey, string>> batch, float[] vectors)
    {
        if (vectors.Length != batch.Count * encoder.Dimension)
            throw new InvalidOperationException(
                $"{encoder.Id} gave {vectors.Length} values for {batch.Count} texts of {encoder.Dimension}");
        var bad = Array.FindIndex(vectors, value => !float.IsFinite(value));
        if (bad >= 0)
            throw new UserErrorException(UserError.NewExternalFailed(
                $"encoder {encoder.Id}",
                $"the vector of '{batch[bad / encoder.Dimension].Value}' holds {vectors[bad]}",
                "Check the encoder's weights; what was encoded before is kept."));
    }

    private static void Write(FeatureStoreWriter writer, TablePlan plan, KnownVectors known)
    {
        writer.Table(plan.Name, plan.Rows, plan.Counts);
        foreach (var kind in plan.Kinds)
        {
            void Fill(int vector, Span<float> target)
            {
                if (kind.Values.Length > 0)
                    kind.Values[vector].CopyTo(target);
                else if (kind.Parts.Length > 0)
                    TextMean.Fill(kind.Parts[vector], target, known.TryRead);
                else if (!known.TryRead(kind.Keys[vector], target))
                    throw new InvalidOperationException($"no vector {vector} of {plan.Name} {kind.Name}");
            }

            if (kind.Counts is { } counts)
            {
                writer.Ragged(
                    plan.Name, kind.Name, kind.EncoderId, kind.Dimension, counts, kind.Values.Length > 0 ? null : kind.Keys, Fill);
                continue;
            }
            bool[] present = [.. kind.Keys.Select(key => key != default)];
            writer.Dense(
                plan.Name, kind.Name, kind.EncoderId, kind.Dimension, kind.Keys, present.All(there => there) ? null : present, Fill);
        }
    }

    /// <summary>Where vectors may come from besides the job's own journal.</summary>
    private sealed class Sources : IDisposable
    {
        public Sources(FeatureJobOptions options, ITextEncoder encoder, ImageWork? images)
        {
            try
            {
                Earlier.Add(EarlierVectors.Open(options.Store, options.Reuse, encoder.Id, encoder.Dimension));
                if (WindowOf(encoder, options) is { } window)
                    Earlier.Add(EarlierVectors.Open(options.Store, options.Reuse, window.Id, encoder.Dimension));
                if (images is not null)
                {
                    Earlier.Add(EarlierVectors.Open(options.Store, options.Reuse, images.Encoder.Id, images.Encoder.Dimension));
                    Earlier.Add(EarlierVectors.Open(options.Store, options.Reuse, images.Finder.Id, FaceReader.IdentityLength));
                }
                foreach (var folder in options.Merge)
                {
                    var path = Path.Combine(folder, JournalFile);
                    if (!File.Exists(path))
                        throw new UserErrorException(UserError.NewFileMissing(
                            path, "what a shard has left", "Write it with `dwe features --shard`."));
                    Shards.Add(VectorJournal.Open(path));
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public List<EarlierVectors> Earlier { get; } = [];

        public List<VectorJournal> Shards { get; } = [];

        public void Dispose()
        {
            foreach (var store in Earlier) store.Dispose();
            foreach (var shard in Shards) shard.Dispose();
        }
    }

    /// <summary>One table to be written.</summary>
    private sealed record TablePlan(string Name, string[] Rows)
    {
        public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

        public List<KindPlan> Kinds { get; } = [];
    }

    /// <summary>One kind of one table: the key of every vector (default: absent), or the vectors themselves.</summary>
    private sealed record KindPlan(string Name, string EncoderId, int Dimension, ContentKey[] Keys)
    {
        /// <summary>What is to be encoded, vector by vector; none for images.</summary>
        public string[] Texts { get; private init; } = [];

        /// <summary>The keys of the texts of which each vector is the mean; none where it is no mean.</summary>
        public ContentKey[][] Parts { get; private init; } = [];

        /// <summary>Vectors per row; null for one.</summary>
        public int[]? Counts { get; private init; }

        /// <summary>Vectors that need no encoder.</summary>
        public float[][] Values { get; private init; } = [];

        /// <summary>The texts were read from images.</summary>
        public bool IsFromImages => Name is FeatureKinds.Profile or FeatureKinds.Scene;

        /// <summary>A text per row; an empty one is an absent row.</summary>
        public static KindPlan OfTexts(string name, ITextEncoder encoder, string[] texts) =>
            new(name, encoder.Id, encoder.Dimension, KeysOf(encoder, texts)) { Texts = texts };

        public static KindPlan OfManyTexts(string name, ITextEncoder encoder, string[][] texts)
        {
            string[] flat = [.. texts.SelectMany(own => own)];
            return new KindPlan(name, encoder.Id, encoder.Dimension, KeysOf(encoder, flat))
            {
                Texts = flat,
                Counts = [.. texts.Select(own => own.Length)],
            };
        }

        /// <summary>The mean of a row's texts, which another kind encodes; a row without any is absent.</summary>
        public static KindPlan OfMeans(string name, ITextEncoder encoder, string[][] texts)
        {
            ContentKey[][] parts = [.. texts.Select(own => TextMean.KeysOf(encoder.Id, own))];
            return new KindPlan(name, encoder.Id, encoder.Dimension, [.. parts.Select(TextMean.KeyOf)]) { Parts = parts };
        }

        public static KindPlan One(string name, string encoderId, int dimension, ContentKey[] keys) =>
            new(name, encoderId, dimension, keys);

        public static KindPlan Many(string name, string encoderId, int dimension, ContentKey[][] keys) =>
            new(name, encoderId, dimension, [.. keys.SelectMany(own => own)]) { Counts = [.. keys.Select(own => own.Length)] };

        public static KindPlan OfValues(string name, string encoderId, float[][][] values)
        {
            float[][] flat = [.. values.SelectMany(own => own)];
            return new KindPlan(name, encoderId, flat.Length == 0 ? 0 : flat[0].Length, [])
            {
                Values = flat,
                Counts = [.. values.Select(own => own.Length)],
            };
        }

        private static ContentKey[] KeysOf(ITextEncoder encoder, string[] texts) =>
            [.. texts.Select(text => text.Length == 0 ? default : ContentKey.OfText(encoder.Id, text))];
    }
}
