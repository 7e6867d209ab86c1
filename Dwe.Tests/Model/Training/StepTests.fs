module Dwe.Tests.Model.Training.StepTests

open System
open System.Text.Json
open Expecto
open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Fusion
open Dwe.Model.Layers
open Dwe.Model.Losses
open Dwe.Model.Tensors
open Dwe.Model.Training
open Dwe.Tests.Prelude.PublishedFixture

let private lossOf (published: Published) (batch: TrainingBatch) =
    Total.published RunConfig.Defaults.Loss (published.Outputs batch.Mentions) batch

/// Twenty published updates: rates, losses, norms and what the weights are in the end.
let private trajectory name precision =
    Scope.value (fun () ->
        let file = open' "optim/optim.safetensors"
        let weights = open' "nel/params_h64.safetensors"

        let scenario =
            (json "optim/optim.json").GetProperty("scenarios").EnumerateArray()
            |> Seq.find (fun scenario -> scenario.GetProperty("name").GetString() = name)

        let arguments = scenario.GetProperty "args"
        let number (key: string) = arguments.GetProperty(key).GetDouble()
        let list (key: string) = [| for value in scenario.GetProperty(key).EnumerateArray() -> value.GetDouble() |]

        let accumulated =
            match arguments.TryGetProperty "accum" with
            | true, count -> count.GetInt32()
            | _ -> 1

        let dtype = Precision.weightType precision
        use net = Net.build (options precision) (Published.recipe sizes64)
        load (fun theirs -> weights.Tensor(theirs, dtype)) net

        let batches =
            [| for i in 0..4 ->
                   unmasked
                       (fun key -> file.Tensor($"data/batch{i}.{key}", dtype))
                       "mention_feature"
                       "text_feature"
                       "total_feature"
                       "segement_feature"
                       "pos"
                       "neg" |]

        let recipe =
            { RunConfig.Defaults.Optimizer with
                Epsilon = number "eps"
                WeightDecay = number "wd" }

        use optimizer = new Optimizer(recipe, net.Weights)
        let schedule = Linear(int (number "warm"), int (number "total"))
        let options = { Rate = number "lr"; Schedule = schedule; ClipNorm = number "clip" }

        let reports =
            [ for step in 0 .. int (number "steps") - 1 ->
                  let own = [ for i in 0 .. accumulated - 1 -> batches[(step * accumulated + i) % 5] ]
                  Step.run net lossOf optimizer options (int64 step) own ]

        let long = if precision = Float64 then "64" else ""
        let relative = if precision = Float64 then 1e-10 else 1e-5
        let column = if precision = Float64 then "float64" else "float32"
        agree 1e-12 [| for report in reports -> report.Rate |] (list "lr") "rates"

        agree
            relative
            [| for report in reports do
                   yield! report.Losses |]
            (list $"loss_{column}")
            "losses"

        agree
            (10.0 * relative)
            [| for report in reports -> report.GradientNorm |]
            (list $"gradnorm_before_clip_{column}")
            "norms"

        for struct (ours, weight) in net.Weights do
            let _, theirs, third = names |> List.find (fun (name, _, _) -> name = ours)

            let expected =
                if file.Has $"{name}/final{long}.{theirs}" then
                    part third (file.Tensor($"{name}/final{long}.{theirs}", torch.float64)) |> values |> Some
                else
                    None

            match expected with
            | Some expected -> agree (100.0 * relative) (values weight) expected $"final {ours}"
            | None -> ()

            let lengths = scenario.GetProperty("param_l2_after_step").GetProperty "final"
            let length = sqrt (Array.sumBy (fun value -> value * value) (values weight))

            if third.IsNone then
                agree 1e-6 [| length |] [| lengths.GetProperty(theirs).GetDouble() |] $"length of {ours}")

let private small = { Text = 6; Image = 5; Hidden = 8; Entity = 7; Heads = 2; Dropout = 0.4 }
let private stepOptions = { Rate = 1e-3; Schedule = Constant; ClipNorm = 1.0 }

let private smallBatch (seed: int64) : TrainingBatch =
    use generator = new torch.Generator(uint64 seed, torch.CPU)
    let tensor (sizes: int64 list) = torch.rand (Array.ofList sizes, generator = generator)
    let mask (sizes: int64 list) = (tensor sizes).gt ((0.3).ToScalar())

    { Mentions =
        { Mention = tensor [ 4L; 6L ]
          Text = tensor [ 4L; 6L ]
          Image = Some { Values = tensor [ 4L; 5L ]; Present = mask [ 4L ] }
          Parts = Some { Values = tensor [ 4L; 3L; 5L ]; Present = mask [ 4L; 3L ] }
          Profile = None
          Tokens = None }
      Positive = tensor [ 4L; 7L ]
      Negative = Some(tensor [ 4L; 1L; 7L ])
      NegativeEntity = None
      Entity = torch.arange 4L }

/// The weights and the report after the first steps from one seed.
let private firstSteps precision seed =
    Scope.value (fun () ->
        use net = Net.build { options precision with Seed = seed } (Published.recipe small)
        use optimizer = new Optimizer(RunConfig.Defaults.Optimizer, net.Weights)
        let run step = Step.run net lossOf optimizer stepOptions step [ smallBatch 1L ]
        let reports = [ run 0L; run 1L ]
        reports, [ for struct (_, weight) in net.Weights -> values weight ])

[<Tests>]
let tests =
    testList
        "Model.Training.Step"
        [ testList
              "the published trajectories"
              [ for name in [ "published_like"; "strong_decay"; "warmup100_default"; "accum2"; "noclip" ] do
                    for precision in [ Float32; Float64 ] do
                        testCase $"{name} in {precision}" <| fun () -> trajectory name precision ]

          for precision in [ Float32; Bf16Mixed ] do
              testCase $"the same seed gives the same first steps, bit for bit, in {precision}; another seed does not"
              <| fun () ->
                  Expect.equal (firstSteps precision 7L) (firstSteps precision 7L) "same seed"
                  Expect.notEqual (firstSteps precision 8L) (firstSteps precision 7L) "another seed"

          testCase "what is dropped depends on the step's number, not on the steps before it"
          <| fun () ->
              Scope.value (fun () ->
                  let after steps =
                      use net = Net.build (options Float32) (Published.recipe small)
                      use optimizer = new Optimizer(RunConfig.Defaults.Optimizer, net.Weights)
                      let still = { stepOptions with Rate = 0.0 }
                      [ for step in steps -> Step.run net lossOf optimizer still step [ smallBatch 1L ] ] |> List.last

                  Expect.equal (after [ 5L ]).Losses (after [ 0L; 1L; 5L ]).Losses "step 5")

          testCase "a step whose gradient is not finite changes nothing and says so"
          <| fun () ->
              Scope.value (fun () ->
                  use net = Net.build (options Float32) (Published.recipe small)
                  use optimizer = new Optimizer(RunConfig.Defaults.Optimizer, net.Weights)
                  let weights () = [ for struct (_, weight) in net.Weights -> values weight ]
                  let before = weights ()
                  let batch = smallBatch 1L
                  let broken = { batch with Positive = batch.Positive * infinity.ToScalar() }
                  let report = Step.run net lossOf optimizer stepOptions 0L [ broken ]
                  Expect.isFalse report.Updated "updated"
                  Expect.equal (weights ()) before "weights"
                  Expect.equal optimizer.Moments["output.weight"].Updates 0L "moments")

          testSequenced
          <| testCase
              "live tensors are flat over a thousand steps, and none is made outside the step's scope"
              (fun () ->
                  use outer = torch.NewDisposeScope()
                  use net = Net.build (options Float32) (Published.recipe small)
                  use optimizer = new Optimizer(RunConfig.Defaults.Optimizer, net.Weights)
                  let batch = smallBatch 1L
                  let run step = Step.run net lossOf optimizer stepOptions step [ batch ] |> ignore

                  for step in 0L .. 4L do
                      run step

                  let statistics = DisposeScopeManager.Statistics.TensorStatistics
                  let live, outside = statistics.ThreadTotalLiveCount, statistics.CreatedOutsideScopeCount
                  let created, held = statistics.CreatedInScopeCount, outer.DisposablesCount
                  run 5L
                  let perStep = statistics.CreatedInScopeCount - created

                  for step in 6L .. 999L do
                      run step

                  Expect.equal statistics.ThreadTotalLiveCount live "live"
                  Expect.equal statistics.CreatedOutsideScopeCount outside "made outside any scope"
                  Expect.equal outer.DisposablesCount held "escaped into the caller's scope"
                  Expect.equal (statistics.CreatedInScopeCount - created) (995L * perStep) "each step makes as many") ]
