using Dwe.Host.Evaluation;

namespace Dwe.Host.Reports;

/// <summary>What was stated, and how often it was right: bars that end on the diagonal are calibrated (Guo et al. 2017, figure 1).</summary>
internal static class CalibrationChart
{
    private const int Bins = 10;

    /// <param name="id">Unique on the page.</param>
    /// <param name="title">Read out in place of the picture.</param>
    /// <param name="calibration">What is drawn.</param>
    public static Html Of(string id, string title, CalibrationResult calibration)
    {
        var frame = new Chart.Frame(0, 100, 0, 100);
        double[] ticks = [0, 20, 40, 60, 80, 100];
        var description = string.Join(" ", calibration.Bins.Select(bin =>
            $"Of {ReportText.Count(bin.Count)} stated at {ReportText.Percent(bin.Stated)} %, {ReportText.Percent(bin.Right)} % were right."));
        var diagonal = Html.Of(
            $"<line class=\"marked\" x1=\"{Chart.Number(frame.X(0))}\" y1=\"{Chart.Number(frame.Y(0))}\" x2=\"{Chart.Number(frame.X(100))}\" y2=\"{Chart.Number(frame.Y(100))}\"/>\n");
        return Html.Of($"""
            {Chart.Of(id, title, description, frame, ("probability stated, percent", ticks), ("right, percent", ticks), Html.Of($"{calibration.Bins.Select(bin => Bar(bin, frame))}{diagonal}{calibration.Bins.Select(bin => Chart.Mark(1, frame.X(100 * bin.Stated), frame.Y(100 * bin.Right)))}"))}
            <p class="soft">Bars: the share that was right of the mentions whose best candidate was stated with such a probability, with
            their number. Squares: at the mean of what was stated. On the dashed line a probability is what it says.</p>
            """);
    }

    private static Html Bar(StatedBin bin, Chart.Frame frame)
    {
        var at = Math.Min(Bins - 1, (int)(bin.Stated * Bins));
        var (left, right) = (frame.X(100.0 * at / Bins) + 1, frame.X(100.0 * (at + 1) / Bins) - 1);
        var (top, foot) = (frame.Y(100 * bin.Right), frame.Y(0));
        return Html.Of($"""
            <rect class="bar" x="{Chart.Number(left)}" width="{Chart.Number(right - left)}" y="{Chart.Number(top)}" height="{Chart.Number(foot - top)}"/>
            <text class="small" x="{Chart.Number((left + right) / 2)}" y="{Chart.Number(foot - 4)}" text-anchor="middle">{bin.Count}</text>

            """);
    }
}
