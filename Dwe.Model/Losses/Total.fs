namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Batches
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

/// The factors of the published loss. The fine part has none.
type PublishedFactors =
    {
        /// λ_t, of the N-pair loss with its penalty.
        Matching: float
        /// λ_c, of the coarse contrast only.
        Coarse: float
    }

[<RequireQualifiedAccess>]
module PublishedFactors =
    let published = { Matching = 10.0; Coarse = 1.0 }

/// What a training step differentiates, put together from losses per mention.
[<RequireQualifiedAccess>]
module internal Total =

    let private times (factor: float) (value: Tensor) = value * Numbers.scalar factor

    /// The published matching loss of queries [batch; e], unweighted: N-pair on dot products, and the penalty on length.
    ///
    ///     mean_i log(1 + Σ_j exp(q_i · (n_j - p_i))) + 0.02 mean_i (|q_i|² + |p_i|²)
    ///
    /// With one negative per mention j runs over the negatives of the whole batch, with several over the mention's own:
    /// the objective of the released code changes with their number in this way.
    ///
    /// raises : ArgumentException when the batch has no negatives
    let publishedMatching (query: Tensor) (batch: TrainingBatch) : LossParts =
        let negatives =
            match batch.Negative with
            | Some negative when Shape.size 1 negative = 1L -> Sampled(negative.squeeze 1L)
            | Some negative -> Own negative
            | None -> invalidArg (nameof batch) "the published loss needs sampled negatives, this batch has none"

        let matching = NPair.perMention Similarity.Dot negatives query batch.Positive |> Reduction.mean
        let length = NPair.l2 query batch.Positive |> Reduction.mean |> times NPair.publishedL2

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
    let published (factors: PublishedFactors) (outputs: PublishedOutputs) (batch: TrainingBatch) : LossParts =
        TrainingBatch.check batch
        let matching = publishedMatching outputs.Query batch
        let scale = outputs.LogitScale.exp ()

        let contrasts =
            [ match outputs.Image with
              | Some image -> "coarse", factors.Coarse, aligned scale image outputs.Text
              | None -> ()
              match outputs.VisionAttention with
              | Some vision -> "fine", 1.0, aligned scale vision outputs.TextAttention
              | None -> () ]

        let add (total: Tensor) (_, factor, value: Tensor) = Numbers.plus total (times factor value)

        { Total = List.fold add (times factors.Matching matching.Total) contrasts
          Parts = matching.Parts @ [ for name, _, value in contrasts -> name, value ] }
