using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Linking;

namespace Dwe.Host.Evaluation;

/// <summary>
/// Scores of mentions and entities: cosines, or what the lexical unit makes of them. A pair has the same score in every list,
/// in any order, beside whatever else.
/// </summary>
internal sealed class PairScorer(float[] queries, EntityVectors entities, Matcher? matcher, LexicalMentions? lexical)
{
    // Mentions whose scores with every entity are held at once.
    private const int MentionsAtOnce = 64;

    private bool IsLexical => matcher is { HasLexicalUnit: true };

    /// <summary>The scores of listed entities.</summary>
    /// <param name="width">Entities a mention.</param>
    /// <param name="rows">[mentions; width] entity rows, -1 = padding.</param>
    public ScoreTable Score(int width, int[] rows) => Score(0, queries.Length / entities.Dim, width, rows);

    /// <summary>The scores of one mention with some entities.</summary>
    public float[] ScoresOf(int mention, int[] rows) => Score(mention, 1, rows.Length, rows).Scores;

    /// <summary>The ranks of the golds among all entities, and the best entities of each mention.</summary>
    /// <param name="golds">Entity rows; -1 = outside of the knowledge base, a miss.</param>
    /// <param name="keep">How many of the best, which cost another pass; 0 = none.</param>
    public (Rank[] Ranks, (int[] Rows, float[] Scores)[] Best) RankAll(int[] golds, int keep)
    {
        if (!IsLexical)
        {
            return (
                Ranks.OfEverything(entities.Dim, queries.AsMemory(), entities.Tensor, golds).OrThrow(),
                keep == 0 ? [] : Ranks.BestOfEverything(keep, entities.Dim, queries.AsMemory(), entities.Tensor));
        }

        var ranks = new List<Rank>(golds.Length);
        var best = new List<(int[] Rows, float[] Scores)>();
        int[] everything = [.. Enumerable.Range(0, entities.Count)];
        ProgressDisplay.Run("ranking", "mentions", progress =>
        {
            for (var first = 0; first < golds.Length; first += MentionsAtOnce)
            {
                var own = golds[first..Math.Min(golds.Length, first + MentionsAtOnce)];
                int[] rows = [.. own.SelectMany(_ => everything)];
                var scores = Score(first, own.Length, entities.Count, rows).Scores.AsMemory();
                ReadOnlyMemory<float> Row(int row) => scores.Slice(row * entities.Count, entities.Count);
                ranks.AddRange(own.Select((gold, row) => Ranks.GoldListedRow(first + row, gold, Row(row)).OrThrow()));
                best.AddRange(keep == 0 ? [] : own.Select((_, row) => Ranks.Best(keep, Row(row))));
                progress.Report(ranks.Count, golds.Length);
            }

            return ranks.Count;
        });
        return ([.. ranks], [.. best]);
    }

    private ScoreTable Score(int first, int count, int width, int[] rows)
    {
        var own = queries.AsMemory(first * entities.Dim, count * entities.Dim);
        var table = Ranks.ScoreCandidates(entities.Dim, own, entities.Rows, width, rows);
        if (IsLexical)
        {
            matcher!.Rescore(
                lexical ?? throw new InvalidOperationException("the model has a lexical unit but the mentions' words were not given"),
                first, width, rows, table.Scores);
        }

        return table;
    }
}
