using System.Buffers;
using System.Text;

namespace Dwe.Host.Features.Text;

/// <summary>
/// The tokenizer of Universal Sentence Encoder lite: SentencePiece's unigram model, read with the rules of the
/// JavaScript package whose vocabulary it is, so that ids agree with it exactly, oddities included.
///
///     NFKC; U+2581 in front; every U+0020 becomes U+2581; the segmentation with the greatest sum of scores.
///
/// Where no piece starts, one character passes as unknown (id 0) at the score 0, the best there is; a run of unknowns
/// is one id. Of equal sums the one whose last piece starts later wins. A place that no piece ends at counts as
/// reached, by an unknown, with the sum 0; and a sum of exactly 0 gives way to anything. (The package starts every sum
/// at 0 and cannot tell it from "none yet". Its vocabulary has all Latin letters as pieces, so only other scripts ever
/// notice.) Pure and thread-safe.
/// </summary>
internal sealed class PieceTokenizer(PieceVocabulary vocabulary)
{
    /// <summary>Goes into the encoder's Id: raise it when any text gets other ids.</summary>
    public const string Version = "nfkc-unigram-1";

    public const int UnknownId = 0;

    private static readonly Rune Separator = new('\u2581');

    /// <summary>The ids of a text. The empty text has none. Half surrogate pairs read as U+FFFD.</summary>
    public int[] Encode(string text)
    {
        if (text.Length == 0) return [];
        var normalized = WellFormed(text).Normalize(NormalizationForm.FormKC);
        if (normalized.Length == 0) return [];
        var symbols = ArrayPool<Rune>.Shared.Rent(normalized.Length + 1);
        try
        {
            return BestPath(symbols.AsSpan(0, Symbols(normalized, symbols)));
        }
        finally
        {
            ArrayPool<Rune>.Shared.Return(symbols);
        }
    }

    /// <summary>.NET refuses to normalise half surrogate pairs, which scraped text does hold.</summary>
    private static string WellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1])) i++;
            else return string.Concat(text.EnumerateRunes());
        }
        return text;
    }

    private static int Symbols(string normalized, Rune[] symbols)
    {
        var count = 0;
        symbols[count++] = Separator;
        foreach (var rune in normalized.EnumerateRunes()) symbols[count++] = rune.Value == ' ' ? Separator : rune;
        return count;
    }

    /// <summary>Viterbi: best[e] = max over pieces that end at e of score + best[start], starts ascending.</summary>
    private int[] BestPath(ReadOnlySpan<Rune> symbols)
    {
        var best = new double[symbols.Length + 1];
        var lastPiece = new int[symbols.Length + 1];
        for (var start = 0; start < symbols.Length; start++)
        {
            var anyPiece = false;
            var node = vocabulary.Follow(0, symbols[start]);
            for (var end = start + 1; node >= 0; end++)
            {
                if (vocabulary.PieceAt(node) is >= 0 and var piece)
                {
                    anyPiece = true;
                    Offer(end, vocabulary.ScoreOf(piece) + best[start], piece);
                }
                node = end < symbols.Length ? vocabulary.Follow(node, symbols[end]) : -1;
            }
            if (!anyPiece) Offer(start + 1, best[start], UnknownId);
        }
        return Backwards(lastPiece);

        void Offer(int end, double score, int piece)
        {
            if (best[end] != 0 && score < best[end]) return;
            (best[end], lastPiece[end]) = (score, piece);
        }
    }

    private int[] Backwards(int[] lastPiece)
    {
        var ids = new List<int>();
        var end = lastPiece.Length - 1;
        while (end > 0)
        {
            var id = lastPiece[end];
            if (id != UnknownId || ids.Count == 0 || ids[^1] != UnknownId) ids.Add(id);
            end -= id == UnknownId ? 1 : vocabulary.LengthOf(id);
        }
        ids.Reverse();
        return [.. ids];
    }
}
