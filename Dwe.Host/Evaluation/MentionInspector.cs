using Dwe.Host.Linking;
using Dwe.Host.Training;
using Dwe.Model;

namespace Dwe.Host.Evaluation;

/// <summary>What was compared with a mention, best first.</summary>
/// <param name="Rows">Entity rows; of equal scores that which was listed first.</param>
/// <param name="Scores">In their order.</param>
internal sealed record MentionRanking(int[] Rows, float[] Scores);

/// <summary>
/// The mentions of a split one by one: what ranks where, and what moved it there. The scores are those of <see cref="Evaluator"/>.
/// </summary>
internal sealed class MentionInspector : IDisposable
{
    private readonly Matcher matcher;
    private readonly RunData data;
    private readonly string split;
    private readonly CandidateLists? candidates;
    private readonly LexicalMentions? lexical;
    private readonly EntityVectors entities;
    private readonly PairScorer scorer;

    /// <param name="matcher">The model; not disposed here.</param>
    /// <param name="data">Data set and features.</param>
    /// <param name="split">A split with features.</param>
    /// <param name="candidates">What is compared; null: the best of every entity.</param>
    /// <param name="lexical">The split's words; null for a model without lexical unit.</param>
    public MentionInspector(Matcher matcher, RunData data, string split, CandidateLists? candidates, LexicalMentions? lexical)
    {
        (this.matcher, this.data, this.split, this.candidates, this.lexical) = (matcher, data, split, candidates, lexical);
        var rows = matcher.ProjectsEntities ? matcher.CompareEntities(data.EntitiesFor(matcher)) : data.Entities.data<float>().ToArray();
        entities = new EntityVectors(rows, matcher.Compared);
        var queries = MentionQueries.Of(matcher, data, split);
        Ranks.Normalize(queries, matcher.Compared);
        scorer = new PairScorer(queries, entities, matcher, lexical);
    }

    /// <summary>What was compared with each mention.</summary>
    public MentionRanking[] Rankings()
    {
        if (candidates is null)
        {
            return [.. scorer.RankAll(data.Golds(split), Evaluator.BestOfAll).Best.Select(best => new MentionRanking(best.Rows, best.Scores))];
        }

        var (width, scores) = (candidates.Width, scorer.Score(candidates.Width, candidates.Rows).Scores);
        return [.. Enumerable.Range(0, candidates.Rows.Length / width).Select(mention =>
        {
            var order = Enumerable.Range(mention * width, width).Where(at => candidates.Rows[at] >= 0).OrderByDescending(at => scores[at]).ToArray();
            return new MentionRanking([.. order.Select(at => candidates.Rows[at])], [.. order.Select(at => scores[at])]);
        })];
    }

    /// <summary>The score of a mention with an entity, compared or not.</summary>
    public float Score(int mention, int row) => scorer.ScoresOf(mention, [row])[0];

    /// <summary>What the scores of a mention with entities are made of; see <see cref="Matcher.ExplainScores"/>.</summary>
    public Contribution[][] Explain(int mention, params int[] rows)
    {
        var dim = matcher.Compared;
        float[] vectors = [.. rows.SelectMany(row => entities.Rows.AsSpan(row * dim, dim).ToArray())];
        return [.. matcher.ExplainScores(data.Features(split, matcher), mention, vectors, lexical, rows)
            .Select(shares => shares.Select(share => new Contribution(share.Item1, share.Item2)).ToArray())];
    }

    /// <summary>What of a mention went into its query.</summary>
    public QueryShares Shares(int mention) => matcher.ExplainQuery(data.Features(split, matcher), mention);

    public void Dispose() => entities.Dispose();
}
