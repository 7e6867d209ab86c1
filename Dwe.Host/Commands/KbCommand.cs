using System.Globalization;
using System.Text.Json;
using Dwe.Host.Checkpoints;
using Dwe.Host.Data;
using Dwe.Host.Enrichment;
using Dwe.Host.Features;
using Dwe.Host.Features.Clip;
using Dwe.Host.Features.Text;
using Dwe.Host.Features.Weights;
using Dwe.Host.KnowledgeBases;
using Dwe.Host.KnowledgeBases.Wikidata;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Dwe.Model.Tensors;
using Spectre.Console;
using TorchSharp;

namespace Dwe.Host.Commands;

/// <summary><c>dwe kb</c>: builds, changes and shows a knowledge base of the user's own.</summary>
internal static class KbCommand
{
    // --- build ---

    /// <summary>With the encoder that was named; its weights are fetched where they are not there yet.</summary>
    public static int Build(KbBuildOptions options, IAnsiConsole results, CancellationToken stop) =>
        Build(options, results, () => OpenEncoder(options.Encoding.Encoder, options.Encoding.Precision, stop), stop);

    /// <summary>With an encoder of the caller's, opened when a text needs it.</summary>
    public static int Build(KbBuildOptions options, IAnsiConsole results, Func<ITextEncoder> openEncoder, CancellationToken stop)
    {
        RequireImages(options.Images);
        using var writer = KnowledgeBaseWriter.Begin(options.Out);
        var feed = options.Source is { } source
            ? FeedOf(source, options.Wikidata)
            : new DatasetEntities(DatasetReaders.Read(options.Data!, options.Format));
        using var encoder = new Once(openEncoder);
        var encoding = EncodingOf(options.Encoding, feed, encoder);
        Streams.Note($"{feed.Name}: entities as {encoding.EntityText}");
        var written = Add(writer, feed, encoding, FoldersOf(options.Images, feed), stop);
        Describe(results, options.Out, feed, written);
        return ExitCode.Success;
    }

    /// <summary>A run's encoder and template, a store's, or those that are named: whatever is said twice must agree.</summary>
    private static TextEncoding EncodingOf(EntityEncoding wanted, IEntityFeed feed, Once encoder)
    {
        var run = wanted.Run is null ? null : new RunFolder(wanted.Run).Open().Manifest;
        var store = wanted.Features is null ? null : FeatureManifest.Read(wanted.Features);
        if (store is not null && !store.Tables.ContainsKey(FeatureStore.Entities))
            throw FeatureStore.Mismatch(wanted.Features!, "no entities", "a store with them", "Name another with --features.");
        var texts = store?.Tables[FeatureStore.Entities].Kinds[FeatureJob.TextKind];
        var template = run?.EntityText ?? wanted.EntityText ?? store?.EntityText ?? StandardText(feed);
        if (store is not null && store.EntityText != template)
            throw FeatureStore.Mismatch(
                wanted.Features!, $"entities as {store.EntityText}", template, "Leave --features out, or encode as it does.");
        var id = run is null ? texts?.Encoder : RunEncoders.Of(run).Text;
        if (texts is not null && id != texts.Encoder)
            throw FeatureStore.Mismatch(wanted.Features!, $"encoder {texts.Encoder}", $"{id} of {wanted.Run}", "Leave --features out.");
        return new TextEncoding
        {
            // Only what no file names is asked of the encoder itself, which takes a moment to open.
            Encoder = id ?? encoder.Value.Id,
            Dimension = run?.EntitySize ?? texts?.Dim ?? encoder.Value.Dimension,
            EntityText = template,
            Open = () => encoder.Value,
            Store = wanted.Features,
        };
    }

    /// <summary>As <c>dwe features</c> chooses where no template is named: the standard one, else the first description.</summary>
    private static string StandardText(IEntityFeed feed)
    {
        var standard = Configuration.Defaults.Features.EntityText;
        if (feed.FieldNames.Count == 0)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{feed.Name} describes no entity", "Say what their texts are made of, e.g. --entity-text '{name}'."));
        return feed.FieldNames.Contains(standard.Trim('{', '}')) ? standard : $"{{{feed.FieldNames[0]}}}";
    }

    // --- add ---

    public static int Add(KbAddOptions options, IAnsiConsole results, CancellationToken stop) =>
        Add(options, results, () => OpenEncoder(options.Encoder, options.Precision, stop), stop);

    /// <summary>With an encoder of the caller's, opened when a text needs it.</summary>
    public static int Add(KbAddOptions options, IAnsiConsole results, Func<ITextEncoder> openEncoder, CancellationToken stop)
    {
        RequireImages(options.Images);
        using var writer = KnowledgeBaseWriter.Open(options.Kb);
        var manifest = KnowledgeBaseManifest.Read(options.Kb);
        var feed = FeedOf(options.Source, options.Wikidata);
        using var encoder = new Once(openEncoder);
        var encoding = new TextEncoding
        {
            Encoder = manifest.Encoder,
            Dimension = manifest.Dimension,
            EntityText = manifest.EntityText,
            Open = () => encoder.Value,
        };
        Describe(results, options.Kb, feed, Add(writer, feed, encoding, FoldersOf(options.Images, feed), stop));
        return ExitCode.Success;
    }

    private static Written Add(
        KnowledgeBaseWriter writer, IEntityFeed feed, TextEncoding encoding, string[] imageFolders, CancellationToken stop) =>
        ProgressDisplay.Run("reading", feed.Unit, display => writer.Add(feed, encoding, imageFolders, display.Report, stop));

    private static void Describe(IAnsiConsole results, string folder, IEntityFeed feed, Written written)
    {
        foreach (var (what, count) in feed.Remarks.Where(remark => remark.Value > 0)) results.Line($"{feed.Name}: {Number(count)} {what}");
        if (written.WithoutText > 0) Streams.Note($"{Number(written.WithoutText)} entities have no text by this template; their vectors are zeros.");
        results.Line(
            $"{folder}: {Number(written.Added)} added, {Number(written.Changed)} changed, {Number(written.Same)} as they were; "
            + $"{Number(written.Encoded)} texts encoded; {Number(written.Manifest.Live)} entities, generation {Number(written.Manifest.Generation)}");
    }

    // --- remove ---

    public static int Remove(KbRemoveOptions options, IAnsiConsole results)
    {
        using var writer = KnowledgeBaseWriter.Open(options.Kb);
        var written = writer.Remove(options.Source is { } file ? IdsIn(file) : options.Ids);
        results.Line(
            $"{options.Kb}: {Number(written.Removed)} removed, {Number(written.Absent)} were not there; "
            + $"{Number(written.Manifest.Live)} entities, generation {Number(written.Manifest.Generation)}");
        return ExitCode.Success;
    }

    private static IEnumerable<string> IdsIn(string file)
    {
        if (!File.Exists(file)) throw new UserErrorException(UserError.NewFileMissing(file, "ids, one a line", "Check --source."));
        return OwnEntities.Recognises(file)
            ? OwnEntities.Ids(file)
            : File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0);
    }

    // --- show ---

    public static int Show(KbShowOptions options, IAnsiConsole results, TextWriter json)
    {
        using var knowledge = KnowledgeBase.Open(options.Kb);
        if (options.Entity is { } id) ShowEntity(knowledge, id, options.Json, results, json);
        else if (options.Json) json.WriteLine(JsonSerializer.Serialize(SummaryOf(knowledge), JsonFiles.Options));
        else ShowAll(knowledge, results);
        return ExitCode.Success;
    }

    private sealed record Summary(
        string Folder, int Entities, int DeadRows, int Generation, string Encoder, int Dimension, string EntityText,
        IReadOnlyList<string> FieldNames, IReadOnlyList<EnrichedField> EnrichedBy, IReadOnlyList<string> ImageFolders, int WithoutText,
        IReadOnlyList<SegmentCard> Segments, string ContentHash);

    private static Summary SummaryOf(KnowledgeBase knowledge)
    {
        var manifest = knowledge.Manifest;
        return new Summary(
            knowledge.Folder, knowledge.Entities.Count, knowledge.Segments.Sum(segment => segment.Live.Count(live => !live)),
            manifest.Generation, manifest.Encoder, manifest.Dimension, manifest.EntityText, manifest.FieldNames,
            manifest.EnrichedBy ?? [], manifest.ImageFolders,
            knowledge.Segments.Sum(segment => Enumerable.Range(0, segment.Live.Length).Count(row => segment.Live[row] && segment.KeyOf(row) == default)),
            manifest.Segments, manifest.ContentHash);
    }

    private static void ShowAll(KnowledgeBase knowledge, IAnsiConsole results)
    {
        var summary = SummaryOf(knowledge);
        var table = new Table().Border(TableBorder.Simple).AddColumn(Markup.Escape(summary.Folder)).AddColumn("");
        void Row(string name, string value) => table.AddRow(name, Markup.Escape(value));
        Row("entities", Number(summary.Entities));
        Row("without a text", Number(summary.WithoutText));
        Row("rows overruled or removed", Number(summary.DeadRows));
        Row("segments", Number(summary.Segments.Count));
        Row("generation", Number(summary.Generation));
        Row("encoder", summary.Encoder);
        Row("entity text", summary.EntityText);
        Row("fields", string.Join(", ", summary.FieldNames));
        if (EnrichedField.Describe(summary.EnrichedBy) is { } written) Row("fields by a language model", written);
        Row("image folders", string.Join(", ", summary.ImageFolders));
        Row("content hash", summary.ContentHash[..12]);
        results.Write(table);
    }

    private sealed record ShownEntity(
        string Id, string Name, string[] Aliases, string Type, IReadOnlyDictionary<string, string> Fields, IReadOnlyList<ShownImage> Images,
        string Text, string Segment);

    /// <param name="Name">As the entity names it.</param>
    /// <param name="File">Null where it is not found.</param>
    private sealed record ShownImage(string Name, string? File);

    private static void ShowEntity(KnowledgeBase knowledge, string id, bool asJson, IAnsiConsole results, TextWriter json)
    {
        if (knowledge.Find(id) is not var (segment, row))
            throw new UserErrorException(UserError.NewValueInvalid(
                knowledge.Folder, "--entity", id, $"the id of one of its {Number(knowledge.Entities.Count)} entities"));
        var entity = segment.Entities[row];
        var template = EntityTemplate.Parse(knowledge.Manifest.EntityText, knowledge.Manifest.FieldNames);
        var shown = new ShownEntity(
            entity.Id, entity.Name, entity.Aliases, entity.Type, entity.Fields,
            [.. entity.Images.Select(name => new ShownImage(name, knowledge.ImageFile(name)))],
            string.Join(EntityTemplate.Separator, template.Fill(entity).Texts), segment.Name);
        if (asJson)
        {
            json.WriteLine(JsonSerializer.Serialize(shown, JsonFiles.Options));
            return;
        }

        results.Line($"{shown.Id}  {shown.Name}");
        if (shown.Type.Length > 0) results.Line($"type: {shown.Type}");
        if (shown.Aliases.Length > 0) results.Line($"aliases: {string.Join(" | ", shown.Aliases)}");
        foreach (var (name, text) in shown.Fields) results.Line($"{name}: {text}");
        foreach (var image in shown.Images) results.Line($"image: {image.Name}{(image.File is null ? ", not found" : "")}");
        results.Line($"encoded as: {shown.Text}");
    }

    // --- what build and add share ---

    private static IEntityFeed FeedOf(string source, WikidataChoice wikidata)
    {
        if (!File.Exists(source)) throw new UserErrorException(UserError.NewFileMissing(source, "a file of entities", "Check --source."));
        return OwnEntities.Recognises(source) ? new OwnEntities(source) : new WikidataEntities(source, wikidata);
    }

    private static string[] FoldersOf(string? images, IEntityFeed feed) =>
        [.. images is null ? Array.Empty<string>() : [images], .. feed.ImageFolders];

    private static void RequireImages(string? folder)
    {
        if (folder is not null && !Directory.Exists(folder))
            throw new UserErrorException(UserError.NewFileMissing(folder, "a folder of images", "Check --images."));
    }

    private static ITextEncoder OpenEncoder(TextEncoderChoice choice, Precision precision, CancellationToken stop)
    {
        Natives.Load(libTorchFolder: null);
        var cache = WeightCache.OfThisMachine();
        return choice is TextEncoderChoice.ClipEncoder clip
            ? ClipTextEncoder.Open(clip.weights, precision, torch.CPU, cache, Streams.Note, stop)
            : UseTextEncoder.Open(cache, null, Streams.Note, stop);
    }

    /// <summary>An encoder that is opened once, when it is first asked for.</summary>
    private sealed class Once(Func<ITextEncoder> open) : IDisposable
    {
        private readonly Lazy<ITextEncoder> encoder = new(open);

        public ITextEncoder Value => encoder.Value;

        public void Dispose()
        {
            if (encoder.IsValueCreated) encoder.Value.Dispose();
        }
    }

    private static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
