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
            logits.masked_fill(counts.logical_not (), absent.ToScalar()).logsumexp 1L

        let gamma (scale: float) = scale.ToScalar()
        let alpha = ((1.0 + margin).ToScalar() - positive).clamp_min (0.0.ToScalar())
        let beta = (negative + margin.ToScalar()).clamp_min (0.0.ToScalar())
        let pull = logSum positiveCounts (alpha * ((1.0 - margin).ToScalar() - positive) * gamma scale)
        let push = logSum negativeCounts (beta * (negative - margin.ToScalar()) * gamma scale)
        let total = pull + push
        total.logaddexp (torch.zeros_like total)

    /// One value per mention with one gold each.  scores : see `Scores.ofVectors`
    let ofScores scale margin (scores: Scores) : Tensor =
        let gold = scores.Gold.unsqueeze 1L
        let goldCounts = torch.ones_like (gold, dtype = System.Nullable torch.bool)
        ofSimilarities scale margin gold goldCounts scores.Negative scores.Counts

    /// One value per mention, from vectors.
    ///
    /// query     : [batch; dim]
    /// golds     : [batch; golds; dim], or [golds; dim] for golds that all mentions share
    /// negatives : [batch; count; dim], or [count; dim] shared. Both shared is what the published call amounts to: there
    ///             the golds of the whole batch count as golds of each mention.
    /// returns   : [batch]
    /// raises    : ArgumentException when the shapes do not fit each other
    /// example   : CircleTests «circle, the worked example»
    let perMention scale margin similarity (query: Tensor) (golds: Tensor) (negatives: Tensor) : Tensor =
        let scoresOf (items: Tensor) =
            if items.dim () = 2L then
                Similarity.matrix similarity query items
            else
                Similarity.each similarity query items

        let allCount (scores: Tensor) = torch.ones_like (scores, dtype = System.Nullable torch.bool)
        let positive, negative = scoresOf golds, scoresOf negatives
        ofSimilarities scale margin positive (allCount positive) negative (allCount negative)
