using System.Collections.Concurrent;
using Dwe.Host.Features.Images;
using Dwe.Model.Domain;

namespace Dwe.Host.Data.Check;

/// <summary>Counts what a data set holds and finds what is wrong with it. Reads it, and decodes its images.</summary>
internal static class DatasetCheck
{
    private const int Examples = 3;

    private static readonly int[] RecallDepths = [1, 5, 10, 100];

    /// <summary>Checks a data set.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="images">A folder in which to look for images first, or null.</param>
    /// <param name="stop">Ends the decoding of images.</param>
    public static DatasetReport Run(Dataset dataset, string? images, CancellationToken stop = default)
    {
        var ids = dataset.Entities.Select(entity => entity.Id).ToHashSet();
        var seen = dataset.Mentions.TryGetValue(Splits.Train, out var train) ? GoldsOf(train) : [];
        string[] own = images is null ? [] : [images];
        var mentionImages = new ImageFiles([.. own, .. dataset.MentionImageFolders]);
        var entityImages = new ImageFiles([.. own, .. dataset.EntityImageFolders]);
        var states = new ConcurrentDictionary<string, ImageFault?>();

        ImagesReport Probe(IEnumerable<string> names, ImageFiles files) => ProbeImages(names, files, states, stop);

        var splits = dataset.Mentions.ToDictionary(
            split => split.Key,
            split => Split(dataset, split.Key, ids, split.Key == Splits.Train ? null : seen, names => Probe(names, mentionImages)));
        var report = new DatasetReport
        {
            Folder = dataset.Folder,
            Format = dataset.Format,
            ContentHash = dataset.ContentHash,
            Splits = splits,
            Overlaps = [.. Pairs(dataset.Mentions.Keys).Select(pair => Overlap(dataset, pair.Left, pair.Right))],
            KnowledgeBase = KnowledgeBase(dataset, names => Probe(names, entityImages)),
            Remarks = dataset.Remarks,
            Unsound = [],
        };
        return report with { Unsound = [.. Soundness.Problems(report)] };
    }

    private static SplitReport Split(
        Dataset dataset, string split, HashSet<string> ids, HashSet<string>? seen, Func<IEnumerable<string>, ImagesReport> probe)
    {
        var mentions = dataset.Mentions[split];
        var golds = GoldsOf(mentions);
        return new SplitReport
        {
            Mentions = mentions.Count,
            GoldEntities = golds.Count,
            GoldOutsideKb = mentions.Count(mention => mention.Gold is Gold.Entity gold && !ids.Contains(gold.id)),
            Nil = mentions.Count(mention => mention.Gold.IsNil),
            Unlabelled = mentions.Count(mention => mention.Gold.IsUnlabelled),
            UnseenEntities = seen is null ? null : golds.Count(gold => !seen.Contains(gold)),
            MentionsOfUnseen = seen is null ? null : mentions.Count(mention => mention.Gold is Gold.Entity gold && !seen.Contains(gold.id)),
            WithoutText = mentions.Count(mention => mention.Text.Length == 0),
            NotInSentence = mentions.Count(mention => !mention.Sentence.Contains(mention.Text, StringComparison.Ordinal)),
            Duplicates = mentions.Count - mentions.Select(ContentOf).Distinct().Count(),
            WithoutImage = mentions.Count(mention => mention.Images.Length == 0),
            Images = probe(mentions.SelectMany(mention => mention.Images)),
            Candidates = Candidates(dataset, split, ids),
        };
    }

    private static CandidatesReport? Candidates(Dataset dataset, string split, HashSet<string> ids)
    {
        var mentions = dataset.Mentions[split];
        try
        {
            if (CandidateFile.OfDataset(dataset, split) is not { } found) return null;

            // Lists are published for dev and test: what of them happens to fit train says nothing of train.
            if (split == Splits.Train && found.Without.Length > mentions.Count / 2) return null;
            var places = mentions.Select(mention =>
                mention.Gold is Gold.Entity gold && found.Ids.TryGetValue(mention.Key, out var list) ? Array.IndexOf(list, gold.id) : -1).ToArray();
            return new CandidatesReport
            {
                Source = found.Source,
                Without = found.Without.Length,
                UnknownIds = found.Ids.Values.SelectMany(list => list).Distinct().Count(id => !ids.Contains(id)),
                Recall = RecallDepths.ToDictionary(
                    depth => $"recall@{depth}",
                    depth => places.Count(place => place >= 0 && place < depth) / (double)Math.Max(1, mentions.Count)),
                Problem = null,
            };
        }
        catch (UserErrorException) when (split == Splits.Train)
        {
            return null;
        }
        catch (UserErrorException unusable)
        {
            return new CandidatesReport
            {
                Source = Path.GetFileName(dataset.CandidatePath) ?? "",
                Without = mentions.Count,
                UnknownIds = 0,
                Recall = RecallDepths.ToDictionary(depth => $"recall@{depth}", _ => 0.0),
                Problem = unusable.Message,
            };
        }
    }

    private static OverlapReport Overlap(Dataset dataset, string left, string right)
    {
        var (ours, theirs) = (dataset.Mentions[left], dataset.Mentions[right]);
        var contents = ours.ToDictionary(mention => mention.Key, ContentOf);
        var all = contents.Values.ToHashSet();
        var shared = theirs.Where(mention => contents.ContainsKey(mention.Key)).ToArray();
        return new OverlapReport
        {
            Left = left,
            Right = right,
            Keys = shared.Length,
            KeysOfDifferentRecords = shared.Count(mention => !contents[mention.Key].Equals(ContentOf(mention))),
            Records = theirs.Count(mention => all.Contains(ContentOf(mention))),
            Sentences = SentencesOf(ours).Intersect(SentencesOf(theirs)).Count(),
            Entities = GoldsOf(ours).Intersect(GoldsOf(theirs)).Count(),
        };
    }

    private static KnowledgeBaseReport KnowledgeBase(Dataset dataset, Func<IEnumerable<string>, ImagesReport> probe)
    {
        var entities = dataset.Entities;
        var named = entities.Where(HasName).GroupBy(entity => entity.Name).Where(same => same.Count() > 1).ToArray();
        return new KnowledgeBaseReport
        {
            Entities = entities.Count,
            WithoutName = entities.Count(entity => !HasName(entity)),
            WithoutDescription = entities.Count(entity => entity.Fields.Count == 0),
            Descriptions = dataset.FieldNames.ToDictionary(field => field, field => entities.Count(entity => entity.Fields.ContainsKey(field))),
            HomonymNames = named.Length,
            HomonymEntities = named.Sum(same => same.Count()),
            Images = probe(entities.SelectMany(entity => entity.Images)),
        };
    }

    /// <summary>An id stands for the name where there is none; a title is both, and looks like a name.</summary>
    private static bool HasName(Entity entity) => entity.Name != entity.Id || !LooksLikeId(entity.Id);

    /// <summary>Digits, perhaps after one letter, e.g. Q42.</summary>
    private static bool LooksLikeId(string id) => id.Length > 0 && id[^1] is >= '0' and <= '9' && id.Skip(1).All(char.IsAsciiDigit);

    private static ImagesReport ProbeImages(
        IEnumerable<string> names, ImageFiles files, ConcurrentDictionary<string, ImageFault?> states, CancellationToken stop)
    {
        string[] named = [.. names.Distinct()];
        var paths = named.Select(files.Find).ToArray();
        Parallel.ForEach(
            paths.OfType<string>().Distinct(),
            new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = Environment.ProcessorCount },
            path => states.GetOrAdd(path, file => ImageDecoder.Check(file)));

        string[] With(Func<ImageFault, bool> fault) =>
            [.. named.Where((_, i) => paths[i] is { } path && states[path] is { } found && fault(found))];
        string[] missing = [.. named.Where((_, i) => paths[i] is null)];
        var tooLarge = With(IsTooLarge);
        var unreadable = With(fault => !IsTooLarge(fault));
        return new ImagesReport
        {
            Named = named.Length,
            Missing = missing.Length,
            Unreadable = unreadable.Length,
            TooLarge = tooLarge.Length,
            Examples =
            [
                .. unreadable.Take(Examples).Select(name => $"{name} cannot be decoded"),
                .. tooLarge.Take(Examples).Select(name => $"{name} is too large"),
                .. missing.Take(Examples).Select(name => $"{name} is missing"),
            ],
        };
    }

    private static bool IsTooLarge(ImageFault fault) => fault is ImageFault.TooManyPixels or ImageFault.TooManyBytes;

    private static HashSet<string> GoldsOf(IEnumerable<Mention> mentions) =>
        [.. mentions.Select(mention => mention.Gold).OfType<Gold.Entity>().Select(gold => gold.id)];

    private static HashSet<string> SentencesOf(IEnumerable<Mention> mentions) =>
        [.. mentions.Select(mention => mention.Sentence).Where(sentence => sentence.Length > 0)];

    /// <summary>Everything of a mention but its key.</summary>
    private static (string, string, string, string, Gold, Box?) ContentOf(Mention mention) =>
        (mention.Text, mention.Sentence, string.Join('\n', mention.Images), mention.Type, mention.Gold, mention.Box);

    private static IEnumerable<(string Left, string Right)> Pairs(IEnumerable<string> names)
    {
        string[] ordered = [.. Splits.All.Where(names.Contains)];
        for (var left = 0; left < ordered.Length; left++)
        {
            for (var right = left + 1; right < ordered.Length; right++) yield return (ordered[left], ordered[right]);
        }
    }
}
