module Dwe.Tests.Program

open System.Globalization
open Dwe.Tests.Prelude
open Expecto

/// What `-t Bench` measures, by name; `bench NAME` measures one of them.
let private benchmarks = [ "training", Benchmarks.TrainingBench.run ]

let private bench names =
    let wanted (name, _) = List.isEmpty names || List.contains name names

    for name, run in List.filter wanted benchmarks do
        printfn $"## {name}"
        run ()

    0

[<EntryPoint>]
let main argv =
    CultureInfo.DefaultThreadCurrentCulture <- CultureInfo.InvariantCulture
    CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

    match Dwe.Tests.Host.Features.FeatureJobTests.child (), NativeSetup.report.LoaderError, List.ofArray argv with
    | Some exitCode, _, _ -> exitCode
    | None, null, "bench" :: names -> bench names
    | None, null, _ -> runTestsInAssemblyWithCLIArgs [] argv
    | None, problem, _ ->
        eprintfn $"libtorch does not load: {problem}"
        1
