module Dwe.Tests.Host.Features.TfjsToOnnxTests

open System
open System.IO
open System.Runtime.InteropServices
open System.Text
open System.Text.Json
open Expecto
open Dwe.Host.Features.Onnx
open Dwe.Host.Features.Tfjs
open Dwe.Host.Features.Weights
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.Onnx
open Dwe.Tests.Prelude.SharedWeights

/// A constant of the little models: its manifest entry and its bytes.
let private weight (name: string) (shape: int list) (dtype: string) (extra: string) (bytes: byte[]) =
    let axes = String.Join(",", shape)
    $"""{{"name":"{name}","shape":[{axes}],"dtype":"{dtype}"{extra}}}""", bytes, name

let private float32s name shape (values: float32 list) =
    weight name shape "float32" "" (values |> List.map BitConverter.GetBytes |> Array.concat)

let private int32s name shape (values: int list) =
    weight name shape "int32" "" (values |> List.map BitConverter.GetBytes |> Array.concat)

let private node (name: string) (operator: string) (inputs: string list) (attributes: string) =
    let read = String.Join(",", inputs |> List.map (fun input -> $"\"{input}\""))
    $"""{{"name":"{name}","op":"{operator}","input":[{read}],"attr":{{{attributes}}}}}"""

let private input name = node name "Placeholder" [] "\"dtype\":{\"type\":\"DT_FLOAT\"}"

let private integerInput name = node name "Placeholder" [] "\"dtype\":{\"type\":3}"

let private modelOf (nodes: string list) weights =
    let constants =
        weights |> List.map (fun (_, _, name) -> node name "Const" [] "\"dtype\":{\"type\":\"DT_FLOAT\"}")

    let entries = String.Join(",", weights |> List.map (fun (entry, _, _) -> entry))
    let topology = String.Join(",", constants @ nodes)

    let json =
        $"""{{"modelTopology":{{"node":[{topology}]}},"weightsManifest":[{{"paths":["w"],"weights":[{entries}]}}]}}"""

    let bytes = weights |> List.map (fun (_, bytes, _) -> bytes) |> Array.concat
    TfjsModel.Build("test", JsonDocument.Parse(json).RootElement, [| bytes |], Encoding.UTF8.GetBytes json)

let private results nodes weights output inputs = run (TfjsToOnnx.Convert(modelOf nodes weights, [| output |])) inputs

let private floatType = "\"T\":{\"type\":\"DT_FLOAT\"}"

let private integerType = "\"T\":{\"type\":\"DT_INT32\"}"

let private base64 (text: string) = Convert.ToBase64String(Encoding.ASCII.GetBytes text)

let private refused nodes weights output =
    try
        TfjsToOnnx.Convert(modelOf nodes weights, [| output |]) |> ignore
        failtest "nothing was refused"
    with :? UnsupportedGraphException as refused ->
        refused.Message

[<Tests>]
let refusals =
    testList
        "TFJS to ONNX, refusals"
        [ testCase "an unknown operator is refused by its name and its node's"
          <| fun () ->
              let message = refused [ input "x"; node "tower/odd" "Erfinv" [ "x" ] floatType ] [] "tower/odd"
              Expect.stringContains message "Erfinv at node 'tower/odd'" "who"
              Expect.stringContains message "Conv2D" "what is known"

          testCase "an unknown operator that the wanted output does not need is no obstacle"
          <| fun () ->
              let nodes = [ input "x"; node "odd" "Erfinv" [ "x" ] floatType; node "y" "Relu" [ "x" ] floatType ]

              Expect.equal
                  (results nodes [] "y" [ "x", Floats([ 2L ], [ -1f; 2f ]) ])
                  [ Floats([ 2L ], [ 0f; 2f ]) ]
                  "relu"

          testCase "an unknown fused operator is refused by its name"
          <| fun () ->
              let fused = $"""{floatType},"fused_ops":{{"list":{{"s":["{base64 "Elu"}"]}}}}"""
              let nodes = [ input "x"; node "y" "_FusedMatMul" [ "x"; "w" ] fused ]
              Expect.stringContains (refused nodes [ float32s "w" [ 1; 1 ] [ 1f ] ] "y") "fused operator Elu" "which"

          testCase "channels-first layout is refused"
          <| fun () ->
              let layout = $"""{floatType},"data_format":{{"s":"{base64 "NCHW"}"}}"""
              let nodes = [ input "x"; node "y" "BiasAdd" [ "x"; "w" ] layout ]
              Expect.stringContains (refused nodes [ float32s "w" [ 1 ] [ 1f ] ] "y") "data_format NCHW" "which"

          testCase "a file that is no TFJS model is refused by its path"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "model.json")
                  File.WriteAllText(path, """{"modelTopology":{}}""")
                  let read () = TfjsModel.Read path |> ignore

                  Expect.throwsC read (fun problem ->
                      Expect.isTrue (problem :? UserErrorException) "a user error"
                      Expect.stringContains problem.Message path "the path"))

          testCase "weights that end too early are refused by the weight's name"
          <| fun () ->
              let entry, bytes, name = float32s "kernel" [ 2 ] [ 1f; 2f ]
              let build () = modelOf [] [ entry, bytes[..5], name ] |> ignore
              Expect.throwsC build (fun problem -> Expect.stringContains problem.Message "weight kernel" "the weight") ]

[<Tests>]
let operators =
    testList
        "TFJS to ONNX, operators"
        [ testCase "floor division and its remainder round down, for negative integers too"
          <| fun () ->
              let nodes operator = [ integerInput "x"; integerInput "y"; node "z" operator [ "x"; "y" ] integerType ]
              let inputs = [ "x", Integers([ 3L ], [ -7L; 7L; -8L ]); "y", Integers([ 3L ], [ 2L; 2L; 2L ]) ]
              Expect.equal (results (nodes "FloorDiv") [] "z" inputs) [ Integers([ 3L ], [ -4L; 3L; -4L ]) ] "⌊x / y⌋"

              Expect.equal
                  (results (nodes "FloorMod") [] "z" inputs)
                  [ Integers([ 3L ], [ 1L; 1L; 0L ]) ]
                  "x - y ⌊x / y⌋"

          testCase "a strided slice with masks is Python's: x[:, -1] drops the axis, x[::-1] turns it round"
          <| fun () ->
              let slice attributes =
                  [ input "x"; node "y" "StridedSlice" [ "x"; "b"; "e"; "s" ] (floatType + attributes) ]

              let x = [ "x", Floats([ 2L; 3L ], [ 1f; 2f; 3f; 4f; 5f; 6f ]) ]
              let last = ""","begin_mask":{"i":"1"},"end_mask":{"i":"1"},"shrink_axis_mask":{"i":"2"}"""
              let picks = [ int32s "b" [ 2 ] [ 0; -1 ]; int32s "e" [ 2 ] [ 0; 0 ]; int32s "s" [ 2 ] [ 1; 1 ] ]
              Expect.equal (results (slice last) picks "y" x) [ Floats([ 2L ], [ 3f; 6f ]) ] "x[:, -1]"
              let whole = ""","begin_mask":{"i":1},"end_mask":{"i":1}"""
              let turns = [ int32s "b" [ 1 ] [ 0 ]; int32s "e" [ 1 ] [ 0 ]; int32s "s" [ 1 ] [ -1 ] ]

              Expect.equal
                  (results (slice whole) turns "y" x)
                  [ Floats([ 2L; 3L ], [ 4f; 5f; 6f; 1f; 2f; 3f ]) ]
                  "x[::-1]"

          testCase "a slice of size -1 reaches to the end"
          <| fun () ->
              let nodes = [ input "x"; node "y" "Slice" [ "x"; "b"; "n" ] floatType ]
              let weights = [ int32s "b" [ 1 ] [ 1 ]; int32s "n" [ 1 ] [ -1 ] ]

              Expect.equal
                  (results nodes weights "y" [ "x", Floats([ 3L ], [ 1f; 2f; 3f ]) ])
                  [ Floats([ 2L ], [ 2f; 3f ]) ]
                  "x[1:]"

          testCase "SAME padding puts the larger half last: a 1 x 2 sum over 3 pixels sees zero after the third"
          <| fun () ->
              let attributes =
                  $"""{floatType},"padding":{{"s":"{base64 "SAME"}"}},"strides":{{"list":{{"i":["1","1","1","1"]}}}}"""

              let nodes = [ input "x"; node "y" "Conv2D" [ "x"; "k" ] attributes ]
              let kernel = [ float32s "k" [ 1; 2; 1; 1 ] [ 1f; 1f ] ]
              let image = [ "x", Floats([ 1L; 1L; 3L; 1L ], [ 1f; 2f; 3f ]) ]

              Expect.equal
                  (results nodes kernel "y" image)
                  [ Floats([ 1L; 1L; 3L; 1L ], [ 3f; 5f; 3f ]) ]
                  "1+2, 2+3, 3+0"

          testCase "a depthwise filter [1, 1, in, multiplier] gives every channel its own multiples"
          <| fun () ->
              let attributes =
                  $"""{floatType},"padding":{{"s":"{base64 "VALID"}"}},"strides":{{"list":{{"i":["1","1","1","1"]}}}}"""

              let nodes = [ input "x"; node "y" "DepthwiseConv2dNative" [ "x"; "k" ] attributes ]
              let kernel = [ float32s "k" [ 1; 1; 2; 2 ] [ 1f; 10f; 2f; 20f ] ]
              let image = [ "x", Floats([ 1L; 1L; 1L; 2L ], [ 3f; 4f ]) ]

              Expect.equal
                  (results nodes kernel "y" image)
                  [ Floats([ 1L; 1L; 1L; 4L ], [ 3f; 30f; 8f; 80f ]) ]
                  "3, 30, 8, 80"

          testCase "scattered updates of one place add up"
          <| fun () ->
              let nodes = [ input "x"; node "y" "ScatterNd" [ "i"; "x"; "n" ] floatType ]
              let weights = [ int32s "i" [ 3; 1 ] [ 1; 1; 3 ]; int32s "n" [ 1 ] [ 4 ] ]
              let expected = Floats([ 4L ], [ 0f; 3f; 0f; 5f ])

              Expect.equal
                  (results nodes weights "y" [ "x", Floats([ 3L ], [ 1f; 2f; 5f ]) ])
                  [ expected ]
                  "1 + 2 at 1, 5 at 3"

          testCase "sparse values stand in a field of the default"
          <| fun () ->
              let nodes = [ integerInput "x"; node "y" "SparseToDense" [ "i"; "n"; "x"; "d" ] integerType ]
              let weights = [ int32s "i" [ 2; 2 ] [ 0; 1; 1; 0 ]; int32s "n" [ 2 ] [ 2; 2 ]; int32s "d" [] [ -1 ] ]
              let expected = Integers([ 2L; 2L ], [ -1L; 7L; 8L; -1L ])

              Expect.equal
                  (results nodes weights "y" [ "x", Integers([ 2L ], [ 7L; 8L ]) ])
                  [ expected ]
                  "7 at (0,1), 8 at (1,0)"

          testCase "the places of what is true come one per row"
          <| fun () ->
              let greater = node "g" "Greater" [ "x"; "zero" ] floatType
              let nodes = [ input "x"; greater; node "y" "Where" [ "g" ] "" ]
              let x = [ "x", Floats([ 2L; 2L ], [ 0f; 1f; 1f; 0f ]) ]

              Expect.equal
                  (results nodes [ float32s "zero" [] [ 0f ] ] "y" x)
                  [ Integers([ 2L; 2L ], [ 0L; 1L; 1L; 0L ]) ]
                  "(0,1), (1,0)"

          testCase "the later results of an operator are read by number"
          <| fun () ->
              let nodes = [ input "x"; node "top" "TopKV2" [ "x"; "k" ] floatType ]
              let x = [ "x", Floats([ 3L ], [ 5f; 9f; 9f ]) ]
              let k = [ int32s "k" [] [ 2 ] ]
              Expect.equal (results nodes k "top:0" x) [ Floats([ 2L ], [ 9f; 9f ]) ] "values"

              Expect.equal
                  (results nodes k "top:1" x)
                  [ Integers([ 2L ], [ 1L; 2L ]) ]
                  "of equals the first comes first"

          testCase "reducing over no axes changes nothing"
          <| fun () ->
              let nodes = [ input "x"; node "y" "Sum" [ "x"; "a" ] floatType ]

              Expect.equal
                  (results nodes [ int32s "a" [ 0 ] [] ] "y" [ "x", Floats([ 2L ], [ 1f; 2f ]) ])
                  [ Floats([ 2L ], [ 1f; 2f ]) ]
                  "as it was"

          testCase "text attributes may be lists of character codes, and a transposed factor is transposed"
          <| fun () ->
              let codes = String.Join(",", Encoding.ASCII.GetBytes "NHWC" |> Array.map string)
              let product = node "p" "BatchMatMul" [ "x"; "w" ] (floatType + ",\"adj_y\":{\"b\":true}")
              let biased = node "y" "BiasAdd" [ "p"; "b" ] $"""{floatType},"data_format":{{"s":[{codes}]}}"""
              let weights = [ float32s "w" [ 1; 2; 2 ] [ 1f; 2f; 3f; 4f ]; float32s "b" [ 2 ] [ 100f; 200f ] ]
              let x = [ "x", Floats([ 1L; 1L; 2L ], [ 1f; 10f ]) ]

              Expect.equal
                  (results [ input "x"; product; biased ] weights "y" x)
                  [ Floats([ 1L; 1L; 2L ], [ 121f; 243f ]) ]
                  "x wᵀ + b" ]

[<Tests>]
let storedWeights =
    let stored entry =
        results [ input "x"; node "y" "Add" [ "x"; "w" ] floatType ] [ entry ] "y" [ "x", Floats([ 2L ], [ 0f; 0f ]) ]

    testList
        "TFJS weights"
        [ testCase "uint8 weights are stored * scale + min"
          <| fun () ->
              let quantised = ""","quantization":{"dtype":"uint8","scale":0.5,"min":-1}"""

              Expect.equal
                  (stored (weight "w" [ 2 ] "float32" quantised [| 0uy; 5uy |]))
                  [ Floats([ 2L ], [ -1f; 1.5f ]) ]
                  "-1, 5 / 2 - 1"

          testCase "uint16 weights are stored * scale + min"
          <| fun () ->
              let quantised = ""","quantization":{"dtype":"uint16","scale":0.25,"min":1}"""
              let bytes = Array.append (BitConverter.GetBytes 0us) (BitConverter.GetBytes 1000us)

              Expect.equal
                  (stored (weight "w" [ 2 ] "float32" quantised bytes))
                  [ Floats([ 2L ], [ 1f; 251f ]) ]
                  "1, 1000 / 4 + 1"

          testCase "float16 weights are widened"
          <| fun () ->
              let quantised = ""","quantization":{"dtype":"float16"}"""

              let bytes =
                  Array.append
                      (BitConverter.GetBytes(Half.op_Explicit 1.5f: Half))
                      (BitConverter.GetBytes(Half.op_Explicit -2f: Half))

              Expect.equal
                  (stored (weight "w" [ 2 ] "float32" quantised bytes))
                  [ Floats([ 2L ], [ 1.5f; -2f ]) ]
                  "1.5, -2" ]

[<Tests>]
let scripts =
    testList
        "TFJS models as scripts"
        [ testCase "the exported object literal is read as JSON"
          <| fun () ->
              let script =
                  """!function(t){module.exports=t()}(function(){e.exports={a:[-.5,1e-3,!0,!1],"b c":{d:'x'}};f()})"""

              Expect.equal (ScriptLiteral.ToJson script) """{"a":[-0.5,1e-3,true,false],"b c":{"d":"x"}}""" "JSON"

          testCase "the exported text is read from base64"
          <| fun () -> Expect.equal (ScriptLiteral.ToBytes """a.exports="AQID";b""") [| 1uy; 2uy; 3uy |] "bytes"

          testCase "a script that exports neither is refused"
          <| fun () ->
              Expect.throwsT<FormatException> (fun () -> ScriptLiteral.ToJson "var a = 1" |> ignore) "no object"
              Expect.throwsT<FormatException> (fun () -> ScriptLiteral.ToBytes "var a = 1" |> ignore) "no text" ]

let private readFloats path = MemoryMarshal.Cast<byte, float32>(ReadOnlySpan(File.ReadAllBytes path)).ToArray()

/// Greatest difference from TensorFlow.js as a share of the output's greatest value.
let private relativeDifference (got: float32 list) (expected: float32[]) =
    let scale = expected |> Array.map abs |> Array.max
    let worst = Seq.map2 (fun (value: float32) wanted -> abs (value - wanted)) got expected |> Seq.max
    float worst / float scale

[<Tests>]
let visionModels =
    testList
        "TFJS to ONNX, the vision models"
        [ for model in [ "centernet"; "selfie"; "blazeface"; "gear"; "faceres"; "emotion"; "mobilenet_v2_mid" ] do
              testCase $"{model} agrees with TensorFlow.js"
              <| fun () ->
                  let folder = Fixtures.required "fixtures/models/raw"

                  let source =
                      if model = "mobilenet_v2_mid" then
                          Path.Combine(fetched WeightCatalogue.ImageEncoder, "dist", "models", model, "model.min.js")
                      else
                          Path.Combine(fetched WeightCatalogue.HumanModels, "models", model + ".json")

                  use json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, model + ".json")))
                  let entry = json.RootElement.GetProperty "input"
                  let shape = [ for axis in entry.GetProperty("shape").EnumerateArray() -> axis.GetInt64() ]
                  let name = nonNull (entry.GetProperty("name").GetString())
                  let image = Floats(shape, List.ofArray (readFloats (Path.Combine(folder, model + ".in.bin"))))

                  let outputs =
                      [| for output in json.RootElement.GetProperty("outputs").EnumerateArray() ->
                             nonNull (output.GetProperty("name").GetString()) |]

                  let graph = TfjsToOnnx.Convert(TfjsModel.Read source, outputs)

                  for index, got in List.indexed (run graph [ name, image ]) do
                      let expected = readFloats (Path.Combine(folder, $"{model}.out{index}.bin"))

                      match got with
                      | Floats(_, values) ->
                          Expect.equal values.Length expected.Length outputs[index]
                          Expect.isLessThan (relativeDifference values expected) 4e-5 outputs[index]
                      | other -> failtest $"%A{other}" ]
