module Dwe.Tests.Model.Losses.SimilarityTests

open Expecto
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

let private rows (values: float list list) = values |> List.map Array.ofList |> Array.ofList |> Matrices.tensor

let private pairs similarity (score: float[] -> float[] -> float) : LawfulLoss =
    { Inputs = [ "left"; "right" ]
      PerMention = fun inputs -> Similarity.pairs similarity inputs[0] inputs[1]
      Masked = fun _ inputs -> Similarity.pairs similarity inputs[0] inputs[1]
      Naive = fun inputs -> Array.map2 score inputs[0] inputs[1]
      FreeRows = []
      LeadingAxes = true }

let private shrunk: LawfulLoss =
    { pairs Similarity.Cosine Loops.cosine with
        PerMention = fun inputs -> Similarity.shrunkCosine 1e-5 inputs[0] inputs[1]
        Masked = fun _ inputs -> Similarity.shrunkCosine 1e-5 inputs[0] inputs[1]
        Naive =
            fun inputs ->
                Array.map2
                    (fun left right -> Loops.dot left right / (Loops.length left * Loops.length right + 1e-5))
                    inputs[0]
                    inputs[1] }

let private property = Matrices.property 2

[<Tests>]
let tests =
    testList
        "Similarity"
        [ Expect.lawfulLoss "cosine of pairs" (pairs Similarity.Cosine Loops.cosine)
          Expect.lawfulLoss "dot product of pairs" (pairs Similarity.Dot Loops.dot)
          Expect.lawfulLoss "the published cosine" shrunk

          testCase "similarities, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let left, right = rows [ [ 1.0; 0.0 ]; [ 0.0; 2.0 ] ], rows [ [ 3.0; 4.0 ]; [ 0.0; 5.0 ] ]
                  Expect.close (Similarity.pairs Similarity.Dot left right) [ 3.0; 10.0 ] "dot of pairs"
                  Expect.close (Similarity.pairs Similarity.Cosine left right) [ 0.6; 1.0 ] "cosine of pairs"
                  Expect.close (Similarity.matrix Similarity.Dot left right) [ 3.0; 0.0; 8.0; 10.0 ] "dot matrix"
                  Expect.close (Similarity.matrix Similarity.Cosine left right) [ 0.6; 0.0; 0.8; 1.0 ] "cosine matrix"
                  let items = right.unsqueeze 1L
                  Expect.close (Similarity.each Similarity.Cosine left items) [ 0.6; 1.0 ] "cosine with own items"
                  Expect.close (Similarity.shrunkCosine 0.5 left right) [ 3.0 / 5.5; 10.0 / 10.5 ] "shrunk")

          testCase "a zero vector has cosine 0 with everything"
          <| fun () ->
              Scope.value (fun () ->
                  let zero, any = rows [ [ 0.0; 0.0 ] ], rows [ [ 3.0; 4.0 ] ]
                  Expect.close (Similarity.pairs Similarity.Cosine zero any) [ 0.0 ] "with another"
                  Expect.close (Similarity.pairs Similarity.Cosine zero zero) [ 0.0 ] "with itself")

          testCase "one item for one mention keeps both axes"
          <| fun () ->
              Scope.value (fun () ->
                  let query = rows [ [ 1.0; 2.0 ] ]
                  let each similarity = Similarity.each similarity query (query.unsqueeze 1L)
                  Expect.shape (each Similarity.Dot) [ 1L; 1L ] "dot"
                  Expect.shape (each Similarity.Cosine) [ 1L; 1L ] "cosine")

          testCase "items of another batch or another dim are refused by name"
          <| fun () ->
              Scope.value (fun () ->
                  let query = torch.ones (4L, 8L)

                  Expect.invalid @"items is \[4; 3; 7\] but query is \[4; 8\]" "dim" (fun () ->
                      Similarity.each Similarity.Dot query (torch.ones (4L, 3L, 7L)))

                  Expect.invalid @"items is \[5; 3; 8\] but query is \[4; 8\]" "batch" (fun () ->
                      Similarity.each Similarity.Dot query (torch.ones (5L, 3L, 8L)))

                  Expect.invalid @"items is \[0; 8\], expected \[_; _\]" "empty" (fun () ->
                      Similarity.matrix Similarity.Dot query (torch.ones (0L, 8L))))

          testCase "lengths by p, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let difference = rows [ [ 3.0; -4.0 ] ]
                  Expect.close (Similarity.lpNorm 1.0 difference) [ 7.0 ] "p = 1"
                  Expect.close (Similarity.lpNorm 2.0 difference) [ 5.0 ] "p = 2"
                  Expect.close (Similarity.lpNorm 3.0 difference) [ 91.0 ** (1.0 / 3.0) ] "p = 3"
                  Expect.close (Similarity.signedPowerRoot 1 difference) [ -1.0 ] "the published sum, p = 1"

                  Expect.isTrue
                      (System.Double.IsNaN(Numbers.value (Similarity.signedPowerRoot 3 difference)))
                      "the published root, p = 3")

          testCase "the length of the zero vector is 0 with zero gradient"
          <| fun () ->
              Scope.value (fun () ->
                  for power in [ 1.0; 2.0; 3.0; 4.0 ] do
                      let length (inputs: Tensor[]) = (Similarity.lpNorm power inputs[0]).sum ()
                      let zero = rows [ [ 0.0; 0.0 ] ]
                      Expect.close (length [| zero |]) [ 0.0 ] $"length, p = {power}"
                      Expect.close (Expect.gradient length zero) [ 0.0; 0.0 ] $"gradient, p = {power}")

          property "the matrix holds the pairs on its diagonal" (fun inputs ->
              for similarity in [ Similarity.Dot; Similarity.Cosine ] do
                  let diagonal = (Similarity.matrix similarity inputs[0] inputs[1]).diagonal ()

                  Expect.close
                      diagonal
                      (List.ofArray (Expect.values (Similarity.pairs similarity inputs[0] inputs[1])))
                      "diagonal")

          property "own items that are the same for all give the matrix" (fun inputs ->
              for similarity in [ Similarity.Dot; Similarity.Cosine ] do
                  let rows = inputs[1].shape[0]
                  let items = inputs[1].unsqueeze(0L).expand (rows, rows, inputs[1].shape[1])
                  let own = Similarity.each similarity inputs[0] items

                  Expect.close
                      own
                      (List.ofArray (Expect.values (Similarity.matrix similarity inputs[0] inputs[1])))
                      "own")

          property "cosine does not depend on lengths" (fun inputs ->
              let plain = Similarity.pairs Similarity.Cosine inputs[0] inputs[1]

              let scaled =
                  Similarity.pairs Similarity.Cosine (inputs[0] * Numbers.scalar 7.5) (inputs[1] * Numbers.scalar 0.1)

              Expect.close scaled (List.ofArray (Expect.values plain)) "scaled")

          property "distances obey the triangle inequality" (fun inputs ->
              for power in [ 1.0; 1.5; 2.0; 3.0; 4.0 ] do
                  let sum = Similarity.lpNorm power (Numbers.plus inputs[0] inputs[1])
                  let parts = Numbers.plus (Similarity.lpNorm power inputs[0]) (Similarity.lpNorm power inputs[1])
                  Expect.all (Expect.values (parts - sum)) (fun slack -> slack >= -1e-9) $"p = {power}") ]
