using Dwe.Host.Data;
using Dwe.Host.Features.Images;
using Dwe.Host.Features.Vision;
using Dwe.Host.Features.Weights;
using Dwe.Host.Reports;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe show</c>: one mention, with its images and candidates, as a page.</summary>
internal static class ShowCommand
{
    /// <summary>Entities that are shown with a picture, at most: a list may have hundreds.</summary>
    private const int Thumbnails = 20;

    /// <summary>With the default models, opened only where an image can be read.</summary>
    public static int Run(ShowOptions options, CancellationToken stop)
    {
        ImageAnalyzer? analyzer = null;
        try
        {
            return Run(options, Streams.Results, picture =>
            {
                stop.ThrowIfCancellationRequested();
                analyzer ??= ImageAnalyzer.Open(WeightCache.OfThisMachine(), report: Streams.Note, cancel: stop);
                return analyzer.Analyze(picture);
            });
        }
        finally
        {
            analyzer?.Dispose();
        }
    }

    /// <summary>With an analysis of the caller's.</summary>
    /// <exception cref="UserErrorException">An unknown split or mention, a folder or file that is not there or is broken.</exception>
    public static int Run(ShowOptions options, IAnsiConsole results, Func<DecodedImage, ImageAnalysis> analyze)
    {
        if (options.Images is { } folder && !Directory.Exists(folder))
            throw new UserErrorException(UserError.NewFileMissing(folder, "a folder of images", "Check --images."));
        var dataset = DatasetReaders.Read(options.Data, options.Format);
        var (split, mention) = Find(dataset, options);
        var path = options.Out ?? FileNameOf(mention.Key);
        if (Directory.Exists(path))
            throw new UserErrorException(UserError.NewUsageWrong($"{path} is a folder", "Name a file with --out."));
        AtomicFile.WriteText(path, MentionPage.Of(Report(dataset, split, mention, options, analyze)));
        results.Line($"{path}: mention {mention.Key} of {split}");
        return ExitCode.Success;
    }

    // --- the mention ---

    private static (string Split, Mention Mention) Find(Dataset dataset, ShowOptions options)
    {
        var places = dataset.Mentions.Where(split => options.Split is null || split.Key == options.Split).ToArray();
        if (places.Length == 0)
            throw new UserErrorException(UserError.NewKeyUnknown(
                "--split", options.Split ?? "", Microsoft.FSharp.Collections.ListModule.OfSeq(dataset.Mentions.Keys)));
        var found = places.SelectMany(split => split.Value.Where(mention => mention.Key == options.Mention).Select(mention => (split.Key, mention))).ToArray();
        if (found.Length > 1)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{options.Mention} is in {string.Join(" and ", found.Select(one => one.Key))}", "Name one of them with --split."));
        return found.Length == 1 ? found[0] : throw Unknown(options, places);
    }

    private static UserErrorException Unknown(ShowOptions options, KeyValuePair<string, IReadOnlyList<Mention>>[] places)
    {
        var nearest = places
            .SelectMany(split => split.Value.Select(mention => (Split: split.Key, mention.Key)))
            .OrderBy(one => NearestName.distance(options.Mention, one.Key)).ThenBy(one => one.Key, StringComparer.Ordinal)
            .Select(one => $"; the nearest is {one.Key} of {one.Split}").FirstOrDefault();
        return new UserErrorException(UserError.NewValueInvalid(
            "command line", "--mention", options.Mention,
            $"the key of a mention of {string.Join(", ", places.Select(split => split.Key))}{nearest}"));
    }

    /// <summary>The key, with a line in place of what file names may not hold on one system or another.</summary>
    private static string FileNameOf(string key) =>
        string.Concat(key.Select(letter => char.IsLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '_')).TrimStart('.') + ".html";

    // --- what is said of it ---

    private static MentionReport Report(
        Dataset dataset, string split, Mention mention, ShowOptions options, Func<DecodedImage, ImageAnalysis> analyze)
    {
        var candidates = options.Candidates is { } file
            ? CandidateFile.Read(file, dataset.Mentions[split])
            : CandidateFile.OfDataset(dataset, split);
        var entities = new Dictionary<string, Entity>();
        foreach (var entity in dataset.Entities) entities.TryAdd(entity.Id, entity);
        var folders = options.Images is null ? Array.Empty<string>() : [options.Images];
        var pictures = new ImageFiles([.. folders, .. dataset.EntityImageFolders]);
        ReportEntity Shown(string id, bool withPicture)
        {
            var entity = entities.GetValueOrDefault(id);
            return new ReportEntity(id, entity, withPicture && entity is not null ? Thumbnail(entity, pictures) : null);
        }

        var images = new ImageFiles([.. folders, .. dataset.MentionImageFolders]);
        var gold = mention.Gold is Gold.Entity known && entities.ContainsKey(known.id) ? Shown(known.id, true) : null;
        return new MentionReport
        {
            Source = $"{dataset.Format}, {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataset.Folder)))}",
            Split = split,
            Mention = mention,
            Images = [.. mention.Images.Select(name => Seen(name, images.Find(name), analyze))],
            CandidateSource = candidates?.Source,
            Candidates = [.. (candidates?.Ids.GetValueOrDefault(mention.Key) ?? []).Distinct().Select((id, rank) => Shown(id, rank < Thumbnails))],
            Gold = gold,
            Traits = new TraitChoice(
                !options.Without.Contains("gender"), !options.Without.Contains("race"), !options.Without.Contains("emotion")),
        };
    }

    private static ReportImage Seen(string name, string? path, Func<DecodedImage, ImageAnalysis> analyze)
    {
        var reading = path is null ? ImageFault.Missing : ImageDecoder.Read(path, new ImageLimits { Side = ImageWork.LongestSide });
        return reading.Image is { } picture
            ? new ReportImage(name, null, EmbeddedImage.Address(picture, EmbeddedImage.FigureSide), analyze(picture))
            : new ReportImage(name, reading.Fault, null, null);
    }

    /// <summary>The first of its pictures that can be read.</summary>
    private static Html? Thumbnail(Entity entity, ImageFiles files) => entity.Images
        .Select(files.Find).OfType<string>()
        .Select(path => ImageDecoder.Read(path, new ImageLimits { Side = ImageWork.LongestSide }).Image).OfType<DecodedImage>()
        .Select(picture => (Html?)EmbeddedImage.Address(picture, EmbeddedImage.ThumbnailSide))
        .FirstOrDefault();
}
