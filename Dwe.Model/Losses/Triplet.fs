namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// Triplet: the gold must be nearer than the negative by a margin.
[<RequireQualifiedAccess>]
module internal Triplet =

    let private hinge (margin: float) (gold: Tensor) (negative: Tensor) =
        if not (margin >= 0.0) then
            invalidArg (nameof margin) $"margin is {margin}, expected at least 0"

        (negative - gold - Numbers.scalar -margin).clamp_min (Numbers.scalar 0.0)

    /// The hinge, averaged over a mention's negatives, one value per mention.
    ///
    ///     h_i = mean over j of max(0, margin + s_ij - s_i),   j over the negatives that count
    ///
    /// scores  : s_i = Gold [batch], s_ij = Negative [batch; count]
    /// returns : [batch]; 0 with zero gradient where no negative counts
    /// raises  : ArgumentException when margin < 0
    /// see     : NPair.ofScores (a softmax instead of a margin)
    let ofScores (margin: float) (scores: Scores) : Tensor =
        let hinges = hinge margin (scores.Gold.unsqueeze 1L) scores.Negative
        let counted = scores.Counts.sum(1L, false, hinges.dtype).clamp_min (Numbers.scalar 1.0)
        hinges.masked_fill(scores.Counts.logical_not (), Numbers.scalar 0.0).sum 1L / counted

    /// The hinge on cosine distance with one negative each, one value per mention.
    ///
    ///     h_i = max(0, margin + d(a_i, p_i) - d(a_i, n_i)),   d = 1 - cos
    ///
    /// anchor, positive, negative : [..., dim], same shape
    /// returns                    : [...]; 0 where the negative is already farther by `margin`
    /// raises                     : ArgumentException when the shapes differ or margin < 0
    /// example                    : TripletTests «triplet, the worked example»
    /// see                        : `ofScores` (many negatives), `published`
    let perMention (margin: float) (anchor: Tensor) (positive: Tensor) (negative: Tensor) : Tensor =
        let gold = Similarity.pairs Similarity.Cosine anchor positive
        hinge margin gold (Similarity.pairs Similarity.Cosine anchor negative)

    /// `perMention` with the published cosine, whose product of lengths is 1e-5 too long: for parity.
    let published (margin: float) (anchor: Tensor) (positive: Tensor) (negative: Tensor) : Tensor =
        let gold = Similarity.shrunkCosine 1e-5 anchor positive
        hinge margin gold (Similarity.shrunkCosine 1e-5 anchor negative)
