module Dwe.Tests.Model.Losses.ReductionTests

open Expecto
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

[<Tests>]
let tests =
    testList
        "Reduction"
        [ testCase "sum, mean and masked mean, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let values = torch.tensor [| 1.0; 2.0; 6.0 |]
                  Expect.close (Reduction.sum values) [ 1.0 + 2.0 + 6.0 ] "sum"
                  Expect.close (Reduction.mean values) [ (1.0 + 2.0 + 6.0) / 3.0 ] "mean"
                  let mask = torch.tensor [| true; false; true |]
                  Expect.close (Reduction.maskedMean mask values) [ (1.0 + 6.0) / 2.0 ] "masked mean")

          testCase "a masked mean of nothing is 0 with zero gradient"
          <| fun () ->
              Scope.value (fun () ->
                  let mask = torch.tensor [| false; false |]
                  let mean (inputs: Tensor[]) = Reduction.maskedMean mask inputs[0]
                  let values = torch.tensor [| 1.0; 2.0 |]
                  Expect.close (mean [| values |]) [ 0.0 ] "value"
                  Expect.close (Expect.gradient mean values) [ 0.0; 0.0 ] "gradient")

          testCase "a NaN shows in the mean, and in the masked mean only when it counts"
          <| fun () ->
              Scope.value (fun () ->
                  let values = torch.tensor [| 1.0; nan |]
                  Expect.isTrue (System.Double.IsNaN(Numbers.value (Reduction.mean values))) "mean"
                  let masked (mask: bool[]) = Reduction.maskedMean (torch.tensor mask) values
                  Expect.isTrue (System.Double.IsNaN(Numbers.value (masked [| false; true |]))) "counted"
                  Expect.close (masked [| true; false |]) [ 1.0 ] "not counted")

          testCase "no value, another shape, or a mask of numbers are refused"
          <| fun () ->
              Scope.value (fun () ->
                  let values = torch.tensor [| 1.0; 2.0 |]
                  Expect.invalid @"values is \[0\]" "mean of none" (fun () -> Reduction.mean (torch.empty 0L))
                  Expect.invalid @"values is \[0\]" "sum of none" (fun () -> Reduction.sum (torch.empty 0L))

                  Expect.invalid @"mask is \[1\] but values is \[2\]" "shape" (fun () ->
                      Reduction.maskedMean (torch.tensor [| true |]) values)

                  Expect.invalid "mask is of type Float64, expected bool" "type" (fun () ->
                      Reduction.maskedMean values values)) ]
