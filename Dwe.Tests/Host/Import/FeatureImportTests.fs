module Dwe.Tests.Host.Import.FeatureImportTests

open System
open System.IO
open Dwe.Host.Features
open Dwe.Host.Import
open Dwe.Host.Import.Pickle
open Dwe.Host.Training
open Dwe.Model.Batches
open Dwe.Tests.Host.Import.PickleBytes
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude
open Expecto

let private wikipedia () = Fixtures.required "fixtures/reference/formats/wikipedia"

let private import data store =
    FeatureImport.Run(FeatureImportOptions(data, store)) |> ignore
    FeatureStore.Open store

let private vectors (table: FeatureTable) kind = (table.Kind kind).Vectors.data<float32>().ToArray()

let private present (table: FeatureTable) kind =
    match (table.Kind kind).Present with
    | null -> failtest "no mask"
    | mask -> mask.data<bool>().ToArray()

/// A WikiMEL folder of three training mentions, two entities; the cache is the caller's.
let private writeData folder (records: (string * string * (string * Item) list) list) storages =
    let write (name: string) (text: string) = File.WriteAllText(Path.Combine(folder, name), text)

    let mention (key, text, answer) =
        $"\"{key}\": {{\"mentions\": \"{text}\", \"sentence\": \"{text}.\", \"answer\": \"{answer}\", \"imgPath\": \"{key}.jpg\"}}"

    let mentions name records = write name ("{" + String.Join(",\n", List.map mention records) + "}")
    mentions "train.json" [ "0-0", "Ann", "Q1"; "1-0", "Bob", "Q2"; "2-0", "Cid", "Q1" ]
    mentions "dev.json" [ "3-0", "Ann", "Q1" ]
    write "qids_ordered.json" """["Q1", "Q2"]"""
    write "brief.json" """{"Q1": "Ann [SEP]. one", "Q2": "Bob [SEP]. two"}"""

    let record (key, text, fields) =
        Object(
            Global("prepare_wikipedia", "InputFeatures"),
            [ "key_id", Text key; "mentions", Text text; yield! fields ]
        )

    save (Path.Combine(folder, "cached_train_wiki_clip")) (List(List.map record records)) storages
    let file = PureHDF.H5File()
    file["features"] <- array2D [ [ 1f; 2f ]; [ 0f; 0f ] ]
    file.Write(Path.Combine(folder, "gt_feats_brief.h5"))

let private withData records storages test =
    Folder.temporary (fun folder ->
        let data = Path.Combine(folder, "data")
        Directory.CreateDirectory data |> ignore
        writeData data records storages
        test data (Path.Combine(folder, "store")))

let private storages =
    [ "a", [ 1f; 2f ]; "b", [ 3f; 4f ]; "zero", [ 0f; 0f ]; "two", [ 5f; 6f; 7f; 8f ] ]

let private one key = tensor key [ 1L; 2L ]

let private fields text image parts =
    [ "mention_feature", one text
      "text_feature", one text
      "total_feature", image
      "segement_feature", parts ]

let private store =
    testList
        "features become a store"
        [ testCase "rows are found by their keys, what is not there is absent, and both are counted"
          <| fun () ->
              withData
                  [ "2-0", "Cid", fields "a" (one "b") (tensor "two" [ 2L; 2L ])
                    "0-0", "Ann", fields "b" (one "zero") (one "zero")
                    "9-9", "Dan", fields "a" (one "a") (one "a") ]
                  storages
                  (fun data folder ->
                      use store = import data folder
                      Expect.equal (List.ofSeq store.Tables) [ "entities"; "train" ] "tables: no cache, no table"
                      let train = store.Table "train"
                      Expect.equal (List.ofSeq train.Rows) [ "0-0"; "1-0"; "2-0" ] "rows in the data set's order"
                      Expect.equal (vectors train "text") [| 3f; 4f; 0f; 0f; 1f; 2f |] "text"
                      Expect.equal (vectors train "mention") (vectors train "text") "mention"

                      Expect.equal (present train "text") [| true; false; true |] "who has a text"

                      Expect.equal (vectors train "image") [| 0f; 0f; 0f; 0f; 3f; 4f |] "image"

                      Expect.equal (present train "image") [| false; false; true |] "zeros are no image"

                      Expect.equal (vectors train "parts") [| 5f; 6f; 7f; 8f |] "parts"
                      Expect.equal ((train.Kind "parts").RowOffsets.ToArray()) [| 0L; 0L; 0L; 2L |] "zeros are no part"
                      Expect.isFalse (train.Has "profile") "nothing was cached of profiles"

                      Expect.equal
                          [ for count in store.Manifest.Tables["train"].Counts -> count.Key, count.Value ]
                          [ "mentions without features", 1
                            "records of unknown mentions", 1
                            "zeros in place of image", 1
                            "zeros in place of parts", 1 ]
                          "counts"

                      let entities = store.Table "entities"
                      Expect.equal (vectors entities "text") [| 1f; 2f; 0f; 0f |] "entities"

                      Expect.equal (present entities "text") [| true; false |] "a row never filled"

                      Expect.equal store.Manifest.EntityText "{brief}" "the entity text is named by the file"
                      Expect.equal (train.Kind "text").Manifest.Encoder "dwe-import/unknown-2" "encoder")

          testCase "training and evaluation read them: single images packed behind offsets, lost mentions left out"
          <| fun () ->
              withData
                  [ "2-0", "Cid", fields "a" (one "b") (tensor "two" [ 2L; 2L ])
                    "0-0", "Ann", fields "b" (one "zero") (one "zero") ]
                  storages
                  (fun data folder ->
                      (import data folder).Dispose()
                      use data = RunData.Open(data, folder)
                      let features = data.Features("train", false)
                      let image = Option.get features.Image
                      Expect.equal image.Offsets [| 0L; 0L; 0L; 1L |] "one image, of the last mention"
                      Expect.equal (image.Rows.data<float32>().ToArray()) [| 3f; 4f |] "its vector"
                      Expect.equal (Option.get features.Parts).Offsets [| 0L; 0L; 0L; 2L |] "parts"
                      Expect.equal (data.Encoded "train") [| true; false; true |] "who can be trained on"
                      Expect.equal data.Sizes.Image 2 "width of images")

          testCase "of another data set is refused: the texts must agree, not only the keys"
          <| fun () ->
              withData [ "0-0", "Eve", fields "a" (one "a") (one "a") ] storages (fun data folder ->
                  (fun () -> (import data folder).Dispose())
                  |> Refusal.isSpelled
                      $"{data}/cached_train_wiki_clip: record '0-0' has the mention 'Eve', expected 'Ann', expected features of this data set. Bring the data set's files and its cache together again.")

              withData [ "7-7", "Eve", fields "a" (one "a") (one "a") ] storages (fun data folder ->
                  (fun () -> (import data folder).Dispose())
                  |> Refusal.isSpelled
                      $"{data}/cached_train_wiki_clip: no record of any mention of the data set, expected those of its split. Bring the data set's files and its cache together again.")

          testCase "of records that repeat, differ in width, hold several texts or no numbers is refused by record"
          <| fun () ->
              let refused records storages expected =
                  withData records storages (fun data folder ->
                      (fun () -> (import data folder).Dispose())
                      |> Refusal.isSpelled $"{data}/cached_train_wiki_clip: {expected}"

                      Expect.isFalse (File.Exists(Path.Combine(folder, "manifest.json"))) "no store")

              let plain text = fields text (one "a") (one "a")

              refused
                  [ "0-0", "Ann", plain "a"; "0-0", "Ann", plain "b" ]
                  storages
                  "record '0-0': found the key twice, expected every mention once."

              refused
                  [ "0-0", "Ann", plain "a"; "1-0", "Bob", [ "mention_feature", tensor "two" [ 1L; 4L ] ] ]
                  storages
                  "record '1-0', mention_feature: found 4 values, expected 2 as in the first record."

              refused
                  [ "0-0", "Ann", [ "mention_feature", tensor "two" [ 2L; 2L ] ] ]
                  storages
                  "record '0-0', mention_feature: found 2 vectors, expected one."

              refused
                  [ "0-0", "Ann", plain "nan" ]
                  (("nan", [ 1f; nanf ]) :: storages)
                  "record '0-0', mention_feature: found NaN at 1, expected numbers."

          testCase "of the published data set holds every cached vector, bit for bit"
          <| fun () ->
              let data = wikipedia ()

              Folder.temporary (fun folder ->
                  use store = import data folder

                  for split, count in [ "train", 7; "dev", 6; "test", 7 ] do
                      let table = store.Table split
                      use file = TorchFile.Open(Path.Combine(data, $"cached_{split}_wiki_clip"), TorchObjects.DweCache)

                      let records =
                          [ for record in (PickleBytes.the<PickleList> file.Root).Items ->
                                PickleBytes.the<PickleObject> record ]

                      Expect.equal table.Rows.Count count "rows"

                      let values field (record: PickleObject) =
                          let mutable value = null
                          Expect.isTrue (record.Attributes.TryGet(field, &value)) field
                          (PickleBytes.the<TorchTensor> value).ToSingles()

                      for field, kind in
                          [ "mention_feature", "mention"; "text_feature", "text"; "total_feature", "image" ] do
                          Expect.equal
                              (vectors table kind)
                              (Array.concat (List.map (values field) records))
                              $"{split} {kind}"

                          Expect.isNull (table.Kind kind).Present "none is absent"

                      for field, kind in [ "segement_feature", "parts"; "profile_feature", "profile" ] do
                          let all = List.map (values field) records
                          let real = List.filter (Array.exists ((<>) 0f)) all
                          Expect.equal (vectors table kind) (Array.concat real) $"{split} {kind}"
                          Expect.isNonEmpty real "there are parts"

                          Expect.equal
                              (table.Kind kind).Manifest.Absent
                              (int64 (all.Length - real.Length))
                              "zeros are absent"

                      // 1004, 1008, 1012, 1016 and 1000 have no entry in total2part_map.json.
                      Expect.equal
                          store.Manifest.Tables[split].Counts["zeros in place of parts"]
                          (if split = "test" then 1 else 2)
                          split

                  let entities = Hdf5Features.Read(Path.Combine(data, "gt_feats_brief.h5"))
                  let rows = Array.concat [ for row in 0..19 -> entities.Row(row).ToArray() ]
                  Expect.equal (vectors (store.Table "entities") "text") rows "entities"

                  Expect.equal
                      ((store.Table "entities").Kind "text").Manifest.Encoder
                      "dwe-import/clip-vit-b-32"
                      "encoder") ]

let private fixture name = Fixtures.required $"fixtures/reference/formats/{name}"

let private copyInto folder (sources: (string * string list) list) =
    Directory.CreateDirectory folder |> ignore

    for source, names in sources do
        for name in names do
            File.Copy(Path.Combine(fixture source, name), Path.Combine(folder, name))

/// The tensor of one field of the record at a place of a published cache.
let private cachedVector relative place (field: string) =
    use file = TorchFile.Open(fixture relative, TorchObjects.DweCache)

    let tensors = Map [ for struct (name, tensor) in file.Tensors() -> name, tensor ]
    let found = tensors |> Map.tryFind $"{place}.{field}"
    let found = found |> Option.orElse (Map.tryFind $"{place}.{field}.0" tensors)
    (Option.get found).ToSingles()

let private rowOf (table: FeatureTable) kind row =
    let width = (table.Kind kind).Dim
    (vectors table kind)[row * width .. (row + 1) * width - 1]

let private otherFormats =
    testList
        "the other data sets"
        [ testCase "RichpediaMEL: the sum of the images, each of them as a part, and no profiles"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data = Path.Combine(folder, "data")

                  copyInto
                      data
                      [ "richpedia", [ "train.json"; "dev.json"; "cached_train_rich_clip"; "cached_dev_rich_clip" ]
                        "wikipedia", [ "qids_ordered.json"; "property.json"; "gt_feats_brief.h5" ] ]

                  use store = import data (Path.Combine(folder, "store"))
                  Expect.equal store.Manifest.Dataset "RichpediaMEL" "format"
                  let train = store.Table "train"

                  Expect.equal
                      (present train "image")
                      [| true; true; false; true; true; false |]
                      "mentions 2 and 5 have no image"

                  Expect.equal
                      (train.Kind("parts").RowOffsets.ToArray())
                      [| 0L; 1L; 3L; 3L; 4L; 6L; 6L |]
                      "images of each"

                  Expect.isFalse (train.Has "profile") "its profiles are all zeros"

                  Expect.equal
                      (rowOf train "image" 4)
                      (cachedVector "richpedia/cached_train_rich_clip" 4 "total_feature")
                      "an image"

                  Expect.equal
                      (rowOf train "text" 5)
                      (cachedVector "richpedia/cached_train_rich_clip" 5 "text_feature")
                      "a text"

                  Expect.equal (store.Manifest.Tables["train"].Counts["zeros in place of profile"]) 6 "counted")

          testCase "WikiDiverse: fields wrapped in tuples, mentions lost with their image, entities by title"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use store = import (fixture "wikidiverse") (Path.Combine(folder, "store"))
                  let train = store.Table "train"

                  Expect.equal
                      store.Manifest.Tables["train"].Counts["mentions without features"]
                      1
                      "the mention of a missing image"

                  Expect.equal (present train "text") [| true; true; true; false; true; true |] "which one"

                  Expect.equal
                      (rowOf train "text" 5)
                      (cachedVector "wikidiverse/cached_train_diverse_clip" 4 "text_feature")
                      "the last text"

                  Expect.equal
                      (rowOf train "image" 4)
                      (cachedVector "wikidiverse/cached_train_diverse_clip" 3 "total_feature")
                      "an image"

                  let entities = store.Table "entities"

                  Expect.equal
                      store.Manifest.Tables["entities"].Counts["entities without features"]
                      0
                      "every title is found"

                  let matrix = Hdf5Features.Read(Path.Combine(fixture "wikidiverse", "gt_feats_brief.h5"))

                  match Option.ofNullable (entities.RowOf "北京") with
                  | None -> failtest "no row for the last title"
                  | Some row ->
                      Expect.equal (rowOf entities "text" row) (matrix.Row(19).ToArray()) "the last title's vector")

          testCase "WikiPerson: images by their name, profiles by the list of images, and no text"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data = Path.Combine(folder, "data")

                  copyInto
                      data
                      [ "wikiperson",
                        [ "train.json"
                          "dev.json"
                          "cached_train_person_clip"
                          "cached_dev_person_clip"
                          "entity_list.json"
                          "text_entity.h5"
                          "profile.h5"
                          "input_img_list.json" ] ]

                  use store = import data (Path.Combine(folder, "store"))
                  let dev = store.Table "dev"
                  Expect.equal (List.ofSeq dev.Kinds) [ "image"; "profile" ] "kinds"
                  Expect.equal dev.Rows[0] "4006_0" "the first mention"

                  Expect.equal
                      (rowOf dev "image" 0)
                      (cachedVector "wikiperson/cached_dev_person_clip" 0 "image_feature")
                      "its image"

                  let profiles = Hdf5Features.Read(Path.Combine(data, "profile.h5"))

                  Expect.equal
                      (rowOf dev "profile" 0)
                      (profiles.Row(9).ToArray())
                      "its profile: 4006 is the tenth of the list"

                  Expect.equal
                      store.Manifest.Tables["entities"].Counts["zeros in place of text"]
                      1
                      "the row without a photo") ]

let private commands =
    testList
        "dwe import"
        [ testCase "makes a store on which `dwe train` trains with images and parts, and `dwe eval` evaluates"
          <| fun () ->
              let data = wikipedia ()

              Folder.temporary (fun folder ->
                  let store, run = Path.Combine(folder, "store"), Path.Combine(folder, "run")
                  let imported = DweProcess.run [ "import"; "--data"; data; "--out"; store ] []
                  Expect.equal imported.ExitCode 0 imported.Errors

                  Expect.equal
                      (List.ofArray (imported.Output.TrimEnd().Split '\n'))
                      [ $"{store}: train, 7 rows: image 7, mention 7, parts 5, profile 5, text 7, 2 zeros in place of parts, 2 zeros in place of profile"
                        $"{store}: dev, 6 rows: image 6, mention 6, parts 4, profile 4, text 6, 2 zeros in place of parts, 2 zeros in place of profile"
                        $"{store}: test, 7 rows: image 7, mention 7, parts 6, profile 6, text 7, 1 zeros in place of parts, 1 zeros in place of profile"
                        $"{store}: entities, 20 rows: text 20" ]
                      "what was imported"

                  let trained =
                      DweProcess.run
                          [ "train"
                            "--data"
                            data
                            "--features"
                            store
                            "--out"
                            run
                            "--set"
                            "training.epochs=1"
                            "--set"
                            "model.hidden=64"
                            "--set"
                            "training.batch_size=4" ]
                          []

                  Expect.equal trained.ExitCode 0 trained.Errors

                  let weights =
                      SafetensorsFixture.SafetensorsFixture(
                          Path.Combine(run, "checkpoints", "last", "weights.safetensors")
                      )

                  let first =
                      SafetensorsFixture.SafetensorsFixture(
                          Path.Combine(run, "checkpoints", "last", "optimizer.safetensors")
                      )

                  Expect.equal (weights.Sizes "image.linear.weight") [| 64L; 512L |] "images are read"
                  Expect.exists (first.Values "first.attention.key.weight") ((<>) 0.0) "parts have gradients"
                  Expect.exists (first.Values "first.logit_scale") ((<>) 0.0) "images are aligned"

                  let evaluated = DweProcess.run [ "eval"; "--run"; run; "--split"; "test" ] []
                  Expect.equal evaluated.ExitCode 0 evaluated.Errors)

          testCase "names a data set with several entity files, and a folder without features"
          <| fun () ->
              withData [ "0-0", "Ann", fields "a" (one "a") (one "a") ] storages (fun data folder ->
                  File.Copy(Path.Combine(data, "gt_feats_brief.h5"), Path.Combine(data, "gt_feats_property.h5"))

                  (fun () -> (import data folder).Dispose())
                  |> Refusal.isSpelled
                      $"{data} holds gt_feats_brief.h5 and gt_feats_property.h5. Name the one to read with --entities."

                  File.Delete(Path.Combine(data, "cached_train_wiki_clip"))

                  (fun () -> (import data folder).Dispose())
                  |> Refusal.isSpelled (
                      $"{data}/cached_train_wiki_clip: not found; expected features cached by DWE, "
                      + "cached_{train,dev,test}_{wiki,rich,diverse,person}_clip. Check --data."
                  )) ]

[<Tests>]
let tests = testList "import of features" [ store; otherFormats; commands ]
