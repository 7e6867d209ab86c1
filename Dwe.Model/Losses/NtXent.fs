namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// Normalised temperature-scaled cross-entropy of two views.
[<RequireQualifiedAccess>]
module internal NtXent =

    /// One value per mention, both views averaged.
    ///
    ///     l_i = ½ Σ over both views of log(1 + Σ_j exp((cos(z_i, z_j) - cos(a_i, b_i)) / T))
    ///     j over the 2 (batch - 1) views of the other mentions that count
    ///
    /// counts      : [batch; batch] bool, entry (i, j): j is a negative of i
    /// temperature : T > 0
    /// left, right : a, b, [batch; dim], same shape
    /// returns     : [batch]; 0 with zero gradient where no negative counts, so for a batch of one
    /// raises      : ArgumentException when T <= 0 or the shapes do not fit each other
    /// source      : Chen et al. 2020 (SimCLR)
    /// see         : Contrastive.symmetric (negatives of the other view only), Contrastive.decoupled (no positive in the
    ///               denominator)
    let perMentionMasked (counts: Tensor) (temperature: float) (left: Tensor) (right: Tensor) : Tensor =
        if not (temperature > 0.0) then
            invalidArg (nameof temperature) $"temperature is {temperature}, expected more than 0"

        let fromLeft, fromRight = Views.all Similarity.Cosine counts left right
        let factor = torch.tensor (1.0 / temperature, dtype = left.dtype, device = left.device)
        let ofScores scores = scores |> Scores.times factor |> NPair.ofScores
        Numbers.plus (ofScores fromLeft) (ofScores fromRight) * Numbers.scalar 0.5

    /// `perMentionMasked` with every other mention of the batch as a negative.
    ///
    /// example : NtXentTests «NT-Xent, the worked example»
    let perMention (temperature: float) (left: Tensor) (right: Tensor) : Tensor =
        Shape.is [ -1L; -1L ] (nameof left) left
        perMentionMasked (Scores.others left) temperature left right
