using System.Diagnostics;
using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Host.Features.Clip;
using Dwe.Host.Features.Images;
using Dwe.Host.Features.Text;
using Dwe.Host.Features.Vision;
using Dwe.Host.Features.Weights;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;
using TorchSharp;

namespace Dwe.Host.Commands;

/// <summary><c>dwe features</c>: encodes a data set into a feature store.</summary>
internal static class FeaturesCommand
{
    /// <summary>With the encoders that were named; what they need is fetched where it is not there yet.</summary>
    public static int Run(FeaturesOptions request, CancellationToken stop)
    {
        Natives.Load(libTorchFolder: null);
        var cache = WeightCache.OfThisMachine();
        return Run(
            Streams.Results, request, () => OpenTexts(cache, request, stop), stop,
            data => OpenImages(cache, request, data, stop));
    }

    private static ITextEncoder OpenTexts(WeightCache cache, FeaturesOptions request, CancellationToken stop) =>
        request.Encoder is TextEncoderChoice.ClipEncoder clip
            ? ClipTextEncoder.Open(clip.weights, request.Precision, torch.CPU, cache, Streams.Note, stop)
            : UseTextEncoder.Open(cache, null, Streams.Note, stop);

    private static IImageEncoder OpenWholes(WeightCache cache, FeaturesOptions request, CancellationToken stop) =>
        request.Encoder is TextEncoderChoice.ClipEncoder clip
            ? ClipImageEncoder.Open(clip.weights, request.Precision, torch.CPU)
            : MobileNetEncoder.Open(cache, Streams.Note, stop);

    /// <summary>With encoders of the caller's, opened only when the data set has been read; no images where
    /// <paramref name="openImages"/> is null.</summary>
    public static int Run(
        IAnsiConsole results, FeaturesOptions request, Func<ITextEncoder> openEncoder, CancellationToken stop,
        Func<Dataset, ImageWork>? openImages = null)
    {
        var dataset = DatasetReaders.Read(request.Data, request.Format);
        var options = new FeatureJobOptions
        {
            Store = request.Out,
            EntityText = EntityText(request, dataset),
            Tokens = request.Tokens,
            Splits = request.Splits.Length > 0 ? request.Splits : null,
            Reuse = request.Reuse,
            Shard = request.Shards > 1 ? new Shard(request.Shard, request.Shards) : null,
            Merge = request.Merge,
        };
        var mentions = string.Join(", ", dataset.Mentions.Select(split => $"{Number(split.Value.Count)} {split.Key}"));
        Streams.Note($"{dataset.Format}: {mentions} mentions; {Number(dataset.Entities.Count)} entities as {options.EntityText}");

        using var images = WantsImages(request, dataset) ? openImages?.Invoke(dataset) : null;
        using var encoder = openEncoder();
        var clock = Stopwatch.StartNew();
        ProgressDisplay? texts = null;
        var result = ProgressDisplay.Run(images is null ? "encoding" : "images", images is null ? "texts" : "images", display =>
            FeatureJob.Run(
                dataset, encoder, options,
                (done, total) =>
                {
                    texts ??= images is null ? display : ProgressDisplay.Lines("encoding", "texts", Streams.Note, TimeProvider.System);
                    texts.Report(done, total);
                },
                stop, images, (done, total) => display.Report(done, total)));
        if (result.Images is { } seen) Describe(results, seen);
        results.Line(
            $"{request.Out}: {Number(result.Texts)} texts, of which {Number(result.Encoded)} encoded in "
            + $"{clock.Elapsed.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture)} s, "
            + $"{Number(result.Continued)} from an unfinished run, {Number(result.Reused)} used again; "
            + $"{Number(result.MissingDescriptions)} entities without a description"
            + (result.TokenTexts == 0 ? "" : $"; tokens of {Number(result.TokenTexts)} texts, of which {Number(result.TokenTextsEncoded)} encoded")
            + (request.Shards == 1 ? "" : "; a shard, to be merged"));
        return ExitCode.Success;
    }

    /// <summary>Images are looked for unless they are not wanted; a data set that names some and has none is encoded without.</summary>
    private static bool WantsImages(FeaturesOptions request, Dataset dataset)
    {
        if (request.NoImages) return false;
        string[] folders = request.Images is null ? [] : [request.Images];
        if (request.Images is { } folder && !Directory.Exists(folder))
            throw new UserErrorException(UserError.NewFileMissing(folder, "a folder of images", "Check --images."));
        var (named, found) = FeatureJob.CountImages(dataset, folders);
        if (named > 0)
        {
            Streams.Note(found > 0
                ? $"images: {Number(found)} of {Number(named)} are there"
                : $"images: none of {Number(named)} is there; texts alone. Name their folder with --images.");
        }
        return found > 0;
    }

    private static ImageWork OpenImages(WeightCache cache, FeaturesOptions request, Dataset dataset, CancellationToken stop)
    {
        var traits = new TraitChoice(
            !request.Without.Contains("gender"), !request.Without.Contains("race"), !request.Without.Contains("emotion"));
        var choice = new PartChoice(traits, request.Objects, request.Identity);
        var analyzer = ImageAnalyzer.Open(cache, request.Identity, Streams.Note, stop);
        return new ImageWork(
            OpenWholes(cache, request, stop),
            PublishedParts.Before(new AnalyzedParts(analyzer, choice), dataset.Folder, traits),
            request.Images is null ? [] : [request.Images])
        {
            Scenes = OpenScenes(cache, request, stop),
        };
    }

    /// <summary>CLIP tells scenes by their words; the default encoders of texts and images share no space.</summary>
    private static ZeroShotScenes? OpenScenes(WeightCache cache, FeaturesOptions request, CancellationToken stop)
    {
        if (request.Encoder is not TextEncoderChoice.ClipEncoder) return null;
        using var texts = OpenTexts(cache, request, stop);
        return new ZeroShotScenes(
            texts, ZeroShotScenes.ReadVocabulary(Path.Combine(AppContext.BaseDirectory, "data", "scenes.txt")));
    }

    private static void Describe(IAnsiConsole results, ImageJobResult seen)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("images").AddColumn(new TableColumn("").RightAligned());
        void Row(string name, int count) => table.AddRow(Markup.Escape(name), Number(count));
        Row("named", seen.Named);
        Row("read", seen.Read);
        foreach (var fault in seen.Records.Where(record => record.Fault is not null).GroupBy(record => record.Fault!.Value).OrderBy(same => same.Key))
            Row("  " + ImageFaults.Describe(fault.Key), fault.Count());
        Row("without person", seen.WithoutPerson);
        Row("without face", seen.WithoutFace);
        Row("persons", seen.Persons);
        Row("faces", seen.Faces);
        results.Write(table);
        if (seen.Faces > 0) results.Line(ImagesManifest.Guesses);
    }

    /// <summary>The template that was named; else the preset's; else the first description field.</summary>
    private static string EntityText(FeaturesOptions request, Dataset dataset)
    {
        if (request.EntityText is not null || request.Preset is not null)
        {
            return request.EntityText
                ?? ConfigSources.Read(new ConfigSource(request.Preset, null, [])).Features.EntityText;
        }

        var standard = Configuration.Defaults.Features.EntityText;
        var fields = dataset.FieldNames;
        if (fields.Count == 0)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{request.Data} describes no entity", "Say what their texts are made of, e.g. --entity-text '{name}'."));
        }

        return fields.Contains(standard.Trim('{', '}')) ? standard : $"{{{fields[0]}}}";
    }

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
