using System.Numerics;

namespace Dwe.Host.Retrieval;

/// <summary>
/// A text as bit masks by symbol, for the bit-parallel recurrences of Hyyrö: the longest common subsequence (2004) and edit
/// distance with its columns kept (2003), 64 cells a step. Made for one text after the other over one alphabet.
/// </summary>
internal sealed class PatternMasks(int alphabet)
{
    private ulong[] masks = new ulong[alphabet];
    private ulong[] state = new ulong[1];
    private int words = 1;
    private ushort[] text = [];

    /// <summary>The text that the masks stand for.</summary>
    public ReadOnlySpan<ushort> Text => text;

    /// <summary>The masks by symbol, where the text fits one word.</summary>
    public ReadOnlySpan<ulong> Single => masks;

    /// <summary>Takes another text; symbol 0 equals nothing.</summary>
    public void Set(ushort[] pattern)
    {
        if (ReferenceEquals(text, pattern))
        {
            return;
        }

        foreach (var symbol in text)
        {
            masks.AsSpan(symbol * words, words).Clear();
        }

        var needed = Math.Max(1, (pattern.Length + 63) / 64);
        if (needed != words)
        {
            words = needed;
            masks = new ulong[alphabet * words];
            state = new ulong[words];
        }

        text = pattern;
        for (var at = 0; at < pattern.Length; at++)
        {
            if (pattern[at] != FuzzyNames.Unknown)
            {
                masks[pattern[at] * words + at / 64] |= 1UL << at;
            }
        }
    }

    /// <summary>Length of the longest common subsequence with another text.</summary>
    public int Common(ReadOnlySpan<ushort> other)
    {
        if (words > 1)
        {
            return CommonOfMany(other);
        }

        var row = ulong.MaxValue;
        var of = masks;
        foreach (var symbol in other)
        {
            var matched = row & of[symbol];
            row = (row + matched) | (row - matched);
        }

        return BitOperations.PopCount(~row);
    }

    private int CommonOfMany(ReadOnlySpan<ushort> other)
    {
        Array.Fill(state, ulong.MaxValue);
        foreach (var symbol in other)
        {
            var carry = 0UL;
            for (var word = 0; word < words; word++)
            {
                var row = state[word];
                var matched = row & masks[symbol * words + word];
                var sum = row + matched;
                var over = sum < row ? 1UL : 0UL;
                var withCarry = sum + carry;
                over |= withCarry < sum ? 1UL : 0UL;
                state[word] = withCarry | (row - matched);
                carry = over;
            }
        }

        var common = 0;
        foreach (var word in state)
        {
            common += BitOperations.PopCount(~word);
        }

        return common;
    }
}
