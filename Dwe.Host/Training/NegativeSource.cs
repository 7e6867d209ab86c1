using Dwe.Host.Data;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Training;

/// <summary>
/// The sampled negatives of a training, as <c>loss.negative_sampler</c> says. Draws depend on seed and batch; those of
/// <c>nearest</c> on what was mined at the epoch's beginning too, which a checkpoint inside of an epoch keeps.
/// </summary>
internal sealed class NegativeSource
{
    private readonly RunConfig config;
    private readonly RunData data;
    private readonly string[] ids;
    private readonly long[] mentionRows;
    private readonly long[] goldRows;
    private NegativeDraws? draws;

    /// <summary>Prepares what can be prepared before training begins.</summary>
    /// <exception cref="UserErrorException">
    /// UsageWrong where the data set lacks what the sampler needs (descriptions, types, a second entity); as
    /// <see cref="CandidateFile.Read"/> for candidates.
    /// </exception>
    public NegativeSource(RunConfig config, RunData data, string? candidates, long[] mentionRows, long[] goldRows)
    {
        this.config = config;
        this.data = data;
        this.mentionRows = mentionRows;
        this.goldRows = goldRows;
        ids = [.. data.Dataset.Entities.Select(entity => entity.Id)];
        if (IsSampled)
        {
            draws = Prepare(candidates);
        }
    }

    /// <summary>Rows of the entities nearest to each training mention when the epoch began; null where they play no part.</summary>
    public int[][]? Mined { get; private set; }

    // The dwe model samples from the mention's candidates instead.
    private bool IsSampled => config.Model.Kind.IsPublished && !config.Loss.Negatives.IsInBatch;

    private bool IsMining => IsSampled && config.Loss.NegativeSampler.IsNearestEntity;

    /// <summary>Finds the entities nearest to the queries of now, where the sampler wants them; each epoch begins with this.</summary>
    public void BeginEpoch(Matcher matcher)
    {
        if (!IsMining)
        {
            return;
        }

        const int QueriesAtOnce = 1024;
        var features = data.Features(Splits.Train, matcher);
        var queries = new List<float>(mentionRows.Length * matcher.Sizes.Entity);
        foreach (var rows in mentionRows.Chunk(QueriesAtOnce))
        {
            queries.AddRange(matcher.Query(features, rows));
        }

        Restore(NegativeDraws.Nearest(ids, config.Loss.NearestPool, [.. queries], data.Entities, goldRows));
    }

    /// <summary>Goes on with what was mined before a stop.</summary>
    public void Restore(int[][] mined)
    {
        Mined = mined;
        draws = NegativeDraws.Listed(ids, mined).OrThrow();
    }

    /// <summary>One entity row for each mention, none where negatives come from the batch alone.</summary>
    /// <param name="batch">Number of the batch since training began.</param>
    /// <param name="mentions">Numbers of its mentions among the training mentions.</param>
    /// <param name="golds">Their golds' rows.</param>
    public long[] Draw(long batch, int[] mentions, long[] golds) =>
        IsSampled
            ? (draws ?? throw new InvalidOperationException("no epoch was begun")).Draw(config.Training.Seed, batch, mentions, golds)
            : [];

    private NegativeDraws? Prepare(string? candidates)
    {
        var entities = data.Dataset.Entities;
        var kind = config.Loss.NegativeSampler;
        if (kind.IsSharedWords)
        {
            return NegativeDraws.TfIdf(ids, EntityDescriptions.Named(data)).OrThrow();
        }

        if (kind.IsSameType)
        {
            return NegativeDraws.SameType(ids, [.. entities.Select(entity => entity.Type)]).OrThrow();
        }

        if (kind.IsListedCandidate)
        {
            return NegativeDraws.Listed(ids, TrainingCandidates.Read("loss.negative_sampler is candidates", data, candidates, mentionRows)).OrThrow();
        }

        // Of the nearest nothing is known yet; that there is something to draw is.
        var random = NegativeDraws.Random(ids).OrThrow();
        return kind.IsNearestEntity ? null : random;
    }
}
