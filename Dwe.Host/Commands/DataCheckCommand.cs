using System.Globalization;
using System.Text.Json;
using Dwe.Host.Data;
using Dwe.Host.Data.Check;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe data check</c>: what a data set holds, and what is wrong with it.</summary>
internal static class DataCheckCommand
{
    /// <summary>The rows of the table of splits, in its order.</summary>
    private static readonly (string Name, Func<SplitReport, string> Value)[] Rows =
    [
        ("mentions", split => Number(split.Mentions)),
        ("gold entities", split => Number(split.GoldEntities)),
        ("gold outside of the knowledge base", split => Number(split.GoldOutsideKb)),
        ("NIL", split => Number(split.Nil)),
        ("unlabelled", split => Number(split.Unlabelled)),
        ("gold entities unseen in train", split => Number(split.UnseenEntities)),
        ("mentions of those", split => Number(split.MentionsOfUnseen)),
        ("mentions without text", split => Number(split.WithoutText)),
        ("mentions not in their sentence", split => Number(split.NotInSentence)),
        ("duplicate records", split => Number(split.Duplicates)),
        ("mentions without an image", split => Number(split.WithoutImage)),
        ("images", split => Number(split.Images.Named)),
        ("images missing", split => Number(split.Images.Missing)),
        ("images unreadable", split => Number(split.Images.Unreadable + split.Images.TooLarge)),
        ("candidates", split => split.Candidates?.Source ?? "-"),
        ("mentions without candidates", split => Number(split.Candidates?.Without)),
        ("candidates outside of the knowledge base", split => Number(split.Candidates?.UnknownIds)),
        .. new[] { "recall@1", "recall@5", "recall@10", "recall@100" }
            .Select(name => (name, (Func<SplitReport, string>)(split => Percent(split.Candidates?.Recall[name])))),
    ];

    public static int Run(DataCheckOptions options, IAnsiConsole results, TextWriter json, CancellationToken stop)
    {
        if (options.Images is not null && !Directory.Exists(options.Images))
        {
            throw new UserErrorException(UserError.NewFileMissing(options.Images, "a folder of images", "Check --images."));
        }

        var report = DatasetCheck.Run(DatasetReaders.Read(options.Data, options.Format), options.Images, stop);
        if (options.Json) json.WriteLine(JsonSerializer.Serialize(report, JsonFiles.Options));
        else Print(results, report);
        return options.Strict && report.Unsound.Count > 0 ? ExitCode.FoundWanting : ExitCode.Success;
    }

    private static void Print(IAnsiConsole results, DatasetReport report)
    {
        results.Line($"{report.Folder}: {report.Format}, content {report.ContentHash[..12]}");
        var splits = new Table().Border(TableBorder.Rounded).AddColumn("");
        foreach (var split in report.Splits.Keys) splits.AddColumn(new TableColumn(split).RightAligned());
        foreach (var (name, value) in Rows)
        {
            splits.AddRow([name, .. report.Splits.Values.Select(split => Markup.Escape(value(split)))]);
        }
        results.Write(splits);

        var overlaps = new Table().Border(TableBorder.Rounded).AddColumn("in both");
        foreach (var name in new[] { "keys", "of different records", "records", "sentences", "gold entities" })
        {
            overlaps.AddColumn(new TableColumn(name).RightAligned());
        }
        foreach (var overlap in report.Overlaps)
        {
            overlaps.AddRow(
                $"{overlap.Left} and {overlap.Right}", Number(overlap.Keys), Number(overlap.KeysOfDifferentRecords), Number(overlap.Records),
                Number(overlap.Sentences), Number(overlap.Entities));
        }
        if (report.Overlaps.Count > 0) results.Write(overlaps);

        var known = report.KnowledgeBase;
        results.Line($"entities: {Number(known.Entities)}; without a name {Number(known.WithoutName)}, without a description {Number(known.WithoutDescription)}");
        foreach (var (field, count) in known.Descriptions) results.Line($"  {field}: {Number(count)}");
        results.Line($"  homonyms: {Number(known.HomonymEntities)} entities share {Number(known.HomonymNames)} names");
        if (known.Images.Named > 0)
        {
            results.Line(
                $"  images: {Number(known.Images.Named)}, of which {Number(known.Images.Missing)} missing, "
                + $"{Number(known.Images.Unreadable + known.Images.TooLarge)} unreadable");
        }
        foreach (var (what, count) in report.Remarks) results.Line($"remark: {Number(count)} {what}");
        foreach (var example in report.Splits.Values.Select(split => split.Images).Append(known.Images).SelectMany(images => images.Examples).Distinct())
        {
            results.Line($"image: {example}");
        }
        foreach (var problem in report.Unsound) results.Line($"unsound: {problem}");
        if (report.Unsound.Count == 0) results.Line("sound: nothing stands against training on it");
    }

    private static string Number(int? count) => count?.ToString("N0", CultureInfo.InvariantCulture) ?? "-";

    private static string Percent(double? share) =>
        share is { } value ? (100 * value).ToString("F1", CultureInfo.InvariantCulture) + " %" : "-";
}
