using System.Text;

namespace Dwe.Host.Features.Tfjs;

/// <summary>
/// Some packages ship a model as minified JavaScript modules: model.json as an object literal, each weight shard as
/// base64 in a string literal. This reads the literal that such a module exports; it runs nothing.
/// </summary>
internal static class ScriptLiteral
{
    private const string Export = ".exports=";

    /// <summary>The exported object as JSON: names quoted, <c>!0</c> and <c>!1</c> as booleans, <c>.5</c> as
    /// <c>0.5</c>.</summary>
    /// <exception cref="FormatException">The module exports no object literal.</exception>
    public static string ToJson(string script)
    {
        var json = new StringBuilder();
        var depth = 0;
        for (var at = Find(script, '{'); at < script.Length;)
        {
            var symbol = script[at];
            if (symbol is '"' or '\'') at = CopyText(script, at, json);
            else if (symbol == '!') (_, at) = (json.Append(script[at + 1] == '0' ? "true" : "false"), at + 2);
            else if (char.IsAsciiLetter(symbol) || symbol is '_' or '$') at = CopyWord(script, at, json);
            else
            {
                if (symbol == '.' && !char.IsAsciiDigit(script[at - 1])) json.Append('0');
                json.Append(symbol);
                at++;
                depth += symbol is '{' or '[' ? 1 : symbol is '}' or ']' ? -1 : 0;
                if (depth == 0) return json.ToString();
            }
        }
        throw new FormatException("the exported object never ends");
    }

    /// <summary>The exported text as bytes, from base64.</summary>
    /// <exception cref="FormatException">The module exports no text, or the text is not base64.</exception>
    public static byte[] ToBytes(string script)
    {
        var start = Find(script, '"') + 1;
        var end = script.IndexOf('"', start);
        return end > 0
            ? Convert.FromBase64String(script[start..end])
            : throw new FormatException("the exported text never ends");
    }

    private static int Find(string script, char opening)
    {
        var at = script.IndexOf(Export + opening, StringComparison.Ordinal);
        return at >= 0 ? at + Export.Length : throw new FormatException($"no `{Export}{opening}` in the script");
    }

    /// <summary>A name before a colon is quoted; a word elsewhere (true, null, an exponent's e) stays.</summary>
    private static int CopyWord(string script, int start, StringBuilder json)
    {
        var end = start;
        while (char.IsAsciiLetterOrDigit(script[end]) || script[end] is '_' or '$') end++;
        var word = script.AsSpan(start, end - start);
        if (script[end] == ':') json.Append('"').Append(word).Append('"');
        else json.Append(word);
        return end;
    }

    private static int CopyText(string script, int start, StringBuilder json)
    {
        var end = start + 1;
        while (script[end] != script[start]) end += script[end] == '\\' ? 2 : 1;
        json.Append('"').Append(script.AsSpan(start + 1, end - start - 1)).Append('"');
        return end + 1;
    }
}
