module Dwe.Tests.Model.Linking.NilTests

open Expecto
open FsCheck.FSharp
open Dwe.Model.Linking
open Dwe.Tests.Prelude

let private judged confidence isEntity isRight : Judged =
    { Confidence = confidence; IsEntity = isEntity; IsRight = isRight }

let private right confidence = judged confidence true true
let private wrong confidence = judged confidence true false
let private nil confidence = judged confidence false false

let private someMentions =
    Gen.choose (0, 20)
    |> Gen.map (fun step -> float step / 10.0)
    |> Gen.zip (Gen.elements [ right; wrong; nil ])
    |> Gen.map (fun (make, confidence) -> make confidence)
    |> Gen.nonEmptyListOf
    |> Gen.map Array.ofList

[<Tests>]
let tests =
    testList
        "NIL"
        [ testCase "precision, recall and F1, the worked example"
          <| fun () ->
              let mentions = [| right 0.9; right 0.8; wrong 0.7; nil 0.6; right 0.2; nil 0.1 |]
              let found = Nil.links 0.6 mentions
              // Four answers, two right; four mentions have an entity.
              Expect.equal found.Precision (2.0 / 4.0) "precision"
              Expect.equal found.Recall (2.0 / 4.0) "recall"
              Expect.equal found.F1 0.5 "F1"

          testCase "who answers nothing has an F1 of 0, not NaN"
          <| fun () ->
              Expect.equal
                  (Nil.links 2.0 [| right 0.5 |])
                  { Precision = 0.0; Recall = 0.0; F1 = 0.0 }
                  "nothing answered"

              Expect.equal (Nil.links 0.0 [| nil 0.5 |]) { Precision = 0.0; Recall = 0.0; F1 = 0.0 } "nothing to find"

          testCase "those that are not linked are said NIL, the worked example"
          <| fun () ->
              let mentions = [| right 0.9; right 0.8; wrong 0.7; nil 0.6; right 0.2; nil 0.1 |]
              let found = Nil.nils 0.6 mentions
              // Two are said NIL, of which one is; two mentions are NIL.
              Expect.equal found { Precision = 1.0 / 2.0; Recall = 1.0 / 2.0; F1 = 0.5 } "0.2 and 0.1"

          testCase "a mention without candidates is NIL whatever the threshold, and never chooses it"
          <| fun () ->
              let mentions = [| right 0.5; right 0.25; nil -infinity; wrong -infinity |]
              Expect.equal (Nil.bestThreshold mentions) 0.25 "the lowest score there is"
              Expect.equal (Nil.links -infinity mentions).Precision 1.0 "two answers, both right"
              Expect.equal (Nil.nils -infinity mentions).Precision 0.5 "one of the two is NIL"

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 300 }
              "no threshold has a higher F1 than the best one, nor a lower one the same"
              (Prop.forAll (Arb.fromGen someMentions) (fun mentions ->
                  let best = Nil.bestThreshold mentions
                  let f1 threshold = (Nil.links threshold mentions).F1

                  for threshold in [ 0.0..0.05..2.1 ] do
                      Expect.isLessThanOrEqual (f1 threshold) (f1 best + 1e-12) $"at {threshold}"

                  for mention in mentions do
                      if mention.Confidence < best then
                          Expect.isLessThan (f1 mention.Confidence) (f1 best) "lower"))

          testCase "the area under the curve, the worked example"
          <| fun () ->
              // Pairs of an entity and a NIL: 0.9 > 0.5, 0.9 > 0.1, 0.5 = 0.5, 0.5 > 0.1: 3.5 of 4.
              let mentions = [| right 0.9; wrong 0.5; nil 0.5; nil 0.1 |]
              Expect.equal (Nil.auroc mentions) (Some(3.5 / 4.0)) "area"

          testCase "without NIL, or with nothing else, there is no area"
          <| fun () ->
              Expect.equal (Nil.auroc [| right 1.0 |]) None "no NIL"
              Expect.equal (Nil.auroc [| nil 1.0 |]) None "NIL alone"

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 200 }
              "the area is the share of pairs in the right order"
              (Prop.forAll (Arb.fromGen someMentions) (fun mentions ->
                  let entities, nils = mentions |> Array.partition _.IsEntity

                  if entities.Length > 0 && nils.Length > 0 then
                      let wins =
                          [ for entity in entities do
                                for nil in nils ->
                                    if entity.Confidence > nil.Confidence then 1.0
                                    elif entity.Confidence = nil.Confidence then 0.5
                                    else 0.0 ]

                      Expect.floatClose Accuracy.high (Nil.auroc mentions).Value (List.average wins) "pairs"))

          testCase "what is not a number is refused"
          <| fun () ->
              Expect.invalid "there are no mentions" "nothing" (fun () -> Nil.links 0.0 [||])
              Expect.invalid "a confidence is NaN" "NaN" (fun () -> Nil.bestThreshold [| right nan |])
              Expect.invalid "no mention has a candidate" "none" (fun () -> Nil.bestThreshold [| right -infinity |]) ]
