namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// In-batch contrast of two views of the same mentions, e.g. image and text.
[<RequireQualifiedAccess>]
module internal Contrastive =

    let private half (left: Tensor) (right: Tensor) = Numbers.plus left right * Numbers.scalar 0.5

    /// CLIP's loss: image to text and text to image averaged, one value per mention.
    ///
    ///     l_i = ½ [log Σ_j exp(c_ij - c_ii) + log Σ_j exp(c_ji - c_ii)],   c = scale · cos(image_i, text_j)
    ///
    /// counts  : [batch; batch] bool, entry (i, j): j is a negative of i; see `Scores.differentEntity`. Symmetric.
    /// scale   : [], the factor itself, i.e. exp of the model's logit scale; the model owns and bounds it
    /// image   : [batch; dim]
    /// text    : [batch; dim]
    /// returns : [batch]; 0 with zero gradient where no negative counts, so for a batch of one
    /// raises  : ArgumentException when the shapes do not fit each other
    /// source  : Radford et al. 2021; the published code divides by a zero row's length (NaN), here its cosine is 0
    /// see     : `decoupled`, NtXent (same-view negatives too)
    let symmetricMasked (counts: Tensor) (scale: Tensor) (image: Tensor) (text: Tensor) : Tensor =
        let scores = Views.scores Similarity.Cosine counts image text * scale
        // N-pair of each row and of each column, as logarithms of softmaxes over one masked matrix: the gold is the
        // diagonal and stays in, and the matrix is masked once for both.
        let ignored = counts.logical_not().logical_and (Scores.others image)
        let kept = scores.masked_fill (ignored, Numbers.scalar -infinity)
        (half (kept.log_softmax(1L).diagonal ()) (kept.log_softmax(0L).diagonal ())).neg ()

    /// `symmetricMasked` with every other mention of the batch as a negative.
    ///
    /// example : ContrastiveTests «symmetric contrast, the worked example»
    let symmetric (scale: Tensor) (image: Tensor) (text: Tensor) : Tensor =
        Shape.is [ -1L; -1L ] (nameof image) image
        symmetricMasked (Scores.others image) scale image text

    /// Contrast whose denominator leaves the positive out, one value per mention, both views averaged.
    ///
    ///     l_i = ½ Σ over both views of [log Σ_j exp(z_i · z_j / T) - a_i · b_i / T]
    ///     j over the 2 (batch - 1) views of the other mentions that count
    ///
    /// counts      : [batch; batch] bool, entry (i, j): j is a negative of i
    /// temperature : T > 0
    /// left, right : a, b, [batch; dim], same shape; NOT normalised here
    /// returns     : [batch]; 0 with zero gradient where no negative counts; may be negative
    /// raises      : ArgumentException when T <= 0 or the shapes do not fit each other
    /// source      : the published `Contrastive_loss` (later named decoupled, Yeh et al. 2022): its mean is the same number,
    ///               but there a batch of one is the log of 0 and large products overflow
    /// see         : NtXent, whose denominator holds the positive
    let decoupledMasked (counts: Tensor) (temperature: float) (left: Tensor) (right: Tensor) : Tensor =
        if not (temperature > 0.0) then
            invalidArg (nameof temperature) $"temperature is {temperature}, expected more than 0"

        let ofScores (scores: Scores) =
            let gold = scores.Gold.unsqueeze 1L
            let empty = scores.Counts.any(1L).logical_not ()
            // A row without negatives gets finite terms first and 0 last, so that its gradient is 0 and not NaN.
            let ignored = scores.Counts.logical_or(empty.unsqueeze 1L).logical_not ()
            let excess = (scores.Negative - gold) / Numbers.scalar temperature
            excess.masked_fill(ignored, Numbers.scalar -infinity).logsumexp(1L).masked_fill (empty, Numbers.scalar 0.0)

        let fromLeft, fromRight = Views.all Similarity.Dot counts left right
        half (ofScores fromLeft) (ofScores fromRight)

    /// `decoupledMasked` with every other mention of the batch as a negative.
    ///
    /// example : ContrastiveTests «decoupled contrast, the worked example»
    let decoupled (temperature: float) (left: Tensor) (right: Tensor) : Tensor =
        Shape.is [ -1L; -1L ] (nameof left) left
        decoupledMasked (Scores.others left) temperature left right
