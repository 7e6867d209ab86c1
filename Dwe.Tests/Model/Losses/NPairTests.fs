module Dwe.Tests.Model.Losses.NPairTests

open Expecto
open FsCheck.FSharp
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

let private rows (values: float list list) = values |> List.map Array.ofList |> Array.ofList |> Matrices.tensor

/// Mask of pairs of mentions that both take part.
let private bothPresent (present: Tensor) = present.unsqueeze(1L).logical_and (present.unsqueeze 0L)

/// log(1 + Σ_j exp(s_ij - s_i)) over lists of scores.
let private naive (gold: float) (negatives: float list) =
    Loops.logSumExp (0.0 :: [ for negative in negatives -> negative - gold ])

let private sampled: LawfulLoss =
    { Inputs = [ "query"; "gold"; "negative" ]
      PerMention = fun inputs -> NPair.perMention Similarity.Dot (Sampled inputs[2]) inputs[0] inputs[1]
      Masked =
        fun present inputs ->
            Scores.ofVectors Similarity.Dot (Sampled inputs[2]) inputs[0] inputs[1]
            |> Scores.keep (bothPresent present)
            |> NPair.ofScores
      Naive =
        fun inputs ->
            Array.map2
                (fun query gold ->
                    naive (Loops.dot query gold) [ for negative in inputs[2] -> Loops.dot query negative ])
                inputs[0]
                inputs[1]
      FreeRows = [ "negative" ]
      LeadingAxes = false }

/// Two negatives of its own for each mention: the given row and its mirror image.
let private mirrored (negative: Tensor) = torch.stack ([| negative; negative.flip -1L |], 1L)

let private own: LawfulLoss =
    { Inputs = [ "query"; "gold"; "negative" ]
      PerMention = fun inputs -> NPair.perMention Similarity.Cosine (Own(mirrored inputs[2])) inputs[0] inputs[1]
      Masked = fun _ inputs -> NPair.perMention Similarity.Cosine (Own(mirrored inputs[2])) inputs[0] inputs[1]
      Naive =
        fun inputs ->
            Array.map3
                (fun query gold negative ->
                    naive
                        (Loops.cosine query gold)
                        [ Loops.cosine query negative; Loops.cosine query (Array.rev negative) ])
                inputs[0]
                inputs[1]
                inputs[2]
      FreeRows = []
      LeadingAxes = false }

let private inBatch: LawfulLoss =
    { Inputs = [ "query"; "gold" ]
      PerMention = fun inputs -> NPair.perMention Similarity.Cosine InBatch inputs[0] inputs[1]
      Masked =
        fun present inputs ->
            Scores.ofVectors Similarity.Cosine InBatch inputs[0] inputs[1]
            |> Scores.keep (bothPresent present)
            |> NPair.ofScores
      Naive =
        fun inputs ->
            Array.mapi2
                (fun i query gold -> naive (Loops.cosine query gold) (Loops.others (Loops.cosine query) i inputs[1]))
                inputs[0]
                inputs[1]
      FreeRows = []
      LeadingAxes = false }

let private inBatchAndSampled: LawfulLoss =
    { Inputs = [ "query"; "gold"; "negative" ]
      PerMention = fun inputs -> NPair.perMention Similarity.Dot (InBatchAndSampled inputs[2]) inputs[0] inputs[1]
      Masked =
        fun present inputs ->
            let both = bothPresent present

            Scores.ofVectors Similarity.Dot (InBatchAndSampled inputs[2]) inputs[0] inputs[1]
            |> Scores.keep (torch.cat ([| both; both |], 1L))
            |> NPair.ofScores
      Naive =
        fun inputs ->
            Array.mapi2
                (fun i query gold ->
                    let sampled = [ for negative in inputs[2] -> Loops.dot query negative ]
                    naive (Loops.dot query gold) (Loops.others (Loops.dot query) i inputs[1] @ sampled))
                inputs[0]
                inputs[1]
      FreeRows = [ "negative" ]
      LeadingAxes = false }

let private l2: LawfulLoss =
    { Inputs = [ "query"; "gold" ]
      PerMention = fun inputs -> NPair.l2 inputs[0] inputs[1]
      Masked = fun _ inputs -> NPair.l2 inputs[0] inputs[1]
      Naive =
        fun inputs -> Array.map2 (fun query gold -> Loops.dot query query + Loops.dot gold gold) inputs[0] inputs[1]
      FreeRows = []
      LeadingAxes = false }

[<Tests>]
let tests =
    testList
        "NPair"
        [ Expect.lawfulLoss "N-pair with shared sampled negatives" sampled
          Expect.lawfulLoss "N-pair with own negatives" own
          Expect.lawfulLoss "N-pair with in-batch negatives" inBatch
          Expect.lawfulLoss "N-pair with in-batch and sampled negatives" inBatchAndSampled
          Expect.lawfulLoss "the l2 term" l2

          testCase "N-pair, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let query = rows [ [ 1.0; 0.0 ]; [ 0.0; 2.0 ] ]
                  let gold = rows [ [ 1.0; 1.0 ]; [ 0.0; 1.0 ] ]
                  let negative = rows [ [ 0.0; 1.0 ]; [ 3.0; 0.5 ] ]
                  // Scores of the gold: 1 and 2; of the negatives: 0 and 3 for the first mention, 2 and 1 for the second.
                  let expected =
                      [ log (1.0 + exp (0.0 - 1.0) + exp (3.0 - 1.0)); log (1.0 + exp (2.0 - 2.0) + exp (1.0 - 2.0)) ]

                  Expect.close (NPair.perMention Similarity.Dot (Sampled negative) query gold) expected "shared"

                  let ownExpected = [ log (1.0 + exp (0.0 - 1.0)); log (1.0 + exp (1.0 - 2.0)) ]
                  let own = negative.unsqueeze 1L
                  Expect.close (NPair.perMention Similarity.Dot (Own own) query gold) ownExpected "own"

                  // Gold of the other mention: 0 for the first, 2 for the second.
                  let inBatchExpected = [ log (1.0 + exp (0.0 - 1.0)); log (1.0 + exp (2.0 - 2.0)) ]
                  Expect.close (NPair.perMention Similarity.Dot InBatch query gold) inBatchExpected "in-batch")

          testCase "the l2 term, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let query, gold = rows [ [ 1.0; 2.0 ]; [ 0.0; 3.0 ] ], rows [ [ 0.0; 1.0 ]; [ 2.0; 2.0 ] ]
                  Expect.close (NPair.l2 query gold) [ 1.0 + 4.0 + 0.0 + 1.0; 0.0 + 9.0 + 4.0 + 4.0 ] "per mention")

          testCase "a negative that is the mention's own entity does not count"
          <| fun () ->
              Scope.value (fun () ->
                  let query = rows [ [ 1.0; 0.0 ]; [ 0.0; 2.0 ] ]
                  let gold = rows [ [ 1.0; 1.0 ]; [ 0.0; 1.0 ] ]
                  let negative = rows [ [ 0.0; 1.0 ]; [ 3.0; 0.5 ] ]
                  // Mention 0 is entity 7, mention 1 is entity 8; the sampled negatives are 8 (its own for mention 1) and 9.
                  let mask = Scores.differentEntity (torch.tensor [| 7L; 8L |]) (torch.tensor [| 8L; 9L |])

                  let losses =
                      Scores.ofVectors Similarity.Dot (Sampled negative) query gold
                      |> Scores.keep mask
                      |> NPair.ofScores

                  let expected = [ log (1.0 + exp (0.0 - 1.0) + exp (3.0 - 1.0)); log (1.0 + exp (1.0 - 2.0)) ]
                  Expect.close losses expected "masked")

          testCase "two mentions of one entity in a batch are not each other's negatives"
          <| fun () ->
              Scope.value (fun () ->
                  let query = rows [ [ 1.0; 0.0 ]; [ 0.0; 2.0 ]; [ 1.0; 1.0 ] ]
                  let gold = rows [ [ 1.0; 1.0 ]; [ 1.0; 1.0 ]; [ 0.0; 1.0 ] ]
                  let ids = torch.tensor [| 7L; 7L; 8L |]

                  let losses =
                      Scores.ofVectors Similarity.Dot InBatch query gold
                      |> Scores.keep (Scores.differentEntity ids ids)
                      |> NPair.ofScores

                  let expected =
                      [ log (1.0 + exp (0.0 - 1.0)); log (1.0 + exp (2.0 - 2.0)); log (1.0 + 2.0 * exp (2.0 - 1.0)) ]

                  Expect.close losses expected "masked")

          testCase "a temperature divides all scores"
          <| fun () ->
              Scope.value (fun () ->
                  let query, gold = rows [ [ 1.0; 0.0 ] ], rows [ [ 1.0; 1.0 ] ]
                  let negative = rows [ [ 3.0; 0.0 ] ]
                  let factor = torch.tensor (1.0 / 0.5, dtype = System.Nullable torch.float64)

                  let losses =
                      Scores.ofVectors Similarity.Dot (Sampled negative) query gold
                      |> Scores.times factor
                      |> NPair.ofScores

                  Expect.close losses [ log (1.0 + exp ((3.0 - 1.0) / 0.5)) ] "scaled")

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 50 }
              "cosine N-pair does not depend on lengths"
              (Prop.forAll (Matrices.arbitrary 3) (fun matrices ->
                  Scope.value (fun () ->
                      let inputs = Matrices.tensors matrices
                      let loss query = NPair.perMention Similarity.Cosine (Sampled inputs[2]) query inputs[1]
                      let scaled = loss (inputs[0] * Numbers.scalar 7.5)
                      Expect.close scaled (List.ofArray (Expect.values (loss inputs[0]))) "scaled"))) ]
