module Dwe.Tests.Host.Features.VisionTests

open System
open System.Globalization
open System.IO
open System.Runtime.InteropServices
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open Dwe.Host.Features.Images
open Dwe.Host.Features.Tfjs
open Dwe.Host.Features.Vision
open Dwe.Host.Features.Weights
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.Onnx
open Dwe.Tests.Prelude.SharedWeights

let private readFloats path = MemoryMarshal.Cast<byte, float32>(ReadOnlySpan(File.ReadAllBytes path)).ToArray()

[<Tests>]
let faceApi =
    let agrees name manifest input side graphOf output tolerance =
        testCase $"face-api's {name} net agrees with its own forward pass"
        <| fun () ->
            let folder = Fixtures.required "fixtures/models/faceapi_raw"
            let package = fetched WeightCatalogue.FaceApi
            let path = Path.Combine(package, "model", manifest + "_model-weights_manifest.json")
            let struct (weights, _) = TfjsModel.ReadWeights path
            let face = Floats([ 1L; side; side; 3L ], List.ofArray (readFloats (Path.Combine(folder, input))))
            let results = run (graphOf weights) [ FaceApiNets.Input, face ]

            for file, index in output do
                match results[index] with
                | Floats(_, values) ->
                    let expected = readFloats (Path.Combine(folder, file))

                    Expect.closeArrays
                        0.0
                        tolerance
                        (Array.map float (Array.ofList values))
                        (Array.map float expected)
                        file
                | other -> failtest $"%A{other}"

    testList
        "face-api nets"
        [ agrees
              "age and gender"
              "age_gender"
              "in112.bin"
              112L
              FaceApiNets.AgeGender
              [ "age.bin", 0; "gender.bin", 1 ]
              2e-5
          agrees "landmark" "face_landmark_68" "in112.bin" 112L FaceApiNets.Landmarks68 [ "lm.bin", 0 ] 1e-6
          agrees "recognition" "face_recognition" "in150.bin" 150L FaceApiNets.Recognition [ "desc.bin", 0 ] 2e-6 ]

/// The photos that the published pipeline comes with, and how many people a viewer counts on each.
let private photos = [ "509.jpeg", 5; "41487.jpg", 2; "3142.jpg", 4; "model_47215.jpg", 2 ]

let private decoded path =
    match ImageDecoder.Read(path).Image with
    | null -> failtest $"{path} is not decoded"
    | image -> image

let private analyzer =
    lazy
        (fetched WeightCatalogue.HumanModels |> ignore
         fetched WeightCatalogue.FaceApi |> ignore
         ImageAnalyzer.Open(WeightCache.OfThisMachine(), identities = true))

let private photo name = decoded (Fixtures.required $"fixtures/visual/{name}")

let private analyses =
    lazy
        (let analyzer = analyzer.Value
         photos |> List.map (fun (name, _) -> name, analyzer.Analyze(photo name)) |> Map.ofList)

/// The published part images with the boxes that they were cut from: name, photo, left, top, right, bottom.
let private publishedParts =
    lazy
        (let text = File.ReadAllText(Fixtures.required "fixtures/models/parts_vs_pointrend.txt")

         [ for line in Regex.Matches(text, @"(\d+)_(\d) PointRend box \((\d+), (\d+), (\d+), (\d+)\)") ->
               let number (group: int) = float32 line.Groups[group].Value
               let photo = line.Groups[1].Value + (if line.Groups[1].Value = "509" then ".jpeg" else ".jpg")
               $"{line.Groups[1].Value}_{line.Groups[2].Value}", photo, Region(number 3, number 4, number 5, number 6) ])

/// The person that overlaps a published part most.
let private nearest (box: Region) (analysis: ImageAnalysis) =
    analysis.Persons |> Seq.maxBy (fun person -> person.Box.Iou box)

/// The mask of a part on black: what is brighter than JPEG's ringing, closed by one pixel, holes filled.
let private maskOf (part: DecodedImage) =
    let width, height = part.Width, part.Height
    let bright = Array.init (width * height) (fun at -> Array.max part.Pixels[3 * at .. 3 * at + 2] > 6uy)

    let around at =
        let x, y = at % width, at / width

        seq {
            for dy in -1 .. 1 do
                for dx in -1 .. 1 do
                    if x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height then
                        at + dy * width + dx
        }

    let wide = Array.init bright.Length (around >> Seq.exists (fun at -> bright[at]))
    let closed = Array.init bright.Length (around >> Seq.forall (fun at -> wide[at]))
    let outside = Array.zeroCreate bright.Length
    let pending = Collections.Generic.Stack<int>()

    let visit at =
        if not outside[at] && not closed[at] then
            outside[at] <- true
            pending.Push at

    for at in 0 .. bright.Length - 1 do
        if at % width = 0 || at % width = width - 1 || at / width = 0 || at / width = height - 1 then
            visit at

    while pending.Count > 0 do
        let at = pending.Pop()

        for next in around at do
            if next % width = at % width || next / width = at / width then
                visit next

    outside |> Array.map not

let private maskIou (ours: PersonMask) (box: Region) (theirs: bool[]) =
    let width = int box.Width

    let has x y =
        x >= int box.Left
        && x < int box.Right
        && y >= int box.Top
        && y < int box.Bottom
        && theirs[(y - int box.Top) * width + x - int box.Left]

    let mutable both, either = 0, 0

    for y in min ours.Top (int box.Top) .. max (ours.Top + ours.Height) (int box.Bottom) do
        for x in min ours.Left (int box.Left) .. max (ours.Left + ours.Width) (int box.Right) do
            let column, row = x - ours.Left, y - ours.Top

            let mine =
                column >= 0
                && column < ours.Width
                && row >= 0
                && row < ours.Height
                && ours.Inside[row * ours.Width + column]

            let other = has x y
            both <- both + (if mine && other then 1 else 0)
            either <- either + (if mine || other then 1 else 0)

    float both / float either

let private deepFace part =
    use json =
        JsonDocument.Parse(File.ReadAllText(Fixtures.required $"fixtures/visual/detection/{part}.json"))

    nonNull (json.RootElement[0].GetProperty("dominant_gender").GetString())

[<Tests>]
let people =
    testSequenced
    <| testList
        "vision, the published photos"
        [ testCase "every person and every face is found, and no others"
          <| fun () ->
              for name, count in photos do
                  let found = analyses.Value[name]
                  Expect.equal found.Persons.Count count $"{name}: persons"
                  Expect.equal (Seq.length found.AllFaces) count $"{name}: faces"
                  Expect.isEmpty found.Faces $"{name}: every face has its person"

          testCase "boxes and masks agree with the published parts"
          <| fun () ->
              for part, name, box in publishedParts.Value do
                  let person = nearest box analyses.Value[name]
                  let theirs = maskOf (decoded (Fixtures.required $"fixtures/visual/seg_result/{part}.jpg"))
                  Expect.isGreaterThan (float (person.Box.Iou box)) 0.85 $"{part}: box"
                  Expect.isGreaterThan (maskIou person.Mask box theirs) 0.85 $"{part}: mask"

          testCase "gender agrees with DeepFace on the published parts"
          <| fun () ->
              for part, name, box in publishedParts.Value do
                  let face = (nearest box analyses.Value[name]).Face |> nonNull
                  Expect.equal face.Traits.Gender (deepFace part) part

          testCase "attributes are shares, and ages those of adults"
          <| fun () ->
              for face in analyses.Value.Values |> Seq.collect _.AllFaces do
                  let traits = face.Traits
                  Expect.floatClose Accuracy.medium (float (Array.sum traits.Race)) 1.0 "race"
                  Expect.floatClose Accuracy.medium (float (Array.sum traits.Emotion)) 1.0 "emotion"
                  Expect.isTrue (traits.Age > 20f && traits.Age < 75f) $"{traits.Age}"

          testCase "faces of one person are nearer than those of any two"
          <| fun () ->
              // Of each published part on black, the face again: nearest to the same person's in the photo.
              let all =
                  [ for KeyValue(name, found) in analyses.Value do
                        for person in found.Persons -> name, person ]

              let distance (left: float32[]) (right: float32[]) =
                  Array.map2 (fun a b -> float (a - b) ** 2.0) left right |> Array.sum |> sqrt

              for part, name, box in publishedParts.Value do
                  let own = nearest box analyses.Value[name]

                  let again =
                      analyzer.Value.Analyze(decoded (Fixtures.required $"fixtures/visual/seg_result/{part}.jpg"))

                  let identity = (Seq.head again.AllFaces).Identity |> nonNull

                  let ranked =
                      all |> List.sortBy (fun (_, person) -> distance identity (nonNull (nonNull person.Face).Identity))

                  Expect.equal (snd ranked.Head).Box own.Box part

          testCase "a part is the person in colour and black elsewhere"
          <| fun () ->
              let image = photo "509.jpeg"
              let person = analyses.Value["509.jpeg"].Persons[0]
              let part = person.Mask.OnBlack(Resampling.Rgb image)
              Expect.equal (part.Width, part.Height, part.Channels) (person.Mask.Width, person.Mask.Height, 3) "size"

              for at in 0 .. person.Mask.Inside.Length - 1 do
                  let x, y = person.Mask.Left + at % part.Width, person.Mask.Top + at / part.Width

                  let expected =
                      if person.Mask.Inside[at] then
                          image.Pixels[3 * (y * image.Width + x) .. 3 * (y * image.Width + x) + 2]
                      else
                          [| 0uy; 0uy; 0uy |]

                  if part.Pixels[3 * at .. 3 * at + 2] <> expected then
                      failtest $"pixel {x}, {y}"

          testCase "what is seen does not depend on what is seen beside it"
          <| fun () ->
              let image = photo "509.jpeg"
              let bits (analysis: ImageAnalysis) = JsonSerializer.Serialize analysis
              let alone = bits analyses.Value["509.jpeg"]
              let together = Array.Parallel.init 2 (fun _ -> bits (analyzer.Value.Analyze image))
              Expect.all together ((=) alone) "the same numbers to the last bit" ]

[<Tests>]
let profiles =
    testList
        "profiles"
        [ testCase "the text is the published pipeline's, word for word"
          <| fun () ->
              let traits =
                  FaceTraits(0.9f, 31.6f, [| 0.1f; 0.1f; 0.6f; 0.1f; 0.1f |], [| 0.5f; 0f; 0f; 0.5f; 0f; 0f; 0f |])

              Expect.equal
                  (ProfileText.Of(traits, TraitChoice.All))
                  "gender: Man, race: asian, age: 32, emotion: angry"
                  "as in DWE's cached profiles"

              Expect.equal
                  (ProfileText.Of(traits, TraitChoice(Gender = false, Race = false, Emotion = false)))
                  "age: 32"
                  "age alone"

              Expect.equal
                  (ProfileText.Of(traits, TraitChoice(Race = false)))
                  "gender: Man, age: 32, emotion: angry"
                  "without race"

          testCase "what is left out is in no vector"
          <| fun () ->
              let traits = FaceTraits(0.25f, 50f, [| 0.5f; 0.5f; 0f; 0f; 0f |], [| 1f; 0f; 0f; 0f; 0f; 0f; 0f |])

              Expect.equal
                  (traits.ToVector TraitChoice.All)
                  [| 0.25f; 0.5f; 0.5f; 0.5f; 0f; 0f; 0f; 1f; 0f; 0f; 0f; 0f; 0f; 0f |]
                  "gender, age, race, emotion"

              let few = TraitChoice(Gender = false, Race = false, Emotion = false)
              Expect.equal (traits.ToVector few, FaceTraits.Dimension few) ([| 0.5f |], 1) "age alone"
              Expect.equal (FaceTraits.Dimension TraitChoice.All) 14 "all" ]

[<Tests>]
let encoder =
    testList
        "MobileNet encoder"
        [ testCase "a picture's vector does not depend on the others, and a crop is nearer than another photo"
          <| fun () ->
              fetched WeightCatalogue.ImageEncoder |> ignore
              use encoder = MobileNetEncoder.Open(WeightCache.OfThisMachine())

              let pictures =
                  [| for name, _ in photos do
                         let image = photo name
                         let raster = Resampling.Rgb image

                         let cut =
                             Resampling.Cut(
                                 raster,
                                 struct (image.Width / 20,
                                         image.Height / 20,
                                         image.Width * 9 / 10,
                                         image.Height * 9 / 10)
                             )

                         image
                         DecodedImage(cut.Width, cut.Height, 3, cut.Values) |]

              let prepared =
                  pictures
                  |> Array.collect (fun image ->
                      let values: float32[] = Array.zeroCreate encoder.PreparedLength
                      encoder.Prepare(image.Width, image.Height, image.Channels, image.Pixels, Span values)
                      values)

              let vectors = encoder.Encode(Memory prepared, pictures.Length) |> Array.chunkBySize encoder.Dimension

              let length = encoder.PreparedLength
              let alone = encoder.Encode(Memory(prepared, 3 * length, length), 1)
              Expect.equal alone vectors[3] "alone"

              let cosine (left: float32[]) (right: float32[]) =
                  let dot a b = Array.map2 (fun (x: float32) y -> float x * float y) a b |> Array.sum
                  dot left right / sqrt (dot left left * dot right right)

              for i in 0 .. photos.Length - 1 do
                  let ranked =
                      [ 0 .. photos.Length - 1 ]
                      |> List.sortByDescending (fun j -> cosine vectors[2 * i + 1] vectors[2 * j])

                  Expect.equal ranked.Head i $"the crop of {fst photos[i]}" ]
