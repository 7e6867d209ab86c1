/// The CLIP models of the fixtures, and models with generated weights in the extents of the published ones.
module Dwe.Tests.Prelude.ClipFixture

open System
open System.Text.Json
open TorchSharp
open Dwe.Host.Features.Clip
open Dwe.Host.Features.Weights
open Dwe.Model.Encoders
open Dwe.Model.Layers
open Dwe.Model.Tensors
open Dwe.Tests.Prelude.PublishedFixture

let private models = lazy ((json "clip/clip.json").GetProperty "models")

/// Specifications of a model's weights by OpenAI's names.
let specifications (model: string) =
    let entry = models.Value.GetProperty model

    let owner =
        match (entry.GetProperty "config").TryGetProperty "params_from" with
        | true, other -> models.Value.GetProperty(nonNull (other.GetString()))
        | false, _ -> entry

    [ for weight in (owner.GetProperty "generated_params").EnumerateObject() -> weight.Name, weight.Value ]

let private shapeOf (specification: JsonElement) =
    match specification.TryGetProperty "shape" with
    | true, sizes -> [| for size in sizes.EnumerateArray() -> size.GetInt64() |]
    | false, _ -> [||]

/// What the shapes of a fixture's weights imply, with the heads that its configuration states.
let sizesOf (model: string) =
    let shapes = dict [ for name, specification in specifications model -> name, shapeOf specification ]
    let config = (models.Value.GetProperty model).GetProperty "config"
    let number (name: string) = (config.GetProperty name).GetInt32()

    let settings =
        { ClipSettings.OpenAI with
            TextHeadWidth = number "transformer_width" / number "transformer_heads"
            ImageHeadWidth =
                match config.TryGetProperty "vision_heads" with
                | true, heads -> number "vision_width" / heads.GetInt32()
                | false, _ -> 64 }

    match ClipSizes.infer settings (Collections.Generic.Dictionary shapes) with
    | Ok sizes -> sizes
    | Error problems -> invalidOp (String.Join("; ", problems))

/// A fixture's model with its weights.
let internal build precision (model: string) =
    let frozen = new FrozenWeights(precision)
    let net = Net.build (options precision) (Clip.recipe frozen (sizesOf model))
    let specifications = Map.ofList (specifications model)
    use _ = torch.no_grad ()

    for struct (name, weight) in net.Weights do
        use _ = torch.NewDisposeScope()
        weight.copy_ (ofSpecification specifications[name] torch.float64) |> ignore

    net

/// The merges of the published vocabulary; skips the running test where nobody fetched them (`dwe weights --all`).
let tokenizer =
    let opened =
        lazy
            (let cache = WeightCache.OfThisMachine()
             cache.Ensure WeightCatalogue.ClipVocabulary |> ignore
             ClipMerges.Open(Fixtures.repository, 49408, cache))

    fun () -> opened.Value
