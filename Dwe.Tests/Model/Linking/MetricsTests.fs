module Dwe.Tests.Model.Linking.MetricsTests

open System
open System.Text.Json
open Expecto
open FsCheck.FSharp
open Dwe.Model.Linking
open Dwe.Tests.Prelude

let private rank optimistic pessimistic : Rank = { Optimistic = optimistic; Pessimistic = pessimistic }

let private sharp value = rank value value

[<Tests>]
let tests =
    testList
        "Metrics"
        [ testCase "metrics, the worked example"
          <| fun () ->
              let ranks = [| sharp 1.0; sharp 4.0; sharp 20.0; sharp 21.0; Rank.Missing |]
              let metrics = Metrics.ofRanks TieRule.Realistic ranks

              let expected: Metrics =
                  { Mentions = 5
                    Missed = 1
                    HitsAt1 = 1.0 / 5.0
                    HitsAt3 = 1.0 / 5.0
                    HitsAt5 = 2.0 / 5.0
                    HitsAt10 = 2.0 / 5.0
                    HitsAt20 = 3.0 / 5.0
                    Mrr = (1.0 / 1.0 + 1.0 / 4.0 + 1.0 / 20.0 + 1.0 / 21.0 + 0.0) / 5.0
                    MeanRank = Nullable((1.0 + 4.0 + 20.0 + 21.0) / 4.0) }

              Expect.equal metrics expected "metrics"

          testCase "the rule of ties decides between the bounds"
          <| fun () ->
              let ranks = [| rank 1.0 6.0 |]
              let meanRank rule = (Metrics.ofRanks rule ranks).MeanRank
              Expect.equal (meanRank TieRule.Optimistic) (Nullable 1.0) "optimistic"
              Expect.equal (meanRank TieRule.Realistic) (Nullable 3.5) "realistic"
              Expect.equal (meanRank TieRule.Pessimistic) (Nullable 6.0) "pessimistic"

          testCase "a run that misses every gold has no mean rank, and is 0 elsewhere"
          <| fun () ->
              let metrics = Metrics.ofRanks TieRule.Realistic [| Rank.Missing; Rank.Missing |]
              Expect.isFalse metrics.MeanRank.HasValue "mean rank"
              Expect.equal (metrics.Missed, metrics.HitsAt20, metrics.Mrr) (2, 0.0, 0.0) "the rest"

          testCase "nothing has no metrics"
          <| fun () ->
              Expect.invalid "there are no ranks" "metrics" (fun () -> Metrics.ofRanks TieRule.Realistic [||])
              Expect.invalid "there are no mentions" "recall" (fun () -> Metrics.candidateRecall 1 [||])
              Expect.invalid "count is 0" "recall at 0" (fun () -> Metrics.candidateRecall 0 [| 1 |])

          testCase "candidate recall counts golds among the first so many"
          <| fun () ->
              let places = [| 0; 9; 10; -1 |]
              Expect.equal (Metrics.candidateRecall 1 places) (1.0 / 4.0) "at 1"
              Expect.equal (Metrics.candidateRecall 10 places) (2.0 / 4.0) "at 10"
              Expect.equal (Metrics.candidateRecall 100 places) (3.0 / 4.0) "at 100"

          testCase "metrics are written as hits@k, and read back"
          <| fun () ->
              let metrics = Metrics.ofRanks TieRule.Realistic [| sharp 1.0; sharp 3.0; sharp 3.0; Rank.Missing |]
              let text = JsonSerializer.Serialize metrics

              let expected =
                  "{\"mentions\":4,\"missed\":1,\"hits@1\":0.25,\"hits@3\":0.75,\"hits@5\":0.75,\"hits@10\":0.75,"
                  + "\"hits@20\":0.75,\"mrr\":0.41666666666666663,\"mean_rank\":2.3333333333333335}"

              Expect.equal text expected "written"
              Expect.equal (JsonSerializer.Deserialize<Metrics> text) metrics "read back"

          testCase "a mean rank that does not exist is written as null"
          <| fun () ->
              let text = JsonSerializer.Serialize(Metrics.ofRanks TieRule.Realistic [| Rank.Missing |])
              Expect.stringContains text "\"mean_rank\":null" "written"

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 100 }
              "a stricter rule of ties, and a smaller k, never raise a metric"
              (Prop.forAll
                  (Arb.fromGen (
                      Gen.nonEmptyListOf (
                          Gen.map2 (fun a b -> rank (float a) (float (a + b))) (Gen.choose (1, 30)) (Gen.choose (0, 9))
                      )
                  ))
                  (fun ranks ->
                      let under rule = Metrics.ofRanks rule (Array.ofList ranks)

                      let kinder, middle, stricter =
                          under TieRule.Optimistic, under TieRule.Realistic, under TieRule.Pessimistic

                      for more, less in [ kinder, middle; middle, stricter ] do
                          Expect.isGreaterThanOrEqual more.HitsAt1 less.HitsAt1 "hits@1"
                          Expect.isGreaterThanOrEqual more.HitsAt10 less.HitsAt10 "hits@10"
                          Expect.isGreaterThanOrEqual more.Mrr less.Mrr "mrr"

                      let byK = [ middle.HitsAt1; middle.HitsAt3; middle.HitsAt5; middle.HitsAt10; middle.HitsAt20 ]
                      Expect.equal byK (List.sort byK) "hits by k"
                      Expect.isGreaterThanOrEqual middle.Mrr middle.HitsAt1 "mrr is at least hits@1")) ]
