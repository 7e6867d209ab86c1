/// Files of CLIP weights in the layouts that are spread, in the exact names and extents of published models.
module Dwe.Tests.Prelude.ClipFiles

open System
open System.IO
open System.IO.Compression
open System.Runtime.InteropServices
open TorchSharp
open Dwe.Host.Storage
open Dwe.Model
open Dwe.Model.Domain
open Dwe.Model.Encoders
open Dwe.Tests.Host.Import.PickleBytes

/// Extents of a model as the papers and the releases state them.
type Architecture =
    { Embedding: int
      Resolution: int
      Image: Image
      TextWidth: int
      TextLayers: int
      Vocabulary: int
      Context: int }

and Image =
    /// layers, width, patch
    | Vit of int * int * int
    /// bottlenecks of the four stages, width
    | ResNet of int list * int

let private published image embedding textWidth =
    { Embedding = embedding
      Resolution = 224
      Image = image
      TextWidth = textWidth
      TextLayers = 12
      Vocabulary = 49408
      Context = 77 }

let vitB32 = published (Vit(12, 768, 32)) 512 512
let vitB16 = published (Vit(12, 768, 16)) 512 512
let vitL14 = published (Vit(24, 1024, 14)) 768 768
let rn50 = published (ResNet([ 3; 4; 6; 3 ], 64)) 1024 512

/// A vocabulary of 600 ids, 12 tokens, 32 pixels.
let tiny =
    { Embedding = 24
      Resolution = 32
      Image = Vit(2, 64, 8)
      TextWidth = 64
      TextLayers = 2
      Vocabulary = 600
      Context = 12 }

let tinyResNet = { tiny with Image = ResNet([ 1; 2; 1; 1 ], 8) }

let private blocks prefix layers width =
    [ for layer in 0 .. layers - 1 do
          let name part = $"{prefix}transformer.resblocks.{layer}.{part}"
          yield name "attn.in_proj_weight", [ 3 * width; width ]
          yield name "attn.in_proj_bias", [ 3 * width ]
          yield name "attn.out_proj.weight", [ width; width ]
          yield name "attn.out_proj.bias", [ width ]
          yield name "ln_1.weight", [ width ]
          yield name "ln_1.bias", [ width ]
          yield name "mlp.c_fc.weight", [ 4 * width; width ]
          yield name "mlp.c_fc.bias", [ 4 * width ]
          yield name "mlp.c_proj.weight", [ width; 4 * width ]
          yield name "mlp.c_proj.bias", [ width ]
          yield name "ln_2.weight", [ width ]
          yield name "ln_2.bias", [ width ] ]

let private vit (model: Architecture) (layers, width, patch) =
    let grid = model.Resolution / patch

    [ yield "visual.class_embedding", [ width ]
      yield "visual.positional_embedding", [ grid * grid + 1; width ]
      yield "visual.proj", [ width; model.Embedding ]
      yield "visual.conv1.weight", [ width; 3; patch; patch ]
      for norm in [ "ln_pre"; "ln_post" ] do
          yield $"visual.{norm}.weight", [ width ]
          yield $"visual.{norm}.bias", [ width ]
      yield! blocks "visual." layers width ]

let private resNet (model: Architecture) (stages: int list, width) =
    let norm name channels =
        [ for part in [ "weight"; "bias"; "running_mean"; "running_var" ] -> $"{name}.{part}", [ channels ] ]
        @ [ $"{name}.num_batches_tracked", [] ]

    let pooled, grid = 32 * width, model.Resolution / 32

    [ yield "visual.conv1.weight", [ width / 2; 3; 3; 3 ]
      yield! norm "visual.bn1" (width / 2)
      yield "visual.conv2.weight", [ width / 2; width / 2; 3; 3 ]
      yield! norm "visual.bn2" (width / 2)
      yield "visual.conv3.weight", [ width; width / 2; 3; 3 ]
      yield! norm "visual.bn3" width
      for stage, count in List.indexed stages do
          let planes = width <<< stage

          for place in 0 .. count - 1 do
              let at = $"visual.layer{stage + 1}.{place}"

              let inputs =
                  if place > 0 then 4 * planes
                  elif stage = 0 then width
                  else 2 * planes

              yield $"{at}.conv1.weight", [ planes; inputs; 1; 1 ]
              yield! norm $"{at}.bn1" planes
              yield $"{at}.conv2.weight", [ planes; planes; 3; 3 ]
              yield! norm $"{at}.bn2" planes
              yield $"{at}.conv3.weight", [ 4 * planes; planes; 1; 1 ]
              yield! norm $"{at}.bn3" (4 * planes)

              if place = 0 then
                  yield $"{at}.downsample.0.weight", [ 4 * planes; inputs; 1; 1 ]
                  yield! norm $"{at}.downsample.1" (4 * planes)
      yield "visual.attnpool.positional_embedding", [ grid * grid + 1; pooled ]
      for part, outputs in [ "k_proj", pooled; "q_proj", pooled; "v_proj", pooled; "c_proj", model.Embedding ] do
          yield $"visual.attnpool.{part}.weight", [ outputs; pooled ]
          yield $"visual.attnpool.{part}.bias", [ outputs ] ]

/// OpenAI's names and extents.
let layout (model: Architecture) =
    [ yield "positional_embedding", [ model.Context; model.TextWidth ]
      yield "text_projection", [ model.TextWidth; model.Embedding ]
      yield "logit_scale", []
      match model.Image with
      | Vit(layers, width, patch) -> yield! vit model (layers, width, patch)
      | ResNet(stages, width) -> yield! resNet model (stages, width)
      yield! blocks "" model.TextLayers model.TextWidth
      yield "token_embedding.weight", [ model.Vocabulary; model.TextWidth ]
      yield "ln_final.weight", [ model.TextWidth ]
      yield "ln_final.bias", [ model.TextWidth ] ]

let count (sizes: int list) = List.fold (*) 1 sizes

/// How far values spread around what, as those of trained weights: normalisation near 1, matrices near 1/√inputs,
/// statistics positive.
let private spread (name: string) (sizes: int list) : float * float =
    match sizes with
    | [] -> 0.0, 4.6
    | _ when name.EndsWith "running_var" -> 0.3, 1.0
    | [ _ ] when name.EndsWith "weight" -> 0.1, 1.0
    | [ _ ] -> 0.05, 0.0
    | _ when name.Contains "embedding" -> 0.05, 0.0
    | inputs :: _ when name = "text_projection" || name = "visual.proj" -> 1.7 / sqrt (float inputs), 0.0
    | outputs :: _ -> 1.7 / sqrt (float (count sizes / outputs)), 0.0

/// The same values for a name everywhere.
let values (name: string) (sizes: int list) : float32[] =
    let scale, offset = spread name sizes
    PublishedFixture.generated (uint64 (Seed.derive 1L name 0L)) scale offset (count sizes)

/// What OpenAI's releases store as float16: the operands of products (openai/CLIP clip/model.py, convert_weights).
let private isHalf (name: string) (sizes: int list) = name.Contains "proj" || name.Contains "mlp." || (sizes.Length = 4)

let private nest (leaves: (string * Item) list) =
    let rec build (leaves: (string list * Item) list) =
        leaves
        |> List.groupBy (fst >> List.head)
        |> List.map (fun (key, group) ->
            match group with
            | [ [ _ ], leaf ] -> key, leaf
            | _ ->
                key,
                Object(
                    Global("__torch__.torch.nn.modules", "Module"),
                    build [ for path, leaf in group -> List.tail path, leaf ]
                ))

    let parts = leaves |> List.map (fun (name, leaf) -> List.ofArray (name.Split '.'), leaf)
    Object(Global("__torch__.multimodal.model", "Multimodal"), build parts)

let private numbers (model: Architecture) =
    [ "input_resolution", model.Resolution
      "context_length", model.Context
      "vocab_size", model.Vocabulary ]

/// A TorchScript archive as OpenAI's: modules within modules, float16 operands. Without values every tensor is a view of one
/// zeroed storage: the layout alone.
let writeOpenAI (path: string) (model: Architecture) (withValues: bool) =
    let weights = layout model

    let tensorAt place (name: string, sizes: int list) =
        let shape = List.map int64 sizes
        let strides = List.scanBack (*) shape 1L |> List.tail
        let kind = if isHalf name sizes then "HalfStorage" else "FloatStorage"
        let key = if withValues then string place else kind
        let largest = weights |> List.map (snd >> count) |> List.max
        let length = if withValues then count sizes else largest
        name, tensorOf (storage kind key (int64 length)) 0L shape strides

    let scalars =
        [ for place, (name, value) in List.indexed (numbers model) ->
              name,
              tensorOf (storage "LongStorage" $"n{place}" 1L) 0L [] [],
              BitConverter.GetBytes(int64 value),
              $"n{place}" ]

    let bytesOf (name, sizes) =
        let values = values name sizes

        if isHalf name sizes then
            MemoryMarshal
                .AsBytes(ReadOnlySpan(Array.map (fun (value: float32) -> Half.op_Explicit value: Half) values))
                .ToArray()
        else
            MemoryMarshal.AsBytes(ReadOnlySpan values).ToArray()

    let root = nest (List.mapi tensorAt weights @ [ for name, item, _, _ in scalars -> name, item ])

    let storages =
        if withValues then
            weights |> List.mapi (fun place weight -> $"data/{place}", bytesOf weight)
        else
            let largest = weights |> List.map (snd >> count) |> List.max

            [ "data/HalfStorage", Array.zeroCreate (2 * largest)
              "data/FloatStorage", Array.zeroCreate (4 * largest) ]

    let counts = [ for _, _, bytes, key in scalars -> $"data/{key}", bytes ]
    zip path CompressionLevel.NoCompression (("data.pkl", pickle root) :: storages @ counts)

let private writeSafetensors (path: string) (weights: (string * int list * float32[]) list) =
    let specs =
        [| for name, sizes, _ in weights -> TensorSpec(name, Dtype.F32, List.map int64 sizes |> Array.ofList) |]

    SafetensorsWriter.WriteFile(
        path,
        specs,
        null,
        fun writer ->
            for name, _, values in weights do
                writer.Append<float32>(name, ReadOnlySpan values)
    )

/// These names and extents.
let writeNamed (path: string) (weights: (string * int list) list) =
    writeSafetensors path [ for name, sizes in weights -> name, sizes, values name sizes ]

/// OpenAI's names in safetensors, as open_clip writes them.
let writeOpenClip (path: string) (model: Architecture) = writeNamed path (layout model)

let private transposed rows columns (values: float32[]) =
    Array.init values.Length (fun i -> values[(i % rows) * columns + i / rows])

/// Hugging Face's name and shape of each part of a weight.
let private huggingFace (name: string, sizes: int list) : (string * int list * float32[]) list =
    let all = values name sizes

    let tower, rest =
        if name.StartsWith "visual." then
            "vision_model", name.Substring 7
        else
            "text_model", name

    let parts = rest.Split '.'

    let whole theirs = [ theirs, sizes, all ]

    match name with
    | "logit_scale" -> whole name
    | "text_projection"
    | "visual.proj" ->
        let theirs =
            if name = "visual.proj" then
                "visual_projection.weight"
            else
                "text_projection.weight"

        [ theirs, List.rev sizes, transposed sizes[0] sizes[1] all ]
    | "token_embedding.weight" -> whole "text_model.embeddings.token_embedding.weight"
    | "visual.class_embedding" -> whole "vision_model.embeddings.class_embedding"
    | "visual.conv1.weight" -> whole "vision_model.embeddings.patch_embedding.weight"
    | _ when rest = "positional_embedding" -> whole $"{tower}.embeddings.position_embedding.weight"
    | _ when rest.StartsWith "ln_pre." -> whole $"{tower}.pre_layrnorm.{parts[1]}"
    | _ when rest.StartsWith "ln_post." -> whole $"{tower}.post_layernorm.{parts[1]}"
    | _ when rest.StartsWith "ln_final." -> whole $"{tower}.final_layer_norm.{parts[1]}"
    | _ ->
        let layer = $"{tower}.encoder.layers.{parts[2]}"
        let ending = Array.last parts

        match parts[3], (if parts.Length > 4 then parts[4] else "") with
        | "attn", packed when packed.StartsWith "in_proj_" ->
            let third = all.Length / 3

            [ for place, which in List.indexed [ "q"; "k"; "v" ] ->
                  $"{layer}.self_attn.{which}_proj.{packed.Substring 8}",
                  sizes[0] / 3 :: List.tail sizes,
                  all[place * third .. (place + 1) * third - 1] ]
        | "attn", _ -> whole $"{layer}.self_attn.out_proj.{ending}"
        | "ln_1", _ -> whole $"{layer}.layer_norm1.{ending}"
        | "ln_2", _ -> whole $"{layer}.layer_norm2.{ending}"
        | _, "c_fc" -> whole $"{layer}.mlp.fc1.{ending}"
        | _ -> whole $"{layer}.mlp.fc2.{ending}"

/// Hugging Face's CLIPModel, with its lists of positions.
let writeHuggingFace (path: string) (model: Architecture) =
    writeSafetensors
        path
        (List.collect huggingFace (layout model)
         @ [ "text_model.embeddings.position_ids", [ 1; model.Context ], Array.init model.Context float32 ])

/// A vocabulary for `tiny`: the pairs of 86 letters and signs.
let writeMerges (folder: string) =
    let pairs =
        [ for left in "abcdefghij" do
              for right in "klmnopqrst" -> $"{left} {right}" ]

    File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n" + String.Join('\n', pairs) + "\n")

/// A model in memory with generated weights, e.g. of `vitB32`; the same at every call.
let model precision (architecture: Architecture) =
    let shapes =
        dict [ for name, sizes in layout architecture -> name, Array.ofList (List.map int64 sizes) ]

    match ClipSizes.infer ClipSettings.OpenAI (Collections.Generic.Dictionary shapes) with
    | Error problems -> invalidOp (String.Join("; ", problems))
    | Ok sizes ->
        let model = ClipModel.Create(sizes, precision, torch.CPU)
        use _ = torch.no_grad ()
        use generator = new torch.Generator(1UL, torch.CPU)

        for struct (name, weight) in model.Weights do
            let scale, offset = spread name [ for size in weight.shape -> int size ]
            weight.uniform_ (offset - scale, offset + max scale 1e-6, generator) |> ignore

        model
