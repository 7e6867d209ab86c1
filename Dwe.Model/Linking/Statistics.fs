namespace Dwe.Model.Linking

open System
open MathNet.Numerics.Statistics
open Dwe.Model.Domain

/// A mean with the interval in which it lies with a given confidence.
type Interval = { Mean: float; Low: float; High: float }

/// The difference of two systems on the same mentions.
type Difference =
    {
        /// Mean of right minus left, with its interval.
        Interval: Interval
        /// How often signs drawn at random make a difference at least as large, were both systems alike.
        PValue: float
    }

/// What a number measured on some mentions says of others: resampling over mentions, decided by a seed.
[<RequireQualifiedAccess>]
module internal Statistics =

    let private notEmpty name (values: float[]) =
        if values.Length = 0 then
            invalidArg name $"{name} are none, expected at least one"

    /// Percentile bootstrap of a mean (Efron 1979): means of `resamples` draws of as many values with replacement.
    ///
    ///     [quantile((1 - confidence) / 2), quantile((1 + confidence) / 2)] of the resampled means
    ///
    /// values     : one per mention, e.g. 1 where rank <= 1 and else 0
    /// confidence : within (0, 1)
    /// raises     : ArgumentException when there are no values, resamples < 1 or the confidence is outside (0, 1)
    /// see        : `paired` (the difference of two systems)
    let interval (seed: int64) (resamples: int) (confidence: float) (values: float[]) : Interval =
        notEmpty (nameof values) values

        if resamples < 1 then
            invalidArg (nameof resamples) $"resamples is {resamples}, expected at least 1"

        if not (confidence > 0.0 && confidence < 1.0) then
            invalidArg (nameof confidence) $"confidence is {confidence}, expected between 0 and 1"

        let random = SeededRandom(Seed.derive seed "bootstrap" 0L)

        let resampledMean _ =
            let mutable sum = 0.0

            for _ in 1 .. values.Length do
                sum <- sum + values[random.Next values.Length]

            sum / float values.Length

        let means = Array.init resamples resampledMean
        Array.sortInPlace means

        { Mean = Array.average values
          Low = SortedArrayStatistics.Quantile(means, (1.0 - confidence) / 2.0)
          High = SortedArrayStatistics.Quantile(means, (1.0 + confidence) / 2.0) }

    /// Two systems on the same mentions: the bootstrap interval of the mean difference, and the two-sided p-value of a
    /// randomisation test (Fisher 1935), which flips the sign of each mention's difference by a coin.
    ///
    ///     d_i = right_i - left_i,   p = (1 + #{r : |mean_i ±d_i| >= |mean_i d_i|}) / (1 + resamples)
    ///
    /// left, right : one value per mention, in the same order
    /// raises      : ArgumentException as `interval`, and when the lengths differ
    let paired (seed: int64) (resamples: int) (confidence: float) (left: float[]) (right: float[]) : Difference =
        if left.Length <> right.Length then
            invalidArg (nameof right) $"{right.Length} values against {left.Length}, expected as many"

        let differences = Array.map2 (fun left right -> right - left) left right
        let interval = interval seed resamples confidence differences
        let random = SeededRandom(Seed.derive seed "signs" 0L)
        // Mentions on which both agree add nothing, whichever sign they get.
        let telling = differences |> Array.filter ((<>) 0.0)
        // A sum of the same terms in another order may differ in its last bits: it counts as the same.
        let observed = abs (Array.sum telling) * (1.0 - 1e-12)

        let isAsLarge _ =
            let mutable sum = 0.0

            for difference in telling do
                sum <-
                    sum
                    + (if random.NextUInt64() >>> 63 = 0UL then
                           difference
                       else
                           -difference)

            if abs sum >= observed then 1 else 0

        { Interval = interval
          PValue = float (1 + Seq.sumBy isAsLarge (seq { 1..resamples })) / float (1 + resamples) }

    /// p-values of several comparisons, adjusted so that the chance of even one false finding stays what one p-value says
    /// (Holm 1979): sorted ascending, the k-th of n is multiplied with n - k + 1, and none is less than the one before.
    ///
    /// pValues : [comparisons]; returns : [comparisons], in the same order, at most 1
    let holm (pValues: float[]) : float[] =
        let order = Array.init pValues.Length id |> Array.sortBy (fun index -> pValues[index])
        let adjusted = Array.zeroCreate pValues.Length
        let mutable least = 0.0

        for place, index in Array.indexed order do
            least <- max least (min 1.0 (pValues[index] * float (pValues.Length - place)))
            adjusted[index] <- least

        adjusted

    /// Mean and sample standard deviation over seeds or folds; the deviation of a single value is not defined.
    ///
    /// raises : ArgumentException when there are no values
    let meanAndDeviation (values: float[]) : struct (float * Nullable<float>) =
        notEmpty (nameof values) values

        let deviation =
            if values.Length < 2 then
                Nullable()
            else
                Nullable(values.StandardDeviation())

        struct (Array.average values, deviation)
