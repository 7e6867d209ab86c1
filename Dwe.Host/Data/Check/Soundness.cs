using System.Globalization;

namespace Dwe.Host.Data.Check;

/// <summary>
/// When training on a data set would be unsound. The rules are on this page and, word for word, in
/// <c>docs/data-formats.md</c>; what merely costs quality (missing images, missing descriptions, NIL) is counted, not refused.
/// </summary>
internal static class Soundness
{
    /// <summary>Golds of train or of dev that the knowledge base may lack.</summary>
    private const double MaxGoldOutside = 0.10;

    /// <summary>Records of dev or test that train may hold, too.</summary>
    private const double MaxLeaked = 0.05;

    /// <summary>Images that are there and cannot be decoded.</summary>
    private const double MaxUnreadable = 0.01;

    /// <summary>Entities that may have neither a name nor a description.</summary>
    private const double MaxUnknown = 0.50;

    /// <summary>The rules that the data set breaks, each as a sentence with its numbers.</summary>
    public static IEnumerable<string> Problems(DatasetReport report)
    {
        foreach (var split in new[] { Splits.Train, Splits.Dev })
        {
            if (!report.Splits.TryGetValue(split, out var own) || own.Mentions == 0)
            {
                yield return $"{split} has no mentions";
                continue;
            }

            var labelled = own.Mentions - own.Nil - own.Unlabelled;
            if (labelled == own.GoldOutsideKb)
                yield return $"{split}: no mention has a gold in the knowledge base";
            else if (own.GoldOutsideKb > MaxGoldOutside * labelled)
                yield return $"{split}: {Number(own.GoldOutsideKb)} of {Number(labelled)} golds are not in the knowledge base (more than 10 %)";
        }

        foreach (var (split, own) in report.Splits)
        {
            if (TooManyUnreadable(own.Images)) yield return $"{split}: {Unreadable(own.Images)}";
            if (own.Candidates?.Problem is { } problem) yield return $"{split}: {problem}";
            if (own.Candidates is { Problem: null } lists && lists.Recall.Values.All(share => share == 0) && own.Mentions > own.Nil + own.Unlabelled)
                yield return $"{split}: no list of {lists.Source} holds the gold of its mention";
        }

        foreach (var overlap in report.Overlaps)
        {
            if (overlap.KeysOfDifferentRecords > 0)
            {
                yield return $"{overlap.Left} and {overlap.Right} share {Number(overlap.KeysOfDifferentRecords)} keys that stand for different "
                    + "records: results by key would be mixed up";
            }
            if (overlap.Left == Splits.Train && overlap.Records > MaxLeaked * report.Splits[overlap.Right].Mentions)
                yield return $"{Number(overlap.Records)} records of {overlap.Right} are in train, too (more than 5 %): results would be too good";
        }

        var known = report.KnowledgeBase;
        if (known.Entities == 0) yield return "the knowledge base is empty";
        else if (Math.Min(known.WithoutName, known.WithoutDescription) > MaxUnknown * known.Entities)
            yield return $"of {Number(known.Entities)} entities more than half have neither a name nor a description";
        if (TooManyUnreadable(known.Images)) yield return $"entities: {Unreadable(known.Images)}";
    }

    private static bool TooManyUnreadable(ImagesReport images) =>
        images.Unreadable + images.TooLarge > MaxUnreadable * (images.Named - images.Missing);

    private static string Unreadable(ImagesReport images) =>
        $"{Number(images.Unreadable + images.TooLarge)} of {Number(images.Named - images.Missing)} images cannot be decoded (more than 1 %)";

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
