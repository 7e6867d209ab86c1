module Dwe.Tests.Program

open System.Globalization
open Expecto
open Dwe.Tests.Prelude

/// What the run came to, in one line; a test that ended in an exception has failed like any other.
let private counts (summary: Impl.TestRunSummary) =
    let passed, failed = summary.passed.Length, summary.failed.Length + summary.errored.Length
    let skipped = summary.ignored.Length

    $"{passed} passed, {failed} failed" + (if skipped > 0 then $", {skipped} skipped" else "")

let private run argv =
    let last = ref None
    let keep = SummaryHandler.SummaryHandler(fun summary -> last.Value <- Some summary)
    let exitCode = runTestsInAssemblyWithCLIArgs [ CLIArguments.Append_Summary_Handler keep ] argv

    match last.Value with
    | None -> exitCode
    | Some summary ->
        // Alone on the last line, for people and for machines.
        System.Console.Out.WriteLine(counts summary)
        System.Console.Out.Flush()

        if summary.failed.Length + summary.errored.Length > 0 then
            max 1 exitCode
        else
            exitCode

[<EntryPoint>]
let main argv =
    CultureInfo.DefaultThreadCurrentCulture <- CultureInfo.InvariantCulture
    CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

    match Dwe.Tests.Host.Features.FeatureJobTests.child (), NativeSetup.report.LoaderError with
    | Some exitCode, _ -> exitCode
    | None, null -> run argv
    | None, problem ->
        eprintfn $"libtorch does not load: {problem}"
        1
