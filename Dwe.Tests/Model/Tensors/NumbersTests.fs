module Dwe.Tests.Model.Tensors.NumbersTests

open System
open System.IO
open System.Text.RegularExpressions
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

          testCase "a number is read from any dtype, and from one number alone"
          <| fun () ->
              Scope.value (fun () ->
                  for dtype in [ torch.float64; torch.float32; torch.bfloat16; torch.int64; torch.int8 ] do
                      Expect.equal (Numbers.value (torch.tensor([| 3.0 |]).``to`` dtype)) 3.0 $"{dtype}"

                  Expect.equal (Numbers.value (torch.tensor [| true |])) 1.0 "bool"
                  Expect.equal (Numbers.value ((torch.ones (3L, requires_grad = true)).sum ())) 3.0 "with a gradient"

                  Expect.throwsT<ArgumentException> (fun () -> Numbers.value (torch.ones 2L) |> ignore) "two numbers")

          testCase "no number is read through a Scalar of its own"
          <| fun () ->
              let through = Regex @"\.(item|ToDouble|ToSingle|ToInt64|ToScalar)(<\w+>)?\s?\(\)"

              let found =
                  [ for folder in [ "Dwe.Model"; "Dwe.Host" ] do
                        for file in
                            Directory.GetFiles(
                                Path.Combine(Fixtures.repository, folder),
                                "*.?s",
                                SearchOption.AllDirectories
                            ) do
                            for line in File.ReadLines file do
                                if through.IsMatch line && not (line.Contains "let scalar (value: float)") then
                                    $"{file}: {line}" ]

              Expect.equal found [] "see Numbers.value"

          testSequenced (
              testCase "a sum is right while another thread collects garbage"
              <| fun () ->
                  whileCollecting (fun () ->
                      Scope.value (fun () ->
                          let ones = torch.ones 4L

                          for _ in 1..20_000 do
                              use sum = Numbers.plus ones ones
                              Expect.equal (Numbers.value (sum.min ())) 2.0 "1 + 1"))
          ) ]
