module Dwe.Tests.Model.Linking.StatisticsTests

open System
open Expecto
open Dwe.Model.Domain
open Dwe.Model.Linking
open Dwe.Tests.Prelude

let private near (tolerance: float) actual expected message =
    Expect.floatClose { absolute = tolerance; relative = 0.0 } actual expected message

/// So many ones, then zeros.
let private hits ones count = Array.init count (fun index -> if index < ones then 1.0 else 0.0)

[<Tests>]
let tests =
    testList
        "Statistics"
        [ testCase "the interval of a share is about that of the normal distribution"
          <| fun () ->
              // 1.96 √(0.7 · 0.3 / 1000) = 0.0284
              let interval = Statistics.interval 1L 4000 0.95 (hits 700 1000)
              Expect.equal interval.Mean 0.7 "mean"
              near 0.003 interval.Low (0.7 - 0.0284) "low"
              near 0.003 interval.High (0.7 + 0.0284) "high"

          testCase "95 % intervals hold the true share about 95 times of a hundred"
          <| fun () ->
              let random = SeededRandom 5L

              let holds trial =
                  let drawn = Array.init 200 (fun _ -> if random.NextDouble() < 0.4 then 1.0 else 0.0)
                  let interval = Statistics.interval trial 400 0.95 drawn
                  interval.Low <= 0.4 && 0.4 <= interval.High

              let held = Seq.init 300 (int64 >> holds) |> Seq.filter id |> Seq.length
              // 285 expected; four standard deviations are 15.
              Expect.isTrue (held >= 270 && held <= 298) $"{held} of 300"

          testCase "a value that never changes has an interval of no width"
          <| fun () ->
              Expect.equal
                  (Statistics.interval 1L 100 0.9 [| 0.25; 0.25 |])
                  { Mean = 0.25; Low = 0.25; High = 0.25 }
                  "0.25"

          testCase "the same seed gives the same interval, another seed another"
          <| fun () ->
              let values = hits 30 100
              Expect.equal (Statistics.interval 3L 200 0.95 values) (Statistics.interval 3L 200 0.95 values) "same"
              Expect.notEqual (Statistics.interval 3L 200 0.95 values) (Statistics.interval 4L 201 0.95 values) "other"

          testCase "a system compared with itself does not differ"
          <| fun () ->
              let found = Statistics.paired 1L 500 0.95 (hits 3 10) (hits 3 10)
              Expect.equal found { Interval = { Mean = 0.0; Low = 0.0; High = 0.0 }; PValue = 1.0 } "no difference"

          testCase "the p-value is that of all assignments of signs"
          <| fun () ->
              // Six mentions won, none lost: of 2⁶ assignments two are as extreme, p = 1/32.
              let found = Statistics.paired 1L 20_000 0.95 (hits 0 6) (hits 6 6)
              near 0.005 found.PValue (1.0 / 32.0) "six of six"
              // Five won and one lost: 14 of 64 are at least as extreme.
              let found = Statistics.paired 1L 20_000 0.95 [| 0.; 0.; 0.; 0.; 0.; 1. |] [| 1.; 1.; 1.; 1.; 1.; 0. |]
              near 0.01 found.PValue (14.0 / 64.0) "five of six"

          testCase "the order of systems turns the sign and nothing else"
          <| fun () ->
              let left, right = hits 20 60, Array.rev (hits 35 60)
              let forth, back = Statistics.paired 1L 2000 0.95 left right, Statistics.paired 1L 2000 0.95 right left
              near 1e-12 back.Interval.Mean -forth.Interval.Mean "mean"
              near 1e-12 back.Interval.Low -forth.Interval.High "bounds"
              Expect.equal back.PValue forth.PValue "p"

          testCase "p-values of several comparisons are adjusted, the worked example"
          <| fun () ->
              // Sorted 0.01, 0.03, 0.04: 3 · 0.01, 2 · 0.03, and 1 · 0.04 raised to the one before.
              Expect.equal (Statistics.holm [| 0.04; 0.01; 0.03 |]) [| 0.06; 0.03; 0.06 |] "in the order given"
              Expect.equal (Statistics.holm [| 0.9; 0.8 |]) [| 1.0; 1.0 |] "at most 1"
              Expect.equal (Statistics.holm [| 0.02 |]) [| 0.02 |] "a single one stays"
              Expect.equal (Statistics.holm [||]) [||] "none"

          testCase "mean and deviation over seeds, the worked example"
          <| fun () ->
              let struct (mean, deviation) = Statistics.meanAndDeviation [| 1.0; 2.0; 6.0 |]
              Expect.equal mean 3.0 "mean"
              // √((4 + 1 + 9) / 2)
              near 1e-12 deviation.Value (sqrt 7.0) "deviation"
              Expect.equal (Statistics.meanAndDeviation [| 5.0 |]) (struct (5.0, Nullable())) "a single one"

          testCase "what cannot be resampled is refused"
          <| fun () ->
              Expect.invalid "values are none" "nothing" (fun () -> Statistics.interval 1L 10 0.95 [||])
              Expect.invalid "resamples is 0" "no draws" (fun () -> Statistics.interval 1L 0 0.95 [| 1.0 |])
              Expect.invalid "confidence is 1" "certainty" (fun () -> Statistics.interval 1L 10 1.0 [| 1.0 |])

              Expect.invalid "2 values against 1" "lengths" (fun () ->
                  Statistics.paired 1L 9 0.9 [| 1.0 |] [| 1.0; 0.0 |]) ]
