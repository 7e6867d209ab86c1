using Microsoft.Extensions.Logging;

namespace Dwe.Host.Service;

/// <summary>Every line of the log. None has a mention, a text, an id or an address that a user has sent.</summary>
internal static partial class ServiceLog
{
    [LoggerMessage(1, LogLevel.Information, "listening on {address}")]
    public static partial void Listening(ILogger log, string address);

    [LoggerMessage(2, LogLevel.Warning, "listening beyond this machine on {address}, {protection}")]
    public static partial void Exposed(ILogger log, string address, string protection);

    [LoggerMessage(10, LogLevel.Information, "opening the linker: {what}")]
    public static partial void Preparing(ILogger log, string what);

    [LoggerMessage(3, LogLevel.Information, "linker opened in {seconds:F1} s: run {run}, index {index}, {entities} entities")]
    public static partial void Opened(ILogger log, double seconds, string run, string index, int entities);

    [LoggerMessage(4, LogLevel.Error, "new linker refused, the old one goes on: {problem}")]
    public static partial void Refused(ILogger log, string problem);

    [LoggerMessage(5, LogLevel.Information, "{method} {route} {status} in {milliseconds:F1} ms")]
    public static partial void Answered(ILogger log, string method, string route, int status, double milliseconds);

    [LoggerMessage(6, LogLevel.Error, "linking {count} together failed: {problem}")]
    public static partial void LinkFailed(ILogger log, int count, string problem);

    [LoggerMessage(7, LogLevel.Error, "answering {route} failed: {problem}")]
    public static partial void AnswerFailed(ILogger log, string route, string problem);

    [LoggerMessage(8, LogLevel.Information, "stopping: {waiting} waiting")]
    public static partial void Stopping(ILogger log, int waiting);

    [LoggerMessage(9, LogLevel.Information, "stopped; everything accepted was answered: {complete}")]
    public static partial void Stopped(ILogger log, bool complete);

    /// <summary>Type and places of an exception, without its message: that may quote what a user has sent.</summary>
    public static string Describe(Exception failed) =>
        $"{failed.GetType().FullName}{failed.StackTrace?.Replace(Environment.NewLine, " |", StringComparison.Ordinal)}"
        + (failed.InnerException is { } inner ? $" < {Describe(inner)}" : "");
}
