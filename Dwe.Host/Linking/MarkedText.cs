using Dwe.Model.Domain;

namespace Dwe.Host.Linking;

/// <summary>A sentence with its mention marked inline: <c>Does [[Jordan]] still play?</c></summary>
internal static class MarkedText
{
    private const string Open = "[[";
    private const string Close = "]]";

    /// <summary>The mention and the sentence without the marks. Where the mention is given, brackets are text like any other.</summary>
    /// <param name="text">The sentence; its mention is marked where <paramref name="mention"/> is null.</param>
    /// <param name="mention">The mention where it is given beside the sentence.</param>
    /// <exception cref="UserErrorException">UsageWrong: no mention, several, or an empty one.</exception>
    public static (string Mention, string Text) Read(string text, string? mention)
    {
        if (mention is not null)
        {
            return string.IsNullOrWhiteSpace(mention) ? throw Wrong("the mention is empty", "Give its words.") : (mention, text);
        }

        var parts = text.Split(Open);
        if (parts.Length == 1)
        {
            throw Wrong("there is no mention", "Give it beside the text, or mark it: Does [[Jordan]] still play?");
        }

        var close = parts[1].IndexOf(Close, StringComparison.Ordinal);
        if (parts.Length > 2 || close < 0)
        {
            throw Wrong("the text does not mark one mention", "Mark exactly one, and close it: Does [[Jordan]] still play?");
        }

        var marked = parts[1][..close];
        return string.IsNullOrWhiteSpace(marked)
            ? throw Wrong("the marked mention is empty", "Put its words between [[ and ]].")
            : (marked, parts[0] + marked + parts[1][(close + Close.Length)..]);
    }

    private static UserErrorException Wrong(string what, string todo) => new(UserError.NewUsageWrong(what, todo));
}
