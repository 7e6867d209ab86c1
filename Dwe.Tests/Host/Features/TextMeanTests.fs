module Dwe.Tests.Host.Features.TextMeanTests

open System
open Dwe.Host.Features
open Dwe.Tests.Prelude
open Expecto
open FsCheck
open FsCheck.FSharp

/// The mean of the vectors of these texts, which `vectorOf` gives.
let private mean (vectorOf: string -> float32[]) dimension (texts: string list) =
    let keys = TextMean.KeysOf("e", Array.ofList texts)
    let byKey = dict [ for text in texts -> ContentKey.OfText("e", text), vectorOf text ]
    let target = Array.zeroCreate<float32> dimension

    TextMean.Fill(
        keys,
        target.AsSpan(),
        ReadVector(fun key vector ->
            byKey[key].AsSpan().CopyTo vector
            true)
    )

    target

let private texts =
    Gen.elements [ 'a' .. 'z' ] |> Gen.listOf |> Gen.map (List.map string >> List.distinct)

[<Tests>]
let tests =
    testList
        "the mean of texts"
        [ testCase "is the mean of their vectors, rounded once"
          <| fun () ->
              let vectors = dict [ "a", [| 1f; 0.1f |]; "b", [| 2f; 0.2f |]; "c", [| 6f; 0.4f |] ]
              let found = mean (fun text -> vectors[text]) 2 [ "a"; "b"; "c" ]
              Expect.equal found [| 3f; float32 ((float 0.1f + float 0.2f + float 0.4f) / 3.0) |] "mean"

          testCase "of one text is its vector, with its key"
          <| fun () ->
              Expect.equal (mean (fun _ -> [| 0.1f; -3f |]) 2 [ "a" ]) [| 0.1f; -3f |] "vector"
              Expect.equal (TextMean.KeyOf(TextMean.KeysOf("e", [| "a" |]))) (ContentKey.OfText("e", "a")) "key"
              Expect.equal (TextMean.KeyOf [||]) (ContentKey()) "no text, no key"

          testCase "has a key of its own, by which texts and encoder"
          <| fun () ->
              let key encoder texts = TextMean.KeyOf(TextMean.KeysOf(encoder, texts))
              let keys = [ key "e" [| "a"; "b" |]; key "e" [| "a"; "c" |]; key "f" [| "a"; "b" |]; key "e" [| "a" |] ]
              Expect.equal (List.distinct keys) keys "different"

          testProperty "has the same bits and the same key in whatever order the texts come"
          <| Prop.forAll (Arb.fromGen texts) (fun texts ->
              let vectorOf (text: string) = [| for power in 1..5 -> float32 (sin (float text[0] * float power)) |]
              let turned = List.rev texts
              let key (texts: string list) = TextMean.KeyOf(TextMean.KeysOf("e", Array.ofList texts))
              texts.IsEmpty || (mean vectorOf 5 texts = mean vectorOf 5 turned && key texts = key turned))

          testCase "of a vector that is known from nowhere is a defect"
          <| fun () ->
              Expect.throwsT<InvalidOperationException>
                  (fun () ->
                      TextMean.Fill(
                          TextMean.KeysOf("e", [| "a"; "b" |]),
                          (Array.zeroCreate<float32> 2).AsSpan(),
                          ReadVector(fun _ _ -> false)
                      ))
                  "no vector" ]
