using System.Globalization;
using System.Text;

namespace Dwe.Host.Retrieval;

/// <summary>
/// Names as fuzzywuzzy compares them: Latin-1 letters beyond ASCII are dropped, whatever is neither letter, number nor
/// underscore becomes a space, all in lower case, trimmed. Code points, because Python counts and sorts by them.
/// </summary>
internal static class NameText
{
    private const int CapitalSigma = 'Σ';
    private const int CapitalIWithDot = 'İ';

    /// <summary>The text as it is compared; empty where nothing is left.</summary>
    public static int[] Process(string text)
    {
        var kept = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is >= 0x80 and <= 0xFF)
            {
                continue;
            }

            kept.Add(IsWord(rune) ? rune.Value : ' ');
        }

        var lower = new List<int>(kept.Count);
        for (var at = 0; at < kept.Count; at++)
        {
            Lower(kept, at, lower);
        }

        var first = lower.FindIndex(point => point != ' ');
        return first < 0 ? [] : [.. lower[first..(lower.FindLastIndex(point => point != ' ') + 1)]];
    }

    /// <summary>The stretches between spaces, in order, repeats kept.</summary>
    public static List<int[]> Tokens(int[] processed)
    {
        var tokens = new List<int[]>();
        for (var start = 0; start < processed.Length;)
        {
            var end = Array.IndexOf(processed, ' ', start);
            end = end < 0 ? processed.Length : end;
            if (end > start)
            {
                tokens.Add(processed[start..end]);
            }

            start = end + 1;
        }

        return tokens;
    }

    public static string TextOf(int[] points) => string.Concat(points.Select(char.ConvertFromUtf32));

    /// <summary>Order of code points, as Python sorts texts.</summary>
    public static int Compare(int[] left, int[] right) => left.AsSpan().SequenceCompareTo(right);

    private static bool IsWord(Rune rune) => rune.Value == '_' || Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => true,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => true,
        _ => false,
    };

    /// <summary>Two letters are lowered otherwise in a whole text than alone: the last sigma of a word, and İ into two.</summary>
    private static void Lower(List<int> text, int at, List<int> lower)
    {
        switch (text[at])
        {
            case CapitalSigma when at > 0 && IsLetter(text[at - 1]) && (at + 1 == text.Count || !IsLetter(text[at + 1])):
                lower.Add('ς');
                break;
            case CapitalIWithDot:
                lower.Add('i');
                lower.Add(0x307);
                break;
            default:
                lower.Add(Rune.ToLowerInvariant(new Rune(text[at])).Value);
                break;
        }
    }

    private static bool IsLetter(int point) => Rune.IsLetter(new Rune(point));
}
