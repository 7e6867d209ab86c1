/// Runs small ONNX graphs, for tests of what writes them.
module Dwe.Tests.Prelude.Onnx

open System
open Dwe.Host.Features.Onnx
open Microsoft.ML.OnnxRuntime

/// A tensor going in or coming out.
type Tensor =
    | Floats of shape: int64 list * values: float32 list
    | Integers of shape: int64 list * values: int64 list

let private toValue tensor =
    match tensor with
    | Floats(shape, values) -> OrtValue.CreateTensorValueFromMemory(Array.ofList values, Array.ofList shape)
    | Integers(shape, values) -> OrtValue.CreateTensorValueFromMemory(Array.ofList values, Array.ofList shape)

let private ofValue (value: OrtValue) =
    let description = value.GetTensorTypeAndShape()
    let shape = List.ofArray description.Shape

    match description.ElementDataType with
    | Tensors.TensorElementType.Float -> Floats(shape, List.ofArray (value.GetTensorDataAsSpan<float32>().ToArray()))
    | Tensors.TensorElementType.Int64 -> Integers(shape, List.ofArray (value.GetTensorDataAsSpan<int64>().ToArray()))
    | other -> invalidOp $"no test reads {other}"

/// The graph's outputs, in their order.
let run (graph: OnnxGraph) (inputs: (string * Tensor) list) =
    use options = new SessionOptions(LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR)
    use session = new InferenceSession(OnnxModelWriter.ToBytes graph, options)
    use settings = new RunOptions()
    let values = inputs |> List.map (snd >> toValue)

    try
        use outputs = session.Run(settings, List.map fst inputs, values, session.OutputNames)
        outputs |> Seq.map ofValue |> List.ofSeq
    finally
        values |> List.iter (fun value -> (value :> IDisposable).Dispose())
