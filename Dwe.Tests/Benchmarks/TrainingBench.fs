/// How fast a training step is, beside what the machine's products reach in the same run. Not a test:
/// `dotnet Dwe.Tests.dll bench training`.
module Dwe.Tests.Benchmarks.TrainingBench

open System
open System.Diagnostics
open TorchSharp
open Dwe.Model
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Fusion
open Dwe.Model.Layers
open Dwe.Model.Losses
open Dwe.Model.Tensors
open Dwe.Model.Training

/// Multiplications and additions of one mention in the published form, forward and backward: 44 products of d² thrice.
let private publishedWork = 132.0 * 512.0 * 512.0

/// The fastest tenth of timed runs of `action`, in seconds, after some untimed ones: other people use the machine too, and
/// what they cost shows in the median.
let private fast warmUps runs (action: int -> unit) =
    for run in 0 .. warmUps - 1 do
        action run

    let times =
        [| for run in 0 .. runs - 1 do
               let watch = Stopwatch.StartNew()
               action run
               watch.Elapsed.TotalSeconds |]

    (Array.sort times)[runs / 10]

/// GFLOP/s of a square product.
let private fastProduct (dtype: torch.ScalarType) =
    use _ = torch.NewDisposeScope()
    let size = 2048L
    let left, right = torch.rand(size, size).``to`` dtype, torch.rand(size, size).``to`` dtype
    let seconds = fast 3 20 (fun _ -> use _ = torch.matmul (left, right) in ())
    2.0 * float size ** 3.0 / seconds / 1e9

/// Seconds of a step, and the process's peak memory in megabytes while steps were timed; None where the system does not tell.
type private StepCost = { Seconds: float; Peak: float option }

/// A full collection first, so that what another phase left does not count.
let private costOf (measure: unit -> float) =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    let fromNow = Timing.countPeakAnew ()
    let seconds = measure ()

    { Seconds = seconds
      Peak = (if fromNow then Some(Timing.peakMegabytes ()) else None) }

let private peakOf (cost: StepCost) =
    cost.Peak |> Option.map (fun peak -> $", peak {peak:F0} MB") |> Option.defaultValue ""

/// The most that a step of `dwe` may take, in steps of `published`.
let private bound = 2.0

let private batch rows =
    let rows, size, parts = rows, 512L, 4L
    let normal (sizes: int64 list) = torch.randn (Array.ofList sizes)
    let present (sizes: int64 list) = torch.ones (Array.ofList sizes, dtype = Nullable torch.bool)

    { Mentions =
        { Mention = normal [ rows; size ]
          Text = normal [ rows; size ]
          Image = Some { Values = normal [ rows; size ]; Present = present [ rows ] }
          Parts = Some { Values = normal [ rows; parts; size ]; Present = present [ rows; parts ] }
          Profile = None
          Tokens = None }
      Positive = normal [ rows; size ] * (0.05).ToScalar()
      Negative = Some(normal [ rows; 1L; size ] * (0.05).ToScalar())
      NegativeEntity = None
      Entity = torch.arange rows }

let private step rate precision =
    use _ = torch.NewDisposeScope()

    let sizes =
        { Text = 512
          Image = 512
          Hidden = 512
          Entity = 512
          Heads = 8
          Dropout = 0.4 }

    let rows = 128L
    use net = Net.build { Seed = 1L; Precision = precision; Device = torch.CPU } (Published.recipe sizes)
    use optimizer = new Optimizer(RunConfig.Defaults.Optimizer, net.Weights)
    let options = { Rate = 1e-5; Schedule = Schedule.Constant; ClipNorm = 1.0 }
    let batches = [| for _ in 0..7 -> batch rows |]

    let lossOf (published: Published) (batch: TrainingBatch) =
        Total.published RunConfig.Defaults.Loss (published.Outputs batch.Mentions) batch

    let report name seconds extra =
        printfn $"  %-26s{name} %7.2f{1000.0 * seconds} ms  %8.0f{float rows / seconds} mentions/s{extra}"

    let cost =
        costOf (fun () ->
            fast 30 150 (fun run ->
                Step.run net lossOf optimizer options (int64 run) [ batches[run % batches.Length] ] |> ignore))

    let whole = cost.Seconds

    let gflops = publishedWork * float rows / whole / 1e9

    report
        $"{precision} step"
        whole
        $"  %5.0f{gflops} published GFLOP/s = {100.0 * gflops / rate:F0} %% of float32 GEMM, {float rows / whole / 2790.0:F2} x 2,790{peakOf cost}"

    net.Train 0L
    let scoped action run = Scope.value (fun () -> action batches[run % batches.Length])

    let forward (batch: TrainingBatch) = lossOf net.Forward batch
    report "  forward and loss" (fast 5 50 (scoped (fun batch -> forward batch |> ignore))) ""

    report
        "  forward, loss, backward"
        (fast
            5
            50
            (scoped (fun batch ->
                (forward batch).Total.backward ()
                Gradients.clear net.Weights)))
        ""

    net.Evaluate()
    use _ = torch.no_grad ()
    report "eval forward" (fast 10 80 (scoped (fun batch -> net.Forward.Query batch.Mentions |> ignore))) ""
    cost

/// The neural part of the `dwe` model on the same numbers: every unit, the entity side, the golds of the batch as negatives.
let private dualWayStep precision (published: StepCost) =
    use _ = torch.NewDisposeScope()

    let sizes: DualWaySizes =
        { Text = 512
          Image = 512
          Hidden = 512
          Entity = 512
          EntityImage = 0
          Heads = 8
          Dropout = 0.4
          Units = RunConfig.Defaults.Model.Units
          PairFeatures = 0 }

    let rows = 128L
    use net = Net.build { Seed = 1L; Precision = precision; Device = torch.CPU } (DualWay.recipe sizes)
    use optimizer = new Optimizer(RunConfig.Defaults.Optimizer, net.Weights)
    let options = { Rate = 1e-5; Schedule = Schedule.Constant; ClipNorm = 1.0 }

    let loss =
        { RunConfig.Defaults.Loss with
            Matching = InfoNceLoss
            Negatives = NegativeSource.InBatch }

    let batches =
        [| for _ in 0..7 ->
               let batch = batch rows

               { LinkingBatch.Mentions = batch.Mentions
                 Entities = batch.Positive
                 Pairs = (torch.arange rows).unsqueeze 1L
                 Counts = torch.ones (rows, 1L, dtype = Nullable torch.bool)
                 Features = None } |]

    let cost =
        costOf (fun () ->
            fast 30 150 (fun run ->
                Step.run
                    net
                    (DualWayTotal.ofBatch loss)
                    optimizer
                    options
                    (int64 run)
                    [ batches[run % batches.Length] ]
                |> ignore))

    let whole = cost.Seconds
    let times = whole / published.Seconds
    let verdict = if times <= bound then "pass" else "fail"
    let ratio = $"{times:F2} x the step of published (at most {bound:F0}: {verdict}){peakOf cost}"
    let name = $"{precision} dwe step"
    printfn $"  %-26s{name} %7.2f{1000.0 * whole} ms  %8.0f{float rows / whole} mentions/s, {ratio}"

/// The training loop of `dwe train`: order, negatives, gathering, step. 20,000 mentions x 4 parts, 20,000 entities.
let private loop precision =
    let mentions, parts, dim, size = 20_000, 4, 512, 128
    let config = { RunConfig.Defaults with Training.Precision = precision }
    use matcher = Matcher.Create(config, { Text = dim; Image = dim; Entity = dim }, torch.CPU)
    use _ = torch.NewDisposeScope()
    let normal (rows: int) = torch.randn (int64 rows, int64 dim)

    let ragged (each: int) =
        Some
            { Rows = normal (mentions * each)
              Offsets = Array.init (mentions + 1) (fun at -> int64 (at * each)) }

    let features =
        { MentionFeatures.Mention = normal mentions
          Text = normal mentions
          Image = ragged 1
          Parts = ragged parts
          Profile = None
          Tokens = None }

    let entities = normal mentions * (0.05).ToScalar()
    use trainer = new Trainer(matcher, features, entities, 1000L)
    let order = Draw.EpochOrder(1L, 0, mentions)

    let negatives =
        match NegativeDraws.Random(Array.init mentions string) with
        | Ok draws -> draws
        | Error error -> invalidOp $"{error}"

    let step run =
        let at = run % (mentions / size) * size
        let rows = Array.init size (fun row -> int64 order[at + row])
        let negatives = negatives.Draw(1L, int64 run, Array.init size (fun row -> order[at + row]), rows)

        trainer.Step(int64 run, [| { Mentions = rows; Golds = rows; Negatives = negatives; Candidates = [||] } |])
        |> ignore

    let seconds = fast 30 150 step
    let rate = float size / seconds

    printfn
        $"  {precision} training loop    %7.2f{1000.0 * seconds} ms  %8.0f{rate} mentions/s, {rate / 2040.0:F2} x 2,040"

let run () =
    torch.set_num_threads 2
    let single, half = fastProduct torch.float32, fastProduct torch.bfloat16
    printfn $"threads {torch.get_num_threads ()}; GEMM 2048: float32 {single:F0} GFLOP/s, bfloat16 {half:F0} GFLOP/s"
    step single Float32 |> dualWayStep Float32
    step single Bf16Mixed |> dualWayStep Bf16Mixed
    loop Float32
    loop Bf16Mixed
    let single, half = fastProduct torch.float32, fastProduct torch.bfloat16
    printfn $"GEMM again: float32 {single:F0} GFLOP/s, bfloat16 {half:F0} GFLOP/s"
