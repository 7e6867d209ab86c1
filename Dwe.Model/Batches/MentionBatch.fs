namespace Dwe.Model.Batches

open Dwe.Model.Tensors

/// Features of which some may be missing. What is not present is never read: its numbers may be anything finite.
type Masked =
    {
        /// [batch; d] or [batch; parts; d] float.
        Values: Tensor
        /// The axes of `Values` without the last: [batch] or [batch; parts] bool, true = real.
        Present: Tensor
    }

/// What is known of a batch of mentions. A kind of feature that the data set does not have is None, never zeros; one that
/// a single mention lacks is marked in the mask, so that no row depends on its batch-mates.
type MentionBatch =
    {
        /// [batch; d] the mention alone, encoded.
        Mention: Tensor
        /// [batch; d] the mention in its sentence, encoded.
        Text: Tensor
        /// [batch; tokens; d] tokens of that text, encoded; present [batch; tokens].
        Tokens: Masked option
        /// [batch; d_i] the whole image, encoded; present [batch].
        Image: Masked option
        /// [batch; parts; d_i] parts of the image, encoded; present [batch; parts].
        Parts: Masked option
        /// [batch; parts; d] attribute profiles of the parts, encoded; present [batch; parts].
        Profile: Masked option
    }

/// Mentions with what they should be linked to. Linking an unlabelled mention needs the first field only.
type TrainingBatch =
    {
        Mentions: MentionBatch
        /// [batch; e] the gold entity, encoded.
        Positive: Tensor
        /// [batch; k; e] sampled negatives, encoded.
        Negative: Tensor option
        /// [batch] int64, the row of each mention's sampled negative; None where nothing needs it.
        NegativeEntity: Tensor option
        /// [batch] int64, the gold entity's row in the knowledge base: equal ids are not negatives of each other.
        Entity: Tensor
    }

[<RequireQualifiedAccess>]
module internal MentionBatch =

    let private checkMasked name axes (masked: Masked) =
        Shape.is (axes @ [ -1L ]) $"{name} values" masked.Values
        Shape.is axes $"{name} present" masked.Present

    /// The fields fit each other. Raises ArgumentException naming the field and its shape.
    let check (mentions: MentionBatch) =
        Shape.is [ -1L; -1L ] (nameof mentions.Mention) mentions.Mention
        let rows = Shape.size 0 mentions.Mention
        Shape.same (nameof mentions.Text) mentions.Text (nameof mentions.Mention) mentions.Mention
        mentions.Image |> Option.iter (checkMasked (nameof mentions.Image) [ rows ])

        let checkParts name (parts: Masked) =
            Shape.rank 3 $"{name} values" parts.Values
            checkMasked name [ rows; Shape.size 1 parts.Values ] parts

        mentions.Tokens |> Option.iter (checkParts (nameof mentions.Tokens))
        mentions.Parts |> Option.iter (checkParts (nameof mentions.Parts))
        mentions.Profile |> Option.iter (checkParts (nameof mentions.Profile))

[<RequireQualifiedAccess>]
module internal TrainingBatch =

    /// The fields fit each other. Raises ArgumentException naming the field and its shape.
    let check (batch: TrainingBatch) =
        MentionBatch.check batch.Mentions
        let rows = Shape.size 0 batch.Mentions.Mention
        Shape.is [ rows; -1L ] (nameof batch.Positive) batch.Positive
        Shape.is [ rows ] (nameof batch.Entity) batch.Entity

        batch.Negative
        |> Option.iter (Shape.is [ rows; -1L; Shape.size 1 batch.Positive ] (nameof batch.Negative))
