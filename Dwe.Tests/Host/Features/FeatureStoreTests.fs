module Dwe.Tests.Host.Features.FeatureStoreTests

open System
open System.Collections.Generic
open System.IO
open Dwe.Host.Features
open Dwe.Tests.Prelude
open Expecto
open Dwe.Model.Tensors
open TorchSharp

/// Three mentions: `text` for all, `image` for the first and the last, two, none and one `parts`.
let private write (folder: string) =
    use writer = new FeatureStoreWriter(folder)
    writer.Table("dev", [| "a"; "b"; "c" |], SortedDictionary())
    let key number = ContentKey(number, -number)

    writer.Dense(
        "dev",
        "text",
        "hash-2",
        2,
        [| key 1L; key 2L; key 3L |],
        null,
        FillRow(fun row vector ->
            vector[0] <- float32 row
            vector[1] <- 0.5f)
    )

    writer.Dense(
        "dev",
        "image",
        "eye-1",
        1,
        [| key 4L; ContentKey(); key 5L |],
        [| true; false; true |],
        FillRow(fun row vector -> vector[0] <- float32 (row + 1))
    )

    writer.Ragged(
        "dev",
        "parts",
        "eye-1",
        1,
        [| 2; 0; 1 |],
        [| key 6L; key 7L; key 8L |],
        FillRow(fun vector row -> row[0] <- float32 (10 * vector))
    )

    writer.Commit(
        FeatureManifest(
            Format = 1,
            Dataset = "WikiMEL",
            DatasetHash = String('a', 64),
            Preprocessing = "text-1",
            EntityText = "{property}",
            Tables = writer.Tables
        )
    )

let private withStore test =
    Folder.temporary (fun parent ->
        let folder = Path.Combine(parent, "store")
        write folder
        test folder)

/// The message when the store is opened after a change.
let private refusedAfter change (expected: string -> string) =
    withStore (fun folder ->
        change folder
        (fun () -> (FeatureStore.Open folder).Dispose()) |> Refusal.isSpelled (expected folder))

let private replaceInManifest (before: string) (after: string) folder =
    let path = Path.Combine(folder, "manifest.json")
    let text = File.ReadAllText path
    Expect.stringContains text before "the manifest"
    File.WriteAllText(path, text.Replace(before, after))

let private again = "Write the store again with `dwe features`."

[<Tests>]
let tests =
    testList
        "feature store"
        [ testCase "dense, partly present and ragged kinds come back, rows in their order"
          <| fun () ->
              withStore (fun folder ->
                  use store = FeatureStore.Open folder
                  Expect.equal (List.ofSeq store.Tables) [ "dev" ] "tables"
                  let dev = store.Table "dev"
                  Expect.equal (List.ofSeq dev.Rows) [ "a"; "b"; "c" ] "rows"
                  Expect.equal (dev.RowOf "c") (Nullable 2) "a row by its key"
                  Expect.equal (dev.RowOf "z") (Nullable()) "a key that has no row"
                  Expect.equal (List.ofSeq dev.Kinds) [ "image"; "parts"; "text" ] "kinds"

                  let text = dev.Kind "text"
                  Expect.equal text.Vectors.shape [| 3L; 2L |] "shape"
                  Expect.equal (text.Vectors.data<float32>().ToArray()) [| 0f; 0.5f; 1f; 0.5f; 2f; 0.5f |] "text"
                  Expect.isNull text.Present "every row has a text"

                  let image = dev.Kind "image"
                  Expect.equal (image.Vectors.data<float32>().ToArray()) [| 1f; 0f; 3f |] "a row without one is zero"

                  match image.Present with
                  | null -> failtest "a mask was written"
                  | present -> Expect.equal (present.data<bool>().ToArray()) [| true; false; true |] "present"

                  Expect.equal image.Manifest.Absent 1L "absent rows"

                  let parts = dev.Kind "parts"
                  Expect.isTrue parts.IsRagged "ragged"
                  Expect.equal (parts.RowOffsets.ToArray()) [| 0L; 2L; 2L; 3L |] "offsets"
                  Expect.equal (parts.Vectors.data<float32>().ToArray()) [| 0f; 10f; 20f |] "parts"
                  Expect.equal parts.Manifest.Absent 1L "rows without parts")

          testCase "a batch is one index_select and lives on when the store is closed"
          <| fun () ->
              withStore (fun folder ->
                  let store = FeatureStore.Open folder
                  use rows = torch.tensor [| 2L; 0L |]
                  use batch = ((store.Table "dev").Kind "text").Vectors.index_select (0, rows)
                  store.Dispose()
                  Expect.equal (batch.data<float32>().ToArray()) [| 2f; 0.5f; 0f; 0.5f |] "rows 2 and 0")

          testCase "the vectors survive the dispose scope in which they were first asked for"
          <| fun () ->
              withStore (fun folder ->
                  use store = FeatureStore.Open folder
                  let text = (store.Table "dev").Kind "text"
                  using (torch.NewDisposeScope()) (fun _ -> text.Vectors |> ignore)
                  Expect.equal (Numbers.value (text.Vectors.sum ())) 4.5 "still there")

          testCase "a table or kind that was not encoded is refused by name"
          <| fun () ->
              withStore (fun folder ->
                  use store = FeatureStore.Open folder

                  (fun () -> store.Table "train" |> ignore)
                  |> Refusal.isSpelled
                      $"{folder}: tables dev, expected a table 'train' as well. Write it with `dwe features --splits`."

                  (fun () -> (store.Table "dev").Kind "scene" |> ignore)
                  |> Refusal.isSpelled
                      $"{folder}/dev: kinds image, parts, text, expected a kind 'scene' as well. {again}")

          testCase "a store without a manifest is no store yet"
          <| fun () ->
              refusedAfter (fun folder -> File.Delete(Path.Combine(folder, "manifest.json"))) (fun folder ->
                  $"{folder}/manifest.json: not found; expected a finished feature store. "
                  + "Write it with `dwe features`; an unfinished one is continued.")

          testCase "a manifest of another format, or one that is none, is refused"
          <| fun () ->
              refusedAfter (replaceInManifest "\"format\": 1" "\"format\": 2") (fun folder ->
                  $"{folder}/manifest.json: store format 2, expected format 1. {again}")

              refusedAfter (replaceInManifest "\"rows\": 3" "\"rows\": \"x\"") (fun folder ->
                  $"{folder}/manifest.json: line 9: found no valid value at $.tables.dev.rows, expected a store's manifest.")

          testCase "rows, sizes and offsets that are not the manifest's are refused, naming the file"
          <| fun () ->
              refusedAfter
                  (fun folder -> File.WriteAllText(Path.Combine(folder, "dev", "rows.json"), "[\"a\"]"))
                  (fun folder -> $"{folder}/dev/rows.json: 1 rows, expected 3 as the manifest says. {again}")

              refusedAfter
                  (fun folder -> File.WriteAllText(Path.Combine(folder, "dev", "rows.json"), "[\"a\",\"b\",\"a\"]"))
                  (fun folder -> $"{folder}/dev/rows.json: the row 'a' twice, expected every row once. {again}")

              refusedAfter (replaceInManifest "\"dim\": 2" "\"dim\": 4") (fun folder ->
                  $"{folder}/dev/text.safetensors: text F32 [3, 2], expected text F32 [3, 4] as the manifest says. {again}")

              refusedAfter
                  (fun folder ->
                      File.Copy(
                          Path.Combine(folder, "dev", "image.safetensors"),
                          Path.Combine(folder, "dev", "text.safetensors"),
                          true
                      ))
                  (fun folder -> $"{folder}/dev/text.safetensors: no tensor 'text', expected text F32 [3, 2]. {again}")

              refusedAfter (fun folder -> File.Delete(Path.Combine(folder, "dev", "text.safetensors"))) (fun folder ->
                  $"{folder}/dev/text.safetensors: not found; expected a safetensors file. Check the path, or write the file again.")

              refusedAfter
                  (fun folder ->
                      let path = Path.Combine(folder, "dev", "parts.safetensors")
                      let bytes = File.ReadAllBytes path
                      // The first tensor is the offsets 0, 2, 2, 3: let the second run ahead of the third.
                      bytes[8 + int (BitConverter.ToUInt64(bytes, 0)) + 8] <- 3uy
                      File.WriteAllBytes(path, bytes))
                  (fun folder ->
                      $"{folder}/dev/parts.safetensors: parts_offsets that skip or run back, expected a rise from 0 to 3. {again}")

          testCase
              "a writer that is not committed changes nothing; one stopped half-way through its renames is finished"
          <| fun () ->
              withStore (fun folder ->
                  let before = Folder.contents folder

                  using (new FeatureStoreWriter(folder)) (fun writer ->
                      writer.Table("dev", [| "z" |], SortedDictionary()))

                  Expect.equal (Folder.contents folder) before "not committed"

                  // As a writer leaves it that dies after its first table was renamed.
                  Directory.CreateDirectory(Path.Combine(folder, ".next")) |> ignore
                  File.Move(Path.Combine(folder, "manifest.json"), Path.Combine(folder, ".next", "manifest.json"))
                  FeatureStoreWriter.Finish folder
                  Expect.equal (Folder.contents folder) before "finished") ]
