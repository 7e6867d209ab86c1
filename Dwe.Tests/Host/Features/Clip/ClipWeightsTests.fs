module Dwe.Tests.Host.Features.Clip.ClipWeightsTests

open System
open System.IO
open Expecto
open TorchSharp
open Dwe.Host.Features.Clip
open Dwe.Model
open Dwe.Model.Encoders
open Dwe.Model.Tensors
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.ClipFiles
open Dwe.Tests.Prelude.PublishedFixture

let private blocks layers width activation =
    { Layers = layers; Width = width; Heads = width / 64; Activation = activation }

let private expected image embedding textWidth =
    { Image = image
      Text = blocks 12 textWidth QuickGelu
      Context = 77
      Vocabulary = 49408
      Embedding = embedding }

/// Names and shapes are compared, and nothing is computed.
let private hasLayout name architecture (sizes: ClipSizes) =
    testCase $"OpenAI's release of {name} has the names and shapes of its model"
    <| fun () ->
        Folder.temporary (fun folder ->
            let path = Path.Combine(folder, "model.pt")
            writeOpenAI path architecture false
            use weights = ClipWeights.Open path
            Expect.equal weights.Sizes sizes "sizes"
            use model = weights.Check(Float32, torch.CPU)

            let asked =
                [ for struct (name, weight) in model.Weights -> name, [ for size in weight.shape -> int size ] ]

            let given =
                layout architecture |> List.filter (fun (name, _) -> not (name.EndsWith "num_batches_tracked"))

            Expect.equal (List.sort asked) (List.sort given) "names and shapes")

let private loaded (path: string) =
    use weights = ClipWeights.Open path
    weights.Load(Float64, torch.CPU)

let private valuesOf (model: ClipModel) =
    Map.ofSeq [ for struct (name, weight) in model.Weights -> name, values weight ]

/// The largest difference of two models' weights; their names must be the same.
let private furthest (left: ClipModel) (right: ClipModel) =
    let left, right = valuesOf left, valuesOf right
    Expect.sequenceEqual left.Keys right.Keys "names"
    Seq.max [ for KeyValue(name, mine) in left -> Seq.max (Array.map2 (fun a b -> abs (a - b)) mine right[name]) ]

let private isRefused (write: string -> unit) (ending: string) expected =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, $"model{ending}")
        write path

        let message =
            Refusal.messageOf (fun () ->
                use weights = ClipWeights.Open path
                weights.Load(Float32, torch.CPU) |> ignore)

        Expect.equal (message.Replace(folder + "/", "")) expected "message")

[<Tests>]
let tests =
    testSequenced
    <| testList
        "CLIP's weights"
        [ hasLayout "ViT-B/32" vitB32 (expected (VisionTransformer(blocks 12 768 QuickGelu, 32, 7)) 512 512)
          hasLayout "ViT-B/16" vitB16 (expected (VisionTransformer(blocks 12 768 QuickGelu, 16, 14)) 512 512)
          hasLayout "ViT-L/14" vitL14 (expected (VisionTransformer(blocks 24 1024 QuickGelu, 14, 16)) 768 768)
          hasLayout "RN50" rn50 (expected (ModifiedResNet([ 3; 4; 6; 3 ], 64, 32, 7)) 1024 512)

          testCase "the three layouts of one model give the same weights, float16 ones rounded"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let at name = Path.Combine(folder, name)
                  writeOpenAI (at "a.pt") tiny true
                  writeOpenClip (at "b.safetensors") tiny
                  writeHuggingFace (at "c.safetensors") tiny
                  use openAI = loaded (at "a.pt")
                  use openClip = loaded (at "b.safetensors")
                  use huggingFace = loaded (at "c.safetensors")
                  Expect.equal (furthest openClip huggingFace) 0.0 "open_clip and Hugging Face"
                  Expect.isLessThan (furthest openAI openClip) 5e-4 "OpenAI, of which half are float16"
                  let asWritten = Map.ofList [ for name, sizes in layout tiny -> name, ClipFiles.values name sizes ]

                  for KeyValue(name, found) in valuesOf openClip do
                      Expect.sequenceEqual found (Array.map float asWritten[name]) name)

          testCase "a ResNet's statistics are read, its counters are not"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let at name = Path.Combine(folder, name)
                  writeOpenAI (at "a.pt") tinyResNet true
                  writeOpenClip (at "b.safetensors") tinyResNet
                  use openAI = loaded (at "a.pt")
                  use openClip = loaded (at "b.safetensors")
                  Expect.isLessThan (furthest openAI openClip) 5e-4 "weights"
                  Expect.equal openAI.Sizes.Name "rn-1-2-1-1-w8" "name")

          testCase "the activation is that of the settings beside the weights, else each project's own"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let at name = Path.Combine(folder, name)

                  let activation name =
                      use weights = ClipWeights.Open(at name)
                      weights.Sizes.Text.Activation

                  writeOpenAI (at "a.pt") tiny true
                  writeOpenClip (at "b.safetensors") tiny
                  writeHuggingFace (at "c.safetensors") tiny
                  Expect.equal (activation "a.pt") QuickGelu "OpenAI"
                  Expect.equal (activation "b.safetensors") Gelu "open_clip without settings"
                  Expect.equal (activation "c.safetensors") QuickGelu "Hugging Face without settings"

                  File.WriteAllText(
                      at "open_clip_config.json",
                      """{"model_cfg":{"quick_gelu":true,"text_cfg":{"width":64,"heads":2}}}"""
                  )

                  File.WriteAllText(
                      at "config.json",
                      """{"text_config":{"num_attention_heads":2,"hidden_size":64},"vision_config":{"hidden_act":"gelu","hidden_size":64,"num_attention_heads":4}}"""
                  )

                  Expect.equal (activation "b.safetensors") QuickGelu "open_clip"
                  Expect.equal (activation "c.safetensors") Gelu "Hugging Face"
                  use weights = ClipWeights.Open(at "c.safetensors")
                  Expect.equal weights.Sizes.Text.Heads 2 "text heads"

                  match weights.Sizes.Image with
                  | VisionTransformer(image, _, _) -> Expect.equal image.Heads 4 "image heads"
                  | other -> failtest $"{other}"

                  File.WriteAllText(at "config.json", """{"vision_config":{"hidden_act":"swish"}}""")

                  Refusal.isSpelled
                      $"""{at "config.json"}: hidden_act: found 'swish', expected quick_gelu or gelu."""
                      (fun () -> activation "c.safetensors" |> ignore))

          testCase "weights that are missing, unexpected or of another shape are named"
          <| fun () ->
              isRefused
                  (fun path -> writeOpenClip path { tiny with Context = 0 })
                  ".safetensors"
                  "checkpoint 'model.safetensors' does not fit: positional_embedding is [0; 64], expected 2 axes."

              let write extra drop (path: string) =
                  let weights =
                      [ for name, sizes in layout tiny do
                            if name <> drop then
                                name, sizes
                        yield! extra ]

                  writeNamed path weights

              isRefused
                  (write [ "visual.head.weight", [ 3 ] ] "ln_final.bias")
                  ".safetensors"
                  "checkpoint 'model.safetensors' does not fit: missing ln_final.bias; unexpected visual.head.weight."

              isRefused
                  (write [ "ln_final.bias", [ 63 ] ] "ln_final.bias")
                  ".safetensors"
                  "checkpoint 'model.safetensors' does not fit: ln_final.bias is [63], expected [64]."

              isRefused
                  (write [] "visual.proj")
                  ".safetensors"
                  "checkpoint 'model.safetensors' does not fit: missing visual.proj."

          testCase "a file that is no model of CLIP is refused"
          <| fun () ->
              isRefused
                  (fun path -> writeNamed path [ "weight", [ 2 ] ])
                  ".safetensors"
                  ("checkpoint 'model.safetensors' does not fit: missing text_projection; missing positional_embedding; "
                   + "missing token_embedding.weight; missing ln_final.weight; missing visual.conv1.weight; "
                   + "missing visual.positional_embedding; missing visual.proj.")

              isRefused
                  (fun path -> File.WriteAllText(path, "no"))
                  ".pt"
                  "model.pt: first byte: found 0x6e, expected a file of torch.save: a zip archive or a pickle." ]
