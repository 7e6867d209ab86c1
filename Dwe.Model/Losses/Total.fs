namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Fusion
open Dwe.Model.Tensors

/// A loss with what it is made of.
type LossParts =
    {
        /// [] what is differentiated.
        Total: Tensor
        /// Each part by name, unweighted, [] each: for logging.
        Parts: (string * Tensor) list
    }

/// What a training step differentiates, put together from losses per mention.
[<RequireQualifiedAccess>]
module internal Total =

    let private times (factor: float) (value: Tensor) = value * Numbers.scalar factor

    /// Which negatives a batch's mentions meet, and which of those count; None = all.
    let private negativesOf (source: NegativeSource) (batch: TrainingBatch) : Negatives * Tensor option =
        match source, batch.Negative with
        | NegativeSource.InBatch, _ -> Negatives.InBatch, Some(Scores.differentEntity batch.Entity batch.Entity)
        | NegativeSource.Sampled, Some negative when Shape.size 1 negative = 1L ->
            Negatives.Sampled(negative.squeeze 1L), None
        | NegativeSource.Sampled, Some negative -> Own negative, None
        | NegativeSource.SampledAndInBatch, Some negative ->
            let columns = torch.cat ([| batch.Entity; Option.get batch.NegativeEntity |])
            InBatchAndSampled(negative.squeeze 1L), Some(Scores.differentEntity batch.Entity columns)
        | (NegativeSource.Sampled | NegativeSource.SampledAndInBatch), None ->
            invalidArg (nameof batch) "this source of negatives needs sampled ones, the batch has none"

    /// The matching loss of queries [batch; e], unweighted: N-pair on dot products, and the penalty on length.
    ///
    ///     mean_i log(1 + Σ_j exp(q_i · (n_j - p_i))) + λ mean_i (|q_i|² + |p_i|²),   λ = 0.02 as published
    ///
    /// Sampled, one per mention: j runs over the negatives of the whole batch, a mention's own gold among them, as
    /// published; sampled, several per mention: over the mention's own, for the released code's objective changes with
    /// their number in this way. In the batch, or both: over the golds of the others (and the sampled), by id never the
    /// mention's own gold.
    ///
    /// raises : ArgumentException when the source needs sampled negatives and the batch has none
    let matching (loss: LossConfig) (query: Tensor) (batch: TrainingBatch) : LossParts =
        let negatives, mask = negativesOf loss.Negatives batch
        let scores = Scores.ofVectors Similarity.Dot negatives query batch.Positive
        let counted = mask |> Option.fold (fun scores mask -> Scores.keep mask scores) scores
        let matching = NPair.ofScores counted |> Reduction.mean
        let length = NPair.l2 query batch.Positive |> Reduction.mean |> times loss.L2Weight

        { Total = Numbers.plus matching length
          Parts = [ "matching", matching; "length", length ] }

    /// Contrast of two views [batch; d] over the mentions that have both: the others are neither rows nor negatives.
    let private aligned (scale: Tensor) (left: Masked) (right: Tensor) =
        let counts = left.Present.unsqueeze(1L).logical_and (left.Present.unsqueeze 0L)

        Contrastive.symmetricMasked counts scale left.Values right |> Reduction.maskedMean left.Present

    /// The published loss:
    ///
    ///     λ_t · matching + λ_c · contrast(φ_I v, φ_T t) + contrast(a_v, a_t)
    ///
    /// with a_v, a_t the attention over the parts and over the text, and one logit scale for both contrasts. Mentions
    /// without image take no part in the coarse contrast, mentions without parts none in the fine one.
    ///
    /// raises : ArgumentException when the batch has no negatives
    /// source : the released code, where λ_c weighs the coarse part only
    let published (loss: LossConfig) (outputs: PublishedOutputs) (batch: TrainingBatch) : LossParts =
        TrainingBatch.check batch
        let matching = matching loss outputs.Query batch
        let scale = outputs.LogitScale.exp ()

        let contrasts =
            [ match outputs.Image with
              | Some image -> "coarse", loss.CoarseWeight, aligned scale image outputs.Text
              | None -> ()
              match outputs.VisionAttention with
              | Some vision -> "fine", loss.FineWeight, aligned scale vision outputs.TextAttention
              | None -> () ]

        let add (total: Tensor) (_, factor, value: Tensor) = Numbers.plus total (times factor value)

        { Total = List.fold add (times loss.MatchingWeight matching.Total) contrasts
          Parts = matching.Parts @ [ for name, _, value in contrasts -> name, value ] }
