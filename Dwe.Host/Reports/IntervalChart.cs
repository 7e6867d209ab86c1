using Dwe.Host.Evaluation;

namespace Dwe.Host.Reports;

/// <summary>Values with their intervals, one below the other, so that what overlaps is seen.</summary>
internal static class IntervalChart
{
    private const int Row = 40;
    private const int Left = 14;
    private const int Right = 14;
    private const int Bottom = 44;

    /// <param name="id">Unique on the page.</param>
    /// <param name="title">Read out in place of the picture.</param>
    /// <param name="across">Name of the axis.</param>
    /// <param name="values">Names with values and intervals, as shares.</param>
    public static Html Of(string id, string title, string across, IReadOnlyList<(string Name, double Value, MeasureInterval Interval)> values)
    {
        var ticks = Chart.Ticks(100 * values.Min(value => value.Interval.Low), 100 * values.Max(value => value.Interval.High));
        var height = (values.Count * Row) + Bottom;
        double Place(double percent) => Left + ((percent - ticks[0]) / (ticks[^1] - ticks[0]) * (Chart.Width - Left - Right));
        string X(double percent) => Chart.Number(Place(percent));
        var description = string.Join(" ", values.Select(value =>
            $"{value.Name}: {ReportText.Percent(value.Value)}, {ReportText.Interval(value.Interval)}."));
        Html Value((string Name, double Value, MeasureInterval Interval) value, int at)
        {
            var y = (at * Row) + 27;
            return Html.Of($"""
                <text class="name" x="{Left}" y="{(at * Row) + 15}">{value.Name}</text>
                <line class="s{at % Chart.Series} whole" x1="{X(100 * value.Interval.Low)}" x2="{X(100 * value.Interval.High)}" y1="{y}" y2="{y}"/>
                {Chart.Mark(at, Place(100 * value.Value), y)}

                """);
        }

        return Html.Of($"""
            <svg class="chart" viewBox="0 0 {Chart.Width} {height}" role="img" aria-labelledby="{id}-title {id}-text">
            <title id="{id}-title">{title}</title><desc id="{id}-text">{description}</desc>
            {ticks.Select(tick => Html.Of($"<line class=\"grid\" x1=\"{X(tick)}\" x2=\"{X(tick)}\" y1=\"4\" y2=\"{height - Bottom + 4}\"/><text x=\"{X(tick)}\" y=\"{height - Bottom + 18}\" text-anchor=\"middle\">{Chart.Number(tick)}</text>\n"))}
            <text x="{Chart.Width / 2}" y="{height - 6}" text-anchor="middle">{across}</text>
            {values.Select(Value)}
            </svg>
            """);
    }
}
