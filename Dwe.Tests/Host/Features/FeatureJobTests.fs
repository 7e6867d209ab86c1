module Dwe.Tests.Host.Features.FeatureJobTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Threading
open Dwe.Host.Data
open Dwe.Host.Features
open Dwe.Host.Features.Text
open Dwe.Host.Storage
open Dwe.Tests.Host.Features.HashEncoder
open Dwe.Tests.Prelude
open Expecto

/// A WikiMEL folder of the first mentions and entities of a made-up world; entities 3, 13, 23, … have no description.
let writeDataset (folder: string) mentions entities =
    Directory.CreateDirectory folder |> ignore

    let write name value = File.WriteAllText(Path.Combine(folder, name), JsonSerializer.Serialize(value: obj))

    let records first count =
        dict
            [ for i in first .. first + count - 1 ->
                  string i,
                  dict
                      [ "sentence", $"Person {i} met person {i + 1}."
                        // Every second mention shares its text with the one before.
                        "mentions", $"Person {i / 2}"
                        "answer", $"Q{i % entities}" ] ]

    write "train.json" (records 0 mentions)
    write "dev.json" (records mentions (mentions / 4))
    write "qids_ordered.json" [ for i in 0 .. entities - 1 -> $"Q{i}" ]

    write
        "property.json"
        (dict
            [ for i in 0 .. entities - 1 do
                  if i % 10 <> 3 then
                      $"Q{i}", $"Person {i} [SEP]. Occupation: number {i}." ])

let private options store = FeatureJobOptions(Store = store, EntityText = "{property}")

let private run (encoder: ITextEncoder) data (options: FeatureJobOptions) =
    FeatureJob.Run(DatasetReaders.Read data, encoder, options)

let private vectorOf (encoder: ITextEncoder) text = encoder.Encode([| text |], CancellationToken.None)

let private withData test =
    Folder.temporary (fun folder ->
        let data = Path.Combine(folder, "data")
        writeDataset data 40 20
        test folder data)

/// What `child` below does in a process of its own.
let private childVariable = "DWE_TESTS_FEATURE_JOB"

let private childEncoder () = new HashEncoder("hash-slow", 16, TimeSpan.FromMilliseconds 1.0)

/// Runs the job that the environment asks for, if it does: the test program started again, to be killed.
let child () =
    match Environment.GetEnvironmentVariable childVariable with
    | null -> None
    | request ->
        let folders = request.Split '\n'
        use encoder = childEncoder ()
        run encoder folders[0] (options folders[1]) |> ignore
        Some 0

let private startChild data store =
    let start = ProcessStartInfo("dotnet", [ typeof<HashEncoder>.Assembly.Location ])
    start.Environment[childVariable] <- $"{data}\n{store}"

    match Process.Start start with
    | null -> failtest "no process was started"
    | started -> started

[<Tests>]
let tests =
    testList
        "feature job"
        [ testCase "mentions, their sentences and entity texts are encoded, each row the vector of its own text"
          <| fun () ->
              withData (fun folder data ->
                  use encoder = quick ()
                  let path = Path.Combine(folder, "store")
                  let result = run encoder data (options path)
                  // 50 sentences, 25 mention texts, 18 descriptions; all different.
                  Expect.equal result.Texts 93 "different texts"
                  Expect.equal result.Encoded 93 "encoded"
                  Expect.equal encoder.Encoded 93 "asked of the encoder"
                  Expect.equal result.MissingDescriptions 2 "entities 3 and 13"

                  use store = FeatureStore.Open path
                  store.RequireDataset(DatasetReaders.Read data)
                  Expect.equal (List.ofSeq store.Tables) [ "dev"; "entities"; "train" ] "tables"

                  let row table kind row = ((store.Table table).Kind kind).Segments[0].Span.Slice(row * 8, 8).ToArray()

                  Expect.equal (row "train" "mention" 5) (vectorOf encoder "Person 2") "mention 5"

                  Expect.equal
                      (row "train" "text" 5)
                      (vectorOf encoder "Person 2 [SEP] Person 5 met person 6.")
                      "mention 5 in its sentence"

                  Expect.equal (row "entities" "text" 4) (vectorOf encoder "Occupation: number 4.") "entity 4"
                  Expect.equal (row "entities" "text" 3) (Array.zeroCreate 8) "entity 3 has no text"
                  Expect.equal ((store.Table "entities").Kind "text").Manifest.Absent 2L "absent"

                  Expect.equal
                      store.Manifest.Tables["entities"].Counts["missing descriptions"]
                      2
                      "missing descriptions in the manifest"

                  Expect.isFalse (File.Exists(Path.Combine(path, "journal.bin"))) "the journal is gone")

          testCase "two runs write the same bytes, and a second run into the same store encodes nothing"
          <| fun () ->
              withData (fun folder data ->
                  let first, second = Path.Combine(folder, "1"), Path.Combine(folder, "2")
                  use encoder = quick ()
                  run encoder data (options first) |> ignore
                  run encoder data (options second) |> ignore
                  Expect.equal (Folder.contents second) (Folder.contents first) "two stores"
                  let again = run encoder data (options first)
                  Expect.equal (again.Encoded, again.Reused) (0, 93) "nothing to encode"
                  Expect.equal (Folder.contents first) (Folder.contents second) "the same store")

          testCase "another template encodes only the texts that are new, and the bytes are those of a fresh store"
          <| fun () ->
              withData (fun folder data ->
                  let changed, fresh = Path.Combine(folder, "changed"), Path.Combine(folder, "fresh")
                  use encoder = quick ()
                  run encoder data (options changed) |> ignore
                  let named store = FeatureJobOptions(Store = store, EntityText = "{name} [SEP] {property}")
                  let result = run encoder data (named changed)
                  Expect.equal (result.Encoded, result.Reused) (20, 75) "20 entity texts are new"
                  run encoder data (named fresh) |> ignore
                  Expect.equal (Folder.contents changed) (Folder.contents fresh) "as if encoded afresh")

          testCase
              "of several templates an entity's vector is the mean of the vectors of its texts, whatever their order"
          <| fun () ->
              withData (fun folder data ->
                  use encoder = quick ()
                  let file name = Path.Combine(folder, name)
                  let pooled store text = FeatureJobOptions(Store = store, EntityText = text)
                  let result = run encoder data (pooled (file "pooled") "{property} || called {name}")
                  Expect.equal result.Texts (75 + 18 + 20) "mentions, descriptions, names"
                  Expect.equal result.MissingDescriptions 2 "entities 3 and 13"
                  run encoder data (pooled (file "turned") "called {name} || {property}") |> ignore
                  let calledOf row = "called " + (DatasetReaders.Read data).Entities[row].Name
                  use store = FeatureStore.Open(file "pooled")
                  let vectors = ((store.Table "entities").Kind "text").Segments[0].ToArray()
                  let row number = vectors[number * 8 .. number * 8 + 7]
                  let one, other = vectorOf encoder "Occupation: number 4.", vectorOf encoder (calledOf 4)

                  let mean =
                      [| for first, second in Array.zip one other -> float32 ((float first + float second) / 2.0) |]

                  Expect.equal (row 4) mean "(v1 + v2) / 2"
                  Expect.equal (row 3) (vectorOf encoder (calledOf 3)) "one of two missing: the other alone"

                  let entities store =
                      Folder.contents (Path.Combine(store, "entities"))
                      |> List.find (fun (name, _) -> name = "text.safetensors")

                  Expect.equal (entities (file "turned")) (entities (file "pooled")) "the order of templates")

          testCase
              "templates that are added or taken away encode only the texts that are new, into the bytes of a fresh store"
          <| fun () ->
              withData (fun folder data ->
                  use encoder = quick ()
                  let file name = Path.Combine(folder, name)
                  let making store text = run encoder data (FeatureJobOptions(Store = file store, EntityText = text))
                  making "changed" "{property}" |> ignore
                  Expect.equal (making "changed" "{property} || called {name}").Encoded 20 "the names"

                  Expect.equal
                      (making "changed" "{property} || called {name} || {name}: {property}").Encoded
                      20
                      "the third text"

                  Expect.equal (making "changed" "called {name} || {property}").Encoded 0 "nothing new"
                  making "fresh" "called {name} || {property}" |> ignore

                  Expect.equal
                      (Folder.contents (file "changed"))
                      (Folder.contents (file "fresh"))
                      "as if encoded afresh"

                  Expect.equal (making "changed" "{property}").Encoded 0 "back to one"
                  making "single" "{property}" |> ignore

                  Expect.equal
                      (Folder.contents (file "changed"))
                      (Folder.contents (file "single"))
                      "the bytes of one template")

          testCase "shards of a job with several templates are merged into the bytes of one job"
          <| fun () ->
              withData (fun folder data ->
                  use encoder = quick ()
                  let file name = Path.Combine(folder, name)
                  let text = "{property} || called {name}"
                  run encoder data (FeatureJobOptions(Store = file "whole", EntityText = text)) |> ignore

                  for number in 1..2 do
                      run
                          encoder
                          data
                          (FeatureJobOptions(Store = file $"{number}", EntityText = text, Shard = Shard(number, 2)))
                      |> ignore

                  let merged =
                      FeatureJobOptions(Store = file "merged", EntityText = text, Merge = [| file "1"; file "2" |])

                  Expect.equal (run encoder data merged).Encoded 0 "all was there"
                  Expect.equal (Folder.contents (file "merged")) (Folder.contents (file "whole")) "bytes")

          testCase "another store's vectors are used only where the encoder is the same"
          <| fun () ->
              withData (fun folder data ->
                  let first = Path.Combine(folder, "first")
                  use encoder = quick ()
                  run encoder data (options first) |> ignore

                  let reusing name =
                      FeatureJobOptions(
                          Store = Path.Combine(folder, name),
                          EntityText = "{property}",
                          Reuse = [| first |]
                      )

                  Expect.equal (run encoder data (reusing "same")).Encoded 0 "the same encoder"
                  use other = new HashEncoder("hash-other", 8, TimeSpan.Zero)
                  Expect.equal (run other data (reusing "other")).Encoded 93 "another encoder")

          testCase "fewer splits are fewer tables; a split that is not there is refused"
          <| fun () ->
              withData (fun folder data ->
                  use encoder = quick ()
                  let path = Path.Combine(folder, "store")
                  let only split = FeatureJobOptions(Store = path, EntityText = "{property}", Splits = [| split |])
                  run encoder data (options path) |> ignore
                  run encoder data (only "dev") |> ignore

                  using (FeatureStore.Open path) (fun store ->
                      Expect.equal (List.ofSeq store.Tables) [ "dev"; "entities" ] "tables")

                  Expect.isFalse (Directory.Exists(Path.Combine(path, "train"))) "the old table is gone"

                  (fun () -> run encoder data (only "test") |> ignore)
                  |> Refusal.isSpelled "--splits: unknown key 'test'; known keys: train, dev.")

          testCase "a store is refused for another data set, with both hashes"
          <| fun () ->
              withData (fun folder data ->
                  use encoder = quick ()
                  let path = Path.Combine(folder, "store")
                  run encoder data (options path) |> ignore
                  let before = (DatasetReaders.Read data).ContentHash
                  writeDataset data 44 20
                  let now = DatasetReaders.Read data
                  use store = FeatureStore.Open path

                  (fun () -> store.RequireDataset now)
                  |> Refusal.isSpelled (
                      $"{path}: features of a data set with hash {before[..11]}, expected those of {data}, {now.ContentHash[..11]}. "
                      + "Run `dwe features` again; what has not changed is not encoded again."
                  ))

          testCase "a folder that holds something else is left alone"
          <| fun () ->
              withData (fun _ data ->
                  use encoder = quick ()
                  let before = Folder.contents data

                  (fun () -> run encoder data (options data) |> ignore)
                  |> Refusal.isSpelled $"{data} holds files and is no feature store. Name a new folder with --out."

                  Expect.equal (Folder.contents data) before "untouched")

          testCase "two jobs cannot write one store"
          <| fun () ->
              withData (fun folder data ->
                  use encoder = quick ()
                  let path = Path.Combine(folder, "store")
                  Directory.CreateDirectory path |> ignore
                  use _ = VectorJournal.Open(Path.Combine(path, "journal.bin"))

                  (fun () -> run encoder data (options path) |> ignore)
                  |> Refusal.isSpelled
                      $"{path}/journal.bin is in use: another job is writing this store. Wait for it, or name another --out.")

          testCase "an encoder that gives NaN is refused, naming the text"
          <| fun () ->
              withData (fun folder data ->
                  let encoder =
                      { new ITextEncoder with
                          member _.Id = "nan"
                          member _.Dimension = 1
                          member _.Encode(texts, _) = [| for text in texts -> if text = "Person 3" then nanf else 1f |]
                          member _.Dispose() = () }

                  (fun () -> run encoder data (options (Path.Combine(folder, "store"))) |> ignore)
                  |> Refusal.isSpelled
                      "encoder nan: the vector of 'Person 3' holds NaN. Check the encoder's weights; what was encoded before is kept.")

          testCase "a journal keeps its sound records whatever follows them"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "journal.bin")
                  let keys = [| for i in 1L .. 3L -> ContentKey(i, i) |]

                  using (VectorJournal.Open path) (fun journal -> journal.Append(keys, ReadOnlySpan [| 1f .. 6f |], 2))

                  let whole = File.ReadAllBytes path
                  Expect.equal whole.Length (8 + 3 * (20 + 8 + 4)) "three records of two values"

                  let countAfter (bytes: byte[]) =
                      File.WriteAllBytes(path, bytes)
                      use journal = VectorJournal.Open path
                      journal.Count

                  Expect.equal (countAfter whole) 3 "whole"
                  Expect.equal (countAfter whole[.. whole.Length - 2]) 2 "the last record cut short"
                  Expect.equal (countAfter (Array.append whole [| 1uy; 2uy |])) 3 "rubbish at the end"
                  let flipped = Array.copy whole
                  flipped[8 + 32 + 20] <- flipped[8 + 32 + 20] ^^^ 1uy
                  Expect.equal (countAfter flipped) 1 "a flipped bit in the second record"
                  Expect.equal (countAfter [| 1uy .. 9uy |]) 0 "no journal at all"

                  File.WriteAllBytes(path, whole[.. whole.Length - 2])
                  use journal = VectorJournal.Open path
                  journal.Append([| keys[2] |], ReadOnlySpan [| 5f; 6f |], 2)
                  let vector = Array.zeroCreate<float32> 2
                  Expect.isTrue (journal.TryRead(keys[2], Span vector)) "appended after recovery"
                  Expect.equal vector [| 5f; 6f |] "its values")

          testCase "a job killed half-way is continued, and ends in the bytes of one that was not"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data = Path.Combine(folder, "data")
                  writeDataset data 2_000 200
                  let killed, undisturbed = Path.Combine(folder, "killed"), Path.Combine(folder, "undisturbed")
                  let journal = Path.Combine(killed, "journal.bin")
                  use child = startChild data killed
                  let clock = Stopwatch.StartNew()

                  let grown () = File.Exists journal && FileInfo(journal).Length > 60_000L

                  while not (grown ()) && not child.HasExited && clock.Elapsed.TotalSeconds < 15.0 do
                      Thread.Sleep 5

                  child.Kill()
                  child.WaitForExit()
                  Expect.notEqual child.ExitCode 0 "it was killed before its end"

                  (fun () -> (FeatureStore.Open killed).Dispose())
                  |> Refusal.messageOf
                  |> fun message ->
                      Expect.stringContains message "an unfinished one is continued" "readers see no store"

                  // A power cut may tear the last record as well.
                  using (new FileStream(journal, FileMode.Append)) (fun stream ->
                      stream.Write(ReadOnlySpan [| 1uy; 2uy |]))

                  use encoder = new HashEncoder("hash-slow", 16, TimeSpan.Zero)
                  let result = run encoder data (options killed)
                  Expect.isGreaterThan result.Continued 500 "found in the journal"
                  Expect.isGreaterThan result.Encoded 0 "left to do"
                  Expect.equal (result.Continued + result.Encoded) result.Texts "together all"
                  use fresh = new HashEncoder("hash-slow", 16, TimeSpan.Zero)
                  Expect.equal (run fresh data (options undisturbed)).Encoded result.Texts "undisturbed"
                  Expect.equal (Folder.contents killed) (Folder.contents undisturbed) "byte for byte") ]
