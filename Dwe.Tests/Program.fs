module Dwe.Tests.Program

open System.Globalization
open Expecto
open Dwe.Tests.Prelude

[<EntryPoint>]
let main argv =
    CultureInfo.DefaultThreadCurrentCulture <- CultureInfo.InvariantCulture
    CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

    match Dwe.Tests.Host.Features.FeatureJobTests.child (), NativeSetup.report.LoaderError with
    | Some exitCode, _ -> exitCode
    | None, null -> runTestsInAssemblyWithCLIArgs [] argv
    | None, problem ->
        eprintfn $"libtorch does not load: {problem}"
        1
