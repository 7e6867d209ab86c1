using System.Globalization;
using Dwe.Host.Enrichment;
using Dwe.Host.Evaluation;

namespace Dwe.Host.Reports;

/// <summary>Numbers of a report as people read them: shares in percent, with one decimal.</summary>
internal static class ReportText
{
    /// <summary>What stands for a number that is not defined.</summary>
    public const string None = "–";

    /// <summary>The metrics that are shares; <c>mean_rank</c> is none.</summary>
    public static readonly IReadOnlyList<string> Shares = ["hits@1", "hits@3", "hits@5", "hits@10", "hits@20", "mrr"];

    /// <summary>Stands before what a language model wrote.</summary>
    public const string EnrichedBy = "written by a language model";

    public const string MeanRank = "mean_rank";

    public static string Percent(double? share) => share is { } value ? (100 * value).ToString("0.0", CultureInfo.InvariantCulture) : None;

    public static string Signed(double? share) =>
        share is { } value ? (100 * value).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) : None;

    public static string Interval(MeasureInterval? interval) =>
        interval is null ? None : $"{Percent(interval.Low)} to {Percent(interval.High)}";

    public static string SignedInterval(MeasureInterval? interval) =>
        interval is null ? None : $"{Signed(interval.Low)} to {Signed(interval.High)}";

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Rank(double? rank) => rank is { } value ? value.ToString("0.0##", CultureInfo.InvariantCulture) : None;

    /// <summary>At most four decimals.</summary>
    public static string Number(double? number) => number is { } value ? value.ToString("0.####", CultureInfo.InvariantCulture) : None;

    /// <summary>With two decimals.</summary>
    public static string Score(double score) => score.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>A metric by its name: shares in percent, mean ranks as they are.</summary>
    public static string Metric(string name, double? value) => name == MeanRank ? Rank(value) : Percent(value);

    /// <summary>A learning rate: three digits that count.</summary>
    public static string Rate(double? value) => value?.ToString("0.00E-0", CultureInfo.InvariantCulture) ?? None;

    /// <summary>A training loss.</summary>
    public static string Loss(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? None;

    /// <summary>A card's fields as words and values.</summary>
    public static IEnumerable<(string Name, string Value)> Card(ProtocolCard card) =>
    [
        ("protocol", card.Protocol),
        ("data set", $"{card.Dataset} {Short(card.DatasetHash)}"),
        ("split", card.Split),
        ("mentions", Count(card.Mentions)),
        ("entities", Count(card.KnowledgeBaseSize)),
        ("candidates", card.CandidateHash.Length == 0 ? card.CandidateSource : $"{card.CandidateSource} {Short(card.CandidateHash)}"),
        ("gold", card.GoldInjected ? "always scored" : "scored where it was retrieved"),
        ("ties", card.TieRule),
        ("checkpoint chosen on", card.SelectionSplit),
    ];

    /// <summary>What is known of a system.</summary>
    public static IEnumerable<(string Name, string Value)> System(EvaluatedSystem system)
    {
        (string Name, string? Value)[] all =
        [
            ("code version", system.CodeVersion),
            ("features", system.FeaturesHash is { } hash ? Short(hash) : null),
            ("entity text", system.EntityText),
            (EnrichedBy, EnrichedField.Describe(system.EnrichedBy)),
            ("seed", system.Seed?.ToString(CultureInfo.InvariantCulture)),
            ("precision", system.Precision),
            ("step", system.Step is { } step ? Count(step) : null),
        ];
        return all.Where(field => field.Value is not null).Select(field => (field.Name, field.Value!));
    }

    /// <summary>The beginning of a hash.</summary>
    public static string Short(string hash) => hash.Length > 8 ? hash[..8] : hash;

    /// <summary>A name as in files, as words.</summary>
    public static string Words(string name) => name.Replace('_', ' ');
}
