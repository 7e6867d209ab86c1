module Dwe.Tests.Host.Features.ResamplingTests

open Expecto
open FsCheck.FSharp
open Dwe.Host.Features.Vision

let private grey width height (values: float32 list) = Raster<float32>(width, height, 1, Array.ofList values)

/// Width, height, target width, target height, one value: 1..9 each.
let private sizes =
    Gen.zip (Gen.arrayOfLength 4 (Gen.choose (1, 9))) (Gen.choose (0, 255)) |> Arb.fromGen

[<Tests>]
let tests =
    testList
        "resampling"
        [ testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 60 }
              "a flat picture stays flat at any size"
          <| Prop.forAll sizes (fun (size, value) ->
              let flat = Raster<byte>(size[0], size[1], 3, Array.create (size[0] * size[1] * 3) (byte value))

              for resize in [ Resampling.Bilinear; Resampling.Smooth ] do
                  let found = resize (flat, size[2], size[3])
                  Expect.equal found.Values.Length (size[2] * size[3] * 3) "size"
                  Expect.all found.Values (fun got -> abs (got - float32 value) < 1e-3f) "flat")

          testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 60 } "the same size is the same picture"
          <| Prop.forAll sizes (fun (size, seed) ->
              let random = System.Random seed
              let values = Array.init (size[0] * size[1] * 3) (fun _ -> byte (random.Next 256))
              let picture = Raster<byte>(size[0], size[1], 3, values)

              for resize in [ Resampling.Bilinear; Resampling.Smooth ] do
                  Expect.equal (resize (picture, size[0], size[1])).Values (Array.map float32 values) "values")

          testCase "bilinear takes source = target * ratio, and repeats the last pixel"
          <| fun () ->
              let found = Resampling.Bilinear(grey 2 1 [ 0f; 8f ], 4, 1)
              Expect.equal found.Values [| 0f; 4f; 8f; 8f |] "0, 0.5, 1, 1.5 of two pixels"

          testCase "a smooth reduction skips no pixel, unlike a bilinear one"
          <| fun () ->
              let spike = grey 8 1 [ 0f; 0f; 0f; 80f; 0f; 0f; 0f; 0f ]
              Expect.equal (Resampling.Bilinear(spike, 2, 1)).Values [| 0f; 0f |] "bilinear looks at pixels 0, 1, 4, 5"
              let smooth = (Resampling.Smooth(spike, 2, 1)).Values
              // Triangle of half width 4 about 2: inside, weights 0.625 .. 0.125 of 6 pixels, their sum 3.5.
              Expect.floatClose
                  Accuracy.medium
                  (float smooth[0])
                  (80.0 * 0.625 / 3.5)
                  "pixel 3 is 1.5 away from the centre 2"

          testCase "a crop runs from the first pixel's centre to the last one's, and outside is 0"
          <| fun () ->
              let ramp = grey 4 1 [ 3f; 5f; 7f; 9f ]
              // The whole width: 0 to 4 * 3/4 = 3 in three steps.
              Expect.equal
                  (Resampling.Crop(ramp, Region(0f, 0f, 4f, 1f), 4, 2)).Values[..3]
                  [| 3f; 5f; 7f; 9f |]
                  "whole"

              let wide = (Resampling.Crop(ramp, Region(-4f, 0f, 8f, 1f), 5, 2)).Values
              // -3, -0.75, 1.5, 3.75, 6.
              Expect.equal wide[..4] [| 0f; 0f; 6f; 0f; 0f |] "beyond both edges"

          testCase "a source on a canvas is black around"
          <| fun () ->
              let found = Resampling.OnCanvas(grey 1 2 [ 5f; 7f ], 2, 2, 1, 0, 2, 2)
              Expect.equal found.Values [| 0f; 5f; 0f; 7f |] "one column to the right"

          testCase "a mirror image has its columns in reverse"
          <| fun () ->
              let picture = Raster<float32>(2, 1, 2, [| 1f; 2f; 3f; 4f |])
              Expect.equal (Resampling.Flipped picture).Values [| 3f; 4f; 1f; 2f |] "pixels, not channels" ]

[<Tests>]
let regions =
    testList
        "regions"
        [ testCase "overlap is intersection over union"
          <| fun () ->
              let box = Region(0f, 0f, 4f, 2f)
              Expect.equal (box.Iou(Region(2f, 0f, 6f, 2f))) (4f / 12f) "half of each"
              Expect.equal (box.Iou(Region(4f, 0f, 6f, 2f)), box.Iou box) (0f, 1f) "apart, and itself"
              Expect.equal (Region(1f, 1f, 1f, 1f).Iou(Region(1f, 1f, 1f, 1f))) 0f "two points"

          testCase "a box covers whole pixels inside the picture, at least one"
          <| fun () ->
              Expect.equal
                  (Region(-3f, 0.5f, 2.1f, 9f).Within(5, 4))
                  (struct (0, 0, 3, 4))
                  "clipped and rounded outwards"

              Expect.equal (Region(9f, 9f, 9f, 9f).Within(5, 4)) (struct (4, 3, 1, 1)) "outside"

          testCase "of boxes that overlap too much the surest stays"
          <| fun () ->
              let faces =
                  [ FoundFace(Region(0f, 0f, 10f, 10f), 0.5f)
                    FoundFace(Region(1f, 0f, 11f, 10f), 0.9f)
                    FoundFace(Region(20f, 0f, 30f, 10f), 0.4f) ]

              let kept = Suppression.Best(faces, _.Score, _.Box, 0.3f)
              Expect.equal [ for face in kept -> face.Score ] [ 0.9f; 0.4f ] "surest first" ]
