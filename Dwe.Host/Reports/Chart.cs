using System.Globalization;

namespace Dwe.Host.Reports;

/// <summary>
/// What charts share: a frame with axes, in SVG that scales with the page. Colours are classes of the page's style, so they
/// follow light and dark; series also differ by dashes and marks, so colour alone says nothing.
/// </summary>
internal static class Chart
{
    public const int Width = 440;
    public const int Height = 290;

    /// <summary>How many series can be told apart.</summary>
    public const int Series = 8;

    private const int Left = 52;
    private const int Right = 12;
    private const int Top = 12;
    private const int Bottom = 44;

    /// <summary>Places of values in the picture.</summary>
    public sealed record Frame(double LowX, double HighX, double LowY, double HighY)
    {
        public double X(double value) => Left + ((value - LowX) / (HighX - LowX) * (Width - Left - Right));

        public double Y(double value) => Height - Bottom - ((value - LowY) / (HighY - LowY) * (Height - Top - Bottom));
    }

    /// <summary>
    /// A picture with a title that is read out, a description, axes with their names and ticks, and what is drawn; its id is
    /// unique on the page.
    /// </summary>
    public static Html Of(
        string id, string title, string description, Frame frame, (string Name, double[] Ticks) across, (string Name, double[] Ticks) up, Html drawn) => Html.Of($"""
        <svg class="chart" viewBox="0 0 {Width} {Height}" role="img" aria-labelledby="{id}-title {id}-text">
        <title id="{id}-title">{title}</title><desc id="{id}-text">{description}</desc>
        {up.Ticks.Select(tick => Html.Of($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Number(frame.Y(tick))}\" y2=\"{Number(frame.Y(tick))}\"/><text x=\"{Left - 6}\" y=\"{Number(frame.Y(tick) + 4)}\" text-anchor=\"end\">{Label(tick)}</text>\n"))}
        {across.Ticks.Select(tick => Html.Of($"<line class=\"axis\" x1=\"{Number(frame.X(tick))}\" x2=\"{Number(frame.X(tick))}\" y1=\"{Height - Bottom}\" y2=\"{Height - Bottom + 4}\"/><text x=\"{Number(frame.X(tick))}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{Label(tick)}</text>\n"))}
        <line class="axis" x1="{Left}" x2="{Width - Right}" y1="{Height - Bottom}" y2="{Height - Bottom}"/>
        <line class="axis" x1="{Left}" x2="{Left}" y1="{Top}" y2="{Height - Bottom}"/>
        <text x="{(Left + Width - Right) / 2}" y="{Height - 6}" text-anchor="middle">{across.Name}</text>
        <text x="14" y="{(Top + Height - Bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 {(Top + Height - Bottom) / 2})">{up.Name}</text>
        {drawn}
        </svg>
        """);

    /// <summary>A mark of a series: its shape differs from its neighbours'.</summary>
    public static Html Mark(int series, double x, double y)
    {
        var (at, shape) = (series % Series, series % 4);
        string X(double by) => Number(x + by);
        string Y(double by) => Number(y + by);
        return shape switch
        {
            0 => Html.Of($"<circle class=\"f{at}\" cx=\"{X(0)}\" cy=\"{Y(0)}\" r=\"3.2\"/>"),
            1 => Html.Of($"<rect class=\"f{at}\" x=\"{X(-3)}\" y=\"{Y(-3)}\" width=\"6\" height=\"6\"/>"),
            2 => Html.Of($"<path class=\"f{at}\" d=\"M{X(0)} {Y(-4)}L{X(4)} {Y(3)}L{X(-4)} {Y(3)}z\"/>"),
            _ => Html.Of($"<path class=\"f{at}\" d=\"M{X(0)} {Y(-4.2)}L{X(4.2)} {Y(0)}L{X(0)} {Y(4.2)}L{X(-4.2)} {Y(0)}z\"/>"),
        };
    }

    /// <summary>The names of series beside their lines and marks.</summary>
    public static Html Legend(IEnumerable<string> names) => Html.Of($"""
        <ul class="key" role="list">
        {names.Select((name, at) => Html.Of($"<li><svg viewBox=\"0 0 34 12\" aria-hidden=\"true\"><path class=\"s{at % Series}\" d=\"M1 6h32\"/>{Mark(at, 17, 6)}</svg><bdi>{name}</bdi></li>\n"))}
        </ul>
        """);

    /// <summary>About five round numbers that reach over both bounds.</summary>
    public static double[] Ticks(double low, double high)
    {
        var span = Math.Max(high - low, 1e-9);
        var unit = Math.Pow(10, Math.Floor(Math.Log10(span / 5)));
        var step = new[] { 1, 2, 5, 10 }.Select(times => times * unit).First(step => span / step <= 6);
        var first = Math.Floor((low / step) + 1e-9);
        var last = Math.Ceiling((high / step) - 1e-9);
        return [.. Enumerable.Range(0, (int)(Math.Max(last, first + 1) - first) + 1).Select(at => (first + at) * step)];
    }

    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Label(double tick) => tick.ToString("0.####", CultureInfo.InvariantCulture);
}
