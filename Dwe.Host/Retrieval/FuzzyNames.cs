using System.Numerics;

namespace Dwe.Host.Retrieval;

/// <summary>
/// Names prepared for fuzzy comparison, once: their three forms (as written, tokens sorted, tokens sorted without repeats)
/// over a dense alphabet, their tokens, and their letters as bits, from which a score is bounded without being computed.
/// </summary>
internal sealed class FuzzyNames
{
    /// <summary>The symbol of every character that no name has; no name holds it.</summary>
    public const ushort Unknown = 0;

    private readonly Dictionary<int, ushort> symbolOf = [];
    private readonly Dictionary<string, int> tokenOf = [];
    private readonly int[] tokenStart;
    private readonly int[] tokens;
    private readonly int[] holderStart;
    private readonly int[] holders;

    public FuzzyNames(NameList list)
    {
        List = list;
        var processed = new int[list.Names.Length][];
        Parallel.For(0, processed.Length, at => processed[at] = NameText.Process(list.Names[at]));

        // By frequency, so that the common letters have buckets of their own.
        foreach (var point in processed.SelectMany(name => name).CountBy(point => point).OrderByDescending(entry => entry.Value)
            .ThenBy(entry => entry.Key).Select(entry => entry.Key).Take(ushort.MaxValue))
        {
            symbolOf[point] = (ushort)(symbolOf.Count + 1);
        }

        var sortedTokens = new int[processed.Length][][];
        Parallel.For(0, processed.Length, at =>
        {
            int[][] own = [.. NameText.Tokens(processed[at])];
            Array.Sort(own, NameText.Compare);
            sortedTokens[at] = own;
        });

        Plain = new ushort[processed.Length][];
        Sorted = new ushort[processed.Length][];
        Distinct = new ushort[processed.Length][];
        Bags = new LetterBag[processed.Length];
        tokenStart = new int[processed.Length + 1];
        var allTokens = new List<int>(processed.Length * 3);
        for (var at = 0; at < processed.Length; at++)
        {
            var forms = new NameForms(processed[at], sortedTokens[at], Symbols);
            (Plain[at], Sorted[at], Distinct[at]) = (forms.Plain, forms.Sorted, forms.Distinct);
            Bags[at] = LetterBag.Of(forms.Plain);
            foreach (var token in forms.Tokens)
            {
                var text = NameText.TextOf(token);
                if (!tokenOf.TryGetValue(text, out var number))
                {
                    tokenOf[text] = number = tokenOf.Count;
                }

                allTokens.Add(number);
            }

            tokenStart[at + 1] = allTokens.Count;
        }

        tokens = [.. allTokens];
        holderStart = new int[tokenOf.Count + 1];
        foreach (var token in tokens)
        {
            holderStart[token + 1]++;
        }

        for (var token = 0; token < tokenOf.Count; token++)
        {
            holderStart[token + 1] += holderStart[token];
        }

        holders = new int[tokens.Length];
        var next = holderStart.ToArray();
        for (var at = 0; at < processed.Length; at++)
        {
            foreach (var token in TokensOf(at))
            {
                holders[next[token]++] = at;
            }
        }
    }

    public NameList List { get; }

    public int Count => Plain.Length;

    /// <summary>Number of symbols, the unknown one included.</summary>
    public int Alphabet => symbolOf.Count + 1;

    public ushort[][] Plain { get; }

    public ushort[][] Sorted { get; }

    public ushort[][] Distinct { get; }

    public LetterBag[] Bags { get; }

    /// <summary>The distinct tokens of a name, in the order of their text.</summary>
    public ReadOnlySpan<int> TokensOf(int name) => tokens.AsSpan(tokenStart[name]..tokenStart[name + 1]);

    /// <summary>The names that have this token, in order.</summary>
    public ReadOnlySpan<int> HoldersOf(int token) => holders.AsSpan(holderStart[token]..holderStart[token + 1]);

    /// <summary>Number of a token, or -1 where no name has it.</summary>
    public int NumberOf(int[] token) => tokenOf.GetValueOrDefault(NameText.TextOf(token), -1);

    /// <summary>
    /// The forms of a text that is to be compared with the names. fuzzywuzzy processes such a text twice, names once: the
    /// combining dot that a lowered İ leaves is a letter of names and a space in mentions.
    /// </summary>
    public NameForms FormsOf(string text)
    {
        var processed = NameText.Process(NameText.TextOf(NameText.Process(text)));
        int[][] own = [.. NameText.Tokens(processed)];
        Array.Sort(own, NameText.Compare);
        return new NameForms(processed, own, Symbols);
    }

    /// <summary>Code points in the names' alphabet.</summary>
    public ushort[] Symbols(int[] points) => Array.ConvertAll(points, point => symbolOf.GetValueOrDefault(point, Unknown));
}

/// <summary>A processed text as written, with its tokens sorted, and with its tokens sorted and each once.</summary>
internal readonly struct NameForms
{
    public NameForms(int[] processed, int[][] sortedTokens, Func<int[], ushort[]> symbols)
    {
        Tokens = [.. sortedTokens.Where((token, at) => at == 0 || NameText.Compare(sortedTokens[at - 1], token) != 0)];
        Plain = symbols(processed);
        var sorted = symbols(Join(sortedTokens));
        Sorted = sorted.AsSpan().SequenceEqual(Plain) ? Plain : sorted;
        Distinct = Tokens.Length == sortedTokens.Length ? Sorted : symbols(Join(Tokens));
    }

    public ushort[] Plain { get; }

    public ushort[] Sorted { get; }

    public ushort[] Distinct { get; }

    /// <summary>Sorted, each once.</summary>
    public int[][] Tokens { get; }

    private static int[] Join(int[][] tokens) =>
        [.. tokens.SelectMany((token, at) => at == 0 ? token : token.Prepend(' '))];
}

/// <summary>
/// Which letters a text has and how often, as bits: bit b of the k-th word says that bucket b has more than k letters. The
/// common part of two bags bounds their longest common subsequence from above with four AND.
/// </summary>
internal readonly record struct LetterBag(ulong First, ulong Second, ulong Third, ulong Fourth, int Further)
{
    private const int Buckets = 64;

    public static LetterBag Of(ReadOnlySpan<ushort> text)
    {
        Span<int> counts = stackalloc int[Buckets];
        foreach (var symbol in text)
        {
            if (symbol != FuzzyNames.Unknown)
            {
                counts[symbol % Buckets]++;
            }
        }

        Span<ulong> words = stackalloc ulong[4];
        var further = 0;
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            for (var level = 0; level < Math.Min(words.Length, counts[bucket]); level++)
            {
                words[level] |= 1UL << bucket;
            }

            further += Math.Max(0, counts[bucket] - words.Length);
        }

        return new LetterBag(words[0], words[1], words[2], words[3], further);
    }

    /// <summary>No subsequence of both texts is longer than this.</summary>
    public int Common(in LetterBag other) =>
        BitOperations.PopCount(First & other.First) + BitOperations.PopCount(Second & other.Second)
        + BitOperations.PopCount(Third & other.Third) + BitOperations.PopCount(Fourth & other.Fourth)
        + Math.Min(Further, other.Further);
}
