/// How fast texts are encoded by the embedded sentence encoder.
module Dwe.Tests.Benchmarks.TextBench

open System.IO
open System.Text.Json
open Dwe.Host.Features.Text
open Dwe.Host.Features.Weights
open Dwe.Tests.Prelude

/// The sample's training sentences: about 15 words each.
let private sentences =
    lazy
        let path = Path.Combine(Fixtures.repository, "data", "samples", "train.json")
        use json = JsonDocument.Parse(File.ReadAllText path)
        [| for record in json.RootElement.EnumerateObject() -> string (record.Value.GetProperty("sentence").GetString()) |]

let run () =
    for threads in [ 1; 2 ] do
        use encoder = UseTextEncoder.Open(WeightCache.OfThisMachine(), TextEncoderOptions(Threads = threads))

        let speed = TextEncoderBenchmark.Measure(encoder, sentences.Value, 5)
        printfn $"  sentence encoder, {threads} thread(s): %6.0f{speed.MedianPerSecond} texts/s"
