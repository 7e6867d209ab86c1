using System.Diagnostics;
using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Host.Features.Text;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe features</c>: encodes a data set into a feature store.</summary>
internal static class FeaturesCommand
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    /// <summary>Reads the options as they stand on the command line after the verb, and runs.</summary>
    /// <exception cref="UserErrorException">UsageWrong for options that are wrong; else as the job.</exception>
    public static int Run(
        IAnsiConsole console, string[] options, Func<ITextEncoder> openEncoder, CancellationToken cancel = default)
    {
        switch (FeaturesCommandLine.Parse(options))
        {
            case FeaturesCommandLine.Help help:
                Line(console, help.text);
                return 0;
            case FeaturesCommandLine.Wrong wrong:
                throw new UserErrorException(wrong.Item);
            case FeaturesCommandLine.Asked asked:
                return Run(console, asked.Item, openEncoder, cancel);
            default:
                throw new InvalidOperationException("a command line is asked, help or wrong");
        }
    }

    /// <summary>Encodes, showing how far it is. Returns the exit code, 0.</summary>
    public static int Run(
        IAnsiConsole console, FeaturesRequest request, Func<ITextEncoder> openEncoder, CancellationToken cancel = default)
    {
        var dataset = DatasetReaders.Read(request.Data);
        var fields = dataset.FieldNames;
        if (request.EntityText is null && fields.Count == 0)
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{request.Data} describes no entity", "Say what their texts are made of, e.g. --entity-text '{name}'."));
        var options = new FeatureJobOptions
        {
            Store = request.Store,
            EntityText = request.EntityText ?? $"{{{(fields.Contains("property") ? "property" : fields[0])}}}",
            Splits = request.Splits.Length > 0 ? request.Splits : null,
            Reuse = request.Reuse,
        };
        var mentions = string.Join(", ", dataset.Mentions.Select(split => Number($"{split.Value.Count:N0} {split.Key}")));
        Line(console, $"{dataset.Format}: {mentions}; {Number($"{dataset.Entities.Count:N0}")} entities as {options.EntityText}");

        using var encoder = openEncoder();
        var clock = Stopwatch.StartNew();
        var result = console.Profile.Capabilities.Interactive
            ? WithBar(console, progress => FeatureJob.Run(dataset, encoder, options, progress, cancel))
            : FeatureJob.Run(dataset, encoder, options, Lines(console), cancel);
        Line(console, string.Create(
            CultureInfo.InvariantCulture,
            $"{request.Store}: {result.Texts:N0} texts, of which {result.Encoded:N0} encoded in {clock.Elapsed.TotalSeconds:F1} s, "
            + $"{result.Continued:N0} from an unfinished run, {result.Reused:N0} used again; "
            + $"{result.MissingDescriptions:N0} entities without a description"));
        return 0;
    }

    private static FeatureJobResult WithBar(IAnsiConsole console, Func<Action<long, long>, FeatureJobResult> job) =>
        console.Progress()
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask("encoding");
                var rate = new Rate();
                return job((done, total) =>
                {
                    task.MaxValue = total;
                    task.Value = done;
                    task.Description = Number($"{done:N0} of {total:N0} texts, {rate.PerSecond(done):N0}/s");
                });
            });

    /// <summary>A line now and then, for logs.</summary>
    private static Action<long, long> Lines(IAnsiConsole console)
    {
        var rate = new Rate();
        var sinceLine = Stopwatch.StartNew();
        return (done, total) =>
        {
            var perSecond = rate.PerSecond(done);
            if (sinceLine.Elapsed < LineInterval) return;
            sinceLine.Restart();
            var left = perSecond > 0 ? TimeSpan.FromSeconds((total - done) / perSecond).ToString(@"h\:mm\:ss") : "?";
            Line(console, Number($"{done:N0} of {total:N0} texts, {perSecond:N0}/s, {left} left"));
        };
    }

    /// <summary>Past the console's wrapping at its width: a line of a log stays one line.</summary>
    private static void Line(IAnsiConsole console, string text) => console.Profile.Out.Writer.WriteLine(text);

    private static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The rate of what this run did; what it found done does not count.</summary>
    private sealed class Rate
    {
        private readonly Stopwatch clock = new();
        private long start;

        public double PerSecond(long done)
        {
            if (!clock.IsRunning)
            {
                start = done;
                clock.Start();
            }
            return clock.Elapsed.TotalSeconds > 0.1 ? (done - start) / clock.Elapsed.TotalSeconds : 0;
        }
    }
}
