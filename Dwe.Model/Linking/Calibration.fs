namespace Dwe.Model.Linking

/// One bar of a calibration plot.
type CalibrationBin =
    {
        Count: int
        /// Mean probability that was stated.
        Stated: float
        /// Share that was right.
        Right: float
    }

/// Whether stated probabilities are what they say.
[<RequireQualifiedAccess>]
module internal Calibration =

    /// Mentions by stated probability, in `bins` of equal width over [0, 1]; empty bins are left out.
    ///
    /// stated : [mentions] within [0, 1]; right : [mentions]
    /// raises : ArgumentException when lengths differ, bins < 1, or a probability is outside [0, 1]
    let bins (bins: int) (stated: float[]) (right: bool[]) : CalibrationBin[] =
        if bins < 1 then
            invalidArg (nameof bins) $"bins is {bins}, expected at least 1"

        if stated.Length <> right.Length then
            invalidArg (nameof right) $"{right.Length} answers for {stated.Length} probabilities"

        for probability in stated do
            if not (probability >= 0.0 && probability <= 1.0) then
                invalidArg (nameof stated) $"a probability is {probability}, expected within 0 and 1"

        Array.zip stated right
        |> Array.groupBy (fun (probability, _) -> min (bins - 1) (int (probability * float bins)))
        |> Array.sortBy fst
        |> Array.map (fun (_, members) ->
            { Count = members.Length
              Stated = members |> Array.averageBy fst
              Right = members |> Array.averageBy (fun (_, isRight) -> if isRight then 1.0 else 0.0) })

    /// Expected calibration error (Naeini et al. 2015): Σ_b n_b / n · |right_b - stated_b|. 0 = calibrated.
    ///
    /// raises : ArgumentException when there are no bins
    let error (found: CalibrationBin[]) : float =
        if found.Length = 0 then
            invalidArg (nameof found) "there are no bins"

        let all = found |> Array.sumBy _.Count
        found |> Array.sumBy (fun bin -> float bin.Count / float all * abs (bin.Right - bin.Stated))
