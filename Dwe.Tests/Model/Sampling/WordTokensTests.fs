module Dwe.Tests.Model.Sampling.WordTokensTests

open System.IO
open System.Text.Json
open Dwe.Model.Sampling
open Dwe.Tests.Prelude
open Expecto

let private tokens text = List.ofArray (WordTokens.ofText text)

let private texts (element: JsonElement) = [ for item in element.EnumerateArray() -> string (item.GetString()) ]

let private fixture (name: string) =
    use document =
        JsonDocument.Parse(File.ReadAllText(Fixtures.required $"fixtures/reference/sampling/{name}.json"))

    document.RootElement.Clone()

[<Tests>]
let tests =
    testList
        "word tokens"
        [ testCase "the last full stop of a sentence is a token, that of an abbreviation is not"
          <| fun () ->
              Expect.equal
                  (tokens "Mr. Smith left. He was in the U.S. on June 19.")
                  [ "Mr."; "Smith"; "left"; "."; "He"; "was"; "in"; "the"; "U.S."; "on"; "June"; "19"; "." ]
                  "tokens"

          testCase "marks stand alone, but not inside of numbers and words"
          <| fun () ->
              Expect.equal
                  (tokens "Erie, 21,000 (a/b): 50% [SEP]...")
                  [ "Erie"; ","; "21,000"; "("; "a/b"; ")"; ":"; "50"; "%"; "["; "SEP"; "]"; "..." ]
                  "tokens"

          testCase "double quotes have a direction, contractions are two tokens"
          <| fun () ->
              Expect.equal
                  (tokens "\"The Guide's\" isn't what you've read")
                  [ "``"; "The"; "Guide"; "'s"; "''"; "is"; "n't"; "what"; "you"; "'ve"; "read" ]
                  "tokens"

          testCase "an empty text has no tokens" <| fun () -> Expect.isEmpty (tokens " \n ") "tokens"

          testCase "ten texts are tokenised as nltk's word_tokenize does"
          <| fun () ->
              let cases = [ for case in (fixture "word_tokenize").GetProperty("cases").EnumerateArray() -> case ]
              Expect.hasLength cases 10 "cases"

              for case in cases do
                  let text = string (case.GetProperty("text").GetString())
                  Expect.equal (tokens text) (texts (case.GetProperty "tokens")) text

          testCase "eight descriptions are tokenised as nltk's word_tokenize does"
          <| fun () ->
              let root = fixture "sampling"
              let facts = [ for fact in root.GetProperty("facts").EnumerateObject() -> fact ]
              Expect.hasLength facts 8 "descriptions"

              for fact in facts do
                  let expected = texts (root.GetProperty("tokens_before_stopwords").GetProperty fact.Name)
                  Expect.equal (tokens (string (fact.Value.GetString()))) expected fact.Name ]
