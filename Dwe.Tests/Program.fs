module Dwe.Tests.Program

open System.Globalization
open Expecto
open Dwe.Tests.Prelude

[<EntryPoint>]
let main argv =
    CultureInfo.DefaultThreadCurrentCulture <- CultureInfo.InvariantCulture
    CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

    match NativeSetup.report.LoaderError with
    | null ->
        match argv with
        | [| "bench"; "training" |] ->
            Benchmarks.TrainingBench.run ()
            0
        | _ -> runTestsInAssemblyWithCLIArgs [] argv
    | problem ->
        eprintfn $"libtorch does not load: {problem}"
        1
