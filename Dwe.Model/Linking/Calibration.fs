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

    /// Temperatures are looked for between these: cosines ask for about 0.05, logits for about 1. Where every gold is best
    /// the colder is always the likelier, and the lower bound is what is found.
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

    /// What softmax gives the best of each row: exp(max / T) / Σ_j exp(s_j / T); 0 for a row where nothing counts.
    ///
    /// raises : ArgumentException when the temperature is not above 0, or the table is no whole number of rows
    let stated (temperature: float) (table: ScoreTable) : float[] =
        if not (temperature > 0.0) then
            invalidArg (nameof temperature) $"temperature is {temperature}, expected more than 0"

        Array.init (requireRows table) (fun at ->
            match row table at with
            | [||] -> 0.0
            | scores ->
                let top = Array.max scores
                1.0 / (scores |> Array.sumBy (fun score -> exp ((score - top) / temperature))))

    /// The temperature that makes the golds likeliest (Guo et al. 2017, temperature scaling): the least
    ///
    ///     L(T) = -1/n Σ_i log softmax(s_i / T)[gold_i]
    ///
    /// over the rows whose gold is listed. L is convex in 1/T, so the root of dL/d(1/T) = 1/n Σ_i (E_softmax[s_i] - s_i,gold)
    /// is found by halving, on the scale of log T. None where no row has its gold beside another candidate: every
    /// temperature fits them alike.
    ///
    /// golds  : one per row, the gold's column; -1 = not listed
    /// raises : ArgumentException when sizes do not fit, or a gold is padding or outside of the table
    let temperature (golds: int[]) (table: ScoreTable) : float option =
        if golds.Length <> requireRows table then
            invalidArg (nameof golds) $"{golds.Length} golds for {requireRows table} mentions"

        let listed =
            golds
            |> Array.indexed
            |> Array.filter (fun (_, column) -> column >= 0)
            |> Array.map (fun (at, column) ->
                let place = at * table.Width + column

                if column >= table.Width || (table.Counts.Length > 0 && not table.Counts[place]) then
                    invalidArg (nameof golds) $"mention {at}: column {column} is no candidate of {table.Width}"

                struct (row table at, float table.Scores[place]))
            |> Array.filter (fun struct (scores, _) -> scores.Length > 1)

        // dL/d(1/T) without its 1/n.
        let slope temperature =
            listed
            |> Array.sumBy (fun struct (scores, gold) ->
                let top = Array.max scores
                let weights = scores |> Array.map (fun score -> exp ((score - top) / temperature))
                let mean = Array.sum (Array.map2 (*) weights scores) / Array.sum weights
                mean - gold)

        let rec halve colder hotter rounds =
            let middle = sqrt (colder * hotter)

            if rounds = 0 then middle
            elif slope middle < 0.0 then halve colder middle (rounds - 1)
            else halve middle hotter (rounds - 1)

        if listed.Length = 0 then None
        elif slope coldest <= 0.0 then Some coldest
        elif slope hottest >= 0.0 then Some hottest
        // log(1e6) · 2^-50 lies below what a float tells apart.
        else Some(halve coldest hottest 50)

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
            invalidArg (nameof right) $"{right.Length} answers for {stated.Length} probabilities, expected as many and some"

        Array.zip stated right
        |> Array.averageBy (fun (probability, isRight) -> Math.Pow(probability - (if isRight then 1.0 else 0.0), 2.0))
