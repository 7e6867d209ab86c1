using System.Globalization;
using Dwe.Host.Commands;
using Dwe.Host.Features.Weights;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host;

/// <summary>The program on one page: words, command, exit code. The only catch-all is here.</summary>
internal static class Program
{
    private static int Main(string[] words)
    {
        // First of all: a comma-decimal locale must not turn 0.3 into 3.
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;

        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            // The first Ctrl-C asks the command to save and stop; a second one ends the process.
            pressed.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };

        try
        {
            return Run(CommandLine.Parse(words).OrThrow(), stop.Token);
        }
        catch (UserErrorException wrong)
        {
            Console.Error.WriteLine($"dwe: {wrong.Message}");
            return ExitCode.WrongUse;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // What the system says of a file: no permission, a full disk, a folder where a file should be.
            Console.Error.WriteLine($"dwe: {refused.Message}");
            return ExitCode.WrongUse;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("dwe: stopped.");
            return ExitCode.FoundWanting;
        }
        catch (Exception unexpected)
        {
            Console.Error.WriteLine($"dwe: a defect of the program: {unexpected}");
            return ExitCode.FoundWanting;
        }
    }

    private static int Run(Command command, CancellationToken stop) => command switch
    {
        Command.Help help => Print(help.text),
        Command.ShowConfig show => ConfigCommand.Run(show.source, show.json),
        Command.Train train => TrainCommand.Run(train.Item, stop),
        Command.Eval eval => EvalCommand.Run(eval.Item),
        Command.Report report => ReportCommand.Run(report.Item, Streams.Results),
        Command.Compare compare => CompareCommand.Run(compare.Item, Streams.Results, Console.Out),
        Command.Ablate ablate => AblateCommand.Run(ablate.Item, stop),
        Command.Sweep sweep => SweepCommand.Run(sweep.Item, stop),
        Command.Link link => LinkCommand.Run(link.Item, Streams.Results, Console.In, Console.Out, stop),
        Command.Features features => FeaturesCommand.Run(features.Item, stop),
        Command.Candidates candidates => CandidatesCommand.Run(Streams.Results, candidates.Item, stop),
        Command.Index index => IndexCommand.Run(index.Item, Streams.Results, Console.Out, stop),
        Command.ShowIndex show => IndexCommand.Show(show.index, show.json, Streams.Results, Console.Out),
        Command.Serve serve => ServeCommand.Run(serve.Item, stop),
        Command.Demo demo => DemoCommand.Run(demo.Item, stop),
        Command.Enrich enrich => EnrichCommand.Run(Streams.Results, Console.Out, enrich.Item, stop),
        Command.Show show => ShowCommand.Run(show.Item, stop),
        Command.Import import => ImportCommand.Run(import.Item),
        Command.DataCheck check => DataCheckCommand.Run(check.Item, Streams.Results, Console.Out, stop),
        Command.DataConvert convert => DataConvertCommand.Run(convert.Item, Streams.Results),
        Command.KbBuild build => KbCommand.Build(build.Item, Streams.Results, stop),
        Command.KbAdd add => KbCommand.Add(add.Item, Streams.Results, stop),
        Command.KbRemove remove => KbCommand.Remove(remove.Item, Streams.Results),
        Command.KbShow show => KbCommand.Show(show.Item, Streams.Results, Console.Out),
        Command.Weights weights => WeightsCommand.Run(Streams.Results, WeightCache.OfThisMachine(), weights.all, stop),
        Command.Doctor doctor => DoctorCommand.Run(doctor.json, doctor.device, doctor.libTorch, Console.Out),
        _ when command.IsVersion => Print(CodeVersion.Current),
        _ => throw new InvalidOperationException($"no command for {command}"),
    };

    private static int Print(string text)
    {
        Console.Out.WriteLine(text);
        return ExitCode.Success;
    }
}

/// <summary>0: done; 1: done, and found wanting (or stopped, or a defect); 2: wrong use, wrong input.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int FoundWanting = 1;
    public const int WrongUse = 2;
}
