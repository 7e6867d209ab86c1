namespace Dwe.Model.Losses

open System
open TorchSharp
open Dwe.Model.Tensors

/// Where the wrong entities come from with which a mention's gold is compared.
type Negatives =
    /// [batch; count; dim]: a mention sees its own only.
    | Own of Tensor
    /// [count; dim]: every mention sees all of them. With one sampled per mention, count = batch: what the published
    /// training does.
    | Sampled of Tensor
    /// The golds of the other mentions of the batch.
    | InBatch
    /// [count; dim]: the golds of the other mentions, then these.
    | InBatchAndSampled of Tensor

/// What a matching loss sees of a batch: one score for the gold of each mention, and those of its negatives.
type Scores =
    { Gold: Tensor // [batch]
      Negative: Tensor // [batch; count]
      Counts: Tensor } // [batch; count] bool; false = padding, the mention's own gold, or a false negative

[<RequireQualifiedAccess>]
module internal Scores =

    let private allCount (scores: Tensor) = torch.ones_like (scores, dtype = Nullable torch.bool)

    /// Every other mention of the batch counts, a mention itself does not.  rows : [batch; ...] -> [batch; batch] bool
    let others (rows: Tensor) : Tensor = torch.eye(Shape.size 0 rows, device = rows.device).eq (Numbers.scalar 0.0)

    /// Scores of gold and negatives.
    ///
    /// negatives : see `Negatives`; for `InBatch` the column of negative j is mention j, and a mention's own column does
    ///             not count; for `InBatchAndSampled` the batch's columns come first
    /// query     : [batch; dim]
    /// gold      : [batch; dim]
    /// raises    : ArgumentException when the shapes do not fit each other or an axis is empty
    let ofVectors similarity (negatives: Negatives) (query: Tensor) (gold: Tensor) : Scores =
        Shape.is [ -1L; -1L ] (nameof query) query
        let own = Similarity.pairs similarity query gold

        match negatives with
        | Own items ->
            let negative = Similarity.each similarity query items
            { Gold = own; Negative = negative; Counts = allCount negative }
        | Sampled items ->
            let negative = Similarity.matrix similarity query items
            { Gold = own; Negative = negative; Counts = allCount negative }
        | InBatch ->
            let negative = Similarity.matrix similarity query gold
            { Gold = own; Negative = negative; Counts = others negative }
        | InBatchAndSampled items ->
            let inBatch = Similarity.matrix similarity query gold
            let sampled = Similarity.matrix similarity query items

            { Gold = own
              Negative = torch.cat ([| inBatch; sampled |], 1L)
              Counts = torch.cat ([| others inBatch; allCount sampled |], 1L) }

    /// Which columns are not false negatives: those whose entity is another than the row's. By id, never by name.
    ///
    /// gold    : [batch] int64, the entity of each mention
    /// columns : [count] int64, the entity of each negative; for `InBatchAndSampled` the golds, then the sampled
    /// returns : [batch; count] bool
    let differentEntity (gold: Tensor) (columns: Tensor) : Tensor =
        Shape.rank 1 (nameof gold) gold
        Shape.rank 1 (nameof columns) columns
        gold.unsqueeze(1L).ne (columns.unsqueeze 0L)

    /// Only those negatives still count that counted and for which the mask is true.
    ///
    /// mask   : [batch; count] bool
    /// raises : ArgumentException when the shapes differ or the mask is not bool
    let keep (mask: Tensor) (scores: Scores) : Scores =
        Shape.mask (nameof mask) mask
        Shape.same (nameof mask) mask (nameof scores.Negative) scores.Negative
        { scores with Counts = scores.Counts.logical_and mask }

    /// All scores times a factor, e.g. 1 / temperature.  factor : []
    let times (factor: Tensor) (scores: Scores) : Scores =
        Shape.rank 0 (nameof factor) factor
        { scores with Gold = scores.Gold * factor; Negative = scores.Negative * factor }
