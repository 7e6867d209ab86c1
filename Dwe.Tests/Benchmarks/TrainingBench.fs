/// How fast a training step is, beside what the machine's products reach in the same run. Not a test:
/// `dotnet Dwe.Tests.dll bench training`.
module Dwe.Tests.Benchmarks.TrainingBench

open System
open System.Diagnostics
open TorchSharp
open Dwe.Model.Batches
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
let private product (dtype: torch.ScalarType) =
    use _ = torch.NewDisposeScope()
    let size = 2048L
    let left, right = torch.rand(size, size).``to`` dtype, torch.rand(size, size).``to`` dtype
    let seconds = fast 3 20 (fun _ -> use _ = torch.matmul (left, right) in ())
    2.0 * float size ** 3.0 / seconds / 1e9

let private batch rows =
    let rows, size, parts = rows, 512L, 4L
    let normal (sizes: int64 list) = torch.randn (Array.ofList sizes)
    let present (sizes: int64 list) = torch.ones (Array.ofList sizes, dtype = Nullable torch.bool)

    { Mentions =
        { Mention = normal [ rows; size ]
          Text = normal [ rows; size ]
          Image = Some { Values = normal [ rows; size ]; Present = present [ rows ] }
          Parts = Some { Values = normal [ rows; parts; size ]; Present = present [ rows; parts ] }
          Profile = None }
      Positive = normal [ rows; size ] * (0.05).ToScalar()
      Negative = Some(normal [ rows; 1L; size ] * (0.05).ToScalar())
      Entity = torch.arange rows }

let private parts precision =
    use _ = torch.NewDisposeScope()
    use linear = Net.build { Seed = 1L; Precision = precision; Device = torch.CPU } (Layer.linear "l" 512 512)
    use norm = Net.build { Seed = 1L; Precision = precision; Device = torch.CPU } (Layer.layerNorm "l" 512)
    use att = Net.build { Seed = 1L; Precision = precision; Device = torch.CPU } (Attention.multiHead 512 8)
    use drop = Net.build { Seed = 1L; Precision = precision; Device = torch.CPU } (Layer.dropout 0.4)
    drop.Train 0L
    let x = torch.randn(640L, 512L)
    let xg = torch.randn(640L, 512L).requires_grad_ true
    let q = torch.randn(128L, 512L).requires_grad_ true
    let k = torch.randn(128L, 4L, 512L).requires_grad_ true
    let masked = { Values = k; Present = torch.ones(128L, 4L, dtype = Nullable torch.bool) }
    let time name weights (f: unit -> Tensor) =
        let fwd = fast 5 60 (fun _ -> Scope.value (fun () -> f () |> ignore))
        let all = fast 5 60 (fun _ -> Scope.value (fun () -> (let y = f () in y.backward([| torch.ones_like y |]); Gradients.clear weights)))
        printfn $"    part {name,-12} forward {1000.0 * fwd:F2} both {1000.0 * all:F2}"
    time "linear640" linear.Weights (fun () -> linear.Forward x)
    time "linear640 xg" linear.Weights (fun () -> linear.Forward xg)
    time "relu" [||] (fun () -> torch.nn.functional.relu xg)
    time "norm" norm.Weights (fun () -> norm.Forward xg)
    time "drop" [||] (fun () -> drop.Forward xg)
    time "over" att.Weights (fun () -> att.Forward.Over q masked)
    time "overone" att.Weights (fun () -> att.Forward.OverOne q)
    let v, t = torch.randn(128L, 512L).requires_grad_ true, torch.randn(128L, 512L).requires_grad_ true
    time "contrast" [||] (fun () -> Contrastive.symmetric (torch.tensor 14.0f) v t |> Reduction.mean)
    let p, n = torch.randn(128L, 512L), torch.randn(128L, 512L)
    time "npair" [||] (fun () -> NPair.perMention Similarity.Dot (Sampled n) v p |> Reduction.mean)

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
    use optimizer = new Optimizer(OptimizerOptions.published, net.Weights)
    let options = { Rate = 1e-5; Schedule = Constant; ClipNorm = 1.0 }
    let batches = [| for _ in 0..7 -> batch rows |]

    let lossOf (published: Published) (batch: TrainingBatch) =
        Total.published PublishedFactors.published (published.Outputs batch.Mentions) batch

    let report name seconds extra =
        printfn $"  %-26s{name} %7.2f{1000.0 * seconds} ms  %8.0f{float rows / seconds} mentions/s{extra}"

    let whole =
        fast 30 150 (fun run ->
            Step.run net lossOf optimizer options (int64 run) [ batches[run % batches.Length] ] |> ignore)

    let gflops = publishedWork * float rows / whole / 1e9

    report
        $"{precision} step"
        whole
        $"  %5.0f{gflops} published GFLOP/s = {100.0 * gflops / rate:F0} %% of float32 GEMM, {float rows / whole / 2790.0:F2} x 2,790"

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

    parts precision
    net.Evaluate()
    use _ = torch.no_grad ()
    report "eval forward" (fast 10 80 (scoped (fun batch -> net.Forward.Query batch.Mentions |> ignore))) ""

let run () =
    torch.set_num_threads 2
    let single, half = product torch.float32, product torch.bfloat16
    printfn $"threads {torch.get_num_threads ()}; GEMM 2048: float32 {single:F0} GFLOP/s, bfloat16 {half:F0} GFLOP/s"
    step single Float32
    step single Bf16Mixed
    let single, half = product torch.float32, product torch.bfloat16
    printfn $"GEMM again: float32 {single:F0} GFLOP/s, bfloat16 {half:F0} GFLOP/s"
