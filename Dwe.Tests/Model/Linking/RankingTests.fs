module Dwe.Tests.Model.Linking.RankingTests

open System
open System.IO
open System.Text.Json
open Expecto
open FsCheck
open FsCheck.FSharp
open TorchSharp
open Dwe.Model.Domain
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Model.Linking
open Dwe.Tests.Prelude

let private table (rows: float32 list list) : ScoreTable =
    { Scores = rows |> List.concat |> Array.ofList
      Width = rows.Head.Length
      Counts = [||] }

let private ok result =
    match result with
    | Ok value -> value
    | Error error -> failtest (UserError.message error)

let private refusal result =
    match result with
    | Ok ranks -> failtest $"nothing was refused: %A{ranks}"
    | Error error -> UserError.message error

let private rank optimistic pessimistic : Rank = { Optimistic = optimistic; Pessimistic = pessimistic }

/// Some mentions with candidates and a gold each: plain numbers, few different ones, so that ties are common.
type private Lists = { Candidates: int list list; Golds: int list }

let private lists =
    gen {
        let! mentions = Gen.choose (1, 5)
        let! width = Gen.choose (1, 40)
        let! candidates = Gen.listOfLength mentions (Gen.listOfLength width (Gen.choose (-5, 5)))
        let! golds = Gen.listOfLength mentions (Gen.choose (-1, width - 1))
        return { Candidates = candidates; Golds = golds }
    }

let private tableOf (scoreOf: int -> float32) lists = table (lists.Candidates |> List.map (List.map scoreOf))

let private ranksOf lists = tableOf float32 lists |> Ranking.goldListed (Array.ofList lists.Golds) |> ok

let private property name (holds: Lists -> unit) =
    testPropertyWithConfig
        { FsCheckConfig.defaultConfig with maxTest = 100 }
        name
        (Prop.forAll (Arb.fromGen lists) holds)

/// The definition, over lists.
let private naive (candidates: int list) gold : Rank =
    if gold < 0 then
        Rank.Missing
    else
        let others = candidates |> List.removeAt gold
        let above = others |> List.filter (fun score -> score > candidates[gold]) |> List.length
        let tied = others |> List.filter (fun score -> score = candidates[gold]) |> List.length
        rank (float (1 + above)) (float (1 + above + tied))

let private opened =
    lazy SafetensorsFixture.SafetensorsFixture(Fixtures.required "fixtures/reference/rank/rank.safetensors")

let private described =
    lazy JsonDocument.Parse(File.ReadAllText(Fixtures.required "fixtures/reference/rank/rank.json"))

let private publishedTopK (name: string) : Map<int, float> =
    let cases = described.Value.RootElement.GetProperty "cases"
    let case = cases.EnumerateArray() |> Seq.find (fun case -> case.GetProperty("name").GetString() = name)
    let share (within: int) = case.GetProperty("topk64").GetProperty($"top{within}").GetDouble()
    Map [ for within in [ 1; 5; 10; 20 ] -> within, share within ]

/// The stored 64-bit similarities of a case.
let private stored name =
    let fixture = opened.Value
    let width = int (Array.last (fixture.Sizes $"{name}/out64.sim_s"))
    let floats key = fixture.Values $"{name}/{key}" |> Array.map float32

    floats "out64.sim_p", { Scores = floats "out64.sim_s"; Width = width; Counts = [||] }

/// The similarities of a case, computed here in 64 bits.
let private computed similarity name =
    let fixture = opened.Value

    Scope.value (fun () ->
        let tensor key = fixture.Tensor($"{name}/in.{key}", torch.float64)
        let scores items = Similarity.each similarity (tensor "query") items
        let floats scores = Expect.values scores |> Array.map float32
        let search = tensor "search"

        floats (scores (tensor "pos")), { Scores = floats (scores search); Width = int search.shape[1]; Counts = [||] })

let private optimistic (ranks: Rank[]) = ranks |> Array.map _.Optimistic

[<Tests>]
let tests =
    testList
        "Ranking"
        [ testCase "ranks, the worked example"
          <| fun () ->
              let scores =
                  table [ [ 0.9f; 0.6f; 0.6f; 0.1f ]; [ 0.5f; 0.5f; 0.5f; 0.5f ]; [ 0.1f; 0.2f; 0.3f; 0.4f ] ]
              // One better and one equal; three equal; the best.
              let expected = [| rank 2.0 3.0; rank 1.0 4.0; rank 1.0 1.0 |]
              let ranks = Ranking.goldListed [| 1; 0; 3 |] scores |> ok
              Expect.equal ranks expected "bounds"
              Expect.equal (ranks |> Array.map _.Realistic) [| 2.5; 2.5; 1.0 |] "the mean of both bounds"
              Expect.equal (Ranking.value TieRule.Optimistic ranks[0]) 2.0 "optimistic"
              Expect.equal (Ranking.value TieRule.Realistic ranks[0]) 2.5 "realistic"
              Expect.equal (Ranking.value TieRule.Pessimistic ranks[0]) 3.0 "pessimistic"

          testCase "a gold that was not retrieved stands at infinity"
          <| fun () ->
              let ranks = Ranking.goldListed [| -1 |] (table [ [ 0.9f; 0.6f ] ]) |> ok
              Expect.equal ranks [| rank infinity infinity |] "missed"
              Expect.equal ranks[0].Realistic infinity "realistic"

          testCase "the legacy protocol scores a gold that was not retrieved"
          <| fun () ->
              let ranks = Ranking.goldScored [| 0.7f |] (table [ [ 0.9f; 0.6f ] ]) |> ok
              Expect.equal ranks [| rank 2.0 2.0 |] "1 + #(candidate > gold)"

          testCase "padding is not looked at, whatever it holds"
          <| fun () ->
              let padded =
                  { table [ [ 0.9f; 0.6f; 0.6f; nanf ]; [ 0.1f; infinityf; 0.3f; 0.2f ] ] with
                      Counts = [| true; true; false; false; true; false; false; true |] }

              Expect.equal (Ranking.goldListed [| 1; 3 |] padded |> ok) [| rank 2.0 2.0; rank 1.0 1.0 |] "listed"
              Expect.equal (Ranking.goldScored [| 0.6f; 0.15f |] padded |> ok) [| rank 2.0 3.0; rank 2.0 2.0 |] "scored"

          testCase "a score that is NaN or infinite is refused by mention and candidate"
          <| fun () ->
              let width = 37 // more than one block of the vectorised comparison, and a rest

              for bad, shown in [ nanf, "NaN"; infinityf, "Infinity"; -infinityf, "-Infinity" ] do
                  for column in [ 0; 15; 36 ] do
                      let scores = Array.init (2 * width) (fun at -> if at = width + column then bad else float32 at)
                      let table = { Scores = scores; Width = width; Counts = [||] }
                      let expected = $"scores: mention 1, candidate {column} is '{shown}', expected a finite number."
                      Expect.equal (Ranking.goldListed [| 3; 3 |] table |> refusal) expected "listed"
                      Expect.equal (Ranking.goldListed [| 3; -1 |] table |> refusal) expected "missed"
                      Expect.equal (Ranking.goldScored [| 1.0f; 1.0f |] table |> refusal) expected "scored"

                      let counted = { table with Counts = Array.create scores.Length true }
                      Expect.equal (Ranking.goldListed [| 3; 3 |] counted |> refusal) expected "with a mask"

                      Scope.value (fun () ->
                          let tensor = torch.tensor(scores).reshape (2L, int64 width)

                          Expect.equal
                              (Ranking.goldListedOnDevice [| 3; 3 |] tensor |> refusal)
                              expected
                              "on the device")

          testCase "a gold that is NaN is refused by mention"
          <| fun () ->
              let message = Ranking.goldScored [| 0.5f; nanf |] (table [ [ 0.1f ]; [ 0.2f ] ]) |> refusal
              Expect.equal message "scores: mention 1, gold is 'NaN', expected a finite number." "message"

          testCase "sizes that do not fit are a programmer's mistake"
          <| fun () ->
              let scores = table [ [ 0.1f; 0.2f ] ]
              Expect.invalid "2 golds for 1 mentions" "golds" (fun () -> Ranking.goldListed [| 0; 0 |] scores)
              Expect.invalid "0 golds for 1 mentions" "gold scores" (fun () -> Ranking.goldScored [||] scores)
              Expect.invalid "mention 0: column 2" "outside" (fun () -> Ranking.goldListed [| 2 |] scores)
              Expect.invalid "mention 0: column -2" "below" (fun () -> Ranking.goldListed [| -2 |] scores)
              Expect.invalid "Width is 0" "width" (fun () -> Ranking.goldListed [||] { scores with Width = 0 })

              Expect.invalid "2 scores are no whole" "rest" (fun () ->
                  Ranking.goldListed [||] { scores with Width = 3 })

              Expect.invalid "Counts has 1 values but Scores has 2" "mask" (fun () ->
                  Ranking.goldListed [| 0 |] { scores with Counts = [| true |] })

              Expect.invalid "mention 0: column 1 is no candidate" "padding" (fun () ->
                  Ranking.goldListed [| 1 |] { scores with Counts = [| true; false |] })

              Scope.value (fun () ->
                  Expect.invalid @"scores is \[1; 2\], expected \[2; _\]" "on the device" (fun () ->
                      Ranking.goldListedOnDevice [| 0; 0 |] (torch.ones (1L, 2L)))

                  Expect.invalid "mention 0: column 2" "outside, on the device" (fun () ->
                      Ranking.goldListedOnDevice [| 2 |] (torch.ones (1L, 2L))))

          property "ranks agree with their definition over lists" (fun lists ->
              let expected = List.map2 naive lists.Candidates lists.Golds
              Expect.equal (List.ofArray (ranksOf lists)) expected "ranks")

          property "the three ways to rank agree" (fun lists ->
              let listed = ranksOf lists
              let golds = Array.ofList lists.Golds

              Scope.value (fun () ->
                  let rows = lists.Candidates |> List.map (List.map float >> Array.ofList) |> Array.ofList
                  let onDevice = Ranking.goldListedOnDevice golds (Matrices.tensor rows) |> ok
                  Expect.equal onDevice listed "on the device")

              let plain = tableOf float32 lists
              let masked = { plain with Counts = Array.create plain.Scores.Length true }
              Expect.equal (Ranking.goldListed golds masked |> ok) listed "with a mask of nothing"

              // The gold out of the list and scored beside it.
              for candidates, gold, listed in List.zip3 lists.Candidates lists.Golds (List.ofArray listed) do
                  if gold >= 0 && candidates.Length > 1 then
                      let others = table [ candidates |> List.removeAt gold |> List.map float32 ]
                      let beside = Ranking.goldScored [| float32 (List.item gold candidates) |] others |> ok
                      Expect.equal beside [| listed |] "beside")

          property "a monotone map of the scores leaves the ranks" (fun lists ->
              let mapped = tableOf (fun score -> exp (float32 score) * 3.0f - 100.0f) lists
              Expect.equal (Ranking.goldListed (Array.ofList lists.Golds) mapped |> ok) (ranksOf lists) "ranks")

          property "the order of the candidates does not matter" (fun lists ->
              let last = lists.Candidates.Head.Length - 1

              let reversed =
                  { Candidates = lists.Candidates |> List.map List.rev
                    Golds = lists.Golds |> List.map (fun gold -> if gold < 0 then gold else last - gold) }

              Expect.equal (ranksOf reversed) (ranksOf lists) "ranks")

          property "the batch in which a mention is ranked does not matter" (fun lists ->
              let alone =
                  List.map2
                      (fun row gold -> ranksOf { Candidates = [ row ]; Golds = [ gold ] })
                      lists.Candidates
                      lists.Golds

              Expect.equal (Array.concat alone) (ranksOf lists) "ranks")

          property "candidates that are masked do not matter" (fun lists ->
              let plain = tableOf float32 lists

              let widened =
                  tableOf
                      float32
                      { lists with
                          Candidates = lists.Candidates |> List.map (fun row -> row @ [ 9; -9; 0 ]) }

              let counts = Array.init widened.Scores.Length (fun at -> at % widened.Width < plain.Width)
              let golds = Array.ofList lists.Golds
              Expect.equal (Ranking.goldListed golds { widened with Counts = counts } |> ok) (ranksOf lists) "ranks")

          property "every candidate twice: who is better counts twice, and the copy of the gold ties" (fun lists ->
              let doubled = ranksOf { lists with Candidates = lists.Candidates |> List.map (fun row -> row @ row) }

              for once, twice in Array.zip (ranksOf lists) doubled do
                  Expect.equal (twice.Optimistic - 1.0) (2.0 * (once.Optimistic - 1.0)) "better"
                  Expect.equal twice.Pessimistic (2.0 * once.Pessimistic) "better or tied, itself included")

          property "more ties widen the bounds and never cross them" (fun lists ->
              let merged =
                  tableOf (fun score -> float32 (score / 2)) lists
                  |> Ranking.goldListed (Array.ofList lists.Golds)
                  |> ok

              for fine, coarse in Array.zip (ranksOf lists) merged do
                  Expect.isLessThanOrEqual coarse.Optimistic fine.Optimistic "optimistic"
                  Expect.isGreaterThanOrEqual coarse.Pessimistic fine.Pessimistic "pessimistic")

          testList
              "as published"
              [ for name in
                    [ "cos_random"
                      "cos_gold_in_candidates"
                      "cos_all_equal"
                      "cos_batch1"
                      "cos_one_candidate"
                      "cos_d512"
                      "cos_exact_ties" ] do
                    testCase name
                    <| fun () ->
                        let published = opened.Value.Values $"{name}/out64.ranks"

                        for golds, scores in [ stored name; computed Similarity.Cosine name ] do
                            let ranks = Ranking.goldScored golds scores |> ok
                            Expect.equal (optimistic ranks) published "ranks"
                            let metrics = Metrics.ofRanks TieRule.Optimistic ranks

                            let ours =
                                Map
                                    [ 1, metrics.HitsAt1
                                      5, metrics.HitsAt5
                                      10, metrics.HitsAt10
                                      20, metrics.HitsAt20 ]

                            Expect.equal ours (publishedTopK name) "top-k"

                testCase "the pessimistic ranks of the exact ties are 5, 7, 5"
                <| fun () ->
                    let golds, scores = stored "cos_exact_ties"
                    let ranks = Ranking.goldScored golds scores |> ok
                    Expect.equal (ranks |> Array.map _.Pessimistic) [| 5.0; 7.0; 5.0 |] "pessimistic"

                testCase "what ranks first as published because it is NaN is refused"
                <| fun () ->
                    let golds, scores = stored "cos_nan_zero"

                    Expect.equal
                        (opened.Value.Values "cos_nan_zero/out64.ranks")
                        [| 1.0; 1.0; 1.0; 1.0; 1.0; 1.0 |]
                        "published"

                    let message = Ranking.goldScored golds scores |> refusal
                    Expect.equal message "scores: mention 0, gold is 'NaN', expected a finite number." "message"

                testCase "a candidate of infinite length is refused"
                <| fun () ->
                    let golds, scores = stored "cos_inf"
                    let message = Ranking.goldScored golds scores |> refusal
                    Expect.equal message "scores: mention 0, candidate 0 is 'NaN', expected a finite number." "message"

                testCase "dot products rank as the published code meant"
                <| fun () ->
                    let golds, scores = computed Similarity.Dot "dot_intended"
                    let published = opened.Value.Values "dot_intended/out.ranks"
                    Expect.equal (Ranking.goldScored golds scores |> ok |> optimistic) published "ranks"

                testCase "a batch of one ranks on dot products"
                <| fun () ->
                    let golds, scores = computed Similarity.Dot "dot_batch1"
                    let published = opened.Value.Values "dot_batch1/out64.ranks"
                    Expect.equal (Ranking.goldScored golds scores |> ok |> optimistic) published "ranks" ]

          testSequenced (
              testCase "a list of 100 candidates takes less than 40 µs, the speed of 25,000 mentions a second"
              <| fun () ->
                  let mentions, width = 20_000, 100
                  let random = SeededRandom 1L
                  let scores = Array.init (mentions * width) (fun _ -> float32 (random.NextDouble()))
                  let table = { Scores = scores; Width = width; Counts = [||] }
                  let golds = Array.init mentions (fun mention -> mention % width)
                  Ranking.goldListed golds table |> ok |> ignore
                  let clock = Diagnostics.Stopwatch.StartNew()
                  Ranking.goldListed golds table |> ok |> ignore
                  Expect.isLessThan clock.Elapsed (TimeSpan.FromMicroseconds(40.0 * float mentions)) "20,000 mentions"
          ) ]
