module Dwe.Tests.Model.Training.OptimizerTests

open System
open System.Collections.Generic
open Expecto
open TorchSharp
open Dwe.Model.Config
open Dwe.Model.Tensors
open Dwe.Model.Training
open Dwe.Tests.Prelude.PublishedFixture

let private leaf (tensor: Tensor) = tensor.requires_grad_ true

[<Tests>]
let tests =
    testList
        "Model.Training.Optimizer"
        [ for precision, suffix, relative in [ Float64, "64", 1e-12; Float32, "", 1e-6 ] do
              testCase $"Hugging Face's AdamW, six updates with moments, in {precision}"
              <| fun () ->
                  Scope.value (fun () ->
                      let file = open' "optim/optim.safetensors"
                      let dtype = Precision.weightType precision
                      let start name = leaf (file.Tensor($"adamw/in.{name}", dtype))
                      let weights = List<struct (string * Tensor)>()

                      for ours, theirs in [ "matrix", "w"; "layer.bias", "b"; "unused", "unused" ] do
                          weights.Add(struct (ours, start theirs))

                      use optimizer = new Optimizer({ RunConfig.Defaults.Optimizer with WeightDecay = 0.1 }, weights)
                      let before = let struct (_, unused) = weights[2] in values unused

                      for step in 0..5 do
                          for i, theirs in [ 0, "w"; 1, "b" ] do
                              let struct (_, weight) = weights[i]
                              weight.grad <- file.Tensor($"adamw/grad.step{step}.{theirs}", dtype)

                          optimizer.Update(0.01, 1.0)

                          for i, theirs in [ 0, "w"; 1, "b" ] do
                              let struct (name, weight) = weights[i]

                              let same (actual: Tensor) key =
                                  agree
                                      relative
                                      (values actual)
                                      (file.Values $"adamw/{key}{suffix}.step{step}.{theirs}")
                                      key

                              same weight "out"
                              same optimizer.Moments[name].First "exp_avg"
                              same optimizer.Moments[name].Second "exp_avg_sq"

                      let struct (_, unused) = weights[2]
                      Expect.sequenceEqual (values unused) before "no gradient, no decay"
                      Expect.equal optimizer.Moments["unused"].Updates 0L "no gradient, no update")

          testCase "the decoupled form is torch.optim.AdamW"
          <| fun () ->
              Scope.value (fun () ->
                  let file = open' "optim/optim.safetensors"
                  let start () = leaf (file.Tensor("adamw/in.w", torch.float64))
                  let ours, theirs = start (), new Modules.Parameter(start ())
                  let options = { RunConfig.Defaults.Optimizer with Kind = AdamW; WeightDecay = 0.1 }
                  use optimizer = new Optimizer(options, [| struct ("matrix", ours) |])
                  use torchs = torch.optim.AdamW([ theirs ], lr = 0.01, weight_decay = 0.1)

                  for step in 0..5 do
                      let gradient = file.Tensor($"adamw/grad.step{step}.w", torch.float64)
                      ours.grad <- gradient
                      theirs.grad <- gradient
                      optimizer.Update(0.01, 1.0)
                      torchs.step () |> ignore
                      agree 1e-12 (values ours) (values theirs) $"step {step}")

          testCase "a gradient scaled in the update is a gradient scaled before it"
          <| fun () ->
              Scope.value (fun () ->
                  let run factor scale =
                      let weight = leaf (torch.tensor [| 1.0; -2.0 |])
                      use optimizer = new Optimizer(RunConfig.Defaults.Optimizer, [| struct ("matrix", weight) |])

                      for step in 1..3 do
                          weight.grad <- torch.tensor [| factor * float step; factor |]
                          optimizer.Update(0.1, scale)

                      values weight

                  agree 1e-12 (run 1.0 0.25) (run 0.25 1.0) "scaled")

          testCase "published groups decay norms and the logit scale; the sensible group decays matrices only"
          <| fun () ->
              Scope.value (fun () ->
                  let decays group =
                      [ for name, sizes in
                            [ "text.linear.weight", [| 2L; 2L |]
                              "text.linear.bias", [| 2L |]
                              "text.norm.weight", [| 2L |]
                              "attention.value.bias", [| 2L |]
                              "logit_scale", [||] ] do
                            let options = { RunConfig.Defaults.Optimizer with Decay = group }

                            if DecayRule.decays options.Decay name (torch.zeros sizes) then
                                name ]

                  Expect.equal
                      (decays AllButBiases)
                      [ "text.linear.weight"; "text.norm.weight"; "logit_scale" ]
                      "published"

                  Expect.equal (decays MatricesOnly) [ "text.linear.weight" ] "sensible") ]
