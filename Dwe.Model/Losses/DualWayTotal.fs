namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Fusion
open Dwe.Model.Tensors

/// What a training step of the `dwe` model differentiates.
[<RequireQualifiedAccess>]
module internal DualWayTotal =

    let private times (factor: float) (value: Tensor) = value * Numbers.scalar factor

    /// The negatives of a mention: the golds of the others, false ones masked by entity, then its own candidates.
    /// similarities : [batch; n] of every query with every entity of the batch
    let private scoresOf (source: NegativeSource) (batch: LinkingBatch) (similarities: Tensor) : Scores =
        let golds = batch.Pairs.select (1L, 0L)
        let pairs = similarities.gather (1L, batch.Pairs)
        let own = pairs.narrow (1L, 1L, Shape.size 1 batch.Pairs - 1L)
        let ownCounts = batch.Counts.narrow (1L, 1L, Shape.size 1 batch.Pairs - 1L)
        let inBatch = similarities.index_select (1L, golds)
        let different = Scores.differentEntity golds golds
        let gold = pairs.select (1L, 0L)

        match source with
        | Sampled -> { Gold = gold; Negative = own; Counts = ownCounts }
        | InBatch -> { Gold = gold; Negative = inBatch; Counts = different }
        | SampledAndInBatch ->
            { Gold = gold
              Negative = torch.cat ([| inBatch; own |], 1L)
              Counts = torch.cat ([| different; ownCounts |], 1L) }

    /// One value per mention: how far the query is from its gold as against the negatives.
    let private matching (loss: LossConfig) (scale: Tensor) query gold dots cosines (scores: Tensor -> Scores) =
        match loss.Matching with
        | NPairLoss -> Numbers.plus (NPair.ofScores (scores dots)) (NPair.l2 query gold |> times loss.L2Weight)
        | TripletLoss -> Triplet.ofScores loss.Margin (scores cosines)
        | CircleLoss -> Circle.ofScores loss.Scale loss.Margin (scores cosines)
        | InfoNceLoss -> scores cosines |> Scores.times scale |> NPair.ofScores

    /// Contrast of two views [batch; d] over the mentions that have both: the others are neither rows nor negatives, and
    /// two mentions of one entity are no negatives of each other.
    let private aligned (scale: Tensor) (golds: Tensor) (left: Masked) (right: Tensor) =
        let both = left.Present.unsqueeze(1L).logical_and (left.Present.unsqueeze 0L)
        let counts = both.logical_and (Scores.differentEntity golds golds)
        Contrastive.symmetricMasked counts scale left.Values right |> Reduction.maskedMean left.Present

    /// The loss of the `dwe` model:
    ///
    ///     λ_t · matching + λ_c · contrast(φ_I v, φ_T t) + λ_f · contrast(h_V, h_T) + λ_l · linking
    ///     linking = -log softmax of the final score over gold and candidates, at the gold
    ///
    /// A part whose weight is 0 is not computed. Negatives of the matching loss: in-batch golds, the mention's candidates,
    /// or both. `h_V` against `h_T` needs both units.
    ///
    /// raises : ArgumentException when the batch's shapes do not fit each other
    let ofBatch (loss: LossConfig) (net: DualWay) (batch: LinkingBatch) : LossParts =
        LinkingBatch.check batch
        let outputs = net.Outputs batch.Mentions
        let entities = net.Entity batch.Entities
        let golds = batch.Pairs.select (1L, 0L)
        let cosines = Similarity.matrix Similarity.Cosine outputs.Query entities

        let matched () =
            let dots = Similarity.matrix Similarity.Dot outputs.Query entities
            let gold = entities.index_select (0L, golds)

            matching loss (net.MatchingScale()) outputs.Query gold dots cosines (scoresOf loss.Negatives batch)
            |> Reduction.mean

        let linked () =
            let pairs = cosines.gather (1L, batch.Pairs)

            let scores =
                match batch.Features with
                | Some features -> net.Score pairs features
                | None -> pairs * net.MatchingScale()

            let counted = scores.masked_fill (batch.Counts.logical_not (), Numbers.scalar -infinity)
            (counted.log_softmax(1L).select (1L, 0L)).neg () |> Reduction.mean

        let parts =
            [ "matching", loss.MatchingWeight, Some matched
              "linking", loss.LinkingWeight, (if Shape.size 1 batch.Pairs > 1L then Some linked else None)
              "coarse",
              loss.CoarseWeight,
              outputs.Image |> Option.map (fun image () -> aligned (net.ContrastScale()) golds image outputs.Text)
              "fine",
              loss.FineWeight,
              Option.map2
                  (fun vision text () -> aligned (net.ContrastScale()) golds vision text)
                  outputs.VisionUnit
                  outputs.TextUnit ]
            |> List.choose (fun (name, factor, compute) ->
                match compute with
                | Some compute when factor > 0.0 -> Some(name, factor, compute ())
                | _ -> None)

        match parts with
        | [] -> invalidArg (nameof loss) "every part of the loss has weight 0"
        | _ ->
            { Total = parts |> List.map (fun (_, factor, value) -> times factor value) |> List.reduce Numbers.plus
              Parts = [ for name, _, value in parts -> name, value ] }
