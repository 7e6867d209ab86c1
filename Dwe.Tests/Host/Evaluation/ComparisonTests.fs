module Dwe.Tests.Host.Evaluation.ComparisonTests

open System
open System.Collections.Generic
open System.IO
open System.Text.Json
open Expecto
open Dwe.Host.Evaluation
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

let private cardOf split =
    ProtocolCard(
        Protocol = "strict",
        Dataset = "WikiMEL",
        DatasetHash = "0123456789abcdef",
        Split = split,
        Mentions = 40,
        KnowledgeBaseSize = 100,
        CandidateSource = "search_top100.json",
        CandidateHash = "fedcba9876543210",
        GoldInjected = false,
        TieRule = "realistic",
        SelectionSplit = "dev"
    )

let private noMetrics = Dictionary<string, Nullable<float>>()

/// A result with these ranks; infinity is a miss.
let private resultOn split name (ranks: float list) =
    EvaluationResult(
        Card = cardOf split,
        System = EvaluatedSystem(Name = name, CodeVersion = "test"),
        Metrics = noMetrics,
        Optimistic = noMetrics,
        Pessimistic = noMetrics,
        CandidateRecall = Dictionary<string, float>(),
        Counts = Dictionary<string, int>(),
        Ranks =
            Dictionary(
                dict
                    [ for index, rank in List.indexed ranks do
                          $"m-{index}", (if Double.IsFinite rank then Nullable rank else Nullable()) ]
            )
    )

let private result name ranks = resultOn "dev" name ranks

let private compare measure (results: EvaluationResult list) =
    Comparison.Of([| for result in results -> struct ($"{result.System.Name}.json", result) |], measure)

let private hits count = List.init 40 (fun index -> if index < count then 1.0 else 2.0)

[<Tests>]
let tests =
    testList
        "dwe compare"
        [ testCase "each system stands beside the first, with its difference"
          <| fun () ->
              let found = compare "hits@1" [ result "old" (hits 20); result "new" (hits 38); result "same" (hits 20) ]
              let systems = List.ofSeq found.Systems
              Expect.equal [ for system in systems -> system.Name ] [ "old"; "new"; "same" ] "names"
              Expect.equal [ for system in systems -> system.Value ] [ 20.0 / 40.0; 38.0 / 40.0; 20.0 / 40.0 ] "values"
              Expect.isFalse systems[0].Difference.HasValue "the first differs from nothing"
              Expect.floatClose Accuracy.veryHigh systems[1].Difference.Value (18.0 / 40.0) "difference"
              Expect.equal systems[1].Significant (Nullable true) "18 won, none lost"
              Expect.equal systems[2].Difference (Nullable 0.0) "the same ranks"
              Expect.equal systems[2].PValue (Nullable 1.0) "the same ranks"
              Expect.equal systems[2].Significant (Nullable false) "the same ranks"

          testCase "one mention more is not significant"
          <| fun () ->
              let found = compare "hits@1" [ result "old" (hits 20); result "new" (hits 21) ]
              Expect.equal found.Systems[1].Significant (Nullable false) "one of forty"

          testCase "the measure decides: a miss adds nothing to mrr, rank 2 adds a half"
          <| fun () ->
              let ranks = List.replicate 20 2.0 @ List.replicate 20 infinity
              let found measure = (compare measure [ result "a" ranks; result "b" ranks ]).Systems[0].Value
              Expect.equal (found "mrr") (20.0 * 0.5 / 40.0) "mrr"
              Expect.equal (found "hits@1") 0.0 "hits@1"
              Expect.equal (found "hits@3") 0.5 "hits@3"

          testCase "cards that differ are refused by the field that differs"
          <| fun () ->
              Refusal.isSpelled
                  "b.json: a card whose split is 'test', expected 'dev' as in a.json. Only results under one card say anything of each other."
                  (fun () -> compare "mrr" [ result "a" (hits 20); resultOn "test" "b" (hits 20) ] |> ignore)

          testCase "a result that lacks a mention of the first is refused"
          <| fun () ->
              Refusal.isSpelled
                  "b.json: ranks: found no rank of mention 'm-39', expected the mentions of the first result."
                  (fun () -> compare "mrr" [ result "a" (hits 20); result "b" (List.truncate 39 (hits 20)) ] |> ignore)

          testCase "a rank below 1 is refused: nothing is better than first"
          <| fun () ->
              Refusal.isSpelled "b.json: ranks: found rank 0 of mention 'm-0', expected ranks of at least 1." (fun () ->
                  compare "mrr" [ result "a" [ 1.0 ]; result "b" [ 0.0 ] ] |> ignore)

          testCase "a look at the test split of other data is not a second look at the run's own"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let other = Path.Combine(run, "other")
                  SampleRun.copy SampleRun.sample other
                  let test = Path.Combine(other, "test.json")
                  File.WriteAllText(test, (File.ReadAllText test) + "\n")
                  let features = Path.Combine(other, "features")

                  SampleRun.succeed [ "features"; "--data"; other; "--out"; features; "--preset"; "sample" ] []
                  |> ignore

                  let look data = SampleRun.succeed ([ "eval"; "--run"; run; "--split"; "test" ] @ data) [] |> ignore
                  look []
                  look [ "--data"; other; "--features"; features ]
                  let kept = Directory.GetFiles(Path.Combine(run, "results"), "test-strict*.json")
                  Expect.equal kept.Length 2 "a result of each"

                  for path in kept do
                      Expect.equal ((SampleRun.json path).GetProperty("looks").GetInt32()) 1 "the first look")

          testCase "a run and a baseline on the sample, as commands; a second look at test must be asked for"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let baseline = Path.Combine(run, "baseline.json")

                  SampleRun.succeed
                      [ "eval"; "--baseline"; "candidate-order"; "--data"; SampleRun.sample; "--json"; baseline ]
                      []
                  |> ignore

                  let printed = SampleRun.succeed [ "compare"; baseline; run ] []
                  Expect.stringContains printed.Output "candidate-order" "the first"
                  let compared = SampleRun.succeed [ "compare"; baseline; run; "--json" ] []
                  let systems = (JsonDocument.Parse compared.Output).RootElement.GetProperty("systems")
                  Expect.equal (systems[1].GetProperty("name").GetString()) "run" "the second"

                  let missing = DweProcess.run [ "compare"; baseline; run; "--protocol"; "full-kb" ] []
                  Expect.equal missing.ExitCode 2 "baseline.json is strict, the run has no full-kb result"

                  let look again = DweProcess.run ([ "eval"; "--run"; run; "--split"; "test" ] @ again) []
                  Expect.equal (look []).ExitCode 0 "the first look"
                  let second = look []
                  Expect.equal second.ExitCode 2 "the second"

                  Expect.equal
                      second.Errors
                      $"dwe: {run} was evaluated on test before: {run}/results/test-strict.json. Read that result; or look once more with --again, which the new result will say.\n"
                      "what to do"

                  let third = look [ "--again" ]
                  Expect.stringContains third.Output "Evaluated on test 2 times: no longer a blind test." "said"
                  let kept = SampleRun.json (Path.Combine(run, "results", "test-strict.json"))
                  Expect.equal (kept.GetProperty("looks").GetInt32()) 2 "looks") ]
