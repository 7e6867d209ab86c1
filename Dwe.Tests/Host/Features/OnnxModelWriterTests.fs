module Dwe.Tests.Host.Features.OnnxModelWriterTests

open Expecto
open Dwe.Host.Features.Onnx
open Dwe.Tests.Prelude.Onnx

let private graphOf inputs outputs constants nodes =
    let graph = OnnxGraph "test"
    graph.Inputs.AddRange(inputs: OnnxValue list)
    graph.Outputs.AddRange(outputs: OnnxValue list)

    for name, tensor in constants do
        graph.Constants.Add(name, tensor)

    graph.Nodes.AddRange(nodes: OnnxNode list)
    graph

let private floats name = OnnxValue(name, ElementType.Float32)

let private integers name = OnnxValue(name, ElementType.Int64)

[<Tests>]
let roundTrip =
    testList
        "ONNX writer"
        [ testCase "a product with a constant matrix computes, with an open batch axis"
          <| fun () ->
              let rows =
                  OnnxValue(
                      "x",
                      ElementType.Float32,
                      [| OnnxDimension(System.Nullable(), "n"); OnnxDimension(System.Nullable 2L, "") |]
                  )

              let weights = OnnxTensor.Of([| 1f; 10f; 2f; 20f |], 2L, 2L)

              let graph =
                  graphOf
                      [ rows ]
                      [ floats "y" ]
                      [ "w", weights ]
                      [ OnnxNode("MatMul", [| "x"; "w" |], [| "y" |], [||]) ]

              let expected = Floats([ 3L; 2L ], [ 1f; 10f; 2f; 20f; 3f; 30f ])
              Expect.equal (run graph [ "x", Floats([ 3L; 2L ], [ 1f; 0f; 0f; 1f; 1f; 1f ]) ]) [ expected ] "x w"

          testCase "integer, float and text attributes arrive"
          <| fun () ->
              let leaky = OnnxNode("LeakyRelu", [| "x" |], [| "a" |], [| OnnxAttribute.Of("alpha", 0.25f) |])
              let turned = OnnxNode("Transpose", [| "a" |], [| "b" |], [| OnnxAttribute.Of("perm", [| 1L; 0L |]) |])
              let last = OnnxNode("Softmax", [| "b" |], [| "s" |], [| OnnxAttribute.Of("axis", 0L) |])
              let shaped = OnnxNode("Sum", [| "b"; "s" |], [| "y" |], [||])
              let graph = graphOf [ floats "x" ] [ floats "y" ] [] [ leaky; turned; last; shaped ]
              // leaky: [-1, 4]; turned to a column; softmax of one row is taken down the column.
              let column = [ -1f; 4f ]
              let total = column |> List.sumBy exp
              let expected = column |> List.map (fun value -> value + exp value / total)

              match run graph [ "x", Floats([ 1L; 2L ], [ -4f; 4f ]) ] with
              | [ Floats([ 2L; 1L ], got) ] ->
                  for value, wanted in List.zip got expected do
                      Expect.floatClose Accuracy.medium (float value) (float wanted) "leaky + softmax"
              | other -> failtest $"%A{other}"

          testCase "integer constants, negative ones too, and an omitted optional input arrive"
          <| fun () ->
              let slice = OnnxNode("Slice", [| "x"; "starts"; "ends"; ""; "steps" |], [| "y" |], [||])
              let vector (value: int64) = OnnxTensor.Vector value
              let constants = [ "starts", vector -1L; "ends", vector System.Int64.MinValue; "steps", vector -2L ]
              let graph = graphOf [ integers "x" ] [ integers "y" ] constants [ slice ]

              Expect.equal
                  (run graph [ "x", Integers([ 4L ], [ 1L; 2L; 3L; 4L ]) ])
                  [ Integers([ 2L ], [ 4L; 2L ]) ]
                  "x[::-2]"

          testCase "an operator of the runtime's own domain is found"
          <| fun () ->
              let fused =
                  OnnxNode(
                      "FusedMatMul",
                      [| "x"; "x" |],
                      [| "y" |],
                      [| OnnxAttribute.Of("transB", 1L) |],
                      OnnxModelWriter.RuntimeDomain
                  )

              let graph = graphOf [ floats "x" ] [ floats "y" ] [] [ fused ]
              Expect.equal (run graph [ "x", Floats([ 1L; 2L ], [ 3f; 4f ]) ]) [ Floats([ 1L; 1L ], [ 25f ]) ] "x xᵀ"

          testCase "the bytes do not depend on the order in which constants were added"
          <| fun () ->
              let constants = [ "a", OnnxTensor.Scalar 1f; "b", OnnxTensor.Scalar 2f ]
              let nodes = [ OnnxNode("Add", [| "a"; "b" |], [| "y" |], [||]) ]
              let bytes constants = OnnxModelWriter.ToBytes(graphOf [] [ floats "y" ] constants nodes)
              Expect.equal (bytes (List.rev constants)) (bytes constants) "bytes" ]
