using Dwe.Host.Checkpoints;
using Dwe.Host.Commands;
using Dwe.Host.Data;
using Dwe.Host.Evaluation;
using Dwe.Host.Features;
using Dwe.Host.Features.Images;
using Dwe.Host.Linking;
using Dwe.Host.Native;
using Dwe.Host.Terminal;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Domain;

namespace Dwe.Host.Reports;

/// <summary>
/// Finds what a run links wrongly on dev: evaluates its best checkpoint there, and asks the model what moved the scores. Needs
/// data set and features of the run; where they are gone the report says so.
/// </summary>
internal sealed class WrongLinkFinder(int examples, string? images, string? libTorch)
{
    /// <summary>Candidates shown of a ranking.</summary>
    private const int Shown = 3;

    /// <summary>Shares of a score shown: the rest is small.</summary>
    private const int Reasons = 6;

    /// <summary>Of the examples, one in so many is of a gold that was not compared, where there are such.</summary>
    private const int OneNotComparedIn = 4;

    /// <summary>Longest side of an example's picture: a page holds many.</summary>
    private const int PictureSide = 480;

    /// <summary>The wrongly linked mentions of a run's dev split, the surest mistakes first; null where none were asked for.</summary>
    public WrongLinks? Of(RunFolder folder)
    {
        if (examples == 0)
        {
            return null;
        }

        try
        {
            return ProgressDisplay.Run($"looking into {Path.GetFileName(Path.GetFullPath(folder.Path))}", "examples", progress => Find(folder, progress));
        }
        catch (UserErrorException gone)
        {
            return new WrongLinks { Absent = gone.Message };
        }
    }

    private WrongLinks Find(RunFolder folder, ProgressDisplay progress)
    {
        var (config, manifest) = folder.Open();
        folder.RequireCheckpoint(folder.Best);
        if (manifest.Data.Length == 0)
        {
            return new WrongLinks { Absent = "The run holds imported weights and names no data." };
        }

        Natives.Load(libTorch);
        config = TorchThreads.Settle(config);
        using var data = RunData.Open(manifest.Data, manifest.Features, manifest.Format);
        manifest.RequireSame(data, folder.Path);
        data.RequireFinite(Splits.Dev);
        using var matcher = Matcher.Create(config, manifest.Sizes, DeviceChoice.Resolve("auto"));
        Checkpoint.ReadWeights(folder.Best, matcher);
        var isFullKb = config.Training.Protocol.IsFullKb;
        var lists = isFullKb ? null : CandidateLists.Read(manifest.Candidates, data, Splits.Dev);
        var memory = matcher.HasLexicalUnit ? LexicalMemory.Read(folder.Memory) : null;
        using var inspector = new MentionInspector(
            matcher, data, Splits.Dev, lists, memory?.Prepare(memory.Unit(data), data, Splits.Dev));
        var found = new Found(data, inspector, Decisions.Read(folder, isFullKb ? "full-kb" : "strict")?.Temperature);
        int[] wrong = [.. Enumerable.Range(0, found.Count).Where(found.IsWrong).OrderByDescending(found.Sureness).ThenBy(row => row)];
        int[] below = [.. wrong.Where(found.IsCompared)];
        int[] missed = [.. wrong.Where(row => found.Golds[row] >= 0 && !found.IsCompared(row))];
        var fewMissed = Math.Min(missed.Length, Math.Max(examples / OneNotComparedIn, examples - below.Length));
        int[] chosen = [.. below.Take(examples - fewMissed), .. missed.Take(fewMissed)];
        var pictures = new Pictures(data, images);
        var links = new List<WrongLink>();
        foreach (var row in chosen)
        {
            links.Add(Link(found, inspector, pictures, row));
            progress.Report(links.Count, chosen.Length);
        }

        return new WrongLinks
        {
            Mentions = found.Count,
            Protocol = isFullKb ? "full-kb" : "strict",
            RankedBelow = below.Length,
            NotCompared = missed.Length,
            OutsideKb = Enumerable.Range(0, found.Count).Count(row => found.Golds[row] < 0),
            Examples = links,
        };
    }

    private static WrongLink Link(Found found, MentionInspector inspector, Pictures pictures, int row)
    {
        var (mention, ranking, gold) = (found.Mentions[row], found.Rankings[row], found.Golds[row]);
        var probabilities = found.Probabilities(row);
        RankedEntity Entity(int place) => new(
            pictures.Entity(ranking.Rows[place]), place + 1, ranking.Scores[place], probabilities?[place], ranking.Rows[place] == gold);
        var goldPlace = Array.IndexOf(ranking.Rows, gold);
        var reasons = ranking.Rows.Length == 0 ? null : inspector.Explain(row, ranking.Rows[0], gold);
        var shares = inspector.Shares(row);
        var (image, note) = pictures.Mention(mention);
        return new WrongLink
        {
            Mention = mention,
            Image = image is null ? null : image with
            {
                Parts = [.. image.Parts.Select((part, at) => at < shares.Parts.Length ? part with { Attention = shares.Parts[at] } : part)],
            },
            ImageNote = note,
            First = [.. Enumerable.Range(0, Math.Min(Shown, ranking.Rows.Length)).Select(Entity)],
            Gold = goldPlace >= 0
                ? Entity(goldPlace)
                : new RankedEntity(pictures.Entity(gold), null, inspector.Score(row, gold), null, true),
            Compared = ranking.Rows.Length,
            Reasons = reasons is null ? null : [.. ReasonsOf(reasons[0], reasons[1])],
            Gates = [.. shares.Gates.Select(gate => new Contribution(gate.Item1, gate.Item2))],
            Attention =
            [
                .. shares.Image > 0 ? [new Contribution("whole image", shares.Image)] : Array.Empty<Contribution>(),
                .. shares.Parts.Select((share, at) => new Contribution($"part {at + 1}", share)),
                .. shares.Profiles.Select((share, at) => new Contribution($"profile {at + 1}", share)),
            ],
        };
    }

    /// <summary>The shares in which the two scores differ most.</summary>
    private static IEnumerable<Reason> ReasonsOf(Contribution[] first, Contribution[] gold)
    {
        var (left, right) = (first.ToDictionary(part => part.Name, part => part.Amount), gold.ToDictionary(part => part.Name, part => part.Amount));
        return left.Keys.Union(right.Keys)
            .Select(name => new Reason(name, left.GetValueOrDefault(name), right.GetValueOrDefault(name)))
            .Where(reason => reason.Difference != 0)
            .OrderByDescending(reason => Math.Abs(reason.Difference)).ThenBy(reason => reason.Name, StringComparer.Ordinal)
            .Take(Reasons);
    }

    /// <summary>Dev as it was ranked.</summary>
    private sealed class Found(RunData data, MentionInspector inspector, double? temperature)
    {
        public IReadOnlyList<Mention> Mentions { get; } = data.Mentions(Splits.Dev);

        public int[] Golds { get; } = data.Golds(Splits.Dev);

        public MentionRanking[] Rankings { get; } = inspector.Rankings();

        public int Count => Golds.Length;

        public bool IsCompared(int row) => Golds[row] >= 0 && Rankings[row].Rows.Contains(Golds[row]);

        /// <summary>An entity of the knowledge base is meant, and another comes first.</summary>
        public bool IsWrong(int row) => Golds[row] >= 0 && (Rankings[row].Rows.Length == 0 || Rankings[row].Rows[0] != Golds[row]);

        /// <summary>How far the first is before the gold; for a gold that was not compared, before the second.</summary>
        public double Sureness(int row)
        {
            var ranking = Rankings[row];
            var rival = IsCompared(row) ? Array.IndexOf(ranking.Rows, Golds[row]) : 1;
            return rival < ranking.Rows.Length ? ranking.Scores[0] - ranking.Scores[rival] : 0;
        }

        /// <summary>softmax of the scores at the temperature that was chosen on dev; null without one.</summary>
        public double[]? Probabilities(int row)
        {
            if (temperature is not { } by || Rankings[row].Rows.Length == 0)
            {
                return null;
            }

            var scores = Rankings[row].Scores;
            var shares = Array.ConvertAll(scores, score => Math.Exp((score - scores[0]) / by));
            var sum = shares.Sum();
            return Array.ConvertAll(shares, share => share / sum);
        }
    }

    /// <summary>Pictures of mentions and entities, read where they are there.</summary>
    private sealed class Pictures
    {
        private static readonly ImageLimits Limits = new() { Side = ImageWork.LongestSide };

        private readonly RunData data;
        private readonly ImageFiles ofMentions;
        private readonly ImageFiles ofEntities;
        private readonly Lazy<Dictionary<string, ImageRecord>> records;
        private readonly Dictionary<int, ReportEntity> entities = [];

        public Pictures(RunData data, string? folder)
        {
            string[] first = folder is null ? [] : [folder];
            this.data = data;
            ofMentions = new ImageFiles([.. first, .. data.Dataset.MentionImageFolders]);
            ofEntities = new ImageFiles([.. first, .. data.Dataset.EntityImageFolders]);
            records = new(() => Records(Path.Combine(data.Store.Folder, FeatureStoreWriter.ImagesFile)));
        }

        public ReportEntity Entity(int row)
        {
            if (!entities.TryGetValue(row, out var shown))
            {
                var entity = data.Dataset.Entities[row];
                var picture = entity.Images.Select(ofEntities.Find).OfType<string>()
                    .Select(path => ImageDecoder.Read(path, Limits).Image).OfType<DecodedImage>()
                    .Select(image => (Html?)EmbeddedImage.Address(image, EmbeddedImage.ThumbnailSide))
                    .FirstOrDefault();
                shown = entities[row] = new ReportEntity(entity.Id, entity, picture);
            }

            return shown;
        }

        /// <summary>The first image that can be read; or why none is shown, where there is one.</summary>
        public (SeenImage? Image, string? Note) Mention(Mention mention)
        {
            if (mention.Images.Length == 0)
            {
                return (null, null);
            }

            foreach (var name in mention.Images)
            {
                if (ofMentions.Find(name) is { } path && ImageDecoder.Read(path, Limits).Image is { } picture)
                {
                    return (new SeenImage(
                        EmbeddedImage.Address(picture, PictureSide), name, picture.Width, picture.Height, PartsOf(name)), null);
                }
            }

            return (null, "Its image is not on this machine, or cannot be read.");
        }

        private IReadOnlyList<SeenPart> PartsOf(string name) => records.Value.GetValueOrDefault(name) is { } record
            ? [.. record.Seen.Select(seen => new SeenPart
            {
                Label = seen.Label,
                Left = seen.Box[0],
                Top = seen.Box[1],
                Right = seen.Box[2],
                Bottom = seen.Box[3],
                Profile = seen.Face?.ModelGuess,
            })]
            : [];

        private static Dictionary<string, ImageRecord> Records(string path) => File.Exists(path)
            ? File.ReadLines(path).Skip(1).Select(ImageRecord.OfLine).OfType<ImageRecord>()
                .GroupBy(record => record.Image).ToDictionary(same => same.Key, same => same.First())
            : [];
    }
}
