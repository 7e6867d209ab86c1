module Dwe.Tests.Model.Losses.ContrastiveTests

open System
open Expecto
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

let private scale (value: float) = torch.tensor (value, dtype = Nullable torch.float64)

let private bothPresent (present: Tensor) = present.unsqueeze(1L).logical_and (present.unsqueeze 0L)

let private symmetric: LawfulLoss =
    let scaleFor (input: Tensor) = (scale 5.0).``to`` input.dtype

    { Inputs = [ "image"; "text" ]
      PerMention = fun inputs -> Contrastive.symmetric (scaleFor inputs[0]) inputs[0] inputs[1]
      Masked =
        fun present inputs -> Contrastive.symmetricMasked (bothPresent present) (scaleFor inputs[0]) inputs[0] inputs[1]
      Naive =
        fun inputs ->
            let toOthers (from: float[][]) (into: float[][]) i =
                let own = Loops.cosine from[i] into[i]
                Loops.logSumExp [ for row in into -> 5.0 * (Loops.cosine from[i] row - own) ]

            [| for i in 0 .. inputs[0].Length - 1 ->
                   0.5 * (toOthers inputs[0] inputs[1] i + toOthers inputs[1] inputs[0] i) |]
      FreeRows = []
      LeadingAxes = false }

let private decoupled: LawfulLoss =
    { Inputs = [ "left"; "right" ]
      PerMention = fun inputs -> Contrastive.decoupled 0.5 inputs[0] inputs[1]
      Masked = fun present inputs -> Contrastive.decoupledMasked (bothPresent present) 0.5 inputs[0] inputs[1]
      Naive =
        fun inputs ->
            let view (own: float[][]) (other: float[][]) i =
                let negatives = Loops.others (Loops.dot own[i]) i own @ Loops.others (Loops.dot own[i]) i other

                if negatives.IsEmpty then
                    0.0
                else
                    Loops.logSumExp [ for score in negatives -> score / 0.5 ] - Loops.dot own[i] other[i] / 0.5

            [| for i in 0 .. inputs[0].Length - 1 -> 0.5 * (view inputs[0] inputs[1] i + view inputs[1] inputs[0] i) |]
      FreeRows = []
      LeadingAxes = false }

let private property = Matrices.property 2

[<Tests>]
let tests =
    testList
        "Contrastive"
        [ Expect.lawfulLoss "symmetric contrast" symmetric
          Expect.lawfulLoss "decoupled contrast" decoupled

          testCase "symmetric contrast, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let image = Matrices.tensor [| [| 2.0; 0.0 |]; [| 0.0; 1.0 |] |]
                  let text = Matrices.tensor [| [| 3.0; 4.0 |]; [| 0.0; 5.0 |] |]
                  // Cosines: image 0 with the texts 0.6 and 0; image 1 with the texts 0.8 and 1. Scale 10.
                  let expected =
                      [ 0.5 * (log (1.0 + exp (10.0 * (0.0 - 0.6))) + log (1.0 + exp (10.0 * (0.8 - 0.6))))
                        0.5 * (log (1.0 + exp (10.0 * (0.8 - 1.0))) + log (1.0 + exp (10.0 * (0.0 - 1.0)))) ]

                  Expect.close (Contrastive.symmetric (scale 10.0) image text) expected "image to text and back")

          testCase "decoupled contrast, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let left = Matrices.tensor [| [| 1.0 |]; [| 2.0 |] |]
                  let right = Matrices.tensor [| [| 3.0 |]; [| -1.0 |] |]
                  // T = 0.5. Products: l0l1 = 2, l0r0 = 3, l0r1 = -1, l1r0 = 6, l1r1 = -2, r0r1 = -3.
                  let expected =
                      [ 0.5 * (log (exp (2.0 / 0.5) + exp (-1.0 / 0.5)) - 3.0 / 0.5)
                        + 0.5 * (log (exp (6.0 / 0.5) + exp (-3.0 / 0.5)) - 3.0 / 0.5)
                        0.5 * (log (exp (2.0 / 0.5) + exp (6.0 / 0.5)) - -2.0 / 0.5)
                        + 0.5 * (log (exp (-1.0 / 0.5) + exp (-3.0 / 0.5)) - -2.0 / 0.5) ]

                  Expect.close (Contrastive.decoupled 0.5 left right) expected "both views")

          testCase "a batch of one has nothing to be told from"
          <| fun () ->
              Scope.value (fun () ->
                  let one = Matrices.tensor [| [| 1.0; 2.0 |] |]
                  Expect.close (Contrastive.symmetric (scale 10.0) one one) [ 0.0 ] "symmetric"
                  Expect.close (Contrastive.decoupled 0.5 one one) [ 0.0 ] "decoupled")

          testCase "the scale gets a gradient"
          <| fun () ->
              Scope.value (fun () ->
                  let image = Matrices.tensor [| [| 1.0; 0.0 |]; [| 0.0; 1.0 |] |]
                  let loss (inputs: Tensor[]) = Reduction.mean (Contrastive.symmetric inputs[0] image image)
                  // Each term is log(1 + exp(-s)), whose slope is -1 / (1 + exp s).
                  let slope = -1.0 / (1.0 + exp 2.0)
                  Expect.close (Expect.gradient loss (scale 2.0)) [ slope ] "slope")

          testCase "a mask that is not bool is refused"
          <| fun () ->
              Scope.value (fun () ->
                  let one = Matrices.tensor [| [| 1.0; 2.0 |] |]
                  let mask = torch.ones (1L, 1L)

                  Expect.invalid "counts is of type Float32, expected bool" "mask" (fun () ->
                      Contrastive.symmetricMasked mask (scale 1.0) one one))

          testCase "a temperature of 0 is refused"
          <| fun () ->
              Scope.value (fun () ->
                  let one = Matrices.tensor [| [| 1.0; 2.0 |] |]
                  Expect.invalid "temperature is 0" "temperature" (fun () -> Contrastive.decoupled 0.0 one one))

          property "symmetric contrast is the same with image and text exchanged" (fun inputs ->
              let forth = Contrastive.symmetric (scale 5.0) inputs[0] inputs[1]
              let back = Contrastive.symmetric (scale 5.0) inputs[1] inputs[0]
              Expect.close forth (List.ofArray (Expect.values back)) "exchanged")

          property "decoupled contrast is the same with the views exchanged" (fun inputs ->
              let forth = Contrastive.decoupled 0.5 inputs[0] inputs[1]
              let back = Contrastive.decoupled 0.5 inputs[1] inputs[0]
              Expect.close forth (List.ofArray (Expect.values back)) "exchanged")

          property "symmetric contrast does not depend on lengths" (fun inputs ->
              let plain = Contrastive.symmetric (scale 5.0) inputs[0] inputs[1]
              let scaled = Contrastive.symmetric (scale 5.0) (inputs[0] * Numbers.scalar 7.5) inputs[1]
              Expect.close scaled (List.ofArray (Expect.values plain)) "scaled") ]
