using System.Text;

namespace Dwe.Host.Index;

/// <summary>
/// What of a folded name survives a typo: its words' triples of letters, each word with a space on either side. Scripts that
/// write whole words in a sign or two (Han, kana, Hangul) give pairs instead.
/// </summary>
internal static class NameGrams
{
    /// <summary>The grams in order, repeats kept.</summary>
    public static void Of(string folded, List<string> grams)
    {
        grams.Clear();
        Span<Rune> padded = stackalloc Rune[2 * FoldedName.MostLetters];
        var length = 0;
        padded[length++] = new Rune(' ');
        foreach (var rune in folded.EnumerateRunes())
        {
            if (length < padded.Length - 1) padded[length++] = rune;
        }

        padded[length++] = new Rune(' ');
        Span<char> letters = stackalloc char[6];
        for (var at = 0; at + 1 < length; at++)
        {
            var size = IsWordSign(padded[at]) || IsWordSign(padded[at + 1]) ? 2 : 3;
            if (at + size > length) break;
            var written = 0;
            for (var each = 0; each < size; each++) written += padded[at + each].EncodeToUtf16(letters[written..]);
            grams.Add(new string(letters[..written]));
        }
    }

    private static bool IsWordSign(Rune rune) => rune.Value
        is (>= 0x2E80 and <= 0x2FDF) or (>= 0x3040 and <= 0x30FF) or (>= 0x3130 and <= 0x318F) or (>= 0x31F0 and <= 0x31FF)
        or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xAC00 and <= 0xD7AF) or (>= 0xF900 and <= 0xFAFF)
        or (>= 0x20000 and <= 0x3FFFF);
}
