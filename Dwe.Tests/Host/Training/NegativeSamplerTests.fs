module Dwe.Tests.Host.Training.NegativeSamplerTests

open System
open System.IO
open System.Threading
open Dwe.Host.Checkpoints
open Dwe.Host.Commands
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

/// Trains on the sample, small and quick, and says how it ended.
let private train (out: string) (options: string list) (stop: CancellationToken) =
    let words =
        if List.contains "--resume" options then
            [ "train"; "--out"; out; "--resume" ]
        else
            let settings =
                [ "model.hidden=32"
                  "model.heads=4"
                  "training.epochs=3"
                  "training.batch_size=6"
                  "training.evaluate_every_epochs=3" ]
                @ options

            [ "train"; "--preset"; "sample"; "--out"; out ]
            @ [ for setting in settings do
                    "--set"
                    setting ]

    match CommandLine.Parse(Array.ofList words) with
    | Ok(Command.Train request) -> TrainCommand.Run(request, stop)
    | other -> failtest $"not understood: {other}"

let private weights out = File.ReadAllBytes(Path.Combine(out, "checkpoints", "last", "weights.safetensors"))

let private mined out = Path.Combine(out, "checkpoints", "last", "mined.safetensors")

[<Tests>]
let tests =
    testSequenced
    <| testList
        "the sampled negatives of a training"
        [ testCase "a training on nearest negatives that was stopped inside of an epoch ends with the same bits"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let sampler = [ "loss.negative_sampler=nearest"; "loss.nearest_pool=3" ]
                  let whole, stopped = Path.Combine(folder, "whole"), Path.Combine(folder, "stopped")
                  Expect.equal (train whole sampler CancellationToken.None) 0 "whole"

                  /// Stops inside of an epoch, sooner or later.
                  let rec stopInside (milliseconds: float) =
                      if Directory.Exists stopped then
                          Directory.Delete(stopped, true)

                      use stop = new CancellationTokenSource(TimeSpan.FromMilliseconds milliseconds)
                      train stopped sampler stop.Token |> ignore

                      if not (File.Exists(mined stopped)) then
                          stopInside (milliseconds * 1.3)

                  stopInside 150.0
                  let state = Checkpoint.ReadState(Path.Combine(stopped, "checkpoints", "last"))
                  Expect.isGreaterThan state.StepInEpoch 0 "inside of an epoch"
                  Expect.equal (train stopped [ "--resume" ] CancellationToken.None) 0 "gone on"
                  Expect.isTrue (weights stopped = weights whole) "the same weights"
                  Expect.isFalse (File.Exists(mined whole)) "nothing mined is kept between epochs")

          testCase "which sampler is set changes what is learned"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let learned sampler =
                      let out = Path.Combine(folder, sampler)

                      Expect.equal
                          (train out [ $"loss.negative_sampler={sampler}"; "training.epochs=1" ] CancellationToken.None)
                          0
                          sampler

                      weights out

                  let all = List.map learned [ "random"; "tf-idf"; "nearest"; "candidates" ]

                  Expect.hasLength
                      (List.distinctBy (fun (bytes: byte[]) -> Convert.ToHexString bytes) all)
                      4
                      "four trainings")

          testCase "a sampler by type is refused where no entity has one"
          <| fun () ->
              Folder.temporary (fun folder ->
                  (fun () ->
                      train (Path.Combine(folder, "run")) [ "loss.negative_sampler=same-type" ] CancellationToken.None
                      |> ignore)
                  |> Refusal.isSpelled
                      "loss.negative_sampler is same-type, but no entity states its type. Set loss.negative_sampler=random.")

          testCase "every preset is a configuration, and those of the data sets draw by TF-IDF"
          <| fun () ->
              for name, rate, epochs in
                  [ "wikimel", 5e-5, 300
                    "richpediamel", 5e-4, 300
                    "wikidiverse", 5e-6, 500
                    "wikiperson", 5e-5, 300 ] do
                  let config = ConfigSources.Read { Preset = name; File = null; Set = [||] }
                  Expect.equal (config.Optimizer.LearningRate, config.Training.Epochs) (rate, epochs) name
                  Expect.equal config.Loss.NegativeSampler SharedWords name ]
