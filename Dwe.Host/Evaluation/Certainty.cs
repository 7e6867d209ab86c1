using Dwe.Model;
using Dwe.Model.Linking;

namespace Dwe.Host.Evaluation;

/// <summary>A threshold and a temperature, and where they come from.</summary>
/// <param name="Threshold">See <see cref="Checkpoints.Decision.Threshold"/>.</param>
/// <param name="Temperature">See <see cref="Checkpoints.Decision.Temperature"/>.</param>
/// <param name="Split">The split that they were chosen on; null where nothing was chosen.</param>
internal readonly record struct Choice(double? Threshold, double? Temperature, string? Split)
{
    public static readonly Choice None = new(null, null, null);
}

/// <summary>How an evaluation comes to its threshold and temperature: by looking at what it sees, or not.</summary>
internal delegate Choice Choosing(Certainty seen);

/// <summary>
/// How sure a system is of its best candidates, and what is true of them: what the NIL threshold and the temperature are chosen
/// by and measured with. Unlabelled mentions are left out: nobody knows.
/// </summary>
internal sealed class Certainty
{
    private const int Bins = 10;

    private readonly string split;
    private readonly ScoreTable table;
    private readonly Judged[] judged;

    /// <param name="split">Its name.</param>
    /// <param name="table">Scores of what was compared, one mention a row.</param>
    /// <param name="isLabelled">False for mentions whose gold is not known.</param>
    /// <param name="isEntity">The gold is an entity of the knowledge base.</param>
    /// <param name="isRight">The gold has rank 1.</param>
    public Certainty(string split, ScoreTable table, bool[] isLabelled, bool[] isEntity, bool[] isRight)
    {
        int[] labelled = [.. Enumerable.Range(0, isLabelled.Length).Where(row => isLabelled[row])];
        this.split = split;
        this.table = labelled.Length == isLabelled.Length ? table : RowsOf(table, labelled);
        judged =
        [
            .. labelled.Zip(Confidence.Best(this.table), (row, best) => new Judged(best, isEntity[row], isRight[row])),
        ];
    }

    private static ScoreTable RowsOf(ScoreTable table, int[] rows)
    {
        T[] Of<T>(T[] values) => [.. rows.SelectMany(row => values.Skip(row * table.Width).Take(table.Width))];
        return new ScoreTable(Of(table.Scores), table.Width, Of(table.Counts));
    }

    /// <summary>Mentions whose gold is no entity of the knowledge base.</summary>
    public int NilMentions => judged.Count(mention => !mention.IsEntity);

    private bool AnyCandidate => judged.Any(mention => double.IsFinite(mention.Confidence));

    /// <summary>
    /// Chooses on this very split: the threshold where it has NIL mentions to choose it by, and the temperature. Of dev only.
    /// </summary>
    public static Choice Chosen(Certainty seen) => new(
        seen.NilMentions > 0 && seen.AnyCandidate ? Confidence.Threshold(seen.judged) : null,
        Confidence.Temperature([.. seen.judged.Select(mention => mention.IsRight)], seen.table),
        seen.split);

    /// <summary>
    /// How well NIL is told under a choice; null where the split has no NIL mention and there is no threshold. Without a
    /// threshold only mentions that have no candidate are NIL.
    /// </summary>
    public NilResult? Nil(Choice choice)
    {
        if (judged.Length == 0 || (NilMentions == 0 && choice.Threshold is null))
        {
            return null;
        }

        var threshold = choice.Threshold ?? double.MinValue;
        var (links, nils) = (Confidence.Links(threshold, judged), Confidence.Nils(threshold, judged));
        return new NilResult
        {
            Mentions = NilMentions,
            Threshold = choice.Threshold,
            ChosenOn = choice.Threshold is null ? null : choice.Split,
            Said = judged.Count(mention => !(mention.Confidence >= threshold)),
            Precision = nils.Precision,
            Recall = nils.Recall,
            F1 = nils.F1,
            Auroc = Confidence.Auroc(judged),
            LinkPrecision = links.Precision,
            LinkRecall = links.Recall,
            LinkF1 = links.F1,
            LinkF1WithoutThreshold = Confidence.Links(double.MinValue, judged).F1,
        };
    }

    /// <summary>Whether probabilities are what they say under a choice; null without a temperature, or without candidates.</summary>
    public CalibrationResult? Calibration(Choice choice)
    {
        if (choice.Temperature is not { } temperature || !AnyCandidate)
        {
            return null;
        }

        var answered = judged.Zip(Confidence.Stated(temperature, table)).Where(mention => double.IsFinite(mention.First.Confidence)).ToArray();
        var stated = Array.ConvertAll(answered, mention => mention.Second);
        var right = Array.ConvertAll(answered, mention => mention.First.IsRight);
        var bins = Confidence.Bins(Bins, stated, right);
        return new CalibrationResult
        {
            Temperature = temperature,
            ChosenOn = choice.Split,
            Mentions = answered.Length,
            Error = Confidence.CalibrationError(bins),
            Brier = Confidence.Brier(stated, right),
            Bins = [.. bins.Select(bin => new StatedBin { Count = bin.Count, Stated = bin.Stated, Right = bin.Right })],
        };
    }
}
