using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dwe.Host.Service;

/// <summary>The page at <c>/</c>: one embedded file, which may run its own script and style and talk to this service, no more.</summary>
internal static class Page
{
    private static readonly string Text = Read();

    private static readonly string Policy =
        $"default-src 'none'; script-src {Hashes("script")}; style-src {Hashes("style")}; img-src blob: data:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/", (HttpContext context) =>
    {
        context.Response.Headers.ContentSecurityPolicy = Policy;
        return Results.Text(Text, "text/html", Encoding.UTF8);
    }).ExcludeFromDescription();

    private static string Read()
    {
        using var stream = typeof(Page).Assembly.GetManifestResourceStream("page.html")
            ?? throw new InvalidOperationException("page.html is not embedded");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>A script or style is let through by the hash of its text, so none that got in otherwise would be.</summary>
    private static string Hashes(string element)
    {
        var (open, close) = ($"<{element}>", $"</{element}>");
        var from = Text.IndexOf(open, StringComparison.Ordinal) + open.Length;
        var content = Text[from..Text.IndexOf(close, from, StringComparison.Ordinal)];
        return $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}'";
    }
}
