using Lucene.Net.Analysis;
using Lucene.Net.Analysis.TokenAttributes;

namespace Dwe.Host.Index;

/// <summary>The grams of one name after the other, as Lucene takes terms; used again for every name.</summary>
internal sealed class GramStream : TokenStream
{
    private readonly ICharTermAttribute term;
    private readonly List<string> grams = [];
    private int next;

    public GramStream() => term = AddAttribute<ICharTermAttribute>();

    /// <summary>Begins with another name.</summary>
    public void Take(string folded) => NameGrams.Of(folded, grams);

    public override void Reset() => next = 0;

    public override bool IncrementToken()
    {
        if (next == grams.Count) return false;
        ClearAttributes();
        term.SetEmpty().Append(grams[next++]);
        return true;
    }
}
