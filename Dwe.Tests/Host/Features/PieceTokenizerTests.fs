module Dwe.Tests.Host.Features.PieceTokenizerTests

open System.IO
open System.Text.Json
open Expecto
open Dwe.Host.Features.Text
open Dwe.Host.Features.Weights
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.SharedWeights

/// Six reserved ids, then these pieces from id 6 on; `_` stands for U+2581.
let private tokenizerOf (pieces: (string * float) list) =
    let reserved = List.replicate 6 ("\uFFFD", 0.0)
    let readable = pieces |> List.map (fun (piece, score) -> piece.Replace('_', '\u2581'), score)
    PieceTokenizer(PieceVocabulary [| for piece, score in reserved @ readable -> struct (piece, score) |])

/// Single characters that no sum prefers, so that every place is reached by a piece.
let private singles = [ "_", -10.0; "a", -10.0; "f", -10.0 ]

let private idsIn pieces text = (tokenizerOf pieces).Encode text |> List.ofArray

let private published =
    lazy
        (let folder = (withSentenceEncoder ()).FolderOf WeightCatalogue.SentenceEncoder
         PieceTokenizer(PieceVocabulary.Read(Path.Combine(folder, "dist", "vocab.json"))))

[<Tests>]
let segmentation =
    testList
        "piece tokenizer"
        [ testCase "the segmentation with the greatest sum of scores wins: -1 - 1 beats -3"
          <| fun () ->
              Expect.equal (idsIn ([ "_ab", -3.0; "_a", -1.0; "b", -1.0 ] @ singles) "ab") [ 7; 8 ] "two pieces"
              Expect.equal (idsIn ([ "_ab", -1.5; "_a", -1.0; "b", -1.0 ] @ singles) "ab") [ 6 ] "one piece"

          testCase "of equal sums the one whose last piece starts later wins"
          <| fun () ->
              Expect.equal (idsIn ([ "_ab", -2.0; "_a", -1.0; "b", -1.0 ] @ singles) "ab") [ 7; 8 ] "-2 = -1 - 1"

          testCase "a run of characters that no piece starts with is one unknown id"
          <| fun () -> Expect.equal (idsIn [ "_", -1.0; "a", -1.0 ] "xyzaxy") [ 6; 0; 7; 0 ] "xyz, a, xy"

          testCase "an unknown character costs nothing, as in the package: it beats the piece that covers it"
          <| fun () -> Expect.equal (idsIn [ "_a", -1.0; "b", -1.0 ] "ab") [ 0; 7 ] "0 + 0 - 1 beats -1 - 1"

          testCase "every space is a separator, the front has one too"
          <| fun () ->
              Expect.equal
                  (idsIn [ "_", -1.0; "a", -1.0 ] " a  a")
                  [ 6; 6; 7; 6; 6; 7 ]
                  "front + space, a, two spaces, a"

          testCase "text is NFKC-normalised first: the ligature fi is f and i"
          <| fun () -> Expect.equal (idsIn ([ "_f", -1.0; "i", -1.0 ] @ singles) "\uFB01") [ 6; 7 ] "fi"

          testCase "a character beyond the basic plane is one symbol"
          <| fun () ->
              Expect.equal (idsIn [ "_", -1.0; "\U0001F600", -1.0; "a", -1.0 ] "\U0001F600a") [ 6; 7; 8 ] "smile, a"

          testCase "half a surrogate pair is unknown, not an error"
          <| fun () -> Expect.equal (idsIn [ "_", -1.0; "a", -1.0 ] "\uD800a") [ 6; 0; 7 ] "unknown, a"

          testCase "the empty text has no ids" <| fun () -> Expect.isEmpty (idsIn [ "_", -1.0 ] "") "none" ]

/// What the package's own JavaScript tokenizer gives for texts that are none of the ordinary.
let private oddities =
    [ " ", [ 30; 30 ]
      "日本 tokyo", [ 30; 0; 10; 4022; 102 ]
      "\uFB01ne ½", [ 839; 207; 7935; 288 ]
      "\U0001F600\U0001F600 hi", [ 30; 0; 2038 ]
      "日本語x日本", [ 30; 0; 152; 0 ]
      "\t tab", [ 30; 0; 5520 ]
      "ＡＢＣ", [ 74; 2512 ]
      "...---...", [ 718; 3280; 91 ]
      "<s> </s> \uFFFD", [ 4787; 7; 1431; 4787; 68; 7; 1431; 30; 0 ]
      "Šibenik Łódź Škoda", [ 30; 0; 3569; 154; 2387; 30; 0; 5540; 29; 0; 30; 0; 1875; 745 ] ]

[<Tests>]
let publishedVocabulary =
    testList
        "piece tokenizer with the published vocabulary"
        [ testCase "ids equal those of the package's own tokenizer on every fixture text"
          <| fun () ->
              use json = JsonDocument.Parse(File.ReadAllText(Fixtures.required "fixtures/models/use_lite_tfjs.json"))
              let items = json.RootElement.GetProperty("items").EnumerateArray() |> List.ofSeq
              Expect.hasLength items 15 "fixture texts"

              for item in items do
                  let text = nonNull (item.GetProperty("text").GetString())
                  let expected = [ for id in item.GetProperty("tokens").EnumerateArray() -> id.GetInt32() ]
                  Expect.equal (List.ofArray (published.Value.Encode text)) expected text

          for text, expected in oddities do
              testCase $"ids equal those of the package's own tokenizer on %A{text}"
              <| fun () -> Expect.equal (List.ofArray (published.Value.Encode text)) expected "ids" ]
