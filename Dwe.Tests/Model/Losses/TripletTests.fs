module Dwe.Tests.Model.Losses.TripletTests

open Expecto
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

let private rows (values: float list list) = values |> List.map Array.ofList |> Array.ofList |> Matrices.tensor

let private hinge margin gold negative = max 0.0 (margin + negative - gold)

let private single: LawfulLoss =
    { Inputs = [ "anchor"; "positive"; "negative" ]
      PerMention = fun inputs -> Triplet.perMention 0.2 inputs[0] inputs[1] inputs[2]
      Masked = fun _ inputs -> Triplet.perMention 0.2 inputs[0] inputs[1] inputs[2]
      Naive =
        fun inputs ->
            Array.map3
                (fun anchor positive negative ->
                    hinge 0.2 (Loops.cosine anchor positive) (Loops.cosine anchor negative))
                inputs[0]
                inputs[1]
                inputs[2]
      FreeRows = []
      LeadingAxes = true }

let private published: LawfulLoss =
    let cosine left right = Loops.dot left right / (Loops.length left * Loops.length right + 1e-5)

    { single with
        PerMention = fun inputs -> Triplet.published 0.2 inputs[0] inputs[1] inputs[2]
        Masked = fun _ inputs -> Triplet.published 0.2 inputs[0] inputs[1] inputs[2]
        Naive =
            fun inputs ->
                Array.map3
                    (fun anchor positive negative -> hinge 0.2 (cosine anchor positive) (cosine anchor negative))
                    inputs[0]
                    inputs[1]
                    inputs[2] }

let private shared: LawfulLoss =
    let scores (inputs: Tensor[]) = Scores.ofVectors Similarity.Dot (Sampled inputs[2]) inputs[0] inputs[1]

    { Inputs = [ "query"; "gold"; "negative" ]
      PerMention = fun inputs -> scores inputs |> Triplet.ofScores 0.5
      Masked =
        fun present inputs ->
            let both = present.unsqueeze(1L).logical_and (present.unsqueeze 0L)
            scores inputs |> Scores.keep both |> Triplet.ofScores 0.5
      Naive =
        fun inputs ->
            Array.map2
                (fun query gold ->
                    inputs[2]
                    |> Array.averageBy (fun negative -> hinge 0.5 (Loops.dot query gold) (Loops.dot query negative)))
                inputs[0]
                inputs[1]
      FreeRows = [ "negative" ]
      LeadingAxes = false }

let private property = Matrices.property 3

[<Tests>]
let tests =
    testList
        "Triplet"
        [ Expect.lawfulLoss "triplet" single
          Expect.lawfulLoss "the published triplet" published
          Expect.lawfulLoss "triplet with shared negatives" shared

          testCase "triplet, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let anchor = rows [ [ 1.0; 0.0 ]; [ 1.0; 0.0 ]; [ 2.0; 0.0 ] ]
                  let positive = rows [ [ 3.0; 4.0 ]; [ 1.0; 0.0 ]; [ 3.0; 4.0 ] ]
                  let negative = rows [ [ 4.0; 3.0 ]; [ 0.0; 1.0 ]; [ 1.0; 0.0 ] ]
                  // Distances to the positive: 1 - 0.6, 0, 1 - 0.6; to the negative: 1 - 0.8, 1, 0.
                  let expected = [ 0.25 + (1.0 - 0.6) - (1.0 - 0.8); 0.0; 0.25 + (1.0 - 0.6) - 0.0 ]
                  Expect.close (Triplet.perMention 0.25 anchor positive negative) expected "hinge")

          testCase "only negatives that count are averaged"
          <| fun () ->
              Scope.value (fun () ->
                  let scores =
                      { Gold = torch.tensor [| 1.0; 1.0 |]
                        Negative = rows [ [ 0.9; 1.5; 9.0 ]; [ 0.0; 0.9; 9.0 ] ]
                        Counts = torch.tensor([| true; true; false; true; true; false |]).reshape (2L, 3L) }

                  let expected = [ (0.2 + 0.9 - 1.0 + (0.2 + 1.5 - 1.0)) / 2.0; (0.0 + (0.2 + 0.9 - 1.0)) / 2.0 ]
                  Expect.close (Triplet.ofScores 0.2 scores) expected "two of three")

          testCase "a margin below 0 is refused"
          <| fun () ->
              Scope.value (fun () ->
                  let one = rows [ [ 1.0 ] ]
                  Expect.invalid "margin is -0.1" "margin" (fun () -> Triplet.perMention -0.1 one one one))

          property "an anchor that is its own positive loses at most the margin" (fun inputs ->
              let anchor = inputs[0] |> Numbers.plusNumber 4.0 // away from zero, which is not its own neighbour
              let worst = (Triplet.perMention 0.2 anchor anchor inputs[2]).max () |> Numbers.value
              Expect.isLessThanOrEqual worst (0.2 + 1e-12) "h(a, a, n)")

          property "the hinge grows with the margin, at most as fast" (fun inputs ->
              let at margin = Triplet.perMention margin inputs[0] inputs[1] inputs[2]
              let growth = Expect.values (at 0.5 - at 0.2)
              Expect.all growth (fun change -> change >= 0.0 && change <= 0.3 + 1e-12) "0.2 to 0.5")

          property "lengths do not matter" (fun inputs ->
              let scaled =
                  Triplet.perMention 0.2 (inputs[0] * Numbers.scalar 3.0) inputs[1] (inputs[2] * Numbers.scalar 0.5)

              let plain = Triplet.perMention 0.2 inputs[0] inputs[1] inputs[2]
              Expect.close scaled (List.ofArray (Expect.values plain)) "scaled") ]
