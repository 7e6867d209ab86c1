module Dwe.Tests.Program

open System.Globalization
open Expecto
open Dwe.Tests.Prelude

[<EntryPoint>]
let main argv =
    CultureInfo.DefaultThreadCurrentCulture <- CultureInfo.InvariantCulture
    CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

    match NativeSetup.report.LoaderError with
    | null -> runTestsInAssemblyWithCLIArgs [] argv
    | problem ->
        eprintfn $"libtorch does not load: {problem}"
        1
