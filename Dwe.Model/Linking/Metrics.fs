namespace Dwe.Model.Linking

open System
open System.Text.Json.Serialization

/// What the ranks of a run say, over all its mentions: a miss counts as a rank of infinity.
type Metrics =
    {
        [<JsonPropertyName "mentions">]
        Mentions: int
        /// Mentions whose gold was not among the candidates.
        [<JsonPropertyName "missed">]
        Missed: int
        /// Share of mentions with rank <= 1; likewise below.
        [<JsonPropertyName "hits@1">]
        HitsAt1: float
        [<JsonPropertyName "hits@3">]
        HitsAt3: float
        [<JsonPropertyName "hits@5">]
        HitsAt5: float
        [<JsonPropertyName "hits@10">]
        HitsAt10: float
        [<JsonPropertyName "hits@20">]
        HitsAt20: float
        /// Mean of 1 / rank; a miss adds 0.
        [<JsonPropertyName "mrr">]
        Mrr: float
        /// Mean rank of the golds that were found; none when all were missed. Read it beside `Missed`.
        [<JsonPropertyName "mean_rank">]
        MeanRank: Nullable<float>
    }

[<RequireQualifiedAccess>]
module internal Metrics =

    /// Metrics of a run or of a slice of it.
    ///
    /// raises : ArgumentException when there is no rank: nothing has no metrics
    let ofRanks tieRule (ranks: Rank[]) : Metrics =
        if ranks.Length = 0 then
            invalidArg (nameof ranks) "there are no ranks"

        let values = ranks |> Array.map (Ranking.value tieRule)
        let found = values |> Array.filter Double.IsFinite

        let share within =
            float (values |> Array.sumBy (fun rank -> if rank <= within then 1 else 0)) / float values.Length

        { Mentions = values.Length
          Missed = values.Length - found.Length
          HitsAt1 = share 1.0
          HitsAt3 = share 3.0
          HitsAt5 = share 5.0
          HitsAt10 = share 10.0
          HitsAt20 = share 20.0
          Mrr = values |> Array.averageBy (fun rank -> 1.0 / rank)
          MeanRank =
            if found.Length = 0 then
                Nullable()
            else
                Nullable(Array.average found) }

    /// The share of mentions whose gold is among the first `count` candidates retrieved: no ranking of them can do better.
    ///
    /// goldColumns : the place of the gold in the order of retrieval, from 0; -1 = not retrieved
    /// raises      : ArgumentException when count < 1 or there are no mentions
    let candidateRecall (count: int) (goldColumns: int[]) : float =
        if count < 1 then
            invalidArg (nameof count) $"count is {count}, expected at least 1"

        if goldColumns.Length = 0 then
            invalidArg (nameof goldColumns) "there are no mentions"

        let found = goldColumns |> Array.sumBy (fun column -> if column >= 0 && column < count then 1 else 0)
        float found / float goldColumns.Length
