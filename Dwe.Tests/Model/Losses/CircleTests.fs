module Dwe.Tests.Model.Losses.CircleTests

open Expecto
open FsCheck.FSharp
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

/// The formula, for the similarities of one mention.
let private naive scale margin (golds: float list) (negatives: float list) =
    let pull = [ for gold in golds -> -scale * max 0.0 (1.0 + margin - gold) * (gold - (1.0 - margin)) ]
    let push = [ for negative in negatives -> scale * max 0.0 (negative + margin) * (negative - margin) ]
    Loops.softplus (Loops.logSumExp pull + Loops.logSumExp push)

/// A row and its mirror image: two items for each mention.
let private mirrored (rows: Tensor) = torch.stack ([| rows; rows.flip -1L |], 1L)

let private own similarity score : LawfulLoss =
    let compute (inputs: Tensor[]) =
        Circle.perMention 16.0 0.25 similarity inputs[0] (mirrored inputs[1]) (mirrored inputs[2])

    { Inputs = [ "query"; "golds"; "negatives" ]
      PerMention = compute
      Masked = fun _ inputs -> compute inputs
      Naive =
        fun inputs ->
            Array.map3
                (fun query gold negative ->
                    naive
                        16.0
                        0.25
                        [ score query gold; score query (Array.rev gold) ]
                        [ score query negative; score query (Array.rev negative) ])
                inputs[0]
                inputs[1]
                inputs[2]
      FreeRows = []
      LeadingAxes = false }

let private shared: LawfulLoss =
    { Inputs = [ "query"; "golds"; "negatives" ]
      PerMention = fun inputs -> Circle.shared 16.0 0.5 Similarity.Cosine inputs[0] inputs[1] inputs[2]
      Masked =
        fun present inputs ->
            let both = present.unsqueeze(1L).logical_and (present.unsqueeze 0L)
            let golds = Similarity.matrix Similarity.Cosine inputs[0] inputs[1]
            let negatives = Similarity.matrix Similarity.Cosine inputs[0] inputs[2]
            Circle.ofSimilarities 16.0 0.5 golds both negatives both
      Naive =
        fun inputs ->
            inputs[0]
            |> Array.map (fun query ->
                naive
                    16.0
                    0.5
                    [ for gold in inputs[1] -> Loops.cosine query gold ]
                    [ for negative in inputs[2] -> Loops.cosine query negative ])
      FreeRows = [ "query"; "golds"; "negatives" ]
      LeadingAxes = false }

let private oneGold: LawfulLoss =
    let scores (inputs: Tensor[]) = Scores.ofVectors Similarity.Cosine InBatch inputs[0] inputs[1]

    { Inputs = [ "query"; "gold" ]
      PerMention = fun inputs -> scores inputs |> Circle.ofScores 8.0 0.25
      Masked =
        fun present inputs ->
            let both = present.unsqueeze(1L).logical_and (present.unsqueeze 0L)
            scores inputs |> Scores.keep both |> Circle.ofScores 8.0 0.25
      Naive =
        fun inputs ->
            Array.mapi2
                (fun i query gold ->
                    match Loops.others (Loops.cosine query) i inputs[1] with
                    | [] -> 0.0
                    | others -> naive 8.0 0.25 [ Loops.cosine query gold ] others)
                inputs[0]
                inputs[1]
      FreeRows = []
      LeadingAxes = false }

[<Tests>]
let tests =
    testList
        "Circle"
        [ Expect.lawfulLoss "circle on cosine with own items" (own Similarity.Cosine Loops.cosine)
          Expect.lawfulLoss "circle on dot products with own items" (own Similarity.Dot Loops.dot)
          Expect.lawfulLoss "circle with shared items" shared
          Expect.lawfulLoss "circle with in-batch negatives" oneGold

          testCase "circle, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let query = Matrices.tensor [| [| 1.0; 0.0 |] |]
                  let golds = torch.tensor([| 3.0; 4.0; 4.0; 3.0 |]).reshape (1L, 2L, 2L)
                  let negatives = torch.tensor([| 0.0; 1.0 |]).reshape (1L, 1L, 2L)
                  // Cosines 0.6 and 0.8 with the golds, 0 with the negative; γ = 2, m = 0.25.
                  let pull = [ -2.0 * (1.25 - 0.6) * (0.6 - 0.75); -2.0 * (1.25 - 0.8) * (0.8 - 0.75) ]
                  let push = 2.0 * (0.0 + 0.25) * (0.0 - 0.25)
                  let expected = log (1.0 + (exp pull[0] + exp pull[1]) * exp push)

                  Expect.close
                      (Circle.perMention 2.0 0.25 Similarity.Cosine query golds negatives)
                      [ expected ]
                      "circle")

          testCase "a margin of 0 is a margin of 0"
          <| fun () ->
              Scope.value (fun () ->
                  let row = Matrices.tensor [| [| 1.0 |] |]
                  let half = Matrices.tensor [| [| 0.5 |] |]
                  // p = 0.5: α = 0.5, distance from 1; n = 0.5: β = 0.5.
                  let expected = log (1.0 + exp (4.0 * 0.5 * 0.5) * exp (4.0 * 0.5 * 0.5))
                  Expect.close (Circle.shared 4.0 0.0 Similarity.Dot row half half) [ expected ] "m = 0")

          testCase "a scale of 0 is refused"
          <| fun () ->
              Scope.value (fun () ->
                  let row = Matrices.tensor [| [| 1.0 |] |]
                  Expect.invalid "scale is 0" "scale" (fun () -> Circle.shared 0.0 0.25 Similarity.Dot row row row))

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 50 }
              "circle on cosine does not depend on lengths"
              (Prop.forAll (Matrices.arbitrary 3) (fun matrices ->
                  Scope.value (fun () ->
                      let inputs = Matrices.tensors matrices
                      let loss query = Circle.shared 16.0 0.25 Similarity.Cosine query inputs[1] inputs[2]
                      let scaled = loss (inputs[0] * Numbers.scalar 7.5)
                      Expect.close scaled (List.ofArray (Expect.values (loss inputs[0]))) "scaled"))) ]
