module Dwe.Tests.Model.Encoders.ClipPixelsTests

open System
open System.IO
open Expecto
open FsCheck
open FsCheck.FSharp
open NetVips
open Dwe.Model.Encoders
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.PublishedFixture

/// Width, height, channels and pixels of a lossless file.
let private decode (path: string) =
    use image = Image.NewFromFile path
    image.Width, image.Height, image.Bands, image.WriteToMemory<byte>()

/// The source as Pillow decoded it: lossy formats have their pixels beside them.
let private source name =
    let decoded = Fixtures.path $"fixtures/reference/preprocess/{name}.decoded.png"

    decode (
        if File.Exists decoded then
            decoded
        else
            Fixtures.required $"fixtures/reference/preprocess/{name}"
    )

let private exact =
    [ "rgb_landscape.png"
      "rgb_portrait.png"
      "rgb_exact32.png"
      "rgb_small_upscale.png"
      "rgb_odd_33x47.png"
      "rgb_noise_97x64.png"
      "rgba_alpha.png"
      "gray_L.png"
      "gray_LA.png"
      "progressive_420.jpg"
      "baseline_444.jpg"
      "exif_rotated6.jpg"
      "gray.jpg"
      "tiny_1x40.png"
      "tiny_40x1.png"
      "one_pixel.png"
      "extreme_300x7.png" ]

let private picture seed count = let random = Random(seed: int) in Array.init count (fun _ -> byte (random.Next 256))

[<Tests>]
let tests =
    testList
        "CLIP's pixels"
        [ for name in exact do
              testCase $"{name} is cropped to Pillow's bytes at 224 and at 32 pixels"
              <| fun () ->
                  let width, height, channels, pixels = source name
                  let _, _, _, expected = decode (Fixtures.required $"fixtures/reference/preprocess/{name}.n224.png")
                  let found = ClipPixels.crop 224 width height channels pixels
                  let differing = Array.zip found expected |> Array.filter (fun (a, b) -> a <> b)
                  Expect.isEmpty differing $"{differing.Length} of {expected.Length} values differ at 224"
                  let fixture = open' "preprocess/preprocess.safetensors"
                  let small = ClipPixels.crop 32 width height channels pixels

                  let planes =
                      [| for channel in 0..2 do
                             for pixel in 0..1023 -> float small[3 * pixel + channel] |]

                  Expect.sequenceEqual planes (fixture.Values $"{name}/n32_u8") "bytes at 32"

                  let target = Array.zeroCreate 3072
                  ClipPixels.prepare 32 width height channels pixels (target.AsSpan())
                  agree 1e-6 (Array.map float target) (fixture.Values $"{name}/n32") "normalised"

          testProperty "an image of one colour stays that colour, whatever its size and alpha"
          <| fun (seed: int) ->
              let random = Random seed
              let width, height, channels = random.Next(1, 60), random.Next(1, 60), random.Next(1, 5)
              let colour = Array.init channels (fun _ -> byte (random.Next 256))

              if channels % 2 = 0 then
                  colour[channels - 1] <- 255uy

              let pixels = Array.init (width * height * channels) (fun i -> colour[i % channels])
              let found = ClipPixels.crop 16 width height channels pixels
              let expected = [| for c in 0..2 -> colour[if channels < 3 then 0 else c] |]
              Expect.isTrue (found |> Array.indexed |> Array.forall (fun (i, v) -> v = expected[i % 3])) "one colour"

          testProperty "grey is what RGB of equal channels is"
          <| fun (seed: int) ->
              let random = Random seed
              let width, height = random.Next(1, 70), random.Next(1, 70)
              let grey = picture seed (width * height)
              let colour = grey |> Array.collect (Array.replicate 3)
              Expect.equal (ClipPixels.crop 12 width height 1 grey) (ClipPixels.crop 12 width height 3 colour) "bytes"

          testProperty "an opaque alpha channel changes nothing"
          <| fun (seed: int) ->
              let random = Random seed
              let width, height = random.Next(1, 70), random.Next(1, 70)
              let colour = picture seed (3 * width * height)
              let opaque = colour |> Array.chunkBySize 3 |> Array.collect (fun rgb -> Array.append rgb [| 255uy |])
              Expect.equal (ClipPixels.crop 12 width height 4 opaque) (ClipPixels.crop 12 width height 3 colour) "bytes"

          testCase "the longer side is cut to whole pixels"
          <| fun () ->
              Expect.equal (ClipPixels.resized 224 160 101) (354, 224) "160 x 101"
              Expect.equal (ClipPixels.resized 224 75 130) (224, 388) "75 x 130"
              Expect.equal (ClipPixels.resized 224 1 40) (224, 8960) "1 x 40"

          testCase "extents that do not describe the pixels are refused"
          <| fun () ->
              Expect.throwsT<ArgumentException>
                  (fun () -> ClipPixels.crop 8 2 2 3 (Array.zeroCreate 11) |> ignore)
                  "bytes"

              Expect.throwsT<ArgumentException> (fun () -> ClipPixels.crop 8 0 2 3 [||] |> ignore) "width"

              Expect.throwsT<ArgumentException>
                  (fun () -> ClipPixels.crop 8 1 1 5 (Array.zeroCreate 5) |> ignore)
                  "channels" ]
