module Dwe.Tests.Host.Evaluation.CertaintyTests

open System
open System.IO
open Dwe.Host.Checkpoints
open Dwe.Host.Evaluation
open Dwe.Model.Config
open Dwe.Tests.Host.Evaluation.TinyWorld
open Dwe.Tests.Prelude
open Expecto

let private system = EvaluatedSystem(Name = "by hand", CodeVersion = "test")

/// The result of mentions: gold, cosine of the query with east, candidates.
let private resultOf protocol (choosing: Choosing | null) mentions =
    let mutable found = Unchecked.defaultof<EvaluationResult>

    Folder.temporary (fun folder ->
        use data =
            openBoth
                folder
                { Entities = [ "east", [ 2f; 0f ]; "west", [ -1f; 0f ]; "south", [ 0f; -3f ] ]
                  Dev = mentions |> List.mapi (fun at (gold, _, _) -> $"m-{at}", $"text {at}", gold)
                  Candidates = mentions |> List.mapi (fun at (_, _, list) -> $"text {at}", list) }

        use evaluator = new Evaluator(data, "dev", CandidateLists.Read(null, data, "dev"))

        let queries =
            [| for _, cosine: float32, _ in mentions do
                   yield! [ cosine; sqrt (1f - cosine * cosine) ] |]

        found <- evaluator.Run(queries, protocol, system, choosing))

    found

let private here = Choosing Certainty.Chosen

let private given threshold temperature = Choosing(fun _ -> Choice(threshold, temperature, "dev"))

let private close (expected: float) what (actual: float) = Expect.floatClose Accuracy.medium actual expected what

let private both = [ "east"; "west" ]

// Best scores 1, 0.6, 0.8, 0.28 and none; the last mention's gold is not known.
let private mixed =
    [ "east", 1f, both
      "east", 0.6f, both
      "nil", 0.8f, both
      "Q404", 0.28f, both
      "east", 1f, []
      "", 0.9f, both ]

// Four mentions whose two candidates score 1 and -1; the better is the gold of three.
let private threeOfFour = [ for gold in [ "east"; "east"; "east"; "west" ] -> gold, 1f, both ]

let private nilOf (result: EvaluationResult) =
    match result.Nil with
    | null -> failtest "the result says nothing of NIL"
    | nil -> nil

let private calibrationOf (result: EvaluationResult) =
    match result.Calibration with
    | null -> failtest "the result says nothing of calibration"
    | calibration -> calibration

[<Tests>]
let tests =
    testList
        "Certainty"
        [ testCase "the threshold on dev is the one with the best F1 of links, and all that lies below is NIL"
          <| fun () ->
              let nil = nilOf (resultOf Strict here mixed)
              // Links at 1: P 1/1, R 1/3; at 0.8: 1/2, 1/3; at 0.6: 2/3, 2/3; at 0.28: 2/4, 2/3.
              close 0.6 "threshold" nil.Threshold.Value

              Expect.equal
                  (nil.Mentions, nil.Said, nil.ChosenOn)
                  (2, 2, "dev")
                  "NIL and outside; below, and without list"

              close (2.0 / 3.0) "precision of links" nil.LinkPrecision
              close (2.0 / 3.0) "recall of links" nil.LinkRecall
              close (2.0 / 3.0) "F1 of links" nil.LinkF1

              close
                  (2.0 * 0.5 * (2.0 / 3.0) / (0.5 + 2.0 / 3.0))
                  "F1 of links without threshold"
                  nil.LinkF1WithoutThreshold
              // 0.28 is NIL, the mention without candidates is not; 0.8 is NIL and was linked.
              close 0.5 "precision of NIL" nil.Precision
              close 0.5 "recall of NIL" nil.Recall
              close 0.5 "F1 of NIL" nil.F1
              // 1 beats both, 0.6 one, none neither: 3 of 6 pairs.
              close 0.5 "area" nil.Auroc.Value

          testCase "a split is measured by the threshold that it is given, not by its own"
          <| fun () ->
              let nil = nilOf (resultOf Strict (given (Nullable 0.9) (Nullable 1.0)) mixed)
              Expect.equal (nil.Threshold, nil.Said, nil.ChosenOn) (Nullable 0.9, 4, "dev") "given"
              close (1.0 / 3.0) "recall of links" nil.LinkRecall
              close (2.0 / 4.0) "precision of NIL" nil.Precision
              close 1.0 "recall of NIL" nil.Recall

          testCase "without a threshold only what has no candidate is NIL"
          <| fun () ->
              let nil = nilOf (resultOf Strict (given (Nullable()) (Nullable())) mixed)
              Expect.equal (nil.Threshold, nil.Said, nil.ChosenOn) (Nullable(), 1, null) "nothing was chosen"
              Expect.equal nil.LinkF1 nil.LinkF1WithoutThreshold "the same links"

          testCase "a split without NIL mentions chooses no threshold, and says nothing of NIL"
          <| fun () ->
              let result = resultOf Strict here threeOfFour
              Expect.isNull result.Nil "no NIL"

              match Decision.Of result with
              | null -> failtest "strict decides"
              | decision -> Expect.equal (decision.Threshold, decision.NilMentions) (Nullable(), 0) "kept as none"

          testCase "a threshold is measured on a split without NIL mentions too: what it costs"
          <| fun () ->
              let nil = nilOf (resultOf Strict (given (Nullable 2.0) (Nullable())) threeOfFour)
              Expect.equal (nil.Mentions, nil.Said, nil.LinkF1, nil.Auroc) (0, 4, 0.0, Nullable()) "all said NIL"

          testCase "the temperature on dev makes what is stated likeliest: exp(2 / T) = 3 where three of four are right"
          <| fun () ->
              let calibration = calibrationOf (resultOf Strict here threeOfFour)
              close (2.0 / log 3.0) "temperature" calibration.Temperature
              Expect.equal (calibration.ChosenOn, calibration.Mentions) ("dev", 4) "of all"
              close 0.0 "what is stated is so" calibration.Error
              close (0.75 * 0.25 ** 2.0 + 0.25 * 0.75 ** 2.0) "Brier" calibration.Brier
              let bin = Seq.exactlyOne calibration.Bins
              Expect.equal (bin.Count, bin.Right) (4, 0.75) "one bar"
              close 0.75 "stated" bin.Stated

          testCase "a split is measured by the temperature that it is given"
          <| fun () ->
              let calibration = calibrationOf (resultOf Strict (given (Nullable()) (Nullable 2.0)) threeOfFour)
              let stated = 1.0 / (1.0 + exp -1.0)
              close (stated - 0.75 |> abs) "error" calibration.Error
              close (0.75 * (1.0 - stated) ** 2.0 + 0.25 * stated ** 2.0) "Brier" calibration.Brier

          testCase "the mean of probabilities counts mentions that have a candidate and a known gold"
          <| fun () ->
              let calibration = calibrationOf (resultOf Strict here mixed)
              Expect.equal calibration.Mentions 4 "not the one without list, not the unlabelled one"

          testCase "golds that are not compared make it hotter"
          <| fun () ->
              let listed = resultOf Strict here threeOfFour
              let missed = resultOf Strict here (threeOfFour @ [ "south", 1f, both; "nil", 1f, both ])
              close (2.0 / log 3.0) "three of four" (calibrationOf listed).Temperature
              Expect.isGreaterThan (calibrationOf missed).Temperature 100.0 "three of six: no surer than a coin"

          testCase "where every gold is best the coldest temperature is as good as any"
          <| fun () ->
              let calibration = calibrationOf (resultOf Strict here [ "east", 1f, both ])
              Expect.equal (calibration.Temperature, calibration.Error) (1e-3, 0.0) "sure and right"

          testCase "a gold without rivals says nothing of a temperature"
          <| fun () -> Expect.isNull (resultOf Strict here [ "east", 1f, [ "east" ] ]).Calibration "one candidate"

          testCase "under full-kb every entity is compared, listed or not"
          <| fun () ->
              // Of east: 1, 0 (south, twice over), -1; the threshold cannot be told from the lists, which are empty.
              let result = resultOf FullKb here [ "east", 1f, []; "nil", 0.5f, [] ]
              let nil = nilOf result
              close 1.0 "threshold" nil.Threshold.Value
              Expect.equal (nil.Said, nil.LinkF1, nil.F1, nil.Auroc) (1, 1.0, 1.0, Nullable 1.0) "told apart"
              Expect.equal (calibrationOf result).Mentions 2 "both"

          testCase "legacy knows neither, nor do baselines, nor an evaluation that was not asked"
          <| fun () ->
              for result in [ resultOf Legacy here mixed; resultOf Strict null mixed; resultOf FullKb null mixed ] do
                  Expect.isNull result.Nil "NIL"
                  Expect.isNull result.Calibration "calibration"

              Expect.isNull (Decision.Of(resultOf Legacy here mixed)) "nothing to keep"

          testCase "what was chosen is what the next evaluation is measured by"
          <| fun () ->
              Folder.temporary (fun path ->
                  let run = RunFolder path
                  Directory.CreateDirectory run.Best |> ignore
                  File.WriteAllText(Checkpoint.WeightsIn run.Best, "weights")
                  let chosen = resultOf Strict here mixed
                  Decisions.Write(run, chosen)
                  let measured = resultOf Strict (Decisions.Choosing(run, "strict")) mixed
                  Expect.equal measured.Nil chosen.Nil "the same mentions, the same threshold"
                  Expect.isNull (resultOf FullKb (Decisions.Choosing(run, "full-kb")) mixed).Calibration "not chosen") ]
