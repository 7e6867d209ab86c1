using Dwe.Host.Terminal;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Dwe.Model.Linking;
using TorchSharp;

namespace Dwe.Host.Evaluation;

/// <summary>
/// Ranks the golds of one split under a protocol (docs/protocols.md). Reads the features once; may be asked again and again
/// while training. Scores are computed alike for golds and candidates, so a copy of the gold ties with it.
/// </summary>
internal sealed class Evaluator : IDisposable
{
    /// <summary>Resampling is part of the measure, not of the run: the same ranks have the same interval.</summary>
    private const long IntervalSeed = 1;

    /// <summary>Under full-kb probabilities are shared out among so many of the best entities: the others' would be nothing.</summary>
    public const int BestOfAll = 100;

    private readonly RunData data;
    private readonly string split;
    private readonly int[] golds;
    private readonly CandidateLists? candidates;
    private readonly LexicalMentions? lexical;
    private readonly Lazy<EntityVectors> asEncoded;
    private readonly Lazy<IReadOnlyList<MentionSlice>> slices;

    /// <summary>
    /// Prepares a split. <paramref name="candidates"/> may be null for <c>full-kb</c> alone, <paramref name="lexical"/> for
    /// models without lexical unit.
    /// </summary>
    public Evaluator(RunData data, string split, CandidateLists? candidates, LexicalMentions? lexical = null)
    {
        this.data = data;
        this.split = split;
        this.candidates = candidates;
        this.lexical = lexical;
        golds = data.Golds(split);
        if (golds.Length == 0)
        {
            throw new UserErrorException(UserError.NewFileBroken(
                Path.Combine(data.Dataset.Folder, split + ".json"), "records", "none", "at least one mention"));
        }

        slices = new Lazy<IReadOnlyList<MentionSlice>>(() => MentionSlice.Of(data, split));
        asEncoded = new Lazy<EntityVectors>(() => new EntityVectors(CopyOf(data.Entities), (int)data.Entities.shape[1]));
    }

    /// <summary>
    /// Evaluates a model. <paramref name="choosing"/> says by which threshold and temperature NIL and calibration are measured;
    /// null leaves them out, as while training.
    /// </summary>
    /// <exception cref="UserErrorException">ValueInvalid naming the mention whose query is not finite.</exception>
    public EvaluationResult Run(Matcher matcher, Protocol protocol, EvaluatedSystem system, Choosing? choosing = null)
    {
        candidates?.RequireFor(protocol);
        var queries = MentionQueries.Of(matcher, data, split);
        if (!matcher.ProjectsEntities)
        {
            return Run(queries, asEncoded.Value, matcher, protocol, system, choosing);
        }

        using var entities = new EntityVectors(matcher.CompareEntities(data.EntitiesFor(matcher)), matcher.Compared);
        return Run(queries, entities, matcher, protocol, system, choosing);
    }

    /// <summary>Evaluates queries, [mentions; entity width], which are normalised in place.</summary>
    /// <exception cref="UserErrorException">ValueInvalid naming the mention whose query is not finite.</exception>
    public EvaluationResult Run(float[] queries, Protocol protocol, EvaluatedSystem system, Choosing? choosing = null) =>
        Run(queries, asEncoded.Value, matcher: null, protocol, system, choosing);

    private EvaluationResult Run(
        float[] queries, EntityVectors entities, Matcher? matcher, Protocol protocol, EvaluatedSystem system, Choosing? choosing)
    {
        candidates?.RequireFor(protocol);
        RequireFinite(queries, entities.Dim);
        Ranks.Normalize(queries, entities.Dim);
        var scorer = new PairScorer(queries, entities, matcher, lexical);
        // Legacy scores a gold that nothing retrieved: there is no NIL, and what it compares is not what a linker would.
        var looks = choosing is not null && !protocol.IsLegacy;
        var scored = protocol.IsFullKb ? RankAll(scorer, looks) : RankListed(scorer, protocol);
        var result = Result(protocol, system, scored.Ranks);
        if (!looks)
        {
            return result;
        }

        var certainty = CertaintyOf(scored);
        var choice = choosing!(certainty);
        return result with { Nil = certainty.Nil(choice), Calibration = certainty.Calibration(choice) };
    }

    private Certainty CertaintyOf(Scored scored) => new(
        split,
        scored.Compared,
        [.. data.Mentions(split).Select(mention => !mention.Gold.IsUnlabelled)],
        Array.ConvertAll(golds, gold => gold >= 0),
        Array.ConvertAll(scored.Ranks, rank => Ranks.Value(TieRule.Realistic, rank) <= 1));

    /// <summary>Evaluates the candidates as they are listed: the first scores highest.</summary>
    public EvaluationResult RunCandidateOrder(Protocol protocol, EvaluatedSystem system) =>
        RunBaseline(protocol, system, (_, column) => -column);

    /// <summary>Evaluates candidates in random order, decided by the seed.</summary>
    public EvaluationResult RunChance(Protocol protocol, EvaluatedSystem system, long seed)
    {
        var random = new SeededRandom(Seed.derive(seed, "chance", 0));
        return RunBaseline(protocol, system, (_, _) => (float)random.NextDouble());
    }

    public void Dispose()
    {
        if (asEncoded.IsValueCreated)
        {
            asEncoded.Value.Dispose();
        }
    }

    private CandidateLists Candidates => candidates ?? throw new InvalidOperationException("no candidates were given");

    /// <summary>A query that is none would rank its gold anywhere: it is refused before it is scored, by its mention's key.</summary>
    private void RequireFinite(float[] queries, int dim)
    {
        for (var row = 0; row < golds.Length; row++)
        {
            var query = queries.AsSpan(row * dim, dim);
            if (!float.IsFinite(Scoring.dot(query, query)))
            {
                var mention = data.Mentions(split)[row];
                throw new UserErrorException(UserError.NewValueInvalid(
                    $"{split}, mention '{mention.Key}' ('{mention.Text}')", "its query", "not a finite number",
                    "finite numbers; the model's weights have grown out of bounds"));
            }
        }
    }

    /// <summary>Ranks, with the scores of what was compared.</summary>
    private sealed record Scored(Rank[] Ranks, ScoreTable Compared);

    private Scored RankListed(PairScorer scorer, Protocol protocol)
    {
        var table = scorer.Score(Candidates.Width, Candidates.Rows);
        var ranks = protocol.IsStrict ? Ranks.GoldListed(Candidates.GoldColumns, table).OrThrow() : RankGoldScored(scorer, table);
        return new Scored(ranks, table);
    }

    /// <summary>Legacy: the gold is scored though no list has it. One that the knowledge base lacks cannot be.</summary>
    private Rank[] RankGoldScored(PairScorer scorer, ScoreTable table)
    {
        var rows = golds.Select(gold => Math.Max(0, gold)).ToArray();
        var ranks = Ranks.GoldScored(scorer.Score(1, rows).Scores, table).OrThrow();
        return [.. ranks.Select((rank, mention) => golds[mention] < 0 ? Rank.Missing : rank)];
    }

    private Scored RankAll(PairScorer scorer, bool looks)
    {
        var (ranks, best) = scorer.RankAll(golds, looks ? BestOfAll : 0);
        var width = Math.Min(BestOfAll, data.Dataset.Entities.Count);
        return new Scored(ranks, new ScoreTable([.. best.SelectMany(mention => mention.Scores)], width, []));
    }

    private EvaluationResult RunBaseline(Protocol protocol, EvaluatedSystem system, Func<int, int, float> score)
    {
        if (!protocol.IsStrict)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                "a baseline ranks listed candidates, so its protocol is strict", "Leave --protocol out."));
        }

        Candidates.RequireFor(protocol);
        var width = Candidates.Width;
        var scores = new float[Candidates.Rows.Length];
        for (var at = 0; at < scores.Length; at++)
        {
            scores[at] = score(at / width, at % width);
        }

        var table = new ScoreTable(scores, width, Array.ConvertAll(Candidates.Rows, row => row >= 0));
        return Result(protocol, system, Ranks.GoldListed(Candidates.GoldColumns, table).OrThrow());
    }

    private EvaluationResult Result(Protocol protocol, EvaluatedSystem system, Rank[] ranks)
    {
        var tieRule = protocol.IsLegacy ? TieRule.Optimistic : TieRule.Realistic;
        var metrics = Ranks.Metrics(tieRule, ranks);
        var values = Array.ConvertAll(ranks, rank => Ranks.Value(tieRule, rank));
        return new EvaluationResult
        {
            Card = Card(protocol),
            System = system,
            Metrics = EvaluationResult.Named(metrics),
            Optimistic = EvaluationResult.Named(Ranks.Metrics(TieRule.Optimistic, ranks)),
            Pessimistic = EvaluationResult.Named(Ranks.Metrics(TieRule.Pessimistic, ranks)),
            CandidateRecall = protocol.IsFullKb ? new Dictionary<string, double>() : Candidates.Recall,
            Counts = Counts(protocol, metrics),
            Intervals = Intervals(values),
            Slices = Slices(tieRule, ranks),
            Ranks = data.Mentions(split).Select((mention, row) => (mention.Key, Rank: Finite(values[row])))
                .ToDictionary(item => item.Key, item => item.Rank),
        };
    }

    private static double? Finite(double rank) => double.IsFinite(rank) ? rank : null;

    private static Dictionary<string, MeasureInterval> Intervals(double[] ranks)
    {
        MeasureInterval Of(Converter<double, double> value)
        {
            var interval = Evidence.Interval(IntervalSeed, Array.ConvertAll(ranks, value));
            return new MeasureInterval { Low = interval.Low, High = interval.High };
        }

        return new() { ["hits@1"] = Of(rank => rank <= 1 ? 1 : 0), ["mrr"] = Of(rank => 1 / rank) };
    }

    private Dictionary<string, SliceResult> Slices(TieRule tieRule, Rank[] ranks) =>
        slices.Value.ToDictionary(slice => slice.Name, slice => new SliceResult
        {
            Mentions = slice.Rows.Length,
            Metrics = EvaluationResult.Named(Ranks.Metrics(tieRule, Array.ConvertAll(slice.Rows, row => ranks[row]))),
        });

    private ProtocolCard Card(Protocol protocol) => new()
    {
        Protocol = EvaluationResult.NameOf(protocol),
        Dataset = data.Dataset.Format,
        DatasetHash = data.Dataset.ContentHash,
        Split = split,
        Mentions = golds.Length,
        KnowledgeBaseSize = data.Dataset.Entities.Count,
        CandidateSource = protocol.IsFullKb ? "every entity" : Candidates.Source,
        CandidateHash = protocol.IsFullKb ? "" : Candidates.Hash,
        GoldInjected = protocol.IsLegacy,
        TieRule = protocol.IsLegacy ? "optimistic" : "realistic",
        SelectionSplit = Data.Splits.Dev,
    };

    private Dictionary<string, int> Counts(Protocol protocol, Metrics metrics)
    {
        var mentions = data.Mentions(split);
        return new Dictionary<string, int>
        {
            ["missed"] = metrics.Missed,
            ["without_candidates"] = protocol.IsFullKb ? 0 : Candidates.MentionsWithoutCandidates,
            ["gold_outside_kb"] = mentions.Where((mention, row) => mention.Gold.IsEntity && golds[row] < 0).Count(),
            ["nil"] = mentions.Count(mention => mention.Gold.IsNil),
            ["unlabelled"] = mentions.Count(mention => mention.Gold.IsUnlabelled),
        };
    }

    private static float[] CopyOf(torch.Tensor tensor) => tensor.data<float>().ToArray();
}
