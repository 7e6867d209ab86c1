namespace Dwe.Host.Retrieval;

/// <summary>
/// The arithmetic of fuzzywuzzy's weighted ratio: shares become whole percents by rounding to even, token ratios count 0.95,
/// partial ratios 0.9, or 0.6 where one text is more than eight times as long as the other. Everything is monotonous, so a
/// bound on a share is a bound on the score.
/// </summary>
internal static class FuzzyScale
{
    /// <summary>Token ratios of texts of like length, by whole percent.</summary>
    public static readonly int[] Token = Table(percent => percent * 0.95);

    /// <summary>Partial ratios, by whole percent: [0] where the longer is up to eight times as long, [1] beyond.</summary>
    public static readonly int[][] Partial = [Table(percent => percent * 0.9), Table(percent => percent * 0.6)];

    /// <summary>Partial ratios of tokens, likewise.</summary>
    public static readonly int[][] PartialToken =
        [Table(percent => percent * 0.95 * 0.9), Table(percent => percent * 0.95 * 0.6)];

    /// <summary>Texts of like length are compared whole.</summary>
    public static bool Whole(int left, int right) => Math.Max(left, right) * 2 < Math.Min(left, right) * 3;

    /// <summary>Which of <see cref="Partial"/> applies.</summary>
    public static int Tier(int left, int right) => Math.Max(left, right) > 8 * Math.Min(left, right) ? 1 : 0;

    /// <summary>2·common / both lengths, in whole percents.</summary>
    public static int Percent(int common, int lengths) => Round(Share(common, lengths));

    public static double Share(int common, int lengths) => (double)(2 * common) / lengths;

    public static int Round(double share) => (int)Math.Round(100.0 * share, MidpointRounding.ToEven);

    private static int[] Table(Func<double, double> weighted) =>
        [.. Enumerable.Range(0, 101).Select(percent => (int)Math.Round(weighted(percent), MidpointRounding.ToEven))];
}
