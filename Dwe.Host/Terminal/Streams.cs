using Dwe.Model.Domain;
using Microsoft.FSharp.Core;
using Spectre.Console;

namespace Dwe.Host.Terminal;

/// <summary>The two streams of the program: results on standard output, everything else on standard error.</summary>
internal static class Streams
{
    /// <summary>Results: tables for people, JSON for machines.</summary>
    public static IAnsiConsole Results { get; } = Create(Console.Out);

    /// <summary>Progress, notes and errors.</summary>
    public static IAnsiConsole Messages { get; } = Create(Console.Error);

    public static void Note(string message) => Messages.Line(message);

    /// <summary>One line, whole: Spectre would fold it at the console's width, in logs too.</summary>
    public static void Line(this IAnsiConsole console, string text) => console.Profile.Out.Writer.WriteLine(text);

    private static IAnsiConsole Create(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });

        // A file has no width: tables and messages are not folded there.
        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = 160;
        }

        return console;
    }
}

internal static class ResultExtensions
{
    /// <summary>The value, or the user error as the exception that the catch-all prints.</summary>
    public static T OrThrow<T>(this FSharpResult<T, UserError> result) =>
        result.IsOk ? result.ResultValue : throw new UserErrorException(result.ErrorValue);
}
