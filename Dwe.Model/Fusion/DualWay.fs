namespace Dwe.Model.Fusion

open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Layers
open Dwe.Model.Tensors

/// The sizes of the `dwe` model and which of its parts it has.
type DualWaySizes =
    {
        /// Width of the encoded mention and text.
        Text: int
        /// Width of the encoded image and its parts; 0 where the data has none. Profiles are texts and have theirs.
        Image: int
        /// Width of everything inside, and of what is compared where the entity side is learned.
        Hidden: int
        /// Width of an encoded entity's text.
        Entity: int
        /// Width of an encoded entity's image; 0 = entities are read by their texts alone.
        EntityImage: int
        Heads: int
        Dropout: float
        Units: UnitsConfig
        /// Numbers that say how a pair's names and words go together; 0 = no lexical unit.
        PairFeatures: int
    }

/// What the model computes of a batch of mentions: the query, and what its losses align.
type internal DualWayOutputs =
    {
        /// [batch; w], w the width that is compared
        Query: Tensor
        /// [batch; d] φ_T t, which the coarse loss aligns with the image.
        Text: Tensor
        /// [batch; d] φ_I v; present [batch].
        Image: Masked option
        /// [batch; d] h_T, which the fine loss aligns with h_V.
        TextUnit: Tensor option
        /// [batch; d] h_V; present [batch].
        VisionUnit: Masked option
    }

/// What a query is made of, for whoever asks why.
type internal QueryTerms =
    {
        /// [batch; w] each; they sum to the query: `mention`, `sentence` where the model is residual, and what each unit brings,
        /// times its gate: `text`, `whole image` and `part 1` on of the vision unit, `profile 1` on of the attribute unit.
        Terms: (string * Tensor) list
        /// [batch] each: how much of the unit the query takes.
        Gates: (string * Tensor) list
        /// [batch; keys] how much the vision unit reads of each key, over its heads on average: the whole image where the
        /// batch has one, then the parts.
        Seen: Tensor option
        /// [batch; profiles] the same of the attribute unit.
        Profiles: Tensor option
    }

/// The `dwe` model as functions that share their weights.
type internal DualWay =
    {
        /// [batch; w]
        Query: MentionBatch -> Tensor
        Outputs: MentionBatch -> DualWayOutputs
        /// [batch; units] how much of each unit the query takes, in the order text, vision, attributes of those that the
        /// model has and the batch has something for; None where there is none.
        Gates: MentionBatch -> Tensor option
        /// Costs more than `Query`.
        Explain: MentionBatch -> QueryTerms
        /// [n; e] the encoded text, then the encoded image or zeros where there is none -> [n; w]
        Entity: Tensor -> Tensor
        /// [batch; k] cosines and [batch; k; f] features of the pairs -> [batch; k] scores; the cosines where there is no
        /// lexical unit.
        Score: Tensor -> Tensor -> Tensor
        /// [] the factor on the cosines of both contrasts.
        ContrastScale: unit -> Tensor
        /// [] the factor on the cosines of queries and entities.
        MatchingScale: unit -> Tensor
    }

/// The method of DWE (AAAI-24), whole: units of text, vision and attributes refine the mention, gates weigh them, entities
/// have a side of their own, and a lexical unit has its say in the final score.
[<RequireQualifiedAccess>]
module internal DualWay =

    /// Contrasts are no steeper than CLIP's: exp(scale) stays within 1 .. 100.
    let private steepest = log 100.0

    /// The layer, or no weights at all.
    let private only (wanted: bool) (recipe: Layer<'Function>) : Layer<'Function option> =
        if wanted then
            layer {
                let! built = recipe
                return Some built
            }
        else
            layer { return None }

    let private scale name (temperature: float) : Layer<unit -> Tensor> =
        layer {
            let! logarithm = Layer.parameter name [] (Constant(log (1.0 / temperature)))
            return fun () -> logarithm.clamp(Numbers.scalar 0.0, Numbers.scalar steepest).exp ()
        }

    /// (x - mean) / √(variance + 1e-5) over the last axis, without weights of its own.
    let private normalised (hidden: int) (input: Tensor) = torch.nn.functional.layer_norm (input, [| int64 hidden |])

    /// g = softmax over the units that are present of w · LN(h_u); a mention without any has only zeros. A bias, or weights
    /// in LN, would cancel or be absorbed by w. units : [batch; d] each, what it adds and who has it -> [batch; units]
    let private gateRecipe (hidden: int) : Layer<Masked list -> Tensor> =
        layer {
            let! weight = Layer.parameter "weight" [ int64 hidden ] (Uniform(1.0 / sqrt (float hidden)))

            return
                fun units ->
                    let present = torch.stack ([| for unit in units -> unit.Present |], 1L)
                    let values = torch.stack ([| for unit in units -> unit.Values |], 1L)
                    let logits = torch.matmul (normalised hidden values, weight)
                    let absent = present.logical_not ()
                    // A finite fill: a mention without any unit stays free of NaN, and its gates are closed after.
                    logits
                        .masked_fill(absent, Numbers.scalar -1e30)
                        .softmax(1L)
                        .masked_fill (absent, Numbers.scalar 0.0)
        }

    /// The lexical unit: [batch; k] cosines, [batch; k; f] features -> what it adds to the scores, [batch; k].
    ///
    ///     MLP([cos; features]),   Linear, ReLU, Dropout, a weighted sum; a bias would not change an order
    let private lexicalRecipe (features: int) (hidden: int) rate : Layer<Tensor -> Tensor -> Tensor> =
        layer {
            let! inner = Layer.rectified "hidden" (features + 1) hidden
            let! drop = Layer.dropout rate
            let! output = Layer.parameter "output" [ int64 hidden ] (Uniform(1.0 / sqrt (float hidden)))

            return
                fun cosines features ->
                    let joined = torch.cat ([| cosines.unsqueeze -1L; features |], -1L)
                    torch.matmul (joined |> inner |> drop, output)
        }

    /// The model:
    ///
    ///     h_T = MHA(φ_T m, {φ_T t, φ_T m} ∪ φ_T K)      h_V = MHA(φ_T m, {φ_I v} ∪ φ_I S)      h_A = MHA(φ_T m, φ_A A)
    ///     g = softmax over the units present of w · LN(h_u)
    ///     q = W_s t + b_s + W_o Drop(φ_T m + Σ_u g_u h_u) + b_o,   e = W_e [x; v / |v|] + b_e, or e = x
    ///     score = exp(s) cos(q, e) + MLP([cos(q, e); features of the pair])
    ///
    /// Where the model is residual, W_s and W_e start as the identity and W_o as 0: the first scores are the encoder's own
    /// similarity of text and description, and what is learned is added to it. Else W_s t + b_s is left out.
    /// Each unit has an attention of its own. A sentence is one vector, and a softmax over it alone would be 1 whatever the
    /// mention is: so the mention itself is the text's second key; the text's tokens K are keys too where the model reads them. An empty
    /// set of keys gives the zero vector and a closed gate, so what a mention lacks changes nothing. Without the lexical unit the score is the cosine, whose order is the same;
    /// without the match it is the MLP alone, with 0 for the cosine.
    ///
    /// source : the paper's description; the released code has one attention, no attributes, a sum for gates
    /// see    : Published.recipe
    let recipe (sizes: DualWaySizes) : Layer<DualWay> =
        let units = sizes.Units
        let hidden, rate = sizes.Hidden, sizes.Dropout
        let seesImages = sizes.Image > 0
        let compared = if units.LearnedEntity then hidden else sizes.Entity
        let attention name = Layer.nest name (Attention.multiHead hidden sizes.Heads)

        layer {
            let! ofText = Layer.nest "text" (Layer.refine sizes.Text hidden rate)
            let! ofImage = only seesImages (Layer.nest "image" (Layer.refine sizes.Image hidden rate))

            let! ofProfile =
                only (seesImages && units.Attribute) (Layer.nest "profile" (Layer.refine sizes.Text hidden rate))

            let! textual = only units.Textual (attention "textual")
            let! vision = only (seesImages && units.Vision) (attention "vision")
            let! attribute = only (seesImages && units.Attribute) (attention "attribute")
            let anyUnit = units.Textual || (seesImages && (units.Vision || units.Attribute))
            let! gate = only anyUnit (Layer.nest "gate" (gateRecipe hidden))
            let! drop = Layer.dropout rate
            let! widen = Layer.widen

            let! output =
                if units.Residual then
                    Layer.linearFrom (Constant 0.0) "output" hidden compared
                else
                    Layer.linear "output" hidden compared

            let! skip = only units.Residual (Layer.linearFrom Identity "skip" sizes.Text compared)

            let! entity =
                let linear =
                    if units.Residual then
                        Layer.linearFrom Identity
                    else
                        Layer.linear

                only units.LearnedEntity (linear "entity" (sizes.Entity + sizes.EntityImage) hidden)

            let! contrastScale = scale "contrast_scale" 0.07
            let! matchingScale = scale "matching_scale" units.Temperature

            let! lexical =
                only
                    (sizes.PairFeatures > 0)
                    (Layer.nest "lexical" (lexicalRecipe sizes.PairFeatures units.LexicalHidden units.LexicalDropout))

            // An image's vector is made as long as a text's; that of no image stays 0.
            let joined (entities: Tensor) =
                if sizes.EntityImage = 0 then
                    entities
                else
                    let text = entities.narrow (1L, 0L, int64 sizes.Entity)
                    let image = entities.narrow (1L, int64 sizes.Entity, int64 sizes.EntityImage)
                    torch.cat ([| text; torch.nn.functional.normalize (image, dim = 1L) |], 1L)

            let refineImage (values: Tensor) =
                match ofImage with
                | Some refine -> refine values
                | None -> invalidArg "batch" "the batch has images but the model was built for data without"

            let unitsOf (batch: MentionBatch) (mention: Tensor) (text: Tensor) (image: Masked option) =
                let everyRow = torch.ones ([| Shape.size 0 mention |], dtype = torch.bool, device = mention.device)

                let over (attention: Attention) (keys: Masked) : Masked =
                    { Values = attention.Over mention keys; Present = keys.Present.any 1L }

                let wholeAsKey (whole: Masked) =
                    { Values = whole.Values.unsqueeze 1L; Present = whole.Present.unsqueeze 1L }

                let together (left: Masked) (right: Masked) =
                    { Values = torch.cat ([| left.Values; right.Values |], 1L)
                      Present = torch.cat ([| left.Present; right.Present |], 1L) }

                let texts =
                    { Values = torch.stack ([| text; mention |], 1L)
                      Present = torch.stack ([| everyRow; everyRow |], 1L) }

                let textKeys =
                    match batch.Tokens with
                    | Some tokens when units.Tokens -> together texts { tokens with Values = ofText tokens.Values }
                    | _ -> texts

                let textUnit = textual |> Option.map (fun attention -> over attention textKeys)

                let seen =
                    [ yield! image |> Option.map wholeAsKey |> Option.toList
                      match batch.Parts with
                      | Some parts -> { parts with Values = refineImage parts.Values }
                      | None -> () ]

                let visionKeys =
                    match vision, seen with
                    | Some attention, _ :: _ -> Some(attention, List.reduce together seen)
                    | _ -> None

                let profileKeys =
                    match attribute, ofProfile, batch.Profile with
                    | Some attention, Some refine, Some profile ->
                        Some(attention, { profile with Values = refine profile.Values })
                    | _ -> None

                let shares (keys: (Attention * Masked) option) =
                    keys |> Option.map (fun (attention, keys) -> (attention.Weights mention keys).mean [| 1L |])

                // Whatever has one key of its own, by the number of keys before it.
                let wholes = if Option.isSome image then 1 else 0

                let named unit key =
                    match unit with
                    | "vision" when key < wholes -> "whole image"
                    | "vision" -> $"part {key - wholes + 1}"
                    | _ -> $"profile {key + 1}"

                let each unit =
                    let keysOf =
                        match unit with
                        | "vision" -> visionKeys
                        | "attributes" -> profileKeys
                        | _ -> None

                    keysOf
                    |> Option.map (fun (attention, keys) ->
                        let brought = attention.Each mention keys

                        [ for key in 0 .. int (Shape.size 1 brought) - 1 ->
                              named unit key, brought.select (1L, int64 key) ])

                [ yield! textUnit |> Option.map (fun unit -> "text", unit) |> Option.toList
                  for keys in Option.toList visionKeys -> "vision", keys ||> over
                  for keys in Option.toList profileKeys -> "attributes", keys ||> over ],
                (fun () -> shares visionKeys, shares profileKeys),
                each

            let compute (batch: MentionBatch) =
                MentionBatch.check batch
                let mention, text = ofText batch.Mention, ofText batch.Text

                let image = batch.Image |> Option.map (fun whole -> { whole with Values = refineImage whole.Values })

                let named, shares, each = unitsOf batch mention text image
                let found = List.map snd named
                let unit name = named |> List.tryFind (fst >> (=) name) |> Option.map snd

                let gates =
                    match gate, found with
                    | Some gate, _ :: _ -> Some(gate found)
                    | _ -> None

                let fused =
                    match gates with
                    | Some gates ->
                        let values = torch.stack ([| for unit in found -> unit.Values |], 1L)
                        Numbers.plus (widen mention) ((values * gates.unsqueeze -1L).sum 1L)
                    | None -> widen mention

                let query =
                    match skip with
                    | Some skip -> Numbers.plus (skip batch.Text) (output (drop fused))
                    | None -> output (drop fused)

                { Query = query
                  Text = widen text
                  Image = image |> Option.map (fun whole -> { whole with Values = widen whole.Values })
                  TextUnit = unit "text" |> Option.map _.Values
                  VisionUnit = unit "vision" },
                gates,
                fun () ->
                    let own = output (widen mention)
                    let without = output (torch.zeros_like (widen mention))

                    let gated =
                        match gates with
                        | Some gates ->
                            [ for at, (name, unit) in List.indexed named ->
                                  name, gates.select (1L, int64 at), defaultArg (each name) [ name, unit.Values ] ]
                        | None -> []

                    let seen, profiles = shares ()

                    { Terms =
                        [ "mention", own
                          for skip in Option.toList skip do
                              "sentence", skip batch.Text
                          for _, gate, brought in gated do
                              for name, values in brought do
                                  name, (output (values * gate.unsqueeze -1L)).sub without ]
                      Gates = [ for name, gate, _ in gated -> name, gate ]
                      Seen = seen
                      Profiles = profiles }

            return
                { Query =
                    fun batch ->
                        let outputs, _, _ = compute batch
                        outputs.Query
                  Outputs =
                    fun batch ->
                        let outputs, _, _ = compute batch
                        outputs
                  Gates =
                    fun batch ->
                        let _, gates, _ = compute batch
                        gates
                  Explain =
                    fun batch ->
                        let _, _, explain = compute batch
                        explain ()
                  Entity =
                    match entity with
                    | Some project -> joined >> project
                    | None -> id
                  Score =
                    fun cosines features ->
                        match lexical with
                        | Some lexical when units.Match ->
                            Numbers.plus (cosines * matchingScale ()) (lexical cosines features)
                        | Some lexical -> lexical (torch.zeros_like cosines) features
                        | None -> cosines
                  ContrastScale = contrastScale
                  MatchingScale = matchingScale }
        }
