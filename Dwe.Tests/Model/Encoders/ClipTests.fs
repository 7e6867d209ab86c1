module Dwe.Tests.Model.Encoders.ClipTests

open System
open System.Collections.Generic
open Expecto
open TorchSharp
open Dwe.Model.Encoders
open Dwe.Model.Layers
open Dwe.Model.Tensors
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.PublishedFixture

let private imageOf model = if model = "rn_a" then "in.image64" else "in.image32"

/// Both towers and the logits against the reference's float64 results.
let private agrees precision relative model =
    testCase $"{model} computes what openai/CLIP computes, in {precision}"
    <| fun () ->
        let fixture = open' "clip/clip.safetensors"
        let dtype = Precision.weightType precision
        use _ = torch.inference_mode ()
        use _ = torch.NewDisposeScope()
        use net = ClipFixture.build precision model
        let image = net.Forward.EncodeImage(fixture.Tensor(imageOf model, dtype))
        let text = net.Forward.EncodeText(fixture.Tensor("in.text_ids", torch.int64))
        let expected name = fixture.Values $"{model}/out64.{name}"
        agree relative (values image) (expected "encode_image") "images"
        agree relative (values text) (expected "encode_text") "texts"
        agree relative (values (Clip.logits net.Forward image text)) (expected "logits_per_image") "logits"

let private models = [ "vit_a"; "vit_a_heads4"; "vit_b"; "rn_a" ]

/// Shapes by name, as a file would have them.
let private shapes (weights: (string * int64 list) list) =
    Dictionary(dict [ for name, sizes in weights -> name, Array.ofList sizes ])

let private least =
    [ "text_projection", [ 64L; 32L ]
      "positional_embedding", [ 77L; 64L ]
      "token_embedding.weight", [ 600L; 64L ]
      "ln_final.weight", [ 64L ]
      "transformer.resblocks.0.ln_1.weight", [ 64L ]
      "visual.conv1.weight", [ 128L; 3L; 16L; 16L ]
      "visual.positional_embedding", [ 197L; 128L ]
      "visual.proj", [ 128L; 32L ]
      "visual.transformer.resblocks.0.ln_1.weight", [ 128L ]
      "visual.transformer.resblocks.1.ln_1.weight", [ 128L ] ]

[<Tests>]
let tests =
    testList
        "CLIP"
        [ yield! List.map (agrees Float32 1e-4) models
          yield! List.map (agrees Float64 1e-10) models

          testCase "every fixture's weights have the names and shapes that the recipe asks for"
          <| fun () ->
              for model in models do
                  use net = ClipFixture.build Float32 model

                  let asked =
                      [ for struct (name, weight) in net.Weights -> name, List.ofArray weight.shape ] |> List.sort

                  let given =
                      [ for name, specification in ClipFixture.specifications model do
                            if not (name.EndsWith "num_batches_tracked") then
                                let sizes =
                                    match specification.TryGetProperty "shape" with
                                    | true, sizes -> [ for size in sizes.EnumerateArray() -> size.GetInt64() ]
                                    | false, _ -> []

                                name, sizes ]
                      |> List.sort

                  Expect.equal asked given model

          testCase "bfloat16 products leave the vectors' directions"
          <| fun () ->
              use _ = torch.inference_mode ()
              use _ = torch.NewDisposeScope()
              let fixture = open' "clip/clip.safetensors"

              for model in models do
                  use net = ClipFixture.build Bf16Mixed model
                  let image = net.Forward.EncodeImage(fixture.Tensor(imageOf model, torch.float32))
                  let text = net.Forward.EncodeText(fixture.Tensor("in.text_ids", torch.int64))
                  Expect.equal image.dtype torch.float32 "numbers come back in the weights' dtype"

                  for tower, rows in [ "image", image; "text", text ] do
                      let width = int rows.shape[1]
                      let found = values rows |> Array.chunkBySize width

                      let wanted = fixture.Values $"{model}/out64.encode_{tower}" |> Array.chunkBySize width

                      for row in 0 .. wanted.Length - 1 do
                          Expect.isGreaterThan (Loops.cosine found[row] wanted[row]) 0.999 $"{model} {tower} {row}"

          testCase "the end mark's place is the text's vector; a place sees none behind it"
          <| fun () ->
              use _ = torch.inference_mode ()
              use _ = torch.NewDisposeScope()
              let ids = (open' "clip/clip.safetensors").Tensor("in.text_ids", torch.int64)
              use net = ClipFixture.build Float64 "vit_b"
              let places = net.Forward.EncodeTokens ids
              let texts = net.Forward.EncodeText ids
              let ends = (ids.argmax 1L).data<int64>().ToArray()
              Expect.equal places.shape [| ids.shape[0]; ids.shape[1]; texts.shape[1] |] "every place"

              for row in 0 .. ends.Length - 1 do
                  agree 1e-12 (values places[int64 row, ends[row]]) (values texts[int64 row]) $"row {row}"

              let cut = net.Forward.EncodeTokens(ids.narrow (1L, 0L, 3L))
              agree 1e-12 (values cut) (values (places.narrow (1L, 0L, 3L))) "the first three"

          testCase "what stands behind the end mark of a text does not matter"
          <| fun () ->
              use _ = torch.inference_mode ()
              use _ = torch.NewDisposeScope()
              let ids = (open' "clip/clip.safetensors").Tensor("in.text_ids", torch.int64)
              use net = ClipFixture.build Float64 "vit_b"
              let ends = (ids.argmax 1L).data<int64>().ToArray()

              for row in 0 .. ends.Length - 1 do
                  let whole = ids.narrow (0L, int64 row, 1L)
                  let cut = whole.narrow (1L, 0L, ends[row] + 1L)
                  let padded = whole.clone ()

                  padded
                      .narrow(1L, ends[row], 77L - ends[row])
                      .masked_fill_ (
                          (padded.narrow (1L, ends[row], 77L - ends[row])).eq (Numbers.scalar 0.0),
                          Numbers.scalar 5.0
                      )
                  |> ignore

                  let expected = values (net.Forward.EncodeText whole)
                  agree 1e-12 (values (net.Forward.EncodeText cut)) expected $"row {row} cut"
                  agree 1e-12 (values (net.Forward.EncodeText padded)) expected $"row {row} padded otherwise"

          testCase "sizes are read from shapes"
          <| fun () ->
              let blocks layers width heads = { Layers = layers; Width = width; Heads = heads; Activation = QuickGelu }

              let expected =
                  { Image = VisionTransformer(blocks 2 128 2, 16, 14)
                    Text = blocks 1 64 1
                    Context = 77
                    Vocabulary = 600
                    Embedding = 32 }

              Expect.equal (ClipSizes.infer ClipSettings.OpenAI (shapes least)) (Ok expected) "sizes"
              Expect.equal expected.Resolution 224 "14 patches of 16 pixels"
              Expect.equal expected.Name "vit-128x2-p16" "name"

          testCase "what is missing for the sizes is named, and so is a shape of another rank"
          <| fun () ->
              let without =
                  least
                  |> List.filter (fun (name, _) -> name <> "visual.proj")
                  |> List.map (fun (name, sizes) -> name, (if name = "ln_final.weight" then [ 8L; 8L ] else sizes))

              Expect.equal
                  (ClipSizes.infer ClipSettings.OpenAI (shapes without))
                  (Error [ "ln_final.weight is [8; 8], expected 1 axes"; "missing visual.proj" ])
                  "problems"

          testCase "GELU is x Φ(x), quick GELU is x / (1 + exp(-1.702 x))"
          <| fun () ->
              let points = [| -3.0; -1.0; -0.1; 0.0; 0.5; 1.0; 4.0 |]
              let of' activation = values (Transformer.activate activation (torch.tensor points))
              let quick = points |> Array.map (fun x -> x / (1.0 + exp (-1.702 * x)))
              agree 1e-12 (of' QuickGelu) quick "quick GELU"
              let normal = MathNet.Numerics.Distributions.Normal()
              let exact = points |> Array.map (fun x -> x * normal.CumulativeDistribution x)
              agree 1e-9 (of' Gelu) exact "GELU"

          testCase "an image of another size is refused with both shapes"
          <| fun () ->
              use net = ClipFixture.build Float32 "vit_a"
              let wrong = torch.zeros (1L, 3L, 40L, 32L)

              Expect.throwsC (fun () -> net.Forward.EncodeImage wrong |> ignore) (fun problem ->
                  Expect.stringContains problem.Message "[1; 3; 40; 32], expected [_; 3; 32; 32]" "message")

          testCase "an encoded batch leaves nothing behind but its result"
          <| fun () ->
              use net = ClipFixture.build Bf16Mixed "rn_a"
              let images = torch.rand (2L, 3L, 64L, 64L)
              let encode () = Scope.run (fun () -> net.Forward.EncodeImage images)
              (encode ()).Dispose() // makes the bfloat16 copies
              let before = DisposeScopeManager.Statistics.ThreadTotalLiveCount
              let result = encode ()
              Expect.equal (DisposeScopeManager.Statistics.ThreadTotalLiveCount - before) 1L "one live tensor more"
              result.Dispose() ]
