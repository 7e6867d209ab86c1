/// Tokens of mentions' texts: which of them stand for a mention, and how they are stored.
module Dwe.Tests.Host.Features.TokenJobTests

open System
open System.IO
open Expecto
open Dwe.Host.Data
open Dwe.Host.Features
open Dwe.Host.Features.Text
open Dwe.Tests.Host.Features.HashEncoder
open Dwe.Tests.Prelude

let private places most mention sentence =
    use encoder = new WordEncoder()
    TokenWindow(encoder, most).Places(mention, sentence) |> List.ofArray

let private window =
    testList
        "the tokens that stand for a mention"
        [ testCase "are all of its text, where that has no more"
          <| fun () -> Expect.equal (places 8 "Jordan" "Jordan plays") [ 0; 1; 2; 3 ] "Jordan [SEP] Jordan plays"

          testCase "are those around the place where the sentence first says it, of two as near the earlier first"
          <| fun () ->
              // 0 Jordan, 1 [SEP], 2 a, 3 b, 4 c, 5 Jordan, 6 d, 7 e, 8 Jordan
              let sentence = "a b c Jordan d e Jordan"
              Expect.equal (places 1 "Jordan" sentence) [ 5 ] "one"
              Expect.equal (places 2 "Jordan" sentence) [ 4; 5 ] "two"
              Expect.equal (places 3 "Jordan" sentence) [ 4; 5; 6 ] "three"
              Expect.equal (places 6 "Jordan" sentence) [ 2; 3; 4; 5; 6; 7 ] "six"

          testCase "are around all words of a mention, whatever the case it is written in"
          <| fun () ->
              // 0 Michael, 1 Jordan, 2 [SEP], 3 a, 4 b, 5 MICHAEL, 6 JORDAN, 7 c, 8 d
              Expect.equal (places 4 "Michael Jordan" "a b MICHAEL JORDAN c d") [ 4; 5; 6; 7 ] "four"

          testCase "are the first where the sentence does not say it, or there is no mention"
          <| fun () ->
              Expect.equal (places 3 "Jordan" "a b c d e f") [ 0; 1; 2 ] "not said"
              Expect.equal (places 2 "" "a b c d e f") [ 0; 1 ] "no mention"
              Expect.isEmpty (places 2 "" "") "no text"

          testCase "have an id that says how many"
          <| fun () ->
              use encoder = new WordEncoder()
              Expect.equal (TokenWindow(encoder, 5).Id) "hash-8/words/nearest-5" "id"
              Expect.equal (TokenWindow.MostOf "hash-8/words/nearest-5") (Nullable 5) "read back"
              Expect.equal (TokenWindow.MostOf "hash-8/words") (Nullable()) "no such id" ]

let private options store = FeatureJobOptions(Store = store, EntityText = "{property}", Tokens = 3)

let private run (encoder: ITextEncoder) data (options: FeatureJobOptions) =
    FeatureJob.Run(DatasetReaders.Read data, encoder, options)

let private withData test =
    Folder.temporary (fun folder ->
        let data = Path.Combine(folder, "data")
        FeatureJobTests.writeDataset data 40 20
        test data (fun name -> Path.Combine(folder, name)))

[<Tests>]
let tests =
    testList
        "Host.Features.TokenJob"
        [ window

          testCase "stores of each mention the vectors of its own tokens, and the manifest says what made them"
          <| fun () ->
              withData (fun data path ->
                  use encoder = new WordEncoder()
                  run encoder data (options (path "store")) |> ignore
                  use store = FeatureStore.Open(path "store")
                  let kind = (store.Table "train").Kind "tokens"
                  Expect.equal kind.Manifest.Encoder "hash-8/words/nearest-3" "manifest"
                  Expect.equal (kind.RowOffsets.ToArray()) [| for row in 0L .. 40L -> 3L * row |] "three each"
                  // "Person 2 [SEP] Person 5 met person 6." says "person 2" nowhere, "Person 0 [SEP] Person 0 met …" does.
                  let found = kind.Segments[0].Span.ToArray() |> Array.chunkBySize 8
                  let absent = "Person 2 [SEP] Person 5 met person 6."
                  Expect.equal found[15..17] [| for place in 0..2 -> WordEncoder.Word absent place |] "mention 5"
                  let said = "Person 0 [SEP] Person 0 met person 1."
                  Expect.equal found[0..2] [| for place in 2..4 -> WordEncoder.Word said place |] "mention 0"
                  Expect.isFalse ((store.Table "entities").Has "tokens") "entities have none")

          testCase "writes the same bytes twice; what is there, or in another store, is not encoded again"
          <| fun () ->
              withData (fun data path ->
                  use first = new WordEncoder()
                  let result = run first data (options (path "one"))

                  Expect.equal
                      (result.TokenTexts, result.TokenTextsEncoded, first.Encoded)
                      (50, 50, 50)
                      "every text once"

                  use again = new WordEncoder()
                  let written = Folder.contents (path "one")
                  run again data (options (path "one")) |> ignore

                  run
                      again
                      data
                      (FeatureJobOptions(
                          Store = path "two",
                          EntityText = "{property}",
                          Tokens = 3,
                          Reuse = [| path "one" |]
                      ))
                  |> ignore

                  Expect.equal again.Encoded 0 "nothing"
                  Expect.equal (Folder.contents (path "one")) written "the same store again"
                  Expect.equal (Folder.contents (path "two")) written "another store")

          testCase "shards, merged, are the bytes of one run; a shard that is missing is named"
          <| fun () ->
              withData (fun data path ->
                  use encoder = new WordEncoder()
                  run encoder data (options (path "whole")) |> ignore

                  let share number =
                      let own =
                          FeatureJobOptions(
                              Store = path $"part{number}",
                              EntityText = "{property}",
                              Tokens = 3,
                              Shard = Nullable(Shard(number, 2))
                          )

                      run encoder data own |> ignore

                  share 1

                  let merged parts name =
                      FeatureJobOptions(
                          Store = path name,
                          EntityText = "{property}",
                          Tokens = 3,
                          Merge = [| for part in parts -> path $"part{part}" |]
                      )

                  Expect.throws (fun () -> run encoder data (merged [ 1 ] "half") |> ignore) "half is missing"
                  share 2
                  let before = encoder.Encoded
                  run encoder data (merged [ 1; 2 ] "merged") |> ignore
                  Expect.equal encoder.Encoded before "nothing is encoded"
                  Expect.equal (Folder.contents (path "merged")) (Folder.contents (path "whole")) "bytes")

          testCase "an encoder that gives none is refused"
          <| fun () ->
              withData (fun data path ->
                  use encoder = quick ()

                  Refusal.isSpelled "hash-8 gives no tokens. Leave --tokens out, or name another --encoder." (fun () ->
                      run encoder data (options (path "store")) |> ignore))

          testCase "without them a store has the bytes that it had before there were any"
          <| fun () ->
              withData (fun data path ->
                  use words = new WordEncoder()
                  use plain = quick ()
                  let none store = FeatureJobOptions(Store = path store, EntityText = "{property}")
                  run words data (none "words") |> ignore
                  run plain data (none "plain") |> ignore
                  Expect.equal (Folder.contents (path "words")) (Folder.contents (path "plain")) "bytes") ]
