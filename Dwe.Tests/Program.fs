module Dwe.Tests.Program

open System.Globalization
open Dwe.Tests.Prelude
open Expecto

/// What `-t Bench` measures, by name; `bench NAME` measures one of them.
let private benchmarks =
    [ "training", Benchmarks.TrainingBench.run
      "evaluation", Benchmarks.EvaluationBench.run
      "text", Benchmarks.TextBench.run
      "candidates", Benchmarks.CandidatesBench.run
      "index", Benchmarks.IndexBench.run
      "images", Benchmarks.ImagesBench.run
      "clip", Benchmarks.ClipBench.run
      "service", Benchmarks.ServiceBench.run
      "link", Benchmarks.LinkBench.run
      "knowledge-base", (fun () -> Benchmarks.KnowledgeBaseBench.run 1_000_000L)
      "entities", (fun () -> Benchmarks.EntityStream.run 5_000_000L) ]

let private bench names =
    Dwe.Host.Native.GlibcAllocator.Tune() |> ignore
    let wanted (name, _) = List.isEmpty names || List.contains name names

    for name, run in List.filter wanted benchmarks do
        printfn $"## {name}"
        run ()

    0

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

    let child =
        Dwe.Tests.Host.Features.FeatureJobTests.child ()
        |> Option.orElseWith Dwe.Tests.Host.Features.ImageJobTests.child
        |> Option.orElseWith Dwe.Tests.Host.KnowledgeBases.KnowledgeBaseCrashTests.child
        |> Option.orElseWith Dwe.Tests.Host.Index.IndexCrashTests.child
        |> Option.orElseWith Dwe.Tests.Host.Service.ServiceProcess.child

    match child, NativeSetup.report.LoaderError, List.ofArray argv with
    | Some exitCode, _, _ -> exitCode
    | None, null, "bench" :: names -> bench names
    | None, null, _ -> run argv
    | None, problem, _ ->
        eprintfn $"libtorch does not load: {problem}"
        1
