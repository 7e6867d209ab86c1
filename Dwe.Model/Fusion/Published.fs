namespace Dwe.Model.Fusion

open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// The sizes of the published model.
type PublishedSizes =
    {
        /// Width of the encoded mention and text.
        Text: int
        /// Width of the encoded image and its parts; 0 where the data has none: then nothing is registered for them.
        Image: int
        /// Width of everything inside.
        Hidden: int
        /// Width of the query, that of an encoded entity.
        Entity: int
        Heads: int
        Dropout: float
    }

/// What the published model computes of a batch: the query, and what its losses align.
type internal PublishedOutputs =
    {
        /// [batch; e]
        Query: Tensor
        /// [batch; d] φ_T t, which the coarse loss aligns with the image.
        Text: Tensor
        /// [batch; d] φ_I v; present [batch].
        Image: Masked option
        /// [batch; d] the attention over the text, which the fine loss aligns with that over the parts.
        TextAttention: Tensor
        /// [batch; d] the attention over the parts; present [batch]: at least one part.
        VisionAttention: Masked option
        /// [] the logarithm of the factor on the cosines of both contrastive losses.
        LogitScale: Tensor
    }

/// The published model as functions that share their weights.
type internal Published =
    {
        /// [batch; e] alone, for ranking: the whole image is not read.
        Query: MentionBatch -> Tensor
        /// Everything, for training.
        Outputs: MentionBatch -> PublishedOutputs
        /// [batch; heads; parts] how much of each part the query reads; None without parts.
        PartShares: MentionBatch -> Tensor option
        /// [batch; e] each; they sum to the query: `mention`, `text`, and `vision` where the batch has parts.
        Terms: MentionBatch -> (string * Tensor) list
    }

/// What the code released with DWE (AAAI-24) computes, with masks in place of zero padding.
[<RequireQualifiedAccess>]
module internal Published =

    /// The image's refinement, or for data without images a function that is never to be called.
    let private refineImage (sizes: PublishedSizes) : Layer<Tensor -> Tensor> =
        if sizes.Image > 0 then
            Layer.nest "image" (Layer.refine sizes.Image sizes.Hidden sizes.Dropout)
        else
            fun _ _ -> invalidArg (nameof sizes) "the batch has images but the model was built for data without"

    /// The logit scale's first value: a temperature of 0.07 (CLIP's).
    let private logitScale = Layer.parameter "logit_scale" [] (Constant(log (1.0 / 0.07)))

    /// The published model:
    ///
    ///     q = W_o Drop(φ_T m + MHA(φ_T m, φ_I S) + MHA(φ_T m, φ_T t)) + b_o
    ///
    /// One attention serves both sides. Over the text it has one key, so its softmax is 1 and the mention cannot matter
    /// there. A mention without parts gets the zero vector from the vision side. Not registered, since nothing reads them
    /// in the released code: its second attention, its second logit scale and its part and entity projections; nor the
    /// attention's key bias, which cancels.
    ///
    /// source : the released code's NELModel for WikiMEL and Richpedia, dropout rate 0.4 there
    let recipe (sizes: PublishedSizes) : Layer<Published> =
        layer {
            let! ofText = Layer.nest "text" (Layer.refine sizes.Text sizes.Hidden sizes.Dropout)
            let! ofImage = refineImage sizes
            let! attention = Layer.nest "attention" (Attention.multiHead sizes.Hidden sizes.Heads)
            let! drop = Layer.dropout sizes.Dropout
            let! output = Layer.linear "output" sizes.Hidden sizes.Entity
            let! scale = logitScale
            let! widen = Layer.widen

            // One product for all that goes through one φ: [rows; d] each -> [rows; h] each.
            let together (refine: Tensor -> Tensor) (inputs: Tensor list) =
                match inputs with
                | [] -> []
                | [ single ] -> [ refine single ]
                | several ->
                    let stacked = refine (torch.cat (Array.ofList several, 0L))
                    List.ofArray (stacked.split ([| for input in several -> Shape.size 0 input |], 0L))

            let refineParts (parts: Masked) (refined: Tensor) =
                let rows, count = Shape.size 0 parts.Values, Shape.size 1 parts.Values
                { parts with Values = refined.view (rows, count, int64 sizes.Hidden) }

            let flat (parts: Masked) = parts.Values.flatten (0L, 1L)

            let outputs (readsImage: bool) (batch: MentionBatch) =
                MentionBatch.check batch
                let wholes = if readsImage then Option.toList batch.Image else []
                let parts = Option.toList batch.Parts
                let images = together ofImage ([ for whole in wholes -> whole.Values ] @ List.map flat parts)
                let texts = together ofText [ batch.Mention; batch.Text ]
                let mention, text = texts[0], texts[1]
                let image = wholes |> List.tryHead |> Option.map (fun whole -> { whole with Values = widen images[0] })

                let visionAttention, textAttention =
                    match batch.Parts with
                    | Some parts ->
                        let keys = refineParts parts (List.last images)
                        // One product of twice the rows is faster than two. It may differ in the last bit
                        // from a product without the rows of the parts, and a query for ranking must not.
                        let vision, text =
                            if readsImage then
                                attention.Both mention keys text
                            else
                                attention.Over mention keys, attention.OverOne text

                        Some { Values = vision; Present = parts.Present.any 1L }, text
                    | None -> None, attention.OverOne text

                let summed =
                    match visionAttention with
                    | Some vision -> Numbers.plus (Numbers.plus (widen mention) vision.Values) textAttention
                    | None -> Numbers.plus (widen mention) textAttention

                { Query = output (drop summed)
                  Text = widen text
                  Image = image
                  TextAttention = textAttention
                  VisionAttention = visionAttention
                  LogitScale = scale }

            return
                { Query = fun batch -> (outputs false batch).Query
                  Outputs = outputs true
                  PartShares =
                    fun batch ->
                        batch.Parts
                        |> Option.map (fun parts ->
                            attention.Weights (ofText batch.Mention) (refineParts parts (ofImage (flat parts))))
                  Terms =
                    fun batch ->
                        let found = outputs false batch
                        let mention = widen (ofText batch.Mention)
                        let without = output (torch.zeros_like mention)

                        [ "mention", output mention
                          "text", (output found.TextAttention).sub without
                          for vision in Option.toList found.VisionAttention do
                              "vision", (output vision.Values).sub without ] }
        }

    /// What the released code means for WikiDiverse and Wikiperson, where it stops with a shape error:
    ///
    ///     q = W_o Drop([φ_T t; φ_I v; φ_T m]) + b_o
    ///
    /// trained with the N-pair loss alone; a mention without image contributes the zero vector.  batch -> [batch; e]
    let concatenation (sizes: PublishedSizes) : Layer<MentionBatch -> Tensor> =
        layer {
            let! ofText = Layer.nest "text" (Layer.refine sizes.Text sizes.Hidden sizes.Dropout)
            let! ofImage = Layer.nest "image" (Layer.refine sizes.Image sizes.Hidden sizes.Dropout)
            let! drop = Layer.dropout sizes.Dropout
            let! output = Layer.linear "output" (3 * sizes.Hidden) sizes.Entity
            let! widen = Layer.widen

            return
                fun batch ->
                    MentionBatch.check batch
                    let text = widen (ofText batch.Text)

                    let image =
                        match batch.Image with
                        | Some image -> widen (ofImage image.Values) * image.Present.unsqueeze(1L).``to`` text.dtype
                        | None -> torch.zeros_like text

                    torch.cat ([| text; image; widen (ofText batch.Mention) |], 1L) |> drop |> output
        }
