namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// Two views of each mention, compared with the views of the others.
[<RequireQualifiedAccess>]
module internal Views =

    let private check (counts: Tensor) (left: Tensor) (right: Tensor) =
        Shape.is [ -1L; -1L ] (nameof left) left
        Shape.same (nameof right) right (nameof left) left
        Shape.mask (nameof counts) counts
        Shape.is [ Shape.size 0 left; Shape.size 0 left ] (nameof counts) counts

    /// Entry (i, j): left view of mention i against right view of mention j, whether it counts or not.
    let scores similarity (counts: Tensor) (left: Tensor) (right: Tensor) : Tensor =
        check counts left right
        Similarity.matrix similarity left right

    /// Scores of each view against the other view of all mentions, from the left and from the right.
    ///
    /// counts      : [batch; batch] bool, entry (i, j): j is a negative of i; a mention is never its own
    /// left, right : [batch; dim], same shape
    let across similarity (counts: Tensor) (left: Tensor) (right: Tensor) : Scores * Scores =
        let scores = scores similarity counts left right
        let counts = counts.logical_and (Scores.others left)
        let gold = scores.diagonal ()

        { Gold = gold; Negative = scores; Counts = counts },
        { Gold = gold; Negative = scores.transpose (0L, 1L); Counts = counts }

    /// As `across`, and each view also against the same view of the other mentions: 2 (batch - 1) negatives.
    let all similarity (counts: Tensor) (left: Tensor) (right: Tensor) : Scores * Scores =
        let fromLeft, fromRight = across similarity counts left right

        let alsoWithin view (scores: Scores) =
            { scores with
                Negative = torch.cat ([| scores.Negative; Similarity.matrix similarity view view |], 1L)
                Counts = torch.cat ([| scores.Counts; scores.Counts |], 1L) }

        alsoWithin left fromLeft, alsoWithin right fromRight
