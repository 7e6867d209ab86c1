namespace Dwe.Model.Batches

open Dwe.Model.Tensors

/// Mentions with the candidates among which they should find their golds. Every distinct entity of the batch stands once.
type LinkingBatch =
    {
        Mentions: MentionBatch
        /// [n; e] the distinct entities of the batch, encoded.
        Entities: Tensor
        /// [batch; k] int64: the candidates as rows of `Entities`; column 0 is the gold, which is in no other column.
        Pairs: Tensor
        /// [batch; k] bool; false = padding. Column 0 always counts.
        Counts: Tensor
        /// [batch; k; f] what names and words say of each pair; None without a lexical unit.
        Features: Tensor option
    }

[<RequireQualifiedAccess>]
module internal LinkingBatch =

    /// The fields fit each other. Raises ArgumentException naming the field and its shape.
    let check (batch: LinkingBatch) =
        MentionBatch.check batch.Mentions
        let rows = Shape.size 0 batch.Mentions.Mention
        Shape.is [ -1L; -1L ] (nameof batch.Entities) batch.Entities
        Shape.is [ rows; -1L ] (nameof batch.Pairs) batch.Pairs
        Shape.mask (nameof batch.Counts) batch.Counts
        Shape.is [ rows; Shape.size 1 batch.Pairs ] (nameof batch.Counts) batch.Counts

        batch.Features
        |> Option.iter (Shape.is [ rows; Shape.size 1 batch.Pairs; -1L ] (nameof batch.Features))
