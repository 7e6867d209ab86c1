module Dwe.Tests.Host.Checkpoints.DecisionsTests

open System
open System.IO
open Dwe.Host.Checkpoints
open Dwe.Tests.Prelude
open Expecto

let private decision (protocol: string) threshold temperature =
    Decision(
        Threshold = threshold,
        Temperature = temperature,
        Split = "dev",
        Protocol = protocol,
        CandidateSource = "search_top100.json",
        DatasetHash = String('a', 64),
        Mentions = 10,
        NilMentions = 2
    )

let private strict = decision "strict" (Nullable 0.25) (Nullable 0.5)
let private full = decision "full-kb" (Nullable()) (Nullable 1.5)

/// A run whose best checkpoint has these weights.
let private withRun (test: RunFolder -> string -> unit) =
    Folder.temporary (fun path ->
        let run = RunFolder path
        let weights = Checkpoint.WeightsIn run.Best
        Directory.CreateDirectory run.Best |> ignore
        File.WriteAllText(weights, "first")
        test run weights)

[<Tests>]
let tests =
    testList
        "Decisions"
        [ testCase "a run that decided nothing has none"
          <| fun () -> withRun (fun run _ -> Expect.isNull (Decisions.Read run) "no file")

          testCase "each protocol reads what was written of it, whatever is written of the other"
          <| fun () ->
              withRun (fun run _ ->
                  Decisions.Write(run, strict)
                  Decisions.Write(run, full)
                  Expect.equal (Decisions.Read run) strict "strict, which is what is read unless said"
                  Expect.equal (Decisions.Read(run, "full-kb")) full "full-kb"
                  let changed = decision "strict" (Nullable 0.75) (Nullable())
                  Decisions.Write(run, changed)
                  Expect.equal (Decisions.Read run) changed "replaced"
                  Expect.equal (Decisions.Read(run, "full-kb")) full "kept")

          testCase "other weights have no decisions, and writing theirs drops the old"
          <| fun () ->
              withRun (fun run weights ->
                  Decisions.Write(run, full)
                  File.WriteAllText(weights, "second")
                  Expect.isNull (Decisions.Read(run, "full-kb")) "chosen for other weights"
                  Decisions.Write(run, strict)
                  Expect.equal (Decisions.Read run) strict "chosen for these"
                  File.WriteAllText(weights, "first")
                  Expect.isNull (Decisions.Read(run, "full-kb")) "dropped")

          testCase "a file of another format is refused by name"
          <| fun () ->
              withRun (fun run _ ->
                  Decisions.Write(run, strict)
                  let text = File.ReadAllText run.Decisions
                  File.WriteAllText(run.Decisions, text.Replace("dwe-decisions-1", "dwe-decisions-9"))

                  (fun () -> Decisions.Read run |> ignore)
                  |> Refusal.isSpelled
                      $"{run.Decisions}: top level: found format 'dwe-decisions-9', expected the decisions of a run.") ]
