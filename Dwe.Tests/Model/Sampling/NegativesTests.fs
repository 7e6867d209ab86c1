module Dwe.Tests.Model.Sampling.NegativesTests

open System.IO
open System.Text.Json
open Dwe.Model
open Dwe.Model.Domain
open Dwe.Model.Sampling
open Dwe.Tests.Prelude
open Expecto
open TorchSharp

let private ids = [| "Q0"; "Q1"; "Q2"; "Q1"; "Q4"; "Q5" |]
let private identities = Identities ids
let private stream () = SeededRandom 7L

/// How often each row is drawn for one gold.
let private counts (sampler: NegativeSampler) mention gold draws rows =
    let random = stream ()
    let counts = Array.zeroCreate<int> rows

    for _ in 1..draws do
        let row = sampler random mention gold
        counts[row] <- counts[row] + 1

    counts

/// Pearson's statistic. For 4 to 6 degrees of freedom it exceeds 30 less than once in 20,000 times.
let private chiSquare (expected: float[]) (found: int[]) =
    let draws = float (Array.sum found)

    Array.zip expected found
    |> Array.sumBy (fun (share, count) ->
        if share = 0.0 then
            (if count = 0 then 0.0 else infinity)
        else
            (float count - share * draws) ** 2.0 / (share * draws))

let private followsShares expected found = Expect.isLessThan (chiSquare expected found) 30.0 $"{found}"

let private fixture =
    lazy
        use document =
            JsonDocument.Parse(File.ReadAllText(Fixtures.required "fixtures/reference/sampling/sampling.json"))

        document.RootElement.Clone()

let private numbers (element: JsonElement) = [ for item in element.EnumerateArray() -> item.GetInt32() ]
let private lists (element: JsonElement) = [ for item in element.EnumerateArray() -> numbers item ]

/// A weighted list as the reference keeps it: every item as often as it weighs.
let private written (weighted: Weighted) = [ for place in 0 .. weighted.Total - 1 -> weighted.At place ]

let private agrees (documents: string list) (case: JsonElement) what =
    let tables = TfIdf.tables (documents |> List.map TfIdf.words |> Array.ofList)

    let expected =
        [ for word in case.GetProperty("token2id").EnumerateObject() -> word.Name, word.Value.GetInt32() ]

    Expect.equal
        ([ for word in tables.Words -> word.Key, word.Value ] |> List.sortBy snd)
        (List.sortBy snd expected)
        $"{what}: words"

    Expect.equal
        [ for own in tables.DocumentsOf -> written own ]
        (lists (case.GetProperty "neg_iid"))
        $"{what}: neg_iid"

    Expect.equal
        [ for own in tables.WordsOf -> written own ]
        (lists (case.GetProperty "tfidf_neg"))
        $"{what}: tfidf_neg"

let private rowsOf (queries: float32 list list) =
    torch.tensor (queries |> List.concat |> Array.ofList, dtype = torch.float32)
    |> fun flat -> flat.reshape (int64 queries.Length, -1L)

let private refused expected result =
    match result with
    | Error error -> Expect.equal (UserError.message error) expected "message"
    | Ok _ -> failtest "not refused"

[<Tests>]
let tests =
    testList
        "negatives"
        [ testCase "a uniform negative is neither the gold nor another row of its id, and all others are equally likely"
          <| fun () ->
              counts (Negatives.uniform identities) 0 3 20_000 6
              |> followsShares [| 0.25; 0.0; 0.25; 0.0; 0.25; 0.25 |]

          testCase "a mention without gold may be pushed away from every row"
          <| fun () -> counts (Negatives.uniform identities) 0 -1 20_000 6 |> followsShares (Array.create 6 (1.0 / 6.0))

          testCase "a same-type negative has the gold's type"
          <| fun () ->
              let types = [| "person"; "person"; "place"; "person"; "person"; "" |]
              let sampler = Negatives.sameType identities types
              counts sampler 0 0 20_000 6 |> followsShares [| 0.0; 1.0 / 3.0; 0.0; 1.0 / 3.0; 1.0 / 3.0; 0.0 |]
              // The only place, and an entity without a type: any other entity.
              counts sampler 0 2 20_000 6 |> followsShares [| 0.2; 0.2; 0.0; 0.2; 0.2; 0.2 |]
              counts sampler 0 5 20_000 6 |> followsShares [| 0.2; 0.2; 0.2; 0.2; 0.2; 0.0 |]

          testCase "a listed negative is on the mention's list and not the gold"
          <| fun () ->
              let sampler = Negatives.listed identities [| [| 4; 1; 5; 3 |]; [| 1; 3 |]; [||] |]
              counts sampler 0 1 20_000 6 |> followsShares [| 0.0; 0.0; 0.0; 0.0; 0.5; 0.5 |]
              // Only the gold is on the list, under two rows; nothing is.
              counts sampler 1 1 20_000 6 |> followsShares [| 0.25; 0.0; 0.25; 0.0; 0.25; 0.25 |]
              counts sampler 2 0 20_000 6 |> followsShares [| 0.0; 0.2; 0.2; 0.2; 0.2; 0.2 |]

          testCase "several negatives are different entities, and more than there are is refused"
          <| fun () ->
              let several count = Negatives.several identities (Negatives.uniform identities) (stream ()) 0 1 count
              Expect.equal (several 4 |> Array.sort) [| 0; 2; 4; 5 |] "all others"

              Expect.throwsC (fun () -> several 5 |> ignore) (fun error ->
                  Expect.stringStarts
                      error.Message
                      "5 negatives are asked for, there are 4 entities beside the gold"
                      "message")

          testCase "several negatives of one word's two entities go on with any"
          <| fun () ->
              let tables = TfIdf.tables [| [| "a" |]; [| "b" |]; [| "b" |]; [| "c" |]; [| "d" |]; [| "e" |] |]
              let plain = Identities [| for row in 0..5 -> string row |]
              let found = Negatives.several plain (Negatives.tfIdf plain tables) (stream ()) 0 1 5
              Expect.equal (Array.sort found) [| 0; 2; 3; 4; 5 |] "all others"

          testCase "a TF-IDF negative shares a telling word, but for one in twenty"
          <| fun () ->
              // Gold 0 has one telling word, which entity 1 has once and 2 three times; 3 shares what all have.
              let tables =
                  TfIdf.tables [| [| "all"; "x" |]; [| "all"; "x" |]; [| "all"; "x"; "x"; "x" |]; [| "all"; "y" |] |]

              let plain = Identities [| "Q0"; "Q1"; "Q2"; "Q3" |]

              // By word: 0.95 of draws hit rows 0, 1, 2 as 1 : 1 : 3. Uniform: 0.05. The gold is drawn again.
              let byRow = [| 0.0; 0.95 / 5.0 + 0.0125; 0.95 * 3.0 / 5.0 + 0.0125; 0.0125 |]
              let total = Array.sum byRow

              counts (Negatives.tfIdf plain tables) 0 0 40_000 4
              |> followsShares (byRow |> Array.map (fun share -> share / total))

          testCase "no sampler ever draws the gold or its double"
          <| fun () ->
              let words = [| [| "a" |]; [| "a"; "b" |]; [| "c" |]; [| "a"; "b" |]; [| "b" |]; [| "c" |] |]

              let samplers =
                  [ Negatives.uniform identities
                    Negatives.tfIdf identities (TfIdf.tables words)
                    Negatives.sameType identities (Array.create 6 "t")
                    Negatives.listed identities [| [| 0..5 |] |] ]

              for sampler in samplers do
                  for gold in 0..5 do
                      let found = counts sampler 0 gold 2_000 6

                      for row in identities.RowsOf gold do
                          Expect.equal found[row] 0 $"row {row} for gold {gold}"

          testCase "the same seed and batch draw the same, another batch something else"
          <| fun () ->
              let plain = [| for row in 0..999 -> string row |]

              let draws =
                  match NegativeDraws.Random plain with
                  | Ok draws -> draws
                  | Error error -> failtest (UserError.message error)

              let mentions, golds = [| 0..99 |], [| 0L .. 99L |]
              let first = draws.Draw(5L, 3L, mentions, golds)
              Expect.equal (draws.Draw(5L, 3L, mentions, golds)) first "again"
              Expect.notEqual (draws.Draw(5L, 4L, mentions, golds)) first "another batch"
              Expect.notEqual (draws.Draw(6L, 3L, mentions, golds)) first "another seed"

          testCase "the nearest entities are those of the highest cosine, the gold and its double left out"
          <| fun () ->
              use entities = rowsOf [ [ 1f; 0f ]; [ 9f; 9f ]; [ 0f; 1f ]; [ 1f; 1f ]; [ -1f; 0f ]; [ 5f; 1f ] ]

              use queries = rowsOf [ [ 2f; 0f ]; [ 0f; 3f ] ]
              // Cosines of query 0: 1, .71 (gold), 0, .71 (gold), -1, .98; of query 1: 0, .71, 1, .71, 0, .20.
              let mined = Negatives.nearest identities 3 queries entities [| 1L; -1L |]
              Expect.equal mined[0] [| 0; 5; 2 |] "without the gold"
              Expect.equal (Array.head mined[1]) 2 "nearest"
              Expect.equal (Array.sort mined[1]) [| 1; 2; 3 |] "three"

          testCase "a knowledge base of one entity is refused, and so are samplers without what they draw by"
          <| fun () ->
              NegativeDraws.Random [| "Q1"; "Q1" |]
              |> refused
                  "1 entities in the knowledge base: a negative is another one than the gold. Give it more, or set loss.negatives=in-batch."

              NegativeDraws.TfIdf(ids, Array.create 6 " ")
              |> refused
                  "loss.negative_sampler is tf-idf, but no entity has a description. Set loss.negative_sampler=random."

              NegativeDraws.SameType(ids, Array.create 6 "")
              |> refused
                  "loss.negative_sampler is same-type, but no entity states its type. Set loss.negative_sampler=random."

          testCase "the tables of eight descriptions are those of gensim and nltk"
          <| fun () ->
              let root = fixture.Value

              agrees
                  [ for fact in root.GetProperty("facts").EnumerateObject() -> string (fact.Value.GetString()) ]
                  root
                  "facts"

          testCase "the tables of four edge cases are those of gensim and nltk"
          <| fun () ->
              let cases = [ for case in fixture.Value.GetProperty("edge_cases").EnumerateArray() -> case ]
              Expect.hasLength cases 4 "cases"

              for case in cases do
                  let documents = [ for text in case.GetProperty("docs").EnumerateArray() -> string (text.GetString()) ]
                  agrees documents case (string (case.GetProperty("name").GetString()))

          testCase "TF-IDF negatives are distributed as the released code's"
          <| fun () ->
              let root = fixture.Value

              let names, documents =
                  [| for fact in root.GetProperty("facts").EnumerateObject() ->
                         fact.Name, string (fact.Value.GetString()) |]
                  |> Array.unzip

              let sampler = Negatives.tfIdf (Identities names) (TfIdf.tables (Array.map TfIdf.words documents))
              let exact = root.GetProperty("neg_sample_online_distribution").GetProperty "exact"

              for gold in 0..7 do
                  let shares = exact.GetProperty names[gold]

                  let expected =
                      names
                      |> Array.map (fun name ->
                          match shares.TryGetProperty name with
                          | true, share -> share.GetDouble()
                          | false, _ -> 0.0)

                  counts sampler 0 gold 25_000 8 |> followsShares expected ]
