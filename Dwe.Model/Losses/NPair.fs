namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// N-pair: the gold against all negatives at once.
[<RequireQualifiedAccess>]
module internal NPair =

    /// One value per mention.
    ///
    ///     l_i = log(1 + Σ_j exp(s_ij - s_i)),   j over the negatives that count
    ///
    /// scores  : s_i = Gold [batch], s_ij = Negative [batch; count]
    /// returns : [batch]; 0 with zero gradient where no negative counts
    /// source  : Sohn 2016; it is also the cross-entropy of the gold among gold and negatives (InfoNCE). Computed as a
    ///           log-sum-exp over {0} ∪ {s_ij - s_i}, so no exponent overflows; the published form is infinite from 88 on.
    /// see     : Triplet (a margin instead of a softmax), Circle (weights each pair by how wrong it is)
    let ofScores (scores: Scores) : Tensor =
        let gold = scores.Gold.unsqueeze 1L

        let excess =
            (scores.Negative - gold).masked_fill (scores.Counts.logical_not (), Numbers.scalar -infinity)

        torch.cat([| torch.zeros_like gold; excess |], 1L).logsumexp (1L)

    /// One value per mention, from vectors.
    ///
    /// negatives : own, sampled and shared, in-batch, or both; see `Scores.ofVectors`
    /// query     : [batch; dim]
    /// gold      : [batch; dim]
    /// returns   : [batch]
    /// raises    : ArgumentException when the shapes do not fit each other
    /// example   : NPairTests «N-pair, the worked example»
    /// source    : the published loss is `perMention Similarity.Dot (Sampled negatives)`: each mention meets the sampled
    ///             negatives of the whole batch, so a negative can be its own gold; `Scores.keep` removes those
    let perMention similarity (negatives: Negatives) (query: Tensor) (gold: Tensor) : Tensor =
        Scores.ofVectors similarity negatives query gold |> ofScores

    /// The factor of `l2` in the published loss.
    let publishedL2 = 0.02

    /// The published penalty on long vectors, one value per mention.
    ///
    ///     r_i = Σ_d (q_id² + p_id²)
    ///
    /// query, gold : [batch; dim], same shape; frozen golds only shift the value
    /// returns     : [batch]; the published term is 0.02 times its mean
    /// raises      : ArgumentException when the shapes differ
    let l2 (query: Tensor) (gold: Tensor) : Tensor =
        Shape.is [ -1L; -1L ] (nameof query) query
        Shape.same (nameof gold) gold (nameof query) query
        (Numbers.plus (query * query) (gold * gold)).sum 1L
