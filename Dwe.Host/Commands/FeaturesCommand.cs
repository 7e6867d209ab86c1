using System.Diagnostics;
using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Host.Features.Images;
using Dwe.Host.Features.Text;
using Dwe.Host.Features.Vision;
using Dwe.Host.Features.Weights;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe features</c>: encodes a data set into a feature store.</summary>
internal static class FeaturesCommand
{
    /// <summary>With the default encoders, whose weights are fetched where they are not there yet.</summary>
    public static int Run(FeaturesOptions request, CancellationToken stop)
    {
        Natives.Load(libTorchFolder: null);
        var cache = WeightCache.OfThisMachine();
        return Run(
            Streams.Results, request, () => UseTextEncoder.Open(cache, null, Streams.Note, stop), stop,
            data => OpenImages(cache, request, data, stop));
    }

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
            MobileNetEncoder.Open(cache, Streams.Note, stop),
            PublishedParts.Before(new AnalyzedParts(analyzer, choice), dataset.Folder, traits),
            request.Images is null ? [] : [request.Images]);
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
