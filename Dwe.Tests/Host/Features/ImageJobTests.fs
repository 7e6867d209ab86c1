module Dwe.Tests.Host.Features.ImageJobTests

open NetVips
open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Threading
open Dwe.Host.Data
open Dwe.Host.Features
open Dwe.Host.Features.Images
open Dwe.Host.Features.Text
open Dwe.Host.Features.Vision
open Dwe.Host.Training
open Dwe.Tests.Host.Features.HashEncoder
open Dwe.Tests.Prelude
open Expecto

/// The mean colour of an image, three numbers; `pause` is slept per image. It counts what it is asked.
type private MeanColour(pause: TimeSpan) =
    let mutable encoded = 0
    member _.Encoded = encoded

    interface IImageEncoder with
        member _.Id = "mean-colour"
        member _.Dimension = 3
        member _.PreparedLength = 3

        member _.Prepare(width, height, channels, pixels, target) =
            let rgb = DecodedImage(width, height, channels, pixels).ToRgb()

            for band in 0..2 do
                target[band] <-
                    float32 (Seq.sum (seq { for at in band..3 .. rgb.Pixels.Length - 1 -> int rgb.Pixels[at] }))
                    / float32 (width * height)

        member _.Encode(prepared, count, _) =
            encoded <- encoded + count

            if pause > TimeSpan.Zero then
                Thread.Sleep(pause * float count)

            prepared.ToArray()

        member _.Dispose() = ()

/// A picture of width w has w % 3 parts, its left columns, each a person of age w; the second and further have a face too.
type private Columns() =
    interface IPartFinder with
        member _.Id = "columns"
        member _.FilesOf _ = []

        member _.Find(_, picture) =
            let parts = picture.Width % 3
            let column (at: int) = Resampling.Cut(Resampling.Rgb picture, struct (at, 0, 1, picture.Height))
            let ages = [| for face in 2..parts -> float32 (picture.Width + face) |]

            PartFindings(
                Parts =
                    [| for at in 0 .. parts - 1 -> let cut = column at in DecodedImage(1, picture.Height, 3, cut.Values) |],
                Persons = parts,
                Profiles = [| for age in ages -> $"age: {age}" |],
                Attributes = [| for age in ages -> [| age / 100f |] |],
                Identities = [| for age in ages -> Array.create FaceReader.IdentityLength age |],
                Scene = (if parts = 0 then "" else $"person {parts}")
            )

        member _.Dispose() = ()

let private work pause = new ImageWork(new MeanColour(pause), new Columns(), [])

/// Mentions of a JSON Lines data set, each with the names of its images.
let writeData (folder: string) (train: string list list) =
    Directory.CreateDirectory(Path.Combine(folder, "images")) |> ignore

    let record key (images: string list) =
        JsonSerializer.Serialize(
            dict
                [ "key", box key
                  "mention", box $"Person {key}"
                  "sentence", box $"Person {key} waved."
                  "entity", box "Q1"
                  "images", box images ]
        )

    File.WriteAllLines(Path.Combine(folder, "train.jsonl"), train |> List.mapi (fun i images -> record $"t{i}" images))
    File.WriteAllLines(Path.Combine(folder, "dev.jsonl"), [ record "d0" [] ])

    File.WriteAllLines(
        Path.Combine(folder, "entities.jsonl"),
        [ """{"id": "Q1", "name": "One", "description": "first", "images": ["7.png", "gone.png"]}"""
          """{"id": "Q2", "name": "Two", "description": "second", "images": ["broken.png"]}"""
          """{"id": "Q3", "name": "Three", "description": "third"}""" ]
    )

/// A flat picture of this width and a grey of the same number.
let private writeImage (folder: string) (width: int) =
    use raw =
        Image.NewFromMemory<byte>(Array.create (width * 4) (byte width), width, 4, 1, Enums.BandFormat.Uchar)

    File.WriteAllBytes(Path.Combine(folder, "images", $"{width}.png"), raw.WriteToBuffer ".png")

let private options store = FeatureJobOptions(Store = store, EntityText = "{description}")

let private run data (images: ImageWork) options =
    use encoder = quick ()
    FeatureJob.Run(DatasetReaders.Read data, (encoder :> ITextEncoder), options, null, CancellationToken.None, images)

/// Images 5 to 12 with 2, 0, 1, 2, 0, 1, 2, 0 parts; mentions without image, with a broken, a missing and with several ones.
let private withData test =
    Folder.temporary (fun folder ->
        let data = Path.Combine(folder, "data")

        writeData
            data
            [ [ "5.png" ]
              []
              [ "broken.png" ]
              [ "gone.png" ]
              [ "broken.png"; "7.png"; "8.png" ]
              [ "6.png" ]
              [ "5.png" ]
              for width in 9..12 do
                  [ $"{width}.png" ] ]

        for width in 5..12 do
            writeImage data width

        File.WriteAllText(Path.Combine(data, "images", "broken.png"), "no picture")
        test folder data)

let private rows (store: FeatureStore) table kind =
    let kind = (store.Table table).Kind kind

    let vectors =
        [| for segment in kind.Segments do
               yield! Array.chunkBySize kind.Dim (segment.ToArray()) |]

    kind, vectors

[<Literal>]
let private childVariable = "DWE_TESTS_IMAGE_JOB"

/// Runs the job that the environment asks for, if it does: the test program started again, to be killed.
let child () =
    match Environment.GetEnvironmentVariable childVariable with
    | null -> None
    | request ->
        let folders = request.Split '\n'
        run folders[0] (work (TimeSpan.FromMilliseconds 20.0)) (options folders[1]) |> ignore
        Some 0

let private killed data store =
    let start = ProcessStartInfo("dotnet", [ typeof<Columns>.Assembly.Location ])
    start.Environment[childVariable] <- $"{data}\n{store}"

    match Process.Start start with
    | null -> failtest "no process was started"
    | started ->
        use child = started
        let journal = Path.Combine(store, "images.journal")
        let clock = Stopwatch.StartNew()

        while not (File.Exists journal && FileInfo(journal).Length > 3000L)
              && not child.HasExited
              && clock.Elapsed.TotalSeconds < 30.0 do
            Thread.Sleep 5

        child.Kill()
        child.WaitForExit()
        Expect.notEqual child.ExitCode 0 "it was killed before its end"

[<Tests>]
let tests =
    testList
        "feature job with images"
        [ testCase "a picture that once took too long is read again"
          <| fun () ->
              withData (fun folder data ->
                  let path = Path.Combine(folder, "store")

                  let read limits =
                      use images = new ImageWork(new MeanColour(TimeSpan.Zero), new Columns(), [], Limits = limits)

                      let seen = (run data images (options path)).Images |> nonNull
                      seen.Read

                  let limits = ImageLimits(Side = ImageWork.LongestSide)
                  Expect.equal (read (ImageLimits(Side = limits.Side, Time = TimeSpan.Zero))) 0 "no time"
                  Expect.equal (read limits) 9 "the usual time")

          testCase "every mention keeps its row, and what has no image is masked and said"
          <| fun () ->
              withData (fun folder data ->
                  let path = Path.Combine(folder, "store")
                  use images = work TimeSpan.Zero
                  let seen = (run data images (options path)).Images |> nonNull

                  Expect.equal
                      (seen.Named, seen.Read)
                      (13, 9)
                      "10 of mentions and 3 of entities, 2 and 2 of them missing or broken"

                  Expect.equal (seen.Persons, seen.Faces) (8, 3) "2 + 0 + 1 + 2 + 0 + 1 + 2 + 0"
                  use store = FeatureStore.Open path
                  let kind, vectors = rows store "train" "image"
                  Expect.equal kind.Rows 11 "rows"
                  let present = kind.Present |> nonNull
                  let flags = List.ofArray (present.data<bool>().ToArray())
                  Expect.equal flags [ true; false; false; false; true; true; true; true; true; true; true ] "present"
                  Expect.equal vectors[0] [| 5f; 5f; 5f |] "the first"
                  Expect.equal vectors[4] [| 7f; 7f; 7f |] "the first that can be read"
                  let kind, vectors = rows store "train" "parts"
                  let counts = Array.pairwise (kind.RowOffsets.ToArray()) |> Array.map (fun (a, b) -> b - a)
                  Expect.equal (List.ofArray counts) [ 2L; 0; 0; 0; 4; 0; 2; 0; 1; 2; 0 ] "parts of all its images"

                  Expect.equal
                      vectors[2..5]
                      (Array.append [| [| 7f; 7f; 7f |] |] (Array.replicate 3 [| 8f; 8f; 8f |]))
                      "a part, the second image, its parts"

                  let kind, vectors = rows store "train" "profile"
                  use encoder = quick ()
                  let profile = (encoder :> ITextEncoder).Encode([| "age: 7" |], CancellationToken.None)
                  Expect.equal (kind.Dim, vectors[0]) (8, profile) "a face's profile is the vector of its text"
                  let kind, vectors = rows store "train" "attributes"
                  Expect.equal (kind.Dim, vectors[0]) (1, [| 0.07f |]) "and its numbers"
                  Expect.equal (fst (rows store "train" "identity")).Dim 128 "identity"
                  Expect.isTrue ((store.Table "train").Has "scene") "scene"
                  let kind, vectors = rows store "entities" "image"
                  Expect.equal (kind.Manifest.Absent, vectors[0]) (2L, [| 7f; 7f; 7f |]) "entities"
                  Expect.isFalse ((store.Table "dev").Has "image") "a split without images has no such kind"

                  Expect.equal
                      [ for entry in (nonNull store.Manifest.Images).Unreadable -> entry.Key, entry.Value ]
                      [ "broken.png", "not an image"
                        "entities/broken.png", "not an image"
                        "entities/gone.png", "missing"
                        "gone.png", "missing" ]
                      "the manifest says which, and why"

                  Expect.equal
                      [ for entry in store.Manifest.Tables["train"].Counts -> entry.Key, entry.Value ]
                      [ "mentions without a readable image", 2
                        "mentions without face", 7
                        "mentions without image", 1
                        "mentions without person", 6 ]
                      "counts"

                  // Training reads it, whatever its widths.
                  use data = RunData.Open(data, path)
                  Expect.equal (data.Sizes.Image, data.Sizes.Text) (3, 8) "widths of their own")

          testCase "two runs write the same bytes, and a second run does nothing"
          <| fun () ->
              withData (fun folder data ->
                  let first, second = Path.Combine(folder, "first"), Path.Combine(folder, "second")
                  use one = work TimeSpan.Zero
                  run data one (options first) |> ignore
                  let narrow = new ImageWork(new MeanColour(TimeSpan.Zero), new Columns(), [], Threads = 1)
                  run data narrow (options second) |> ignore
                  Expect.equal (Folder.contents second) (Folder.contents first) "another number of threads"
                  let before = (one.Encoder :?> MeanColour).Encoded
                  let again = (run data one (options first)).Images |> nonNull

                  Expect.equal
                      ((one.Encoder :?> MeanColour).Encoded - before, again.Found)
                      (0, 11)
                      "known, unreadable ones too, but for the two missing"

                  Expect.equal (Folder.contents first) (Folder.contents second) "and the bytes stay")

          testCase "an image that changed is seen again, and only that one"
          <| fun () ->
              withData (fun folder data ->
                  let store = Path.Combine(folder, "store")
                  use images = work TimeSpan.Zero
                  run data images (options store) |> ignore
                  let before = (images.Encoder :?> MeanColour).Encoded
                  File.Copy(Path.Combine(data, "images", "8.png"), Path.Combine(data, "images", "broken.png"), true)
                  let seen = (run data images (options store)).Images |> nonNull
                  Expect.equal seen.Read 11 "one name of mentions and one of entities"

                  Expect.equal
                      ((images.Encoder :?> MeanColour).Encoded - before)
                      4
                      "whole and two parts, and the entity's whole")

          testCase "a job killed half-way is continued, and ends in the bytes of one that was not"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data = Path.Combine(folder, "data")
                  writeData data [ for width in 1..200 -> [ $"{width}.png" ] ]

                  for width in 1..200 do
                      writeImage data width

                  let store, undisturbed = Path.Combine(folder, "killed"), Path.Combine(folder, "undisturbed")
                  killed data store
                  File.AppendAllText(Path.Combine(store, "images.journal"), """{"image": "torn""")
                  use images = work TimeSpan.Zero
                  let seen = (run data images (options store)).Images |> nonNull
                  Expect.isGreaterThan seen.Found 10 "found in the journal"
                  Expect.isLessThan seen.Found 200 "left to do"
                  run data (work TimeSpan.Zero) (options undisturbed) |> ignore
                  Expect.equal (Folder.contents store) (Folder.contents undisturbed) "byte for byte")

          testCase "shards put together are the store of one run, and a missing one is noticed"
          <| fun () ->
              withData (fun folder data ->
                  let whole, merged = Path.Combine(folder, "whole"), Path.Combine(folder, "merged")
                  run data (work TimeSpan.Zero) (options whole) |> ignore

                  let shards =
                      [ for number in 1..3 do
                            let shard = Path.Combine(folder, $"shard{number}")

                            run
                                data
                                (work TimeSpan.Zero)
                                (FeatureJobOptions(
                                    Store = shard,
                                    EntityText = "{description}",
                                    Shard = Shard(number, 3)
                                ))
                            |> ignore

                            Expect.isFalse (File.Exists(Path.Combine(shard, "manifest.json"))) "a shard is no store"
                            shard ]

                  let merge parts =
                      run
                          data
                          (work TimeSpan.Zero)
                          (FeatureJobOptions(Store = merged, EntityText = "{description}", Merge = Array.ofList parts))
                      |> ignore

                  for attempt in [ "one is missing"; "and still is: nothing was made meanwhile" ] do
                      Expect.stringContains
                          (Refusal.messageOf (fun () -> merge (List.tail shards)))
                          "the shards lack"
                          attempt

                  merge shards
                  Expect.equal (Folder.contents merged) (Folder.contents whole) "byte for byte")

          testCase "a finder's error ends the job, and what was done before is kept"
          <| fun () ->
              withData (fun folder data ->
                  let failing =
                      { new IPartFinder with
                          member _.Id = "columns"
                          member _.FilesOf _ = []

                          member _.Find(name, picture) =
                              if name = "12.png" then
                                  raise (InvalidDataException "a net is broken")

                              (new Columns() :> IPartFinder).Find(name, picture)

                          member _.Dispose() = () }

                  let images = new ImageWork(new MeanColour(TimeSpan.Zero), failing, [])

                  Expect.throwsT<InvalidDataException>
                      (fun () -> run data images (options (Path.Combine(folder, "store"))) |> ignore)
                      "its own error") ]

[<Tests>]
let published =
    testList
        "published parts"
        [ testCase "parts and DeepFace's attributes are read where a folder has them"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let write (name: string) (text: string) =
                      let path = Path.Combine(folder, name)
                      Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore
                      File.WriteAllText(path, text)

                  write "total2part_map.json" """{"10": ["10_1", "10_2"]}"""

                  write
                      "wiki_detection/10_1.json"
                      """[{"age": 32, "dominant_gender": "Man", "dominant_race": "latino hispanic", "dominant_emotion": "angry"}]"""

                  Directory.CreateDirectory(Path.Combine(folder, "images")) |> ignore
                  writeImage folder 7
                  write "wiki_segement/10_2.jpg" "torn"
                  File.Copy(Path.Combine(folder, "images", "7.png"), Path.Combine(folder, "wiki_segement", "10_1.jpg"))
                  use finder = PublishedParts.Before(new Columns(), folder, TraitChoice.All)
                  let picture = DecodedImage(8, 1, 1, Array.zeroCreate 8)
                  let found = finder.Find("wikipedia/10.jpg", picture)
                  Expect.equal [ for part in found.Parts -> part.Width ] [ 7 ] "the part that can be read"

                  Expect.equal
                      (List.ofSeq found.Profiles)
                      [ "gender: Man, race: latino hispanic, age: 32, emotion: angry" ]
                      "DeepFace's labels as they are"

                  Expect.equal (finder.FilesOf "wikipedia/10.jpg").Count 3 "what its record depends on"
                  Expect.equal (finder.Find("wikipedia/11.jpg", picture)).Parts.Count 2 "others are looked at"
                  use shy = PublishedParts.Before(new Columns(), folder, TraitChoice(Race = false))

                  Expect.equal
                      (List.ofSeq (shy.Find("10.jpg", picture)).Profiles)
                      [ "gender: Man, age: 32, emotion: angry" ]
                      "without race"

                  write "wiki_detection/10_1.json" "[]"
                  let message = Refusal.messageOf (fun () -> finder.Find("10.jpg", picture) |> ignore)
                  Expect.stringContains message "10_1.json: the first face: found" "a broken file is named")

          testCase "a folder without them changes nothing"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use columns = new Columns()

                  Expect.isTrue
                      (Object.ReferenceEquals(PublishedParts.Before(columns, folder, TraitChoice.All), columns))
                      "the same finder") ]

[<Tests>]
let scenes =
    testList
        "scenes"
        [ testCase "classes are counted, persons first"
          <| fun () ->
              let thing label = FoundObject(Region(0f, 0f, 1f, 1f), 0.9f, label)
              let person = FoundPerson(Region(0f, 0f, 1f, 1f), 0.9f, PersonMask(0, 0, 1, 1, [| true |]), null)

              let scene (persons: FoundPerson list) things =
                  AnalyzedParts.SceneOf(ImageAnalysis(9, 9, Array.ofList persons, [||], Array.ofList things))

              Expect.equal
                  (scene [ person ] [ thing "tie"; thing "cup"; thing "cup" ])
                  "person 1, cup 2, tie 1"
                  "counts"

              Expect.equal (scene [] []) "" "nothing"

          testCase "zero-shot takes the scene whose text points the image's way, whatever its length"
          <| fun () ->
              let vectors = dict [ "a photo of a cat", [| 0f; 9f |]; "a photo of a car", [| 1f; 1f |] ]

              use encoder =
                  { new ITextEncoder with
                      member _.Id = "two"
                      member _.Dimension = 2

                      member _.Encode(texts, _) =
                          [| for text in texts do
                                 yield! vectors[text] |]

                      member _.Dispose() = () }

              let scenes = ZeroShotScenes(encoder, [ "a cat"; "a car" ])
              Expect.equal (scenes.Of(ReadOnlySpan [| 3f; 3f |])) "a car" "the diagonal"
              Expect.equal (scenes.Of(ReadOnlySpan [| 0.1f; 3f |])) "a cat" "upwards"

          testCase "the vocabulary that comes along has scenes, each once"
          <| fun () ->
              let scenes = ZeroShotScenes.ReadVocabulary(Path.Combine(Fixtures.repository, "data", "scenes.txt"))
              Expect.isGreaterThan scenes.Length 50 "scenes"
              Expect.equal (HashSet(scenes).Count) scenes.Length "each once" ]
