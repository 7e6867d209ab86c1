module Dwe.Tests.Model.Tensors.NumbersTests

open System
open System.Threading
open Expecto
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Tests.Prelude

/// Runs an action while another thread makes and collects garbage.
let private whileCollecting (action: unit -> unit) =
    use stop = new CancellationTokenSource()

    let churn () =
        while not stop.IsCancellationRequested do
            for _ in 1..1000 do
                GC.KeepAlive(Array.zeroCreate<byte> 1000)

            GC.Collect 0

    let collector = Thread(churn, IsBackground = true)
    collector.Start()

    try
        action ()
    finally
        stop.Cancel()
        collector.Join()

[<Tests>]
let tests =
    testList
        "Numbers"
        [ testCase "sums, the worked example"
          <| fun () ->
              Scope.value (fun () ->
                  let tensor = torch.tensor [| 1.0; 2.0 |]
                  Expect.close (Numbers.plus tensor tensor) [ 1.0 + 1.0; 2.0 + 2.0 ] "tensor and tensor"
                  Expect.close (Numbers.plusNumber 0.5 tensor) [ 1.0 + 0.5; 2.0 + 0.5 ] "tensor and number")

          testSequenced (
              testCase "a sum is right while another thread collects garbage"
              <| fun () ->
                  whileCollecting (fun () ->
                      Scope.value (fun () ->
                          let ones = torch.ones 4L

                          for _ in 1..20_000 do
                              use sum = Numbers.plus ones ones
                              Expect.equal (sum.min().item<float32> ()) 2.0f "1 + 1"))
          ) ]
