module Dwe.Tests.Model.Linking.CalibrationTests

open Expecto
open Dwe.Model.Linking
open Dwe.Tests.Prelude

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

          testCase "what is no probability is refused"
          <| fun () ->
              Expect.invalid "a probability is 1.5" "above 1" (fun () -> Calibration.bins 10 [| 1.5 |] [| true |])
              Expect.invalid "a probability is NaN" "NaN" (fun () -> Calibration.bins 10 [| nan |] [| true |])
              Expect.invalid "bins is 0" "no bins" (fun () -> Calibration.bins 0 [||] [||])
              Expect.invalid "2 answers for 1" "lengths" (fun () -> Calibration.bins 1 [| 0.5 |] [| true; true |])
              Expect.invalid "there are no bins" "nothing" (fun () -> Calibration.error [||]) ]
