namespace Dwe.Model.Linking

open System

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

    /// Temperatures are looked for between these: cosines ask for about 0.05, logits for about 1. Where every best is right
    /// the colder is always the likelier, and the lower bound is what is found; where none is, the upper.
    let coldest, hottest = 1e-3, 1e3

    let private requireRows (table: ScoreTable) =
        if table.Width < 1 || table.Scores.Length % table.Width <> 0 then
            invalidArg (nameof table) $"{table.Scores.Length} scores are no whole number of rows of {table.Width}"

        table.Scores.Length / table.Width

    /// The scores of one row that count.
    let private row (table: ScoreTable) at =
        [| for column in at * table.Width .. (at + 1) * table.Width - 1 do
               if table.Counts.Length = 0 || table.Counts[column] then
                   float table.Scores[column] |]

    /// The score of each row's best; -infinity for a row where nothing counts.
    let best (table: ScoreTable) : float[] =
        Array.init (requireRows table) (fun at -> Array.fold max -infinity (row table at))

    /// Σ_{j ≠ best} exp((s_j - max) / T) of a row's scores: what the others have where the best has 1.
    let private othersShare temperature (scores: float[]) =
        let top = Array.max scores
        let mutable sum, passed = 0.0, false

        for score in scores do
            if score = top && not passed then
                passed <- true
            else
                sum <- sum + exp ((score - top) / temperature)

        sum

    /// What softmax gives the best of each row: exp(max / T) / Σ_j exp(s_j / T); 0 for a row where nothing counts.
    ///
    /// raises : ArgumentException when the temperature is not above 0, or the table is no whole number of rows
    let stated (temperature: float) (table: ScoreTable) : float[] =
        if not (temperature > 0.0) then
            invalidArg (nameof temperature) $"temperature is {temperature}, expected more than 0"

        Array.init (requireRows table) (fun at ->
            match row table at with
            | [||] -> 0.0
            | scores -> 1.0 / (1.0 + othersShare temperature scores))

    /// Minimum of a function of one number: the best of `steps` + 1 places spaced evenly on the scale of logarithms, then
    /// the golden section (Kiefer 1953) between its neighbours.
    let private minimum steps low high (value: float -> float) =
        let places = Array.init (steps + 1) (fun at -> low * Math.Pow(high / low, float at / float steps))
        let least = places |> Array.map value |> Array.indexed |> Array.minBy snd |> fst
        let golden = (sqrt 5.0 - 1.0) / 2.0

        // left < inner < outer < right, on the scale of logarithms.
        let rec narrow left right rounds =
            let inner, outer = right - golden * (right - left), left + golden * (right - left)

            if rounds = 0 then
                (left + right) / 2.0
            elif value (exp inner) <= value (exp outer) then
                narrow left outer (rounds - 1)
            else
                narrow inner right (rounds - 1)

        if least = 0 || least = steps then
            places[least]
        else
            exp (narrow (log places[least - 1]) (log places[least + 1]) 30)

    /// The temperature that makes what is stated likeliest: the least mean of
    ///
    ///     -log p where the best is right, -log (1 - p) where it is not,   p = `stated` T
    ///
    /// Temperature scaling (Guo et al. 2017) takes the likelihood of the gold among what is compared. Here the gold may not
    /// be among it, and what people are told is whether the best is right: that is what is made likely. None where no row
    /// has two candidates: every temperature fits them alike.
    ///
    /// right  : one per row, the best is the gold
    /// raises : ArgumentException when sizes do not fit
    let temperature (right: bool[]) (table: ScoreTable) : float option =
        if right.Length <> requireRows table then
            invalidArg (nameof right) $"{right.Length} answers for {requireRows table} mentions"

        let rows =
            right
            |> Array.mapi (fun at isRight -> struct (row table at, isRight))
            |> Array.filter (fun struct (scores, _) -> scores.Length > 1)

        let unlikeliness temperature =
            rows
            |> Array.sumBy (fun struct (scores, isRight) ->
                let others = othersShare temperature scores
                // p = 1 / (1 + others), 1 - p = others / (1 + others)
                log (1.0 + others) - (if isRight then 0.0 else log others))

        if rows.Length = 0 then
            None
        else
            Some(minimum 60 coldest hottest unlikeliness)

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

    /// Mean squared distance of stated probability and truth (Brier 1950): 1/n Σ_i (stated_i - right_i)². 0 = certain and
    /// right always.
    ///
    /// raises : ArgumentException when lengths differ or there are none
    let brier (stated: float[]) (right: bool[]) : float =
        if stated.Length = 0 || stated.Length <> right.Length then
            invalidArg
                (nameof right)
                $"{right.Length} answers for {stated.Length} probabilities, expected as many and some"

        Array.zip stated right
        |> Array.averageBy (fun (probability, isRight) -> Math.Pow(probability - (if isRight then 1.0 else 0.0), 2.0))
