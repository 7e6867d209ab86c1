namespace Dwe.Host.Retrieval;

/// <summary>
/// One mention's text at a time against the prepared names: bounds and scores. Not shared between threads.
/// </summary>
internal sealed class FuzzyQuery(FuzzyNames names)
{
    private readonly PatternMasks plain = new(names.Alphabet);
    private readonly PatternMasks sorted = new(names.Alphabet);
    private readonly PatternMasks distinct = new(names.Alphabet);
    private readonly PatternMasks rest = new(names.Alphabet);
    private readonly PartialRatio partial = new(names.Alphabet);
    private readonly ushort space = names.Symbols([' '])[0];
    private ushort[] text = [];
    private int[] tokens = [];
    private ushort[][] tokenTexts = [];
    private bool repeats;
    private LetterBag bag;

    /// <summary>Numbers of the text's distinct tokens, those that no name has left out.</summary>
    public IEnumerable<int> KnownTokens => tokens.Where(token => token >= 0);

    /// <summary>Nothing comparable is left of the text: every name scores 0.</summary>
    public bool IsEmpty => text.Length == 0;

    public void Set(string mention)
    {
        var forms = names.FormsOf(mention);
        text = forms.Plain;
        plain.Set(forms.Plain);
        sorted.Set(forms.Sorted);
        distinct.Set(forms.Distinct);
        tokens = [.. forms.Tokens.Select(names.NumberOf)];
        tokenTexts = [.. forms.Tokens.Select(names.Symbols)];
        repeats = !ReferenceEquals(forms.Sorted, forms.Distinct);
        bag = LetterBag.Of(forms.Plain);
    }

    /// <summary>No less than the score of a name that shares no token with the text.</summary>
    public int Bound(int name)
    {
        int length = names.Plain[name].Length, distinctLength = names.Distinct[name].Length;
        if (length == 0 || text.Length == 0)
        {
            return 0;
        }

        var common = bag.Common(names.Bags[name]);
        var (shorter, shorterDistinct) = (Math.Min(length, text.Length), Math.Min(distinctLength, distinct.Text.Length));
        var commonDistinct = Math.Min(common, shorterDistinct);
        if (FuzzyScale.Whole(length, text.Length))
        {
            return Math.Max(
                Above(common, length + text.Length),
                FuzzyScale.Token[Above(commonDistinct, distinctLength + distinct.Text.Length)]);
        }

        var tier = FuzzyScale.Tier(length, text.Length);
        return Math.Max(
            Math.Max(Above(common, length + text.Length), FuzzyScale.Partial[tier][Above(common, shorter + common)]),
            FuzzyScale.PartialToken[tier][Above(commonDistinct, shorterDistinct + commonDistinct)]);
    }

    /// <summary>The score, 0 to 100; any number below <paramref name="least"/> where it is below that.</summary>
    public int Score(int name, int least)
    {
        var other = names.Plain[name];
        if (other.Length == 0 || text.Length == 0)
        {
            return 0;
        }

        if (text.AsSpan().SequenceEqual(other))
        {
            return 100;
        }

        var lengths = text.Length + other.Length;
        var common = plain.Common(other);
        var score = FuzzyScale.Percent(common, lengths);
        var shared = SharedLength(name, out var sharesToken);
        return FuzzyScale.Whole(text.Length, other.Length)
            ? Math.Max(score, sharesToken ? WithShared(name, shared) : WholeTokens(name))
            : Math.Max(score, Partials(name, common, sharesToken, Math.Max(least, score)));
    }

    /// <summary>Token ratios of texts that share no token: their sorted forms, with and without repeats.</summary>
    private int WholeTokens(int name)
    {
        var best = SortedRatio(name);
        return repeats || !ReferenceEquals(names.Sorted[name], names.Distinct[name])
            ? Math.Max(best, FuzzyScale.Token[Ratio(distinct, names.Distinct[name])])
            : best;
    }

    private int SortedRatio(int name) => FuzzyScale.Token[Ratio(sorted, names.Sorted[name])];

    private static int Ratio(PatternMasks query, ushort[] other) =>
        FuzzyScale.Percent(query.Common(other), query.Text.Length + other.Length);

    /// <summary>
    /// Token ratios where tokens are shared. Both texts are the shared tokens followed by the rest, so the shared part alone is
    /// a prefix of each, and what they have in common is that prefix and what their rests have in common.
    /// </summary>
    private int WithShared(int name, int shared)
    {
        int left = distinct.Text.Length, right = names.Distinct[name].Length;
        var best = Math.Max(FuzzyScale.Percent(shared, shared + left), FuzzyScale.Percent(shared, shared + right));
        if (best < 100)
        {
            var (leftRest, rightRest) = Rests(name);
            rest.Set(leftRest);
            var common = shared + 1 + rest.Common(rightRest);
            best = Math.Max(best, FuzzyScale.Percent(common, left + right));
        }

        return Math.Max(SortedRatio(name), FuzzyScale.Token[best]);
    }

    /// <summary>
    /// A shared token is found whole in the other text, so its partial ratio is 100. Elsewhere a longest common subsequence of
    /// c letters bounds the partial ratio by 2c / (shorter + c).
    /// </summary>
    private int Partials(int name, int common, bool sharesToken, int least)
    {
        var other = names.Plain[name];
        var tier = FuzzyScale.Tier(text.Length, other.Length);
        var best = sharesToken ? FuzzyScale.PartialToken[tier][100] : 0;
        if (FuzzyScale.Partial[tier][Above(common, Math.Min(text.Length, other.Length) + common)] >= Math.Max(best, least))
        {
            best = Math.Max(best, FuzzyScale.Partial[tier][partial.Percent(plain, other)]);
        }

        if (sharesToken)
        {
            return best;
        }

        best = Math.Max(best, PartialTokens(sorted, names.Sorted[name], tier, Math.Max(best, least)));
        return repeats || !ReferenceEquals(names.Sorted[name], names.Distinct[name])
            ? Math.Max(best, PartialTokens(distinct, names.Distinct[name], tier, Math.Max(best, least)))
            : best;
    }

    private int PartialTokens(PatternMasks query, ushort[] other, int tier, int least)
    {
        if (FuzzyScale.PartialToken[tier][100] < least)
        {
            return 0;
        }

        var common = query.Common(other);
        return FuzzyScale.PartialToken[tier][Above(common, Math.Min(query.Text.Length, other.Length) + common)] >= least
            ? FuzzyScale.PartialToken[tier][partial.Percent(query, other)]
            : 0;
    }

    /// <summary>Length of the shared tokens joined by spaces.</summary>
    private int SharedLength(int name, out bool any)
    {
        var others = names.TokensOf(name);
        var length = 0;
        any = false;
        for (var at = 0; at < tokens.Length; at++)
        {
            if (tokens[at] >= 0 && others.Contains(tokens[at]))
            {
                length += tokenTexts[at].Length + (any ? 1 : 0);
                any = true;
            }
        }

        return length;
    }

    /// <summary>What either text has beside the shared tokens, joined by spaces.</summary>
    private (ushort[] Left, ushort[] Right) Rests(int name)
    {
        var others = names.TokensOf(name);
        var left = new List<ushort>();
        for (var at = 0; at < tokens.Length; at++)
        {
            if (tokens[at] < 0 || !others.Contains(tokens[at]))
            {
                Append(left, tokenTexts[at]);
            }
        }

        var right = new List<ushort>();
        var rightText = names.Distinct[name].AsSpan();
        foreach (var token in others)
        {
            var end = rightText.IndexOf(space);
            end = end < 0 ? rightText.Length : end;
            if (!tokens.Contains(token))
            {
                Append(right, rightText[..end]);
            }

            rightText = rightText[Math.Min(rightText.Length, end + 1)..];
        }

        return ([.. left], [.. right]);
    }

    private void Append(List<ushort> joined, ReadOnlySpan<ushort> token)
    {
        if (joined.Count > 0)
        {
            joined.Add(space);
        }

        foreach (var symbol in token)
        {
            joined.Add(symbol);
        }
    }

    /// <summary>The percents of 2·common / lengths with halves rounded up: no less than rounded to even.</summary>
    private static int Above(int common, int lengths) => common == 0 ? 0 : (400 * common + lengths) / (2 * lengths);
}
