namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// Circle: every pair is weighted by how far it is from where it should be.
[<RequireQualifiedAccess>]
module internal Circle =

    /// Stands for -∞ in a log-sum-exp all of whose terms may be absent; -∞ itself would give 0/0 in the gradient.
    let private absent = -1e30

    /// One value per mention, from similarities; a mention may have several golds.
    ///
    ///     l_i = log(1 + Σ_j exp(γ β_ij (n_ij - m)) · Σ_k exp(-γ α_ik (p_ik - (1 - m))))
    ///     α_ik = max(0, 1 + m - p_ik),   β_ij = max(0, n_ij + m)
    ///
    /// scale, margin  : γ > 0, m
    /// positive       : p, [batch; golds]
    /// positiveCounts : [batch; golds] bool
    /// negative       : n, [batch; count]
    /// negativeCounts : [batch; count] bool
    /// returns        : [batch]; 0 with zero gradient where no gold or no negative counts
    /// raises         : ArgumentException when scale <= 0 or shapes do not fit each other
    /// source         : Sun et al. 2020. There α and β are constants of the gradient; in the published code, and here, the
    ///                  gradient goes through them.
    /// see            : NPair.ofScores (one gold, no weights)
    let ofSimilarities scale margin (positive: Tensor) positiveCounts (negative: Tensor) negativeCounts : Tensor =
        if not (scale > 0.0) then
            invalidArg (nameof scale) $"scale is {scale}, expected more than 0"

        Shape.is [ -1L; -1L ] (nameof positive) positive
        Shape.is [ Shape.size 0 positive; -1L ] (nameof negative) negative
        Shape.mask (nameof positiveCounts) positiveCounts
        Shape.mask (nameof negativeCounts) negativeCounts
        Shape.same (nameof positiveCounts) positiveCounts (nameof positive) positive
        Shape.same (nameof negativeCounts) negativeCounts (nameof negative) negative

        let logSum (counts: Tensor) (logits: Tensor) =
            logits.masked_fill(counts.logical_not (), Numbers.scalar absent).logsumexp 1L

        let zero, gamma = Numbers.scalar 0.0, Numbers.scalar scale
        let alpha = (positive - Numbers.scalar (1.0 + margin)).neg().clamp_min zero
        let beta = (negative - Numbers.scalar -margin).clamp_min zero
        let pull = logSum positiveCounts (alpha * (positive - Numbers.scalar (1.0 - margin)).neg () * gamma)
        let push = logSum negativeCounts (beta * (negative - Numbers.scalar margin) * gamma)
        let total = Numbers.plus pull push
        total.logaddexp (torch.zeros_like total)

    /// One value per mention with one gold each.  scores : see `Scores.ofVectors`
    let ofScores scale margin (scores: Scores) : Tensor =
        let gold = scores.Gold.unsqueeze 1L
        let goldCounts = torch.ones_like (gold, dtype = System.Nullable torch.bool)
        ofSimilarities scale margin gold goldCounts scores.Negative scores.Counts

    let private allCount (scores: Tensor) = torch.ones_like (scores, dtype = System.Nullable torch.bool)

    let private unmasked scale margin positive negative =
        ofSimilarities scale margin positive (allCount positive) negative (allCount negative)

    /// One value per mention, from vectors, each mention with its own golds and negatives.
    ///
    /// query     : [batch; dim]
    /// golds     : [batch; golds; dim]
    /// negatives : [batch; count; dim]
    /// returns   : [batch]
    /// raises    : ArgumentException when scale <= 0 or the shapes do not fit each other
    /// example   : CircleTests «circle, the worked example»
    /// see       : `shared`
    let perMention scale margin similarity (query: Tensor) (golds: Tensor) (negatives: Tensor) : Tensor =
        unmasked scale margin (Similarity.each similarity query golds) (Similarity.each similarity query negatives)

    /// One value per mention, from vectors, all mentions with the same golds and negatives: for parity. The published call
    /// amounts to this, so there the golds of the whole batch count as golds of each mention.
    ///
    /// query     : [batch; dim]
    /// golds     : [golds; dim]
    /// negatives : [count; dim]
    /// returns   : [batch]
    /// raises    : ArgumentException when scale <= 0 or the shapes do not fit each other
    let shared scale margin similarity (query: Tensor) (golds: Tensor) (negatives: Tensor) : Tensor =
        unmasked scale margin (Similarity.matrix similarity query golds) (Similarity.matrix similarity query negatives)
