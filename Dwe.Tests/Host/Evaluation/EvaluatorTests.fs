module Dwe.Tests.Host.Evaluation.EvaluatorTests

open System.Collections.Generic
open System.IO
open System.Text.Json
open Expecto
open Dwe.Host.Evaluation
open Dwe.Host.Training
open Dwe.Model.Config
open Dwe.Tests.Host.Evaluation.TinyWorld
open Dwe.Tests.Prelude

// Cosines with (1, 0): east 1, slant 0.6, north 0, twin 0, west -1.
let private entities =
    [ "east", [ 2f; 0f ]
      "slant", [ 3f; 4f ]
      "north", [ 0f; 5f ]
      "twin", [ 0f; 1f ]
      "west", [ -1f; 0f ] ]

let private all = [ "west"; "twin"; "north"; "slant"; "east" ]

let private system = EvaluatedSystem(Name = "by hand", CodeVersion = "test")

/// A world of one mention per answer, and one candidate list for each.
let private world (mentions: (string * string list option) list) =
    { Entities = entities
      Dev = mentions |> List.mapi (fun i (answer, _) -> $"m-{i}", $"text {i}", answer)
      Candidates =
        ("another text", [ "east" ])
        :: ("text 99", [ "east" ])
        :: [ for i, (_, list) in List.indexed mentions do
                 match list with
                 | Some ids -> $"text {i}", ids
                 | None -> () ] }

let private withEvaluator mentions test =
    Folder.temporary (fun folder ->
        use data = openBoth folder (world mentions)
        use evaluator = new Evaluator(data, "dev", CandidateLists.Read(null, data, "dev"))
        test evaluator)

/// Metrics of mentions whose queries all point east, with the ranks that are expected of them.
let private east (mentions: _ list) = Array.concat (List.replicate mentions.Length [| 7f; 0f |])

let private share within (ranks: float list) =
    float (ranks |> List.filter (fun rank -> rank <= within) |> List.length) / float ranks.Length

let private expectRanks (ranks: float list) (metrics: IReadOnlyDictionary<string, System.Nullable<float>>) what =
    for name, within in [ "hits@1", 1.0; "hits@3", 3.0; "hits@5", 5.0; "hits@10", 10.0; "hits@20", 20.0 ] do
        Expect.equal metrics[name] (System.Nullable(share within ranks)) $"{what}, {name}"

    let mrr = ranks |> List.averageBy (fun rank -> 1.0 / rank)
    Expect.floatClose Accuracy.veryHigh metrics["mrr"].Value mrr $"{what}, mrr"

    match ranks |> List.filter System.Double.IsFinite with
    | [] -> Expect.isFalse metrics["mean_rank"].HasValue $"{what}, mean rank"
    | found -> Expect.floatClose Accuracy.veryHigh metrics["mean_rank"].Value (List.average found) $"{what}, mean rank"

/// Evaluates east queries and expects these ranks, and counts of (missed, without candidates, outside, nil, unlabelled).
let private ranked protocol mentions ranks counts =
    withEvaluator mentions (fun evaluator ->
        let result = evaluator.Run(east mentions, protocol, system)
        expectRanks ranks result.Metrics "metrics"

        Expect.equal
            (result.Counts["missed"],
             result.Counts["without_candidates"],
             result.Counts["gold_outside_kb"],
             result.Counts["nil"],
             result.Counts["unlabelled"])
            counts
            "counts"

        // One mention alone makes every rank visible.
        if mentions.Length = 1 then
            Expect.equal
                (evaluator.Run(east mentions, protocol, system).Metrics["mrr"].Value)
                (1.0 / ranks[0])
                "the rank")

let private miss = infinity

let private strict =
    [ "the best of all candidates has rank 1", [ "east", Some all ], [ 1.0 ], (0, 0, 0, 0, 0)
      "the worst of five has rank 5", [ "west", Some all ], [ 5.0 ], (0, 0, 0, 0, 0)
      "a tie of two at rank 3 counts half: 3.5", [ "north", Some all ], [ 3.5 ], (0, 0, 0, 0, 0)
      "only listed candidates compete", [ "north", Some [ "west"; "north" ] ], [ 1.0 ], (0, 0, 0, 0, 0)
      "a gold that is not listed is a miss", [ "east", Some [ "west"; "north" ] ], [ miss ], (1, 0, 0, 0, 0)
      "a mention without a list is a miss and counted",
      [ "east", None; "east", Some all ],
      [ miss; 1.0 ],
      (1, 1, 0, 0, 0)
      "an empty list is none", [ "east", Some []; "east", Some all ], [ miss; 1.0 ], (1, 1, 0, 0, 0)
      "a candidate listed twice counts once",
      [ "slant", Some [ "east"; "east"; "slant"; "slant" ] ],
      [ 2.0 ],
      (0, 0, 0, 0, 0)
      "a candidate unknown to the knowledge base counts not at all",
      [ "slant", Some [ "Q404"; "slant"; "Q405" ] ],
      [ 1.0 ],
      (0, 0, 0, 0, 0)
      "a list of unknown candidates is none",
      [ "east", Some [ "Q404" ]; "east", Some all ],
      [ miss; 1.0 ],
      (1, 1, 0, 0, 0)
      "a gold outside of the knowledge base is a miss and counted",
      [ "Q404", Some [ "Q404"; "east" ] ],
      [ miss ],
      (1, 0, 1, 0, 0)
      "NIL and unlabelled mentions stay in the denominator",
      [ "nil", Some all; "", Some all; "east", Some all ],
      [ miss; miss; 1.0 ],
      (2, 0, 0, 1, 1) ]

let private legacy =
    [ "a gold that is not listed is scored all the same",
      [ "slant", Some [ "west"; "north" ] ],
      [ 1.0 ],
      (0, 0, 0, 0, 0)
      "a listed gold does not compete with itself", [ "slant", Some all ], [ 2.0 ], (0, 0, 0, 0, 0)
      "ties never count", [ "north", Some all ], [ 3.0 ], (0, 0, 0, 0, 0)
      "no candidates, no competition", [ "west", None; "west", Some all ], [ 1.0; 5.0 ], (0, 1, 0, 0, 0)
      "a gold outside of the knowledge base cannot be scored", [ "Q404", Some all ], [ miss ], (1, 0, 1, 0, 0)
      "NIL is a miss", [ "nil", Some all ], [ miss ], (1, 0, 0, 1, 0) ]

let private fullKb =
    [ "the lists do not matter", [ "slant", Some [ "slant" ]; "slant", None ], [ 2.0; 2.0 ], (0, 0, 0, 0, 0)
      "ties count half", [ "twin", None; "twin", Some all ], [ 3.5; 3.5 ], (0, 0, 0, 0, 0)
      "a gold outside of the knowledge base is a miss",
      [ "Q404", Some all; "west", Some all ],
      [ miss; 5.0 ],
      (1, 0, 1, 0, 0) ]

let private cases name protocol worlds =
    testList
        name
        [ for title, mentions, ranks, counts in worlds ->
              testCase title (fun () -> ranked protocol mentions ranks counts) ]

[<Tests>]
let ranks =
    testList "Evaluator" [ cases "strict" Strict strict; cases "legacy" Legacy legacy; cases "full-kb" FullKb fullKb ]

[<Tests>]
let results =
    testList
        "Evaluator's results"
        [ testCase "both bounds of ties stand beside the realistic metrics"
          <| fun () ->
              let mentions = [ "north", Some all ]

              withEvaluator mentions (fun evaluator ->
                  let result = evaluator.Run(east mentions, Strict, system)
                  expectRanks [ 3.0 ] result.Optimistic "optimistic"
                  expectRanks [ 4.0 ] result.Pessimistic "pessimistic")

          testCase "the card says what must be equal before results are compared"
          <| fun () ->
              let mentions = [ "north", Some all ]

              withEvaluator mentions (fun evaluator ->
                  let card protocol = evaluator.Run(east mentions, protocol, system).Card
                  let strict = card Strict

                  Expect.equal
                      (strict.Protocol, strict.Dataset, strict.Split, strict.Mentions, strict.KnowledgeBaseSize)
                      ("strict", "WikiMEL", "dev", 1, 5)
                      "what was evaluated"

                  Expect.equal
                      (strict.CandidateSource, strict.GoldInjected, strict.TieRule, strict.SelectionSplit)
                      ("search_top100.json", false, "realistic", "dev")
                      "how"

                  Expect.equal
                      (strict.DatasetHash.Length, strict.CandidateHash.Length)
                      (64, 64)
                      "SHA-256 in hexadecimal"

                  let legacy, full = card Legacy, card FullKb

                  Expect.equal
                      (legacy.Protocol, legacy.GoldInjected, legacy.TieRule)
                      ("legacy", true, "optimistic")
                      "legacy"

                  Expect.equal
                      (full.Protocol, full.CandidateSource, full.CandidateHash, full.TieRule)
                      ("full-kb", "every entity", "", "realistic")
                      "full-kb")

          testCase "candidate recall is the share of golds among the first K, up to the longest list"
          <| fun () ->
              let mentions = [ "west", Some all; "east", Some all; "nil", Some all; "east", None ]

              withEvaluator mentions (fun evaluator ->
                  let recall = evaluator.Run(east mentions, Strict, system).CandidateRecall

                  Expect.equal
                      [ for item in recall -> item.Key, item.Value ]
                      [ "recall@1", 1.0 / 4.0; "recall@5", 2.0 / 4.0 ]
                      "west first, east fifth, two never")

          testCase "candidates as they are listed are a baseline: the place in the list is the rank"
          <| fun () ->
              withEvaluator [ "west", Some all; "north", Some all; "east", None ] (fun evaluator ->
                  expectRanks [ 1.0; 3.0; miss ] (evaluator.RunCandidateOrder(Strict, system)).Metrics "in order")

          testCase "chance is decided by the seed, and ranks evenly"
          <| fun () ->
              withEvaluator (List.replicate 400 ("north", Some all)) (fun evaluator ->
                  let mrr seed = (evaluator.RunChance(Strict, system, seed)).Metrics["mrr"].Value
                  Expect.equal (mrr 1L) (mrr 1L) "the same seed"
                  Expect.notEqual (mrr 1L) (mrr 2L) "another seed"
                  // (1 + 1/2 + 1/3 + 1/4 + 1/5) / 5 = 0.457, standard deviation of the mean 0.014.
                  Expect.isTrue (abs (mrr 1L - 0.4567) < 0.07) $"{mrr 1L}")

          testCase "a baseline under another protocol than strict is refused"
          <| fun () ->
              withEvaluator [ "west", Some all ] (fun evaluator ->
                  (fun () -> evaluator.RunCandidateOrder(FullKb, system) |> ignore)
                  |> Refusal.isSpelled
                      "a baseline ranks listed candidates, so its protocol is strict. Leave --protocol out.")

          testCase "a query that is not finite is refused with its mention's key and text, wherever it stands"
          <| fun () ->
              let mentions = List.replicate 3 ("west", Some all)

              withEvaluator mentions (fun evaluator ->
                  for bad in [ nanf; infinityf; 1e30f ] do
                      for protocol in [ Strict; Legacy; FullKb ] do
                          (fun () -> evaluator.Run([| 1f; 0f; 0f; 1f; bad; 0f |], protocol, system) |> ignore)
                          |> Refusal.isSpelled
                              "dev, mention 'm-2' ('text 2'): its query is 'not a finite number', expected finite numbers; the model's weights have grown out of bounds.")

          testCase "a query of zeros ties with all: the middle rank"
          <| fun () ->
              let mentions = [ "west", Some all ]

              withEvaluator mentions (fun evaluator ->
                  expectRanks [ 3.0 ] (evaluator.Run([| 0f; 0f |], Strict, system)).Metrics "of five")

          testCase "a split without mentions is refused"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data = Path.Combine(folder, "data")
                  writeData data { world [ "west", Some all ] with Dev = [] }
                  use opened = RunData.OpenWithoutFeatures data

                  (fun () -> (new Evaluator(opened, "dev", null)).Dispose())
                  |> Refusal.isSpelled $"{data}/dev.json: records: found none, expected at least one mention.")

          testCase "candidate lists keyed by records serve each its own mention"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use data = openBoth folder (world [ "west", Some all; "west", Some all ])
                  let path = Path.Combine(folder, "mine.json")

                  File.WriteAllText(
                      path,
                      JsonSerializer.Serialize(dict [ "m-0", [ "west" ]; "m-1", [ "east"; "west" ] ])
                  )

                  use evaluator = new Evaluator(data, "dev", CandidateLists.Read(path, data, "dev"))
                  let result = evaluator.Run([| 1f; 0f; 1f; 0f |], Strict, system)
                  expectRanks [ 1.0; 2.0 ] result.Metrics "one alone, one behind east"
                  Expect.equal result.Card.CandidateSource "mine.json" "source") ]

/// What opening a world's store says after a change of its tables.
let private refusedTables change (expected: string -> string) =
    Folder.temporary (fun folder ->
        let world = world [ "west", Some all; "east", Some all ]
        let data, store = Path.Combine(folder, "data"), Path.Combine(folder, "store")
        writeData data world
        writeStore store data (tables world |> List.map change)

        (fun () ->
            use opened = RunData.Open(data, store)
            opened.RequireFinite("train", "dev"))
        |> Refusal.isSpelled (expected store))

let private again = "Write the store again with `dwe features`."

[<Tests>]
let stores =
    testList
        "features of a data set"
        [ testCase "a table with other rows than the data set is refused by row"
          <| fun () ->
              refusedTables
                  (fun (name, rows, kinds) -> name, (if name = "dev" then List.rev rows else rows), kinds)
                  (fun store -> $"{store}/dev/rows.json: 'm-1' in row 0, expected 'm-0' as in the data set. {again}")

              refusedTables
                  (fun (name, rows, kinds) ->
                      if name = "entities" then
                          name, rows.Tail, [ for kind, vectors in kinds -> kind, List.tail vectors ]
                      else
                          name, rows, kinds)
                  (fun store -> $"{store}/entities/rows.json: 4 rows, expected 5 as the data set has. {again}")

          testCase "a split that was encoded to another width is refused"
          <| fun () ->
              refusedTables
                  (fun (name, rows, kinds) ->
                      if name = "dev" then
                          name,
                          rows,
                          [ for kind, vectors in kinds -> kind, vectors |> List.map (fun vector -> 0f :: vector) ]
                      else
                          name, rows, kinds)
                  (fun store ->
                      $"{store}/train/mention.safetensors: vectors of 2 values, expected 3 as everywhere in the store. {again}")

          testCase "a feature that is no finite number is refused with file and row"
          <| fun () ->
              for table, kind, row, bad, shown in
                  [ "dev", "text", 1, nanf, "NaN"
                    "train", "mention", 0, -infinityf, "-Infinity"
                    "entities", "text", 4, infinityf, "Infinity" ] do
                  let key = Map [ "dev", "m-1"; "train", "t-east"; "entities", "west" ]

                  refusedTables
                      (fun (name, rows, kinds) ->
                          name,
                          rows,
                          [ for other, vectors in kinds ->
                                other,
                                if name = table && other = kind then
                                    List.updateAt row [ 1f; bad ] vectors
                                else
                                    vectors ])
                      (fun store ->
                          $"{store}/{table}/{kind}.safetensors: row '{key[table]}': found {shown}, expected finite numbers.") ]
