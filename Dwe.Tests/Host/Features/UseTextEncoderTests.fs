module Dwe.Tests.Host.Features.UseTextEncoderTests

open System
open System.IO
open System.Runtime.InteropServices
open System.Text.Json
open Expecto
open Dwe.Host.Features.Text
open Dwe.Host.Features.Tfjs
open Dwe.Host.Features.Weights
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.SharedWeights

let private opened batchSize threads =
    UseTextEncoder.Open(withSentenceEncoder (), TextEncoderOptions(batchSize, Nullable threads))

let private shared = lazy (opened 32 2)

let private rowOf (vectors: float32[]) row = vectors[row * 512 .. row * 512 + 511]

let private bytesOf (vectors: float32[]) = MemoryMarshal.AsBytes(ReadOnlySpan vectors).ToArray()

/// Lengths from 0 to beyond the limit, equal lengths many times and some once, equal texts, odd characters.
let private mixedTexts =
    let words =
        "the quick brown fox jumps over a lazy dog near Berkeley while Michael Jordan plays".Split ' '

    let sentence index = String.Join(' ', [ for k in 0 .. index % 23 -> words[(index * 7 + k * 3) % words.Length] ])
    let long = String.Join(' ', Array.replicate 30 (String.Join(' ', words)))
    [| yield! Array.init 150 sentence; ""; long; "日本 \U0001F600"; sentence 3; ""; long + " end"; "x" |]

let private fixtureItems =
    lazy
        (let json = JsonDocument.Parse(File.ReadAllText(Fixtures.required "fixtures/models/use_lite_tfjs.json"))

         [| for item in json.RootElement.GetProperty("items").EnumerateArray() ->
                nonNull (item.GetProperty("text").GetString()),
                [| for value in item.GetProperty("embedding").EnumerateArray() -> value.GetDouble() |] |])

[<Tests>]
let agreement =
    testList
        "sentence encoder"
        [ testCase "vectors agree with TensorFlow.js to 1e-5 on every fixture text"
          <| fun () ->
              let texts, expected = Array.unzip fixtureItems.Value
              let vectors = shared.Value.Encode texts
              Expect.equal vectors.Length (15 * 512) "15 rows of 512"

              let differences =
                  Array.map2 (fun value (wanted: float) -> abs (float value - wanted)) vectors (Array.concat expected)

              Expect.isLessThan (Array.max differences) 1e-5 "greatest difference"

          testCase "bytes are the same whatever the batch size and the number of threads"
          <| fun () ->
              let reference = bytesOf (shared.Value.Encode mixedTexts)

              for batchSize in [ 1; 7; 64 ] do
                  for threads in [ 1; 2 ] do
                      use encoder = opened batchSize threads
                      let got = bytesOf (encoder.Encode mixedTexts)
                      Expect.isTrue (reference.AsSpan().SequenceEqual got) $"batch {batchSize}, threads {threads}"

          testCase "a text's bytes do not depend on the other texts or their order"
          <| fun () ->
              let reference = shared.Value.Encode mixedTexts
              let backwards = shared.Value.Encode(Array.rev mixedTexts)

              for row in 0 .. mixedTexts.Length - 1 do
                  let alone = bytesOf (shared.Value.Encode [| mixedTexts[row] |])
                  let turned = bytesOf (rowOf backwards (mixedTexts.Length - 1 - row))
                  let expected = bytesOf (rowOf reference row)
                  Expect.isTrue (expected.AsSpan().SequenceEqual alone) $"text {row} alone"
                  Expect.isTrue (expected.AsSpan().SequenceEqual turned) $"text {row} in the other order"

          testCase "every vector has length 1, that of the empty text too"
          <| fun () ->
              let vectors = shared.Value.Encode mixedTexts

              for row in 0 .. mixedTexts.Length - 1 do
                  let length = rowOf vectors row |> Array.sumBy (fun value -> float value * float value) |> sqrt
                  Expect.floatClose { absolute = 1e-6; relative = 0.0 } length 1.0 $"text {row}"

          testCase "no texts give no rows" <| fun () -> Expect.isEmpty (shared.Value.Encode [||]) "no rows"

          testCase "a text of 5,000 words is read up to its 128th token"
          <| fun () ->
              let words count = String.Join(' ', Array.replicate count "the")
              let tokens = shared.Value.Tokens(words 5000)
              Expect.hasLength tokens 128 "tokens"
              let long = bytesOf (shared.Value.Encode [| words 5000 |])
              let cut = bytesOf (shared.Value.Encode [| words 128 |])
              let shorter = bytesOf (shared.Value.Encode [| words 127 |])
              Expect.hasLength (shared.Value.Tokens(words 127)) 127 "one word, one token"
              Expect.isTrue (long.AsSpan().SequenceEqual cut) "words after the 128th change nothing"
              Expect.isFalse (long.AsSpan().SequenceEqual shorter) "the 128th counts"

          testCase "a paraphrase is nearer than a sentence about something else"
          <| fun () ->
              let vectors =
                  shared.Value.Encode
                      [| "A man is playing a guitar on stage."
                         "Someone performs music with a guitar."
                         "The stock market fell sharply today." |]

              let cosine left right = Array.map2 (*) (rowOf vectors left) (rowOf vectors right) |> Array.sum |> float
              // TensorFlow.js: 0.69 and -0.03.
              Expect.floatClose { absolute = 0.01; relative = 0.0 } (cosine 0 1) 0.69 "paraphrase"
              Expect.floatClose { absolute = 0.01; relative = 0.0 } (cosine 0 2) -0.03 "unrelated"

          testCase "the Id names the weights, the tokenizer and the converter"
          <| fun () ->
              Expect.equal
                  shared.Value.Id
                  "use-lite/0.2.0/sha256-3855ea6772d2f153/nfkc-unigram-1/onnx-1"
                  "a change here makes every stored feature obsolete: raise it knowingly"

          testCase "the only token of a text has the text's vector; all have length 1"
          <| fun () ->
              let single = [| "the"; "dog"; "a" |]
              let texts = shared.Value.Encode single
              let tokens = shared.Value.EncodeTokens single

              for at in 0 .. single.Length - 1 do
                  Expect.equal (shared.Value.CountTokens single[at]) 1 single[at]

                  let difference =
                      Array.map2 (fun (one: float32) two -> abs (one - two)) tokens[at] (rowOf texts at) |> Array.max

                  Expect.isLessThan difference 1e-6f single[at]

              for at, found in Seq.indexed (shared.Value.EncodeTokens mixedTexts) do
                  Expect.equal found.Length (512 * shared.Value.CountTokens mixedTexts[at]) $"tokens of text {at}"

                  for token in Array.chunkBySize 512 found do
                      let length = token |> Array.sumBy (fun value -> float value * float value) |> sqrt
                      Expect.floatClose { absolute = 1e-5; relative = 0.0 } length 1.0 $"text {at}"

          testCase "a text's tokens depend on that text alone, to the last bit, and on where they stand in it"
          <| fun () ->
              let together = shared.Value.EncodeTokens mixedTexts
              let backwards = shared.Value.EncodeTokens(Array.rev mixedTexts)

              for batchSize, threads in [ 1, 1; 7, 2 ] do
                  use encoder = opened batchSize threads
                  Expect.equal (encoder.EncodeTokens mixedTexts) together $"batch {batchSize}, threads {threads}"

              Expect.equal (Array.rev backwards) together "in the other order"

              for row in 0..12 .. mixedTexts.Length - 1 do
                  let alone = shared.Value.EncodeTokens [| mixedTexts[row] |]
                  Expect.equal alone[0] together[row] $"text {row} alone"

              let found = shared.Value.EncodeTokens [| "the dog"; "the fox" |]
              Expect.notEqual (rowOf found[0] 0) (rowOf found[1] 0) "the same word beside another"

          testCase "the tokens' id says more than the texts'"
          <| fun () ->
              Expect.equal shared.Value.TokensId (shared.Value.Id + "/tokens-1") "a change makes stored tokens obsolete"

          testCase "a batch size or a number of threads below 1 is refused"
          <| fun () ->
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> opened 0 1 |> ignore) "batch size"
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> opened 1 0 |> ignore) "threads" ]

[<Tests>]
let conversionCache =
    testList
        "converted models"
        [ testCase "a model is converted once, and no temporary file stays"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let source = (withSentenceEncoder ()).FolderOf WeightCatalogue.SentenceEncoder
                  let model = Path.Combine(source, "dist", "model.json")
                  let first = ConvertedModels(folder).PathOf("m", model)
                  let written = File.GetLastWriteTimeUtc first
                  let second = ConvertedModels(folder).PathOf("m", model)
                  Expect.equal second first "same path"
                  Expect.equal (File.GetLastWriteTimeUtc second) written "not written again"
                  Expect.equal (Directory.GetFiles folder) [| first |] "only the model") ]
