module Dwe.Tests.Program

open System.Globalization
open Expecto
open Dwe.Tests.Prelude

[<EntryPoint>]
let main argv =
    CultureInfo.DefaultThreadCurrentCulture <- CultureInfo.InvariantCulture
    CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

    match argv with
    | [| "bench"; "entities"; count |] ->
        Dwe.Tests.Benchmarks.EntityStream.run (int64 count)
        0
    | _ ->

        match Dwe.Tests.Host.Features.FeatureJobTests.child (), NativeSetup.report.LoaderError with
        | Some exitCode, _ -> exitCode
        | None, null -> runTestsInAssemblyWithCLIArgs [] argv
        | None, problem ->
            eprintfn $"libtorch does not load: {problem}"
            1
