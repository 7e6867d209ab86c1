using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dwe.Host.Linking;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe link</c>: mentions of the user's own, one on the command line or many as JSON Lines.</summary>
internal static class LinkCommand
{
    private const string StandardInput = "-";
    private const int LinesAtOnce = 32;

    /// <summary>Features with less of a score than this are not listed for people.</summary>
    private const double LeastContribution = 0.05;

    private static readonly JsonSerializerOptions OneLine = new(JsonFiles.Options)
    {
        WriteIndented = false,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static int Run(LinkOptions options, IAnsiConsole results, TextReader input, TextWriter output, CancellationToken stop)
    {
        if (options.Input is { } file and not StandardInput && !File.Exists(file))
        {
            throw new UserErrorException(UserError.NewFileMissing(file, "mentions as JSON Lines", "Check --input."));
        }

        // What is wrong with one mention is said before anything is loaded.
        var single = options.Text is null ? null : RequestOf(options);
        Natives.Load(options.LibTorch);
        using var linker = Linker.Open(
            new LinkerOptions
            {
                Run = options.Run,
                Index = options.Index,
                Encoder = options.Encoder,
                Precision = options.Precision,
                Device = options.Device,
                Candidates = options.Candidates,
            },
            Streams.Note, stop);
        return single is null ? LinkLines(linker, options, input, output, stop) : LinkOne(linker, single, options, results, output);
    }

    private static LinkRequest RequestOf(LinkOptions options)
    {
        var (mention, text) = MarkedText.Read(options.Text!, options.Mention);
        return new LinkRequest
        {
            Mention = mention,
            Text = text,
            Image = options.Image is null ? null : LinkLine.BytesOf(options.Image),
            Top = options.Top,
            Explain = options.Explain,
        };
    }

    private static int LinkOne(ILinker linker, LinkRequest request, LinkOptions options, IAnsiConsole results, TextWriter output)
    {
        var answer = linker.Link([request])[0];
        if (options.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(answer, JsonFiles.Options));
            return ExitCode.Success;
        }

        if (answer.ImageFault is { } fault)
        {
            Streams.Note($"{options.Image}: not read: {fault}. Linked without it.");
        }

        foreach (var note in answer.Notes)
        {
            Streams.Note(note);
        }

        Print(results, answer);
        return ExitCode.Success;
    }

    // --- many ---

    /// <summary>An answer as a line, or what was wrong with its line.</summary>
    private sealed record LinkedLine(string Key, LinkAnswer? Answer, string? Error);

    /// <summary>A broken line is answered by its error, and the others are linked; the exit code says that there was one.</summary>
    private static int LinkLines(
        ILinker linker, LinkOptions options, TextReader standardInput, TextWriter standardOutput, CancellationToken stop)
    {
        var fromFile = options.Input != StandardInput;
        using var file = fromFile ? new StreamReader(options.Input!) : null;
        var folder = fromFile ? Path.GetDirectoryName(Path.GetFullPath(options.Input!))! : Directory.GetCurrentDirectory();
        var total = fromFile ? File.ReadLines(options.Input!).Count(line => !string.IsNullOrWhiteSpace(line)) : 0;
        var broken = 0;
        void Write(TextWriter writer) => ProgressDisplay.Run("linking", "mentions", progress =>
        {
            var done = 0;
            foreach (var batch in Lines(file ?? standardInput).Chunk(fromFile ? LinesAtOnce : 1))
            {
                stop.ThrowIfCancellationRequested();
                foreach (var line in Link(linker, batch, options, folder))
                {
                    broken += line.Error is null ? 0 : 1;
                    writer.WriteLine(JsonSerializer.Serialize(line, OneLine));
                }

                done += batch.Length;
                writer.Flush();
                progress.Report(done, Math.Max(total, done));
            }

            return done;
        });
        if (options.Out is null) Write(standardOutput);
        else AtomicFile.Write(options.Out, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true);
            Write(writer);
        });
        if (broken == 0) return ExitCode.Success;
        Streams.Note($"{broken:N0} lines could not be linked; each says why.");
        return ExitCode.FoundWanting;
    }

    private static IEnumerable<(string Text, int Number)> Lines(TextReader reader)
    {
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line)) yield return (line, number);
        }
    }

    private static List<LinkedLine> Link(ILinker linker, (string Text, int Number)[] lines, LinkOptions options, string folder)
    {
        var read = lines.Select(line => Read(line, options, folder)).ToArray();
        var answers = new Queue<LinkAnswer>(linker.Link([.. read.Select(one => one.Request).OfType<LinkRequest>()]));
        return [.. read.Select(one => new LinkedLine(one.Key, one.Request is null ? null : answers.Dequeue(), one.Error))];
    }

    private static (string Key, LinkRequest? Request, string? Error) Read((string Text, int Number) line, LinkOptions options, string folder)
    {
        var key = line.Number.ToString(CultureInfo.InvariantCulture);
        try
        {
            var found = LinkLine.Read(line.Text, line.Number, options.Input!);
            key = found.Key ?? key;
            return (key, found.ToRequest((options.Top, options.Explain), folder), null);
        }
        catch (UserErrorException wrong)
        {
            return (key, null, wrong.Message);
        }
    }

    // --- one, for people ---

    private static void Print(IAnsiConsole results, LinkAnswer answer)
    {
        if (answer.Entities.Count == 0)
        {
            results.Line($"NIL: no entity has a name like '{answer.Mention}'.");
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumn("").AddColumn("id").AddColumn("name").AddColumn("description")
            .AddColumn(new TableColumn("score").RightAligned()).AddColumn(new TableColumn("probability").RightAligned());
        foreach (var (entity, place) in answer.Entities.Select((entity, at) => (entity, at + 1)))
        {
            table.AddRow(
                Number(place, "0"), Markup.Escape(entity.Id), Markup.Escape(entity.Name), Markup.Escape(Shortened(entity.Description)),
                Number(entity.Score, "0.000"), Number(entity.Probability, "0.000"));
        }

        results.Write(table);
        if (answer.Nil)
        {
            results.Line($"NIL: the best score lies below {Number(answer.NilThreshold ?? 0, "0.000")}, chosen on dev.");
        }

        results.Line($"{answer.Compared:N0} entities compared.");
        if (answer.Explanation is { } explanation)
        {
            Print(results, explanation);
            Print(results, answer.Entities[0]);
        }
    }

    private static void Print(IAnsiConsole results, MentionExplanation explanation)
    {
        if (explanation.Units.Count > 0)
        {
            results.Line("units: " + string.Join(", ", explanation.Units.Select(unit => $"{unit.Name} {Number(unit.Amount, "0.00")}")));
        }

        foreach (var (part, number) in explanation.Parts.Select((part, at) => (part, at + 1)))
        {
            var attention = part.Attention is { } share ? $", attention {Number(share, "0.00")}" : "";
            var profile = part.Profile is { } guess ? $", model guess: {guess}" : "";
            results.Line($"seen: {part.Label} {number} at {part.Left:0},{part.Top:0} to {part.Right:0},{part.Bottom:0}{attention}{profile}");
        }
    }

    private static void Print(IAnsiConsole results, LinkedEntity best)
    {
        var table = new Table().Border(TableBorder.Simple).Title($"what {Markup.Escape(best.Name)} scores by")
            .AddColumn("").AddColumn(new TableColumn("").RightAligned());
        foreach (var part in best.Contributions!.Where(part => Math.Abs(part.Amount) >= LeastContribution).OrderByDescending(part => Math.Abs(part.Amount)))
        {
            table.AddRow(Markup.Escape(part.Name), Number(part.Amount, "+0.00;-0.00"));
        }

        results.Write(table);
    }

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..57] + "...";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
