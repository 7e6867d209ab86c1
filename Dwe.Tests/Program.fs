module Dwe.Tests.Program

open System.Globalization
open Expecto

[<EntryPoint>]
let main argv =
    CultureInfo.DefaultThreadCurrentCulture <- CultureInfo.InvariantCulture
    CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture
    runTestsInAssemblyWithCLIArgs [] argv
