namespace Dwe.Host.Reports;

/// <summary>A sentence with its mention marked.</summary>
internal static class MarkedSentence
{
    /// <summary>Every place where the mention's text occurs: data sets do not say which one is meant. Whatever the case of its
    /// letters where it does not occur as it is.</summary>
    public static (Html Marked, int Count) Of(string sentence, string text)
    {
        if (text.Length == 0) return (Html.Of($"{sentence}"), 0);
        var comparison = sentence.Contains(text, StringComparison.Ordinal) ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        var (pieces, from) = (new List<Html>(), 0);
        for (int at; (at = sentence.IndexOf(text, from, comparison)) >= 0; from = at + text.Length)
            pieces.Add(Html.Of($"{sentence[from..at]}<mark>{sentence.Substring(at, text.Length)}</mark>"));
        return (Html.Of($"{pieces}{sentence[from..]}"), pieces.Count);
    }
}
