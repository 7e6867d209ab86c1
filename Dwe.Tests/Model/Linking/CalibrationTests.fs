module Dwe.Tests.Model.Linking.CalibrationTests

open Expecto
open FsCheck.FSharp
open Dwe.Model.Linking
open Dwe.Tests.Prelude

/// Tables of two to four candidates, with whether the best of each row is right.
let private someTables =
    gen {
        let! width = Gen.choose (2, 4)
        let! rows = Gen.choose (1, 6)
        let! scores = Gen.listOfLength (width * rows) (Gen.choose (-20, 20))
        let! right = Gen.listOfLength rows (Gen.elements [ true; true; false ])

        let table: ScoreTable =
            { Scores = [| for score in scores -> float32 score / 8f |]
              Width = width
              Counts = [||] }

        return table, Array.ofList right
    }

/// -log p of the right and -log (1 - p) of the wrong, as they are written.
let private unlikeliness temperature (table: ScoreTable) (right: bool[]) =
    [ for probability, isRight in Array.zip (Calibration.stated temperature table) right ->
          -log(if isRight then probability else 1.0 - probability) ]
    |> List.average

[<Tests>]
let tests =
    testList
        "Calibration"
        [ testCase "bins and their error, the worked example"
          <| fun () ->
              let bins = Calibration.bins 2 [| 0.25; 0.5; 0.75; 1.0 |] [| false; true; false; true |]

              Expect.equal
                  bins
                  [| { Count = 1; Stated = 0.25; Right = 0.0 }; { Count = 3; Stated = 0.75; Right = 2.0 / 3.0 } |]
                  "a bin begins with its lower bound; 1 belongs to the last"

              let expected = 1.0 / 4.0 * 0.25 + 3.0 / 4.0 * (0.75 - 2.0 / 3.0)
              Expect.floatClose Accuracy.high (Calibration.error bins) expected "error"

          testCase "who is always sure and always right is calibrated"
          <| fun () -> Expect.equal (Calibration.error (Calibration.bins 10 [| 1.0; 1.0 |] [| true; true |])) 0.0 "sure"

          testCase "the best score and its share of softmax leave padding out, the worked example"
          <| fun () ->
              let table: ScoreTable =
                  { Scores = [| 1f; 3f; 9f; 9f; 9f; 9f |]
                    Width = 3
                    Counts = [| true; true; false; false; false; false |] }

              Expect.equal (Calibration.best table) [| 3.0; -infinity |] "of two, of none"
              let stated = Calibration.stated 2.0 table
              Expect.floatClose Accuracy.high stated[0] (1.0 / (1.0 + exp -1.0)) "exp(3/2) / (exp(1/2) + exp(3/2))"
              Expect.equal stated[1] 0.0 "none"

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 100 }
              "no temperature makes what is stated likelier than the one that is found"
              (Prop.forAll (Arb.fromGen someTables) (fun (table, right) ->
                  match Calibration.temperature right table with
                  | None -> failtest "every row has two candidates"
                  | Some found ->
                      let best = unlikeliness found table right

                      for step in -30 .. 30 do
                          let other = unlikeliness (10.0 ** (float step / 10.0)) table right
                          Expect.isLessThanOrEqual best (other + 1e-7) $"10^({step}/10) beside {found}"))

          testCase "scores that are multiplied ask for a temperature that is multiplied"
          <| fun () ->
              let table: ScoreTable = { Scores = [| 1f; 0f; 0f; 1f; 1f; 0f |]; Width = 2; Counts = [||] }
              let right = [| true; false; true |]
              let times factor = { table with Scores = Array.map ((*) factor) table.Scores }
              // Two of three right, one apart: exp(1 / T) = 2.
              let found = (Calibration.temperature right table).Value
              Expect.floatClose Accuracy.medium found (1.0 / log 2.0) "1 / ln 2"

              Expect.floatClose
                  Accuracy.medium
                  (Calibration.temperature right (times 8f)).Value
                  (8.0 * found)
                  "eightfold"

          testCase "the always wrong is flattened, and the always right sharpened, to the bounds"
          <| fun () ->
              let table: ScoreTable = { Scores = [| 1f; 0f |]; Width = 2; Counts = [||] }
              Expect.floatClose Accuracy.high (Calibration.temperature [| false |] table).Value 1e3 "wrong"
              Expect.equal (Calibration.temperature [| true |] table) (Some 1e-3) "right"
              let alone = { table with Counts = [| true; false |] }
              Expect.equal (Calibration.temperature [| true |] alone) None "no rival, no temperature"

          testCase "Brier's score, the worked example"
          <| fun () ->
              let found = Calibration.brier [| 1.0; 0.5; 0.25 |] [| true; false; true |]
              Expect.floatClose Accuracy.high found ((0.0 + 0.25 + 0.5625) / 3.0) "mean of squares"

          testCase "tables and golds that do not fit are refused"
          <| fun () ->
              let table: ScoreTable = { Scores = [| 1f; 0f |]; Width = 2; Counts = [| true; false |] }
              Expect.invalid "2 answers for 1" "lengths" (fun () -> Calibration.temperature [| true; true |] table)
              Expect.invalid "temperature is 0" "cold" (fun () -> Calibration.stated 0.0 table)
              Expect.invalid "expected as many and some" "none" (fun () -> Calibration.brier [||] [||])

          testCase "what is no probability is refused"
          <| fun () ->
              Expect.invalid "a probability is 1.5" "above 1" (fun () -> Calibration.bins 10 [| 1.5 |] [| true |])
              Expect.invalid "a probability is NaN" "NaN" (fun () -> Calibration.bins 10 [| nan |] [| true |])
              Expect.invalid "bins is 0" "no bins" (fun () -> Calibration.bins 0 [||] [||])
              Expect.invalid "2 answers for 1" "lengths" (fun () -> Calibration.bins 1 [| 0.5 |] [| true; true |])
              Expect.invalid "there are no bins" "nothing" (fun () -> Calibration.error [||]) ]
