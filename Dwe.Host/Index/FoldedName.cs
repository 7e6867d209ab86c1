using System.Globalization;
using System.Text;

namespace Dwe.Host.Index;

/// <summary>
/// Names as they are looked up: without case, accents, vowel points and punctuation, compatibility forms (full width, ligatures)
/// as the letters they stand for. Accents that make another letter of a script stay: Hangul, kana, vowel signs of Indic scripts.
/// </summary>
internal static class FoldedName
{
    /// <summary>Longer names are looked up by their beginning.</summary>
    public const int MostLetters = 256;

    /// <summary>Letters that Unicode does not take apart, though people write them as these.</summary>
    private static readonly Dictionary<int, string> Written = new()
    {
        ['ß'] = "ss",
        ['æ'] = "ae",
        ['œ'] = "oe",
        ['ø'] = "o",
        ['đ'] = "d",
        ['ð'] = "d",
        ['þ'] = "th",
        ['ł'] = "l",
        ['ı'] = "i",
        ['ħ'] = "h",
        ['ŧ'] = "t",
        ['ŋ'] = "n",
        ['ĸ'] = "k",
        ['ə'] = "e",
        ['ς'] = "σ",
        ['ـ'] = "",
        ['ى'] = "ي",
        ['ة'] = "ه",
        ['ی'] = "ي",
        ['ک'] = "ك",
    };

    /// <summary>The folded name; where nothing but punctuation is left, the text in lower case.</summary>
    public static string Of(string text)
    {
        var cut = text.Length <= MostLetters ? text : text[..(MostLetters - (char.IsHighSurrogate(text[MostLetters - 1]) ? 1 : 0))];
        var folded = new StringBuilder(cut.Length);
        foreach (var rune in Whole(cut).Normalize(NormalizationForm.FormKD).EnumerateRunes()) Append(folded, rune);
        if (folded.Length > 0 && folded[^1] == ' ') folded.Length--;
        var name = folded.ToString().Normalize(NormalizationForm.FormC);
        return name.Length > 0 ? name : Whole(cut).Trim().ToLowerInvariant();
    }

    private static void Append(StringBuilder folded, Rune rune)
    {
        if (IsAccent(rune.Value)) return;
        var lower = Rune.ToLowerInvariant(rune);
        if (Written.TryGetValue(lower.Value, out var written)) folded.Append(written);
        else if (IsOfWord(lower)) folded.Append(lower.ToString());
        else if (!IsWithinWord(lower.Value) && folded.Length > 0 && folded[^1] != ' ') folded.Append(' ');
    }

    /// <summary>Combining marks of European scripts, Hebrew points, Arabic vowel marks.</summary>
    private static bool IsAccent(int point) => point
        is (>= 0x300 and <= 0x36F) or (>= 0x483 and <= 0x487) or (>= 0x591 and <= 0x5C7) or (>= 0x610 and <= 0x61A)
        or (>= 0x64B and <= 0x65F) or 0x670 or (>= 0x6D6 and <= 0x6ED) or (>= 0x1AB0 and <= 0x1AFF) or (>= 0x1DC0 and <= 0x1DFF)
        or (>= 0x20D0 and <= 0x20FF) or (>= 0xFE20 and <= 0xFE2F);

    /// <summary>O'Neill and ONeill are one name, as are names with and without joiners and soft hyphens.</summary>
    private static bool IsWithinWord(int point) =>
        point is '\'' or '’' or 'ʼ' or '`' or '´' or 0xAD or 0x200B or 0x200C or 0x200D or 0xFEFF;

    private static bool IsOfWord(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.LetterNumber
            or UnicodeCategory.OtherNumber => true,
        _ => false,
    };

    /// <summary>Half surrogate pairs cannot be normalised.</summary>
    private static string Whole(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at])) continue;
            if (at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1])) at++;
            else return string.Concat(text.EnumerateRunes());
        }

        return text;
    }
}
