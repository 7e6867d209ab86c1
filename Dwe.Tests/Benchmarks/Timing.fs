/// How the benchmarks time. Other work may share the machine, so figures are ratios measured in one run.
module Dwe.Tests.Benchmarks.Timing

open System
open System.Diagnostics
open TorchSharp

/// Median seconds of timed runs of `action`, after some untimed ones.
let median warmUps runs (action: unit -> unit) =
    for _ in 1..warmUps do
        action ()

    let times =
        [| for _ in 1..runs do
               let watch = Stopwatch.StartNew()
               action ()
               watch.Elapsed.TotalSeconds |]

    (Array.sort times)[runs / 2]

/// This machine's rate of products now: GFLOP/s of a 2048 x 2048 x 2048 one.
let productRate (dtype: torch.ScalarType) =
    use _ = torch.NewDisposeScope()
    let size = 2048L
    let left, right = torch.rand(size, size).``to`` dtype, torch.rand(size, size).``to`` dtype

    let seconds =
        median 2 7 (fun () ->
            use _ = torch.matmul (left, right)
            ())

    2.0 * float size ** 3.0 / seconds / 1e9

/// The process's highest resident memory so far, in megabytes.
let peakMegabytes () =
    use self = Process.GetCurrentProcess()
    float self.PeakWorkingSet64 / float (1 <<< 20)

/// Lets `peakMegabytes` count from now (proc(5), clear_refs); false where the system cannot.
let countPeakAnew () =
    try
        System.IO.File.WriteAllText("/proc/self/clear_refs", "5")
        true
    with
    | :? System.IO.IOException
    | :? UnauthorizedAccessException -> false

/// Random rows of a seed, as numbers.
let rows seed count dim =
    let random = Random(seed: int)
    Array.init (count * dim) (fun _ -> float32 (random.NextDouble() - 0.5))
