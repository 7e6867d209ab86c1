namespace Dwe.Model.Batches

open TorchSharp
open Dwe.Model.Tensors

/// Features of which a mention has none, one or several: rows of all mentions one after the other.
type RaggedFeatures =
    {
        /// [Σ count; d] float.
        Rows: Tensor
        /// n + 1 row numbers, rising from 0: mention i has rows Offsets[i] .. Offsets[i + 1] - 1.
        Offsets: int64[]
    }

/// The features of one split. A kind that the data set does not have is None. Tensors may lie over a mapped file: they are
/// only read, a batch at a time.
type MentionFeatures =
    {
        /// [n; d]
        Mention: Tensor
        /// [n; d]
        Text: Tensor
        /// Of the text's tokens those next to the mention; None where the model reads none.
        Tokens: RaggedFeatures option
        Image: RaggedFeatures option
        Parts: RaggedFeatures option
        Profile: RaggedFeatures option
    }

[<RequireQualifiedAccess>]
module internal MentionFeatures =

    let private indices (rows: int64[]) = torch.tensor (rows, dtype = torch.int64)

    let private rows (device: torch.Device) (source: Tensor) (at: Tensor) = (source.index_select (0L, at)).``to`` device

    /// Ragged rows side by side: [batch; longest; d], where row i is present up to its own count. Absent places repeat
    /// row 0 of the source, which is finite and never read.
    let private padded device (features: RaggedFeatures) (mentions: int64[]) : Masked option =
        let first = mentions |> Array.map (fun mention -> features.Offsets[int mention])

        let count =
            mentions
            |> Array.map (fun mention -> features.Offsets[int mention + 1] - features.Offsets[int mention])

        let longest = Array.max count

        if longest = 0L then
            None
        else
            let places =
                Array.init (mentions.Length * int longest) (fun place ->
                    let mention, part = place / int longest, int64 place % longest
                    if part < count[mention] then first[mention] + part else 0L)

            let present = Array.init places.Length (fun place -> int64 place % longest < count[place / int longest])
            let shape = [| int64 mentions.Length; longest |]
            let values = (rows device features.Rows (indices places)).view ([| yield! shape; -1L |])
            let present = torch.tensor(present, dtype = torch.bool, device = device).view shape
            Some { Values = values; Present = present }

    /// At most one row per mention: [batch; d] with a mask [batch].
    let private single device features mentions : Masked option =
        padded device features mentions
        |> Option.map (fun found ->
            { Values = found.Values.select (1L, 0L)
              Present = found.Present.select (1L, 0L) })

    /// The batch of these mentions: one gather per kind. A kind that no mention of the batch has is None in it.
    let gather (device: torch.Device) (table: MentionFeatures) (mentions: int64[]) : MentionBatch =
        let at = indices mentions

        { Mention = rows device table.Mention at
          Text = rows device table.Text at
          Tokens = table.Tokens |> Option.bind (fun features -> padded device features mentions)
          Image = table.Image |> Option.bind (fun features -> single device features mentions)
          Parts = table.Parts |> Option.bind (fun features -> padded device features mentions)
          Profile = table.Profile |> Option.bind (fun features -> padded device features mentions) }
