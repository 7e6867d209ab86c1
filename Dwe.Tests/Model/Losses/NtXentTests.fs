module Dwe.Tests.Model.Losses.NtXentTests

open Expecto
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

let private loss: LawfulLoss =
    { Inputs = [ "left"; "right" ]
      PerMention = fun inputs -> NtXent.perMention 0.1 inputs[0] inputs[1]
      Masked =
        fun present inputs ->
            let both = present.unsqueeze(1L).logical_and (present.unsqueeze 0L)
            NtXent.perMentionMasked both 0.1 inputs[0] inputs[1]
      Naive =
        fun inputs ->
            let view (own: float[][]) (other: float[][]) i =
                let cosine = Loops.cosine own[i]
                let gold = cosine other[i]
                let negatives = Loops.others cosine i own @ Loops.others cosine i other
                Loops.logSumExp (0.0 :: [ for score in negatives -> (score - gold) / 0.1 ])

            [| for i in 0 .. inputs[0].Length - 1 -> 0.5 * (view inputs[0] inputs[1] i + view inputs[1] inputs[0] i) |]
      FreeRows = []
      LeadingAxes = false }

let private property = Matrices.property 2

[<Tests>]
let tests =
    testList
        "NtXent"
        [ Expect.lawfulLoss "NT-Xent" loss

          testCase "NT-Xent, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let left = Matrices.tensor [| [| 1.0; 0.0 |]; [| 0.0; 2.0 |] |]
                  let right = Matrices.tensor [| [| 3.0; 4.0 |]; [| 0.0; 1.0 |] |]
                  // T = 0.5. Cosines: l0r0 = 0.6, l1r1 = 1, l0l1 = 0, l0r1 = 0, l1r0 = 0.8, r0r1 = 0.8.
                  let term gold negatives =
                      -log(exp (gold / 0.5)
                           / (exp (gold / 0.5) + List.sumBy (fun score -> exp (score / 0.5)) negatives))

                  let expected =
                      [ 0.5 * (term 0.6 [ 0.0; 0.0 ] + term 0.6 [ 0.8; 0.8 ])
                        0.5 * (term 1.0 [ 0.0; 0.8 ] + term 1.0 [ 0.8; 0.0 ]) ]

                  Expect.close (NtXent.perMention 0.5 left right) expected "both views")

          testCase "a temperature of 0 is refused"
          <| fun () ->
              Scope.value (fun () ->
                  let one = Matrices.tensor [| [| 1.0; 2.0 |] |]
                  Expect.invalid "temperature is 0" "temperature" (fun () -> NtXent.perMention 0.0 one one))

          property "it is the same with the views exchanged" (fun inputs ->
              let forth = NtXent.perMention 0.1 inputs[0] inputs[1]
              let back = NtXent.perMention 0.1 inputs[1] inputs[0]
              Expect.close forth (List.ofArray (Expect.values back)) "exchanged")

          property "lengths do not matter" (fun inputs ->
              let plain = NtXent.perMention 0.1 inputs[0] inputs[1]
              let scaled = NtXent.perMention 0.1 (inputs[0] * Numbers.scalar 7.5) inputs[1]
              Expect.close scaled (List.ofArray (Expect.values plain)) "scaled")

          property "it is at least the symmetric contrast at the same temperature" (fun inputs ->
              // More negatives, same gold.
              let factor = torch.tensor (10.0, dtype = System.Nullable torch.float64)
              let symmetric = Contrastive.symmetric factor inputs[0] inputs[1]
              let difference = NtXent.perMention 0.1 inputs[0] inputs[1] - symmetric
              Expect.all (Expect.values difference) (fun more -> more >= -1e-12) "difference") ]
