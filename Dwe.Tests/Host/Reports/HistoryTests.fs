module Dwe.Tests.Host.Reports.HistoryTests

open System
open System.IO
open Dwe.Host.Reports
open Dwe.Tests.Prelude
open Expecto

let private withHistory (text: string) test =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "history.jsonl")
        File.WriteAllText(path, text)
        test path)

let private whole = """{"step":12,"epoch":1,"metrics":{"hits@1":0.5,"mean_rank":null}}""" + "\n"

[<Tests>]
let tests =
    testList
        "History"
        [ testCase "a line an evaluation; what is not defined stays so"
          <| fun () ->
              withHistory (whole + whole.Replace("12", "24")) (fun path ->
                  let points = History.Read path
                  Expect.equal [ for point in points -> point.Step ] [ 12L; 24L ] "steps"

                  Expect.equal
                      (points[0].Metrics["hits@1"], points[0].Metrics["mean_rank"])
                      (Nullable 0.5, Nullable())
                      "values")

          testCase "losses by name; a run of an earlier version has none"
          <| fun () ->
              let lossy =
                  whole.Replace(
                      "\"metrics\"",
                      "\"learning_rate\":1e-4,\"losses\":{\"loss\":1.5,\"matching\":0.25},\"metrics\""
                  )

              withHistory (whole + lossy) (fun path ->
                  let points = History.Read path
                  Expect.isEmpty points[0].Losses "an earlier version"

                  Expect.equal
                      (points[0].LearningRate, points[1].LearningRate)
                      (Nullable(), Nullable 1e-4)
                      "the learning rate likewise"

                  Expect.equal
                      [ for loss in points[1].Losses -> loss.Key, loss.Value ]
                      [ "loss", Nullable 1.5; "matching", Nullable 0.25 ]
                      "losses")

          testCase "a last line that a kill has cut is left out"
          <| fun () ->
              withHistory (whole + "{\"step\":24,\"ep") (fun path -> Expect.hasLength (History.Read path) 1 "one whole")

          testCase "no file, no evaluations"
          <| fun () ->
              Folder.temporary (fun folder -> Expect.isEmpty (History.Read(Path.Combine(folder, "none"))) "none")

          testCase "a line that is no evaluation is refused by its number"
          <| fun () ->
              for broken in [ "{}"; "[]"; "{\"step\":1,\"epoch\":1,\"metrics\":{\"mrr\":\"x\"}}"; "nonsense" ] do
                  withHistory (whole + broken + "\n") (fun path ->
                      (fun () -> History.Read path |> ignore)
                      |> Refusal.isSpelled
                          $"{path}: line 2: found no evaluation, expected {{\"step\", \"epoch\", \"metrics\"}}.") ]
