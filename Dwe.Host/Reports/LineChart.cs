namespace Dwe.Host.Reports;

/// <summary>A named line; points from left to right.</summary>
internal sealed record LineSeries(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>How numbers go with another, e.g. hits@1 with epochs.</summary>
internal static class LineChart
{
    private const int MarksALine = 20;

    /// <summary>The chart with its key; nothing where no series has a point.</summary>
    /// <param name="id">Unique on the page.</param>
    /// <param name="title">Read out in place of the picture.</param>
    /// <param name="across">Name of the axis to the right; its ticks are whole numbers.</param>
    /// <param name="up">Name of the upward axis.</param>
    /// <param name="series">At most eight can be told apart.</param>
    /// <param name="marked">A place on the axis to the right that is marked, with its name.</param>
    public static Html Of(
        string id, string title, string across, string up, IReadOnlyList<LineSeries> series, (double At, string Name)? marked = null)
    {
        var points = series.SelectMany(line => line.Points).ToArray();
        if (points.Length == 0)
        {
            return Html.Nothing;
        }

        var (low, high) = (points.Min(point => point.X), points.Max(point => point.X));
        var rows = Chart.Ticks(points.Min(point => point.Y), points.Max(point => point.Y));
        var frame = new Chart.Frame(low, Math.Max(high, low + 1), rows[0], rows[^1]);
        double[] columns = [.. Chart.Ticks(low, high).Where(tick => tick >= low && tick <= high && tick == Math.Floor(tick))];
        var place = marked is { } mark && mark.At >= low && mark.At <= high ? marked : null;
        return Html.Of($"""
            {Chart.Of(id, title, Description(series), frame, (across, columns), (up, rows), Html.Of($"{Marked(place, frame)}{series.Select((line, at) => Line(line, at, frame))}"))}
            {Chart.Legend(series.Select(line => line.Name))}
            """);
    }

    private static Html Line(LineSeries line, int at, Chart.Frame frame)
    {
        var path = string.Join("L", line.Points.Select(point => $"{Chart.Number(frame.X(point.X))} {Chart.Number(frame.Y(point.Y))}"));
        return Html.Of(
            $"<path class=\"s{at % Chart.Series}\" d=\"M{path}\"/>{Few(line.Points).Select(point => Chart.Mark(at, frame.X(point.X), frame.Y(point.Y)))}\n");
    }

    /// <summary>So many of the points that their marks stand apart.</summary>
    private static IEnumerable<(double X, double Y)> Few(IReadOnlyList<(double X, double Y)> points)
    {
        var step = (points.Count + MarksALine - 1) / MarksALine;
        return points.Where((_, at) => at % step == 0);
    }

    private static Html Marked((double At, string Name)? marked, Chart.Frame frame)
    {
        if (marked is not { } mark)
        {
            return Html.Nothing;
        }

        var x = frame.X(mark.At);
        var (anchor, by) = x > Chart.Width / 2 ? ("end", -5) : ("start", 5);
        // At the foot, where curves that rise are not.
        var (top, foot) = (frame.Y(frame.HighY), frame.Y(frame.LowY));
        return Html.Of(
            $"<line class=\"marked\" x1=\"{Chart.Number(x)}\" x2=\"{Chart.Number(x)}\" y1=\"{Chart.Number(top)}\" y2=\"{Chart.Number(foot)}\"/><text x=\"{Chart.Number(x + by)}\" y=\"{Chart.Number(foot - 7)}\" text-anchor=\"{anchor}\">{mark.Name}</text>\n");
    }

    private static string Description(IReadOnlyList<LineSeries> series) => string.Join(" ", series.Where(line => line.Points.Count > 0).Select(line =>
        $"{line.Name}: from {Chart.Number(line.Points[0].Y)} to {Chart.Number(line.Points[^1].Y)}, at most {Chart.Number(line.Points.Max(point => point.Y))}."));
}
