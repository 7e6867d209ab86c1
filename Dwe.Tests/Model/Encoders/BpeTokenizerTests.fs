module Dwe.Tests.Model.Encoders.BpeTokenizerTests

open Expecto
open Dwe.Model.Encoders
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.PublishedFixture

let private cases =
    lazy [ for case in ((json "tokenizer/tokenizer.json").GetProperty "cases").EnumerateArray() -> case ]

let private small merges =
    match BpeTokenizer.Create(514 + List.length merges, merges) with
    | Ok tokenizer -> tokenizer
    | Error problem -> failtest problem

[<Tests>]
let tests =
    testList
        "byte-pair encoding"
        [ testCase "every fixture text has the published ids, cut at 77 with the end mark kept"
          <| fun () ->
              for case in cases.Value do
                  let text = nonNull ((case.GetProperty "text").GetString())
                  let numbers (name: string) = [ for id in (case.GetProperty name).EnumerateArray() -> id.GetInt32() ]
                  let tokens = ClipFixture.tokenizer ()
                  // Rows are padded with 0, which is the token "!" as well: a row's own last id is the end mark.
                  Expect.equal (List.ofArray (tokens.Row(77, text))) (numbers "tokenized_nonpad") text

                  Expect.equal
                      (List.ofArray (tokens.Row(100_000, text)))
                      ([ 49406 ] @ numbers "ids" @ [ 49407 ])
                      $"{text}, not cut"

          testCase "every fixture text is cut into the published words"
          <| fun () ->
              for case in cases.Value do
                  let cleaned = nonNull ((case.GetProperty "cleaned").GetString())

                  let words =
                      [ for word in (case.GetProperty "pretokens").EnumerateArray() -> nonNull (word.GetString()) ]

                  Expect.equal (BpeTokenizer.Split cleaned) words cleaned

          testCase "bytes have the first ids, printing ones first, then the same at a word's end"
          <| fun () ->
              let tokenizer = small []
              Expect.equal (List.ofArray (tokenizer.Ids "ab")) [ 64; 65 + 256 ] "a is the 65th printing byte"
              Expect.equal (List.ofArray (tokenizer.Row(77, ""))) [ 512; 513 ] "marks"

          testCase "the earliest merge goes first, wherever it stands in the word"
          <| fun () ->
              let tokenizer = small [ "b c"; "a b"; "a bc"; "abc d</w>" ]
              Expect.equal (List.ofArray (tokenizer.Ids "abcd")) [ 515 ] "bc, then abc, then abcd"
              Expect.equal (List.ofArray (tokenizer.Ids "abe")) [ 513; 68 + 256 ] "ab, e"

          testCase "a vocabulary that is none is refused with what is wrong"
          <| fun () ->
              let refused size merges =
                  match BpeTokenizer.Create(size, merges) with
                  | Ok _ -> failtest "taken"
                  | Error problem -> problem

              Expect.equal (refused 516 [ "a b" ]) "1 merges for 516 ids" "too few"
              Expect.equal (refused 516 [ "a b"; "ab zz" ]) "'ab zz'" "an unknown part"
              Expect.equal (refused 516 [ "a b"; "a b" ]) "'a b' twice" "twice"
              Expect.equal (refused 100 []) "0 merges for 100 ids" "fewer ids than bytes"

          testProperty "any text gives ids of the vocabulary, as many bytes as it has at most"
          <| fun (letters: char list) ->
              let text = System.String(Array.ofList letters)
              let tokenizer = small [ "a b"; "i n" ]
              let ids = tokenizer.Ids text
              let bytes = System.Text.Encoding.UTF8.GetByteCount(PlainText.clean text)
              ids.Length <= bytes && Array.forall (fun id -> id >= 0 && id < 514) ids ]
