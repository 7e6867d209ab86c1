namespace Dwe.Host.Service;

/// <summary>A sentence whose mention is marked inline: <c>[[Jordan]] won six titles.</c></summary>
internal static class MarkedText
{
    private const string Open = "[[";
    private const string Close = "]]";

    /// <summary>Mention and unmarked sentence; null unless exactly one mark is there and something is in it.</summary>
    public static (string Mention, string Text)? Read(string marked)
    {
        var open = marked.IndexOf(Open, StringComparison.Ordinal);
        var close = open < 0 ? -1 : marked.IndexOf(Close, open + Open.Length, StringComparison.Ordinal);
        if (close < 0 || marked.IndexOf(Open, open + Open.Length, StringComparison.Ordinal) >= 0) return null;
        var mention = marked[(open + Open.Length)..close];
        return mention.Trim().Length == 0
            ? null
            : (mention.Trim(), marked[..open] + mention + marked[(close + Close.Length)..]);
    }
}
