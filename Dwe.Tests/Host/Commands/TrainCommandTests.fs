module Dwe.Tests.Host.Commands.TrainCommandTests

open System
open System.Globalization
open System.IO
open System.Text.Json
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

let private resultOf run name = Path.Combine(run, "results", name)

let private metric (name: string) (result: JsonElement) = result.GetProperty("metrics").GetProperty(name).GetDouble()

let private count (name: string) (result: JsonElement) = result.GetProperty("counts").GetProperty(name).GetInt32()

let private metrics = [ "hits@1"; "hits@3"; "hits@5"; "hits@10"; "hits@20"; "mrr" ]

/// What `dwe eval` writes with `--json`.
let private evaluated arguments =
    let folder = Directory.CreateTempSubdirectory("dwe-eval-").FullName

    try
        let path = Path.Combine(folder, "result.json")
        SampleRun.succeed ("eval" :: arguments @ [ "--json"; path ]) [] |> ignore
        SampleRun.json path
    finally
        Directory.Delete(folder, true)

let private fields (element: JsonElement) = [ for property in element.EnumerateObject() -> property.Name ]

/// The sample's candidate lists, and its dev mentions with their texts and answers.
let private lists =
    lazy
        Map
            [ for list in (SampleRun.json (Path.Combine(SampleRun.sample, "search_top100.json"))).EnumerateObject() ->
                  list.Name, [ for id in list.Value.EnumerateArray() -> string (id.GetString()) ] ]

let private devMentions =
    lazy
        [ for record in (SampleRun.json (Path.Combine(SampleRun.sample, "dev.json"))).EnumerateObject() ->
              record.Name,
              string (record.Value.GetProperty("mentions").GetString()),
              string (record.Value.GetProperty("answer").GetString()) ]

let private withCandidates (lists: (string * string list) list) test =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "mine.json")
        File.WriteAllText(path, JsonSerializer.Serialize(dict lists))
        test path)

[<Tests>]
let training =
    testList
        "dwe train"
        [ testCase "leaves configuration, manifest, two checkpoints, history, events and the result"
          <| fun () ->
              let run, _ = SampleRun.shared.Value
              let checkpoint = [ "manifest.json"; "optimizer.safetensors"; "state.json"; "weights.safetensors" ]

              Expect.equal
                  (Folder.contents run |> List.map fst |> List.filter (fun name -> not (name.StartsWith "events")))
                  ([ for name in checkpoint -> $"checkpoints/best/{name}" ]
                   @ [ for name in checkpoint -> $"checkpoints/last/{name}" ]
                   @ [ "config.json"; "decisions.json"; "history.jsonl"; "manifest.json"; "results/dev-strict.json" ])
                  "files"

              let events = Directory.GetFiles(Path.Combine(run, "events"), "events.out.tfevents.*")
              Expect.hasLength events 1 "one file of events"
              Expect.isGreaterThan (FileInfo(events[0]).Length) 500L "with something in it"

          testCase "evaluates once an epoch: one line of history each"
          <| fun () ->
              let run, _ = SampleRun.shared.Value
              Expect.equal (SampleRun.history run "mrr" |> List.map fst) [ 12L; 24L; 36L ] "720 mentions, 64 a step"

          testCase "keeps the mean loss of each epoch and of its parts, which falls"
          <| fun () ->
              let run, _ = SampleRun.shared.Value

              let losses =
                  [ for line in File.ReadAllLines(Path.Combine(run, "history.jsonl")) ->
                        [ for loss in JsonDocument.Parse(line).RootElement.GetProperty("losses").EnumerateObject() ->
                              loss.Name, loss.Value.GetDouble() ]
                        |> Map.ofList ]

              for epoch in losses do
                  Expect.isGreaterThan epoch.Count 1 "the sum and its parts"
                  Expect.equal (Set.ofSeq epoch.Keys) (Set.ofSeq losses[0].Keys) "the same in every epoch"

              let totals = [ for epoch in losses -> epoch["loss"] ]
              Expect.equal totals (List.sortDescending totals) "the sum falls"

          testCase "keeps the learning rate of each epoch's last update: straight down to 0 after the warmup"
          <| fun () ->
              let run, _ = SampleRun.shared.Value

              let rates =
                  [ for line in File.ReadAllLines(Path.Combine(run, "history.jsonl")) ->
                        JsonDocument.Parse(line).RootElement.GetProperty("learning_rate").GetDouble() ]

              // 36 updates, 10 of them warmup; the last of each epoch are numbers 11, 23 and 35.
              for found, share in List.zip rates [ 25.0 / 26.0; 13.0 / 26.0; 1.0 / 26.0 ] do
                  Expect.floatClose Accuracy.high found (2e-3 * share) "a line from the base rate down to 0"

          testCase "keeps the checkpoint that is best on dev, the first of equals"
          <| fun () ->
              let run, _ = SampleRun.shared.Value
              let history = SampleRun.history run "hits@1"
              let best = history |> List.maxBy snd
              let state name = SampleRun.json (Path.Combine(run, "checkpoints", name, "state.json"))
              Expect.equal ((state "best").GetProperty("step").GetInt64()) (fst best) "best"
              Expect.equal ((state "last").GetProperty("step").GetInt64()) 36L "last"
              Expect.equal ((state "last").GetProperty("best_value").GetDouble()) (snd best) "remembered"
              Expect.equal (metric "hits@1" (SampleRun.json (resultOf run "dev-strict.json"))) (snd best) "reported"

          testCase "learns: better than chance, whose table stands beside it"
          <| fun () ->
              let run, printed = SampleRun.shared.Value
              let result = SampleRun.json (resultOf run "dev-strict.json")
              // A random order of 30 candidates has an MRR of (1 + 1/2 + ... + 1/30) / 30 = 0.133.
              Expect.isGreaterThan (metric "mrr" result) 0.16 "learned"

              for part in [ "chance"; "candidate-order"; "Shares in percent."; $"run: {run}" ] do
                  Expect.stringContains printed.Output part "the table"

          testCase "stops early where patience ends, with the first checkpoint as the best"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = Path.Combine(folder, "run")

                  // A rate of 0 learns nothing: no evaluation is better than the first.
                  let ended =
                      SampleRun.succeed
                          (SampleRun.words
                              run
                              [ for setting in
                                    [ "optimizer.learning_rate=0"; "training.epochs=9"; "training.patience=2" ] do
                                    "--set"
                                    setting ])
                          []

                  Expect.stringContains ended.Errors "stopped early: 2 evaluations without a better hits@1.\n" "said"
                  Expect.equal (SampleRun.history run "hits@1" |> List.map fst) [ 12L; 24L; 36L ] "one and two more"
                  let best = SampleRun.json (Path.Combine(run, "checkpoints", "best", "state.json"))
                  Expect.equal (best.GetProperty("step").GetInt64()) 12L "the first")

          testCase "gives the same bytes under a locale that writes 0,5"
          <| fun () ->
              Expect.equal (CultureInfo("de-DE").NumberFormat.NumberDecimalSeparator) "," "cultures are known here"
              let run, _ = SampleRun.shared.Value

              Folder.temporary (fun folder ->
                  let german = Path.Combine(folder, "run")

                  let environment = [ "LANG", "de_DE.UTF-8"; "LC_ALL", "de_DE.UTF-8"; "LC_NUMERIC", "de_DE.UTF-8" ]

                  let ended =
                      SampleRun.succeed
                          (SampleRun.words german [ "--json"; Path.Combine(folder, "result.json") ])
                          environment

                  let withoutEvents folder =
                      Folder.contents folder |> List.filter (fun (name, _) -> not (name.StartsWith "events"))

                  Expect.equal (withoutEvents german) (withoutEvents run) "files"
                  let _, printed = SampleRun.shared.Value
                  Expect.equal (ended.Output.Replace(german, run)) printed.Output "the table") ]

[<Tests>]
let evaluating =
    testList
        "dwe eval"
        [ testCase "gives what training reported, byte for byte"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let path = Path.Combine(run, "result.json")
                  SampleRun.succeed [ "eval"; "--run"; run; "--json"; path ] [] |> ignore
                  let shared, _ = SampleRun.shared.Value
                  let reported = Path.Combine(string (Path.GetDirectoryName shared), "result.json")
                  Expect.equal (File.ReadAllText path) (File.ReadAllText reported) "--json of both"

                  Expect.equal
                      (File.ReadAllText path)
                      (File.ReadAllText(resultOf shared "dev-strict.json"))
                      "in the run")

          testCase "writes metrics as fractions, with a card, the system, bounds, recall and counts"
          <| fun () ->
              let run, _ = SampleRun.shared.Value
              let result = SampleRun.json (resultOf run "dev-strict.json")

              Expect.equal
                  (fields result)
                  [ "format"
                    "card"
                    "system"
                    "metrics"
                    "optimistic"
                    "pessimistic"
                    "candidate_recall"
                    "counts"
                    "intervals"
                    "slices"
                    "nil"
                    "calibration"
                    "ranks"
                    "looks" ]
                  "fields"

              Expect.equal (fields (result.GetProperty "metrics")) (metrics @ [ "mean_rank" ]) "metrics"

              for name in metrics do
                  let value = metric name result
                  Expect.isTrue (value > 0.0 && value <= 1.0) $"{name} is {value}"

              Expect.equal
                  (fields (result.GetProperty "card"))
                  [ "protocol"
                    "dataset"
                    "dataset_hash"
                    "split"
                    "mentions"
                    "knowledge_base_size"
                    "candidate_source"
                    "candidate_hash"
                    "gold_injected"
                    "tie_rule"
                    "selection_split" ]
                  "card"

              Expect.equal
                  (fields (result.GetProperty "system"))
                  [ "name"; "code_version"; "features_hash"; "entity_text"; "seed"; "precision"; "step" ]
                  "system"

          testCase "legacy is never below strict, full-kb ranks among all entities, test is another split"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let strict = SampleRun.json (resultOf run "dev-strict.json")
                  let legacy = evaluated [ "--run"; run; "--protocol"; "legacy" ]
                  let full = evaluated [ "--run"; run; "--protocol"; "full-kb" ]
                  let test = evaluated [ "--run"; run; "--split"; "test" ]

                  for name in metrics do
                      Expect.isGreaterThanOrEqual (metric name legacy) (metric name strict) $"legacy, {name}"
                      Expect.isLessThanOrEqual (metric name full) (metric name strict) $"full-kb, {name}"

                  let card (name: string) (result: JsonElement) =
                      result.GetProperty("card").GetProperty(name).GetString()

                  Expect.equal (card "candidate_source" full) "every entity" "full-kb"
                  Expect.equal (card "split" test) "test" "test"
                  Expect.notEqual (metric "mrr" test) (metric "mrr" strict) "other mentions"

                  Expect.equal
                      (Folder.contents (Path.Combine(run, "results")) |> List.map fst)
                      [ "dev-full-kb.json"; "dev-legacy.json"; "dev-strict.json"; "test-strict.json" ]
                      "kept in the run")

          testCase "takes candidates by mention text and by record key, with the same metrics"
          <| fun () ->
              let byKey =
                  [ for key, text, _ in devMentions.Value do
                        if lists.Value.ContainsKey text then
                            key, lists.Value[text] ]

              let baseline = [ "--baseline"; "candidate-order"; "--data"; SampleRun.sample ]
              let byText = evaluated baseline

              withCandidates byKey (fun path ->
                  let result = evaluated (baseline @ [ "--candidates"; path ])

                  Expect.equal
                      (result.GetProperty("card").GetProperty("candidate_source").GetString())
                      "mine.json"
                      "source"

                  Expect.equal
                      (result.GetProperty("metrics").GetRawText())
                      (byText.GetProperty("metrics").GetRawText())
                      "metrics")

          testCase "counts mentions whose gold the candidates lack as misses; ranks are places in the lists"
          <| fun () ->
              // The golds of the first ten mentions are taken out, the next five have no list.
              let mine =
                  devMentions.Value
                  |> List.indexed
                  |> List.choose (fun (i, (key, text, answer)) ->
                      let list = lists.Value[text]

                      if i < 10 then
                          Some(key, list |> List.filter (fun id -> id <> answer))
                      elif i < 15 then
                          None
                      else
                          Some(key, list))

              let golds = Map [ for key, _, answer in devMentions.Value -> key, answer ]

              let reciprocal =
                  mine
                  |> List.map (fun (key, list) ->
                      match List.tryFindIndex (fun id -> id = golds[key]) list with
                      | Some place -> 1.0 / float (place + 1)
                      | None -> 0.0)

              withCandidates mine (fun path ->
                  let result =
                      evaluated [ "--baseline"; "candidate-order"; "--data"; SampleRun.sample; "--candidates"; path ]

                  Expect.equal (count "missed" result) 15 "missed"
                  Expect.equal (count "without_candidates" result) 5 "without candidates"

                  Expect.floatClose
                      Accuracy.veryHigh
                      (metric "mrr" result)
                      (List.sum reciprocal / 152.0)
                      "mrr over all 152"

                  let first = reciprocal |> List.filter (fun value -> value = 1.0) |> List.length
                  Expect.equal (metric "hits@1" result) (float first / 152.0) "hits@1")

          testCase "the lists that dev was trained with are not taken for test, whose keys may be the same"
          <| fun () ->
              SampleRun.withCopy (fun copied ->
                  let mine = Path.Combine(copied, "mine.json")

                  File.WriteAllText(
                      mine,
                      JsonSerializer.Serialize(dict [ for key, _, answer in devMentions.Value -> key, [ answer ] ])
                  )

                  let manifest = Path.Combine(copied, "manifest.json")
                  let path = JsonSerializer.Serialize mine

                  File.WriteAllText(
                      manifest,
                      (File.ReadAllText manifest).Replace("\"candidates\": null", $"\"candidates\": {path}")
                  )

                  let source arguments =
                      (evaluated ([ "--run"; copied ] @ arguments))
                          .GetProperty("card")
                          .GetProperty("candidate_source")
                          .GetString()

                  Expect.equal (source []) "mine.json" "dev"
                  Expect.equal (source [ "--split"; "test" ]) "search_top100.json" "test")

          testCase "chance is a baseline that needs no features"
          <| fun () ->
              let result = evaluated [ "--baseline"; "chance"; "--data"; SampleRun.sample ]
              Expect.equal (result.GetProperty("system").GetProperty("name").GetString()) "chance" "the system"
              Expect.isLessThan (metric "hits@1" result) 0.2 "of 30 candidates" ]
