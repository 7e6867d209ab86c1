/// The published model's cases: its weights under our names, its batches, and how closely numbers must agree.
module Dwe.Tests.Prelude.PublishedFixture

open System
open System.Collections.Generic
open System.IO
open System.Text.Json
open Expecto
open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Fusion
open Dwe.Model.Layers
open Dwe.Model.Tensors
open Dwe.Tests.Prelude.SafetensorsFixture

let private folder = "fixtures/reference"

let open' (relative: string) = SafetensorsFixture(Fixtures.required $"{folder}/{relative}")

let json (relative: string) =
    use document = JsonDocument.Parse(File.ReadAllText(Fixtures.required $"{folder}/{relative}"))
    document.RootElement.Clone()

/// Our name of a weight, the published one, and for the packed projections which third of it.
let names =
    [ "text.linear.weight", "text_trans.0.weight", None
      "text.linear.bias", "text_trans.0.bias", None
      "text.norm.weight", "text_trans.2.weight", None
      "text.norm.bias", "text_trans.2.bias", None
      "image.linear.weight", "img_trans.0.weight", None
      "image.linear.bias", "img_trans.0.bias", None
      "image.norm.weight", "img_trans.2.weight", None
      "image.norm.bias", "img_trans.2.bias", None
      "attention.query.weight", "img_att.in_proj_weight", Some 0L
      "attention.query.bias", "img_att.in_proj_bias", Some 0L
      "attention.key.weight", "img_att.in_proj_weight", Some 1L
      "attention.value.weight", "img_att.in_proj_weight", Some 2L
      "attention.value.bias", "img_att.in_proj_bias", Some 2L
      "attention.output.weight", "img_att.out_proj.weight", None
      "attention.output.bias", "img_att.out_proj.bias", None
      "output.weight", "pedia_out_trans.1.weight", None
      "output.bias", "pedia_out_trans.1.bias", None
      "logit_scale", "clip_loss.logit_scale", None ]

/// The third of a packed tensor, or all of it.
let part (third: int64 option) (whole: Tensor) =
    match third with
    | Some index -> let rows = whole.shape[0] / 3L in whole.narrow (0L, index * rows, rows)
    | None -> whole

let options precision = { Seed = 1L; Precision = precision; Device = torch.CPU }

let sizes64 = { Text = 48; Image = 48; Hidden = 64; Entity = 48; Heads = 4; Dropout = 0.0 }

/// Copies published weights, found by their published names, into a net.
let load (find: string -> Tensor) (net: Net<'Function>) =
    use _ = torch.no_grad ()

    for struct (name, weight) in net.Weights do
        let _, theirs, third = names |> List.find (fun (ours, _, _) -> ours = name)
        let source = part third (find theirs)
        Expect.sequenceEqual source.shape weight.shape $"shape of {name}"
        weight.copy_ source |> ignore

/// A batch as the published code sees it: every padded part and every image takes part.
let unmasked (find: string -> Tensor) mention text image parts positive negative : TrainingBatch =
    let row name = (find name).squeeze 1L
    let parts: Tensor = find parts
    let image: Tensor = row image
    let present (sizes: int64[]) = torch.ones (sizes, dtype = Nullable torch.bool)

    { Mentions =
        { Mention = row mention
          Text = row text
          Image = Some { Values = image; Present = present image.shape[..0] }
          Parts = Some { Values = parts; Present = present parts.shape[..1] }
          Profile = None
          Tokens = None }
      Positive = row positive
      Negative = Some(find negative)
      NegativeEntity = None
      Entity = torch.arange (image.shape[0]) }

/// Values, row-major.
let values (tensor: Tensor) = tensor.detach().``to``(torch.float64).reshape(-1L).data<float>().ToArray()

/// Every |difference| <= relative · (|expected| + the largest |expected| of the tensor).
let agree (relative: float) (actual: float[]) (expected: float[]) message =
    Expect.equal actual.Length expected.Length $"{message}: count"
    let largest = expected |> Array.fold (fun largest value -> max largest (abs value)) 0.0

    for i in 0 .. expected.Length - 1 do
        if not (abs (actual[i] - expected[i]) <= relative * (abs expected[i] + largest)) then
            failtest $"{message}: value {i} is {actual[i]:R}, expected {expected[i]:R} (largest {largest:G3})"

/// The same numbers from a seed everywhere: SplitMix64, 24 bits, in ±scale around offset.
let generated (seed: uint64) (scale: float) (offset: float) (count: int) : float32[] =
    Array.init count (fun i ->
        let word = Dwe.Model.Domain.Seed.mix (seed + (uint64 i + 1UL) * 0x9E3779B97F4A7C15UL)
        float32 ((float (word >>> 40) / 8388608.0 - 1.0) * scale + offset))

/// The tensor that a specification of the fixtures' generator describes.
let ofSpecification (specification: JsonElement) (dtype: torch.ScalarType) : Tensor =
    match specification.TryGetProperty "const" with
    | true, value -> torch.tensor(value.GetDouble()).``to`` dtype
    | false, _ ->
        let sizes = [| for size in specification.GetProperty("shape").EnumerateArray() -> size.GetInt64() |]
        let number (name: string) = specification.GetProperty(name).GetDouble()
        let seed = specification.GetProperty("seed").GetUInt64()
        let count = sizes |> Array.fold (fun product size -> product * int size) 1
        torch.tensor(generated seed (number "scale") (number "offset") count).reshape(sizes).``to`` dtype
