namespace Dwe.Model.Linking

open System
open System.Numerics
open System.Runtime.InteropServices
open TorchSharp
open Dwe.Model.Domain
open Dwe.Model.Tensors

/// Where a gold stands among its candidates, 1 being the best. Ties leave it between two bounds; a gold that is not among
/// the candidates stands at infinity, in both.
[<Struct>]
type Rank =
    {
        /// 1 + the number of candidates that score higher.
        Optimistic: float
        /// `Optimistic` + the number of candidates that score the same.
        Pessimistic: float
    }

    /// The mean of both bounds: what a random order of the tied would give on average.
    member rank.Realistic = (rank.Optimistic + rank.Pessimistic) / 2.0

    static member Missing = { Optimistic = infinity; Pessimistic = infinity }

/// Which of a tie's ranks is reported.
[<RequireQualifiedAccess>]
type TieRule =
    | Optimistic
    | Realistic
    | Pessimistic

/// Scores of the candidates of some mentions, one mention a row.
type ScoreTable =
    {
        Scores: float32[] // [mentions; Width], row-major
        Width: int
        /// As `Scores`: false = padding, whose score is not looked at. Empty = there is no padding.
        Counts: bool[]
    }

[<RequireQualifiedAccess>]
module internal Ranking =

    /// How many candidates score higher than the gold, and how many the same. Negative when a score is not a number or
    /// infinite: x - x is 0 for every other x.
    let private compare (gold: float32) (scores: ReadOnlySpan<float32>) : struct (int * int) =
        let blocks = MemoryMarshal.Cast<float32, Vector<float32>> scores
        let golds = Vector<float32> gold
        let mutable above, tied, residue = Vector<int>.Zero, Vector<int>.Zero, Vector<float32>.Zero

        for i in 0 .. blocks.Length - 1 do
            let block = blocks[i]
            // A lane that holds is -1.
            above <- above - Vector.GreaterThan(block, golds)
            tied <- tied - Vector.Equals(block, golds)
            residue <- residue + (block - block)

        let mutable above, tied, residue = Vector.Sum above, Vector.Sum tied, Vector.Sum residue

        for i in blocks.Length * Vector<float32>.Count .. scores.Length - 1 do
            let score = scores[i]

            if score > gold then
                above <- above + 1

            if score = gold then
                tied <- tied + 1

            residue <- residue + (score - score)

        if residue = 0.0f then
            struct (above, tied)
        else
            struct (-1, -1)

    /// As `compare`, leaving padding out.
    let private compareCounted (gold: float32) (scores: ReadOnlySpan<float32>) (counts: ReadOnlySpan<bool>) =
        let mutable above, tied, finite = 0, 0, true

        for i in 0 .. scores.Length - 1 do
            if counts[i] then
                let score = scores[i]

                if score > gold then
                    above <- above + 1

                if score = gold then
                    tied <- tied + 1

                finite <- finite && Single.IsFinite score

        if finite then struct (above, tied) else struct (-1, -1)

    let private notFinite (mention: int) (place: string) (score: float32) =
        UserError.ValueInvalid("scores", $"mention {mention}, {place}", string score, "a finite number")

    /// The number of rows.
    let private rowsOf (table: ScoreTable) =
        if table.Width < 1 then
            invalidArg (nameof table) $"Width is {table.Width}, expected at least 1"

        if table.Scores.Length % table.Width <> 0 then
            invalidArg (nameof table) $"{table.Scores.Length} scores are no whole number of rows of {table.Width}"

        if table.Counts.Length <> 0 && table.Counts.Length <> table.Scores.Length then
            invalidArg (nameof table) $"Counts has {table.Counts.Length} values but Scores has {table.Scores.Length}"

        table.Scores.Length / table.Width

    let private counts (table: ScoreTable) at = table.Counts.Length = 0 || table.Counts[at]

    let private compareRow (table: ScoreTable) row gold =
        let start = row * table.Width
        let scores = ReadOnlySpan(table.Scores, start, table.Width)

        if table.Counts.Length = 0 then
            compare gold scores
        else
            compareCounted gold scores (ReadOnlySpan(table.Counts, start, table.Width))

    let private firstNotFinite (table: ScoreTable) row =
        let start = row * table.Width

        seq { 0 .. table.Width - 1 }
        |> Seq.find (fun column -> counts table (start + column) && not (Single.IsFinite table.Scores[start + column]))
        |> fun column -> notFinite row $"candidate {column}" table.Scores[start + column]

    let private bounds above tied : Rank = { Optimistic = float (1 + above); Pessimistic = float (1 + above + tied) }

    /// Ranks row by row, until the first that cannot be ranked.
    let private collect rows (rankOf: int -> Result<Rank, UserError>) : Result<Rank[], UserError> =
        let ranks = Array.zeroCreate rows
        let mutable problem = None
        let mutable row = 0

        while row < rows && problem.IsNone do
            match rankOf row with
            | Ok rank -> ranks[row] <- rank
            | Error error -> problem <- Some error

            row <- row + 1

        match problem with
        | None -> Ok ranks
        | Some error -> Error error

    /// Ranks where the gold is one of the candidates or was missed: protocols `strict` and `full-kb`.
    ///
    ///     optimistic = 1 + #{j <> gold : s_j > s_gold},   pessimistic = optimistic + #{j <> gold : s_j = s_gold}
    ///
    /// goldColumns : one per row, the column of the gold; -1 = not among the candidates, a miss
    /// returns     : one rank per row, or the first score that is not finite, by mention and candidate
    /// raises      : ArgumentException when the sizes do not fit, or a gold's column is padding or outside the table
    /// see         : `goldScored` (the gold is scored whether or not it was found)
    let goldListed (goldColumns: int[]) (table: ScoreTable) : Result<Rank[], UserError> =
        let rows = rowsOf table

        if goldColumns.Length <> rows then
            invalidArg (nameof goldColumns) $"{goldColumns.Length} golds for {rows} mentions"

        collect rows (fun row ->
            let column = goldColumns[row]
            let start = row * table.Width

            if column < -1 || column >= table.Width || (column >= 0 && not (counts table (start + column))) then
                invalidArg (nameof goldColumns) $"mention {row}: column {column} is no candidate of {table.Width}"

            let gold = if column < 0 then 0.0f else table.Scores[start + column]
            let struct (above, tied) = compareRow table row gold

            if above < 0 then Error(firstNotFinite table row)
            elif column < 0 then Ok Rank.Missing
            else Ok(bounds above (tied - 1)))

    /// Ranks where the gold is scored beside the candidates, found or not: protocol `legacy`, whose rank is `Optimistic`. A
    /// copy of the gold among the candidates ties with it.
    ///
    ///     optimistic = 1 + #{j : s_j > s_gold},   pessimistic = optimistic + #{j : s_j = s_gold}
    ///
    /// golds   : one score per row
    /// returns : one rank per row, or the first score that is not finite, by mention and candidate. As published, NaN
    ///           never counts against the gold, so a model of NaNs ranks every gold first; here it is refused.
    /// raises  : ArgumentException when the sizes do not fit
    let goldScored (golds: float32[]) (table: ScoreTable) : Result<Rank[], UserError> =
        let rows = rowsOf table

        if golds.Length <> rows then
            invalidArg (nameof golds) $"{golds.Length} golds for {rows} mentions"

        collect rows (fun row ->
            let struct (above, tied) = compareRow table row golds[row]

            if not (Single.IsFinite golds[row]) then
                Error(notFinite row "gold" golds[row])
            elif above < 0 then
                Error(firstNotFinite table row)
            else
                Ok(bounds above tied))

    /// `goldListed` of one row without padding, where its scores lie.
    ///
    /// mention : its number, for the error
    /// raises  : ArgumentException when the gold's column is outside the row
    let goldListedRow (mention: int) (goldColumn: int) (scores: ReadOnlySpan<float32>) : Result<Rank, UserError> =
        if goldColumn < -1 || goldColumn >= scores.Length then
            invalidArg (nameof goldColumn) $"mention {mention}: column {goldColumn} is no candidate of {scores.Length}"

        let gold = if goldColumn < 0 then 0.0f else scores[goldColumn]
        let struct (above, tied) = compare gold scores

        if above < 0 then
            let mutable bad = 0

            while Single.IsFinite scores[bad] do
                bad <- bad + 1

            Error(notFinite mention $"candidate {bad}" scores[bad])
        elif goldColumn < 0 then
            Ok Rank.Missing
        else
            Ok(bounds above (tied - 1))

    /// `goldListed` where the scores are: on the device, without padding.  scores : [mentions; candidates]
    let goldListedOnDevice (goldColumns: int[]) (scores: Tensor) : Result<Rank[], UserError> =
        Shape.is [ int64 goldColumns.Length; -1L ] (nameof scores) scores
        let width = int (Shape.size 1 scores)

        for row in 0 .. goldColumns.Length - 1 do
            if goldColumns[row] < -1 || goldColumns[row] >= width then
                let column = goldColumns[row]
                invalidArg (nameof goldColumns) $"mention {row}: column {column} is no candidate of {width}"

        Scope.value (fun () ->
            let columns = goldColumns |> Array.map (fun column -> int64 (max column 0))
            let gold = scores.gather (1L, torch.tensor(columns, device = scores.device).unsqueeze 1L)
            let toArray (perRow: Tensor) = perRow.cpu().data<int64>().ToArray()
            let finite = toArray ((scores.isfinite ()).sum 1L)

            match finite |> Array.tryFindIndex (fun count -> count < int64 width) with
            | Some row ->
                let bad = scores[row].isfinite().logical_not().``to``(torch.int8).argmax () |> Numbers.value |> int64
                let score = Numbers.value scores[row, bad] |> float32
                Error(notFinite row $"candidate {bad}" score)
            | None ->
                let above = toArray ((scores.gt gold).sum 1L)
                let tied = toArray ((scores.eq gold).sum 1L)

                goldColumns
                |> Array.mapi (fun row column ->
                    if column < 0 then
                        Rank.Missing
                    else
                        bounds (int above[row]) (int tied[row] - 1))
                |> Ok)

    /// The rank that a rule of ties reports.
    let value tieRule (rank: Rank) =
        match tieRule with
        | TieRule.Optimistic -> rank.Optimistic
        | TieRule.Realistic -> rank.Realistic
        | TieRule.Pessimistic -> rank.Pessimistic
