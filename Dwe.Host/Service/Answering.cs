using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Dwe.Host.Service;

/// <summary>On routes that a key opens, where there is one.</summary>
internal sealed class NeedsKey
{
    public static NeedsKey Instance { get; } = new();
}

/// <summary>
/// Around every request: the key, the one shape of errors, and what is counted and logged. A server has to outlive its
/// requests, so this is its catch-all, as <c>Dwe.Host.cs</c> has the program's.
/// </summary>
internal sealed class Answering(ServiceOptions options, ServiceMetrics metrics, ILogger log)
{
    /// <summary>What nginx calls a client that did not wait.</summary>
    private const int ClientGone = 499;

    private readonly byte[]? keyHash = options.ApiKey is { } key ? Hash(key) : null;

    public async Task Around(HttpContext context, RequestDelegate next)
    {
        var start = Stopwatch.GetTimestamp();
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";
        metrics.Begun(route);
        var status = await Answer(context, next, route);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        metrics.Answered(route, status, seconds);
        ServiceLog.Answered(log, Method(context.Request.Method), route, status, seconds * 1000);
    }

    private async Task<int> Answer(HttpContext context, RequestDelegate next, string route)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        context.Response.Headers.CacheControl = "no-store";
        try
        {
            if (!MayPass(context)) throw new FaultException(Fault.Unauthorized);
            await next(context);
            if (!context.Response.HasStarted && Fault.OfStatus(context.Response.StatusCode, options.MaxBody) is { } fault)
                await Write(context, fault);
            return context.Response.StatusCode;
        }
        catch (FaultException refused)
        {
            return await Write(context, refused.Fault);
        }
        catch (Exception gone) when (gone is ConnectionResetException || context.RequestAborted.IsCancellationRequested)
        {
            return ClientGone;
        }
        catch (BadHttpRequestException broken)
        {
            return await Write(context, Fault.OfStatus(broken.StatusCode, options.MaxBody) ?? Fault.Broken("it ends too early"));
        }
        catch (Exception failed)
        {
            ServiceLog.AnswerFailed(log, route, ServiceLog.Describe(failed));
            return await Write(context, Fault.Internal);
        }
    }

    private bool MayPass(HttpContext context)
    {
        if (keyHash is null || context.GetEndpoint()?.Metadata.GetMetadata<NeedsKey>() is null) return true;
        const string Scheme = "Bearer ";
        var given = context.Request.Headers.Authorization.ToString();
        return given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(Hash(given[Scheme.Length..].Trim()), keyHash);
    }

    /// <summary>Of equal length for keys of any, so that comparing them takes equally long.</summary>
    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static async Task<int> Write(HttpContext context, Fault fault)
    {
        if (context.Response.HasStarted)
        {
            // Half an answer is out: a cut connection is the only way left to say that it is none.
            context.Abort();
            return fault.Status;
        }

        context.Response.StatusCode = fault.Status;
        context.Response.ContentType = "application/json";
        if (fault.Status == StatusCodes.Status401Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
        if (fault.RetryAfter is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        try
        {
            await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new ErrorReply { Error = fault }, WireJson.Options));
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            return ClientGone;
        }

        return fault.Status;
    }

    /// <summary>A method is a word of the client's: only those that are known are logged.</summary>
    private static string Method(string method) => method is "GET" or "HEAD" or "POST" or "PUT" or "DELETE" or "OPTIONS" or "PATCH" ? method : "other";
}
