using System.Globalization;
using Spectre.Console;

namespace Dwe.Host.Terminal;

/// <summary>
/// Progress of one long job on standard error: a bar with rate and time left where a person watches, a plain line every
/// ten seconds where output goes to a file. Standard output stays free for tables and JSON.
/// </summary>
internal sealed class ProgressDisplay
{
    private static readonly TimeSpan QuietTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    private static int barsShown;

    private readonly string _title;
    private readonly string _unit;
    private readonly ProgressTask? _bar;
    private readonly Action<string> _write;
    private readonly TimeProvider _clock;
    private readonly long _start;
    private long _total;
    private long _first = -1;
    private TimeSpan _nextLine = QuietTime;

    private ProgressDisplay(string title, string unit, ProgressTask? bar, Action<string> write, TimeProvider clock)
    {
        _title = title;
        _unit = unit;
        _bar = bar;
        _write = write;
        _clock = clock;
        _start = clock.GetTimestamp();
    }

    /// <summary>Progress in plain lines.</summary>
    public static ProgressDisplay Lines(string title, string unit, Action<string> write, TimeProvider clock) =>
        new(title, unit, bar: null, write, clock);

    /// <summary>Runs <paramref name="work"/>, which reports through the display it is given.</summary>
    /// <param name="title">What is being done, e.g. <c>encoding texts</c>.</param>
    /// <param name="unit">What is counted, in the plural, e.g. <c>mentions</c>.</param>
    /// <param name="work">The job.</param>
    public static T Run<T>(string title, string unit, Func<ProgressDisplay, T> work)
    {
        // A terminal has room for one bar: a job within a job reports in lines.
        var console = Streams.Messages;
        if (!console.Profile.Out.IsTerminal || Interlocked.CompareExchange(ref barsShown, 1, 0) != 0)
        {
            return work(Lines(title, unit, Streams.Note, TimeProvider.System));
        }

        try
        {
            return console.Progress()
                .AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
                .Start(context =>
                {
                    var bar = context.AddTask(Markup.Escape(title), autoStart: true);
                    return work(new ProgressDisplay(title, unit, bar, Streams.Note, TimeProvider.System));
                });
        }
        finally
        {
            barsShown = 0;
        }
    }

    /// <summary>Tells how many units of how many are done, and any detail worth seeing beside them, e.g. <c>loss 0.41</c>.</summary>
    public void Report(long done, long total, string detail = "")
    {
        _total = total;

        // Units that were there at the first report (a resumed job) do not count into the rate.
        if (_first < 0)
        {
            _first = done;
        }

        if (_bar is not null)
        {
            _bar.MaxValue = Math.Max(1, total);
            _bar.Value = done;
            _bar.Description = Markup.Escape(Describe(done, detail));
        }
        else if (Elapsed >= _nextLine)
        {
            _nextLine = Elapsed + LineInterval;
            _write(Describe(done, detail));
        }
    }

    private TimeSpan Elapsed => _clock.GetElapsedTime(_start);

    private string Describe(long done, string detail)
    {
        var rate = (done - _first) / Math.Max(1e-3, Elapsed.TotalSeconds);
        var left = rate > 0 ? TimeLeft((_total - done) / rate) : "--:--:--";
        var suffix = detail.Length == 0 ? "" : $", {detail}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{_title}: {done:N0} of {_total:N0} {_unit}, {rate:N0} {_unit}/s, {left} left{suffix}");
    }

    /// <summary>Hours, minutes, seconds; a job of days has more than 24 hours left.</summary>
    private static string TimeLeft(double seconds)
    {
        var whole = (long)Math.Min(seconds, int.MaxValue);
        return string.Create(CultureInfo.InvariantCulture, $"{whole / 3600:00}:{whole / 60 % 60:00}:{whole % 60:00}");
    }
}
