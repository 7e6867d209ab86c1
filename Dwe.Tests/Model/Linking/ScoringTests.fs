module Dwe.Tests.Model.Linking.ScoringTests

open System
open Expecto
open FsCheck.FSharp
open TorchSharp
open Dwe.Model.Domain
open Dwe.Model.Linking
open Dwe.Tests.Prelude

let private rows seed count : float32[] =
    let random = SeededRandom seed
    Array.init count (fun _ -> float32 (random.NextDouble() * 2.0 - 1.0))

let private naive (left: float32[]) (right: float32[]) =
    Array.fold2 (fun sum a b -> sum + float a * float b) 0.0 left right

let private property name gen holds =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 100 } name (Prop.forAll (Arb.fromGen gen) holds)

let private scores dim (queries: float32[]) (entities: float32[]) width candidates =
    Scoring.candidates dim (ReadOnlyMemory queries) (ReadOnlyMemory entities) width candidates

[<Tests>]
let tests =
    testList
        "Scoring"
        [ property
              "a dot product is the sum in doubles, to 1e-5, for every length"
              (Gen.zip (Gen.choose (0, 130)) (Gen.choose (0, 1_000_000)))
              (fun (length, seed) ->
                  let left, right = rows (int64 seed) length, rows (int64 seed + 1L) length
                  let found = float (Scoring.dot (ReadOnlySpan left) (ReadOnlySpan right))
                  Expect.isLessThan (abs (found - naive left right)) 1e-5 $"length {length}")

          testCase "a dot product, spelled"
          <| fun () ->
              Expect.equal
                  (Scoring.dot (ReadOnlySpan [| 1f; 2f; 3f |]) (ReadOnlySpan [| 4f; 5f; 6f |]))
                  32f
                  "4 + 10 + 18"

          testCase "normalised rows have length 1 and their direction; a zero row stays zero"
          <| fun () ->
              let values = [| 3f; 4f; 0f; 0f; 0f; -2f |]
              Scoring.normalize (Memory values) 2
              Expect.equal values [| 0.6f; 0.8f; 0f; 0f; 0f; -1f |] "in place"
              let table = scores 2 values [| 1f; 0f |] 1 [| 0; 0; 0 |]
              Expect.equal table.Scores[1] 0f "a zero row scores 0"

          testCase "candidates are scored each by its own row; where there is none, nothing counts"
          <| fun () ->
              let table = scores 2 [| 1f; 0f; 0f; 2f |] [| 1f; 10f; 3f; 30f |] 3 [| 1; 0; -1; 0; -1; 1 |]
              Expect.equal table.Scores [| 3f; 1f; 0f; 20f; 0f; 60f |] "scores"
              Expect.equal table.Counts [| true; true; false; true; false; true |] "counts"
              Expect.equal table.Width 3 "width"

          property
              "a score has the same bits in any order of candidates, in any batch"
              (Gen.zip (Gen.choose (1, 70)) (Gen.choose (0, 1_000_000)))
              (fun (dim, seed) ->
                  let queries, entities = rows (int64 seed) (5 * dim), rows (int64 seed + 1L) (8 * dim)
                  let random = SeededRandom(int64 seed)

                  let orders =
                      [| for _ in 1..5 do
                             let order = [| 0..7 |]
                             random.Shuffle order
                             yield! order |]

                  let table = scores dim queries entities 8 orders

                  for mention in 0..4 do
                      let alone = scores dim queries[mention * dim .. (mention + 1) * dim - 1] entities 8 [| 0..7 |]

                      for at in 0..7 do
                          let entity = orders[mention * 8 + at]

                          Expect.equal
                              (BitConverter.SingleToInt32Bits table.Scores[mention * 8 + at])
                              (BitConverter.SingleToInt32Bits alone.Scores[entity])
                              $"mention {mention}, entity {entity}")

          testCase "ranks among everything are those among a list of everything; a gold outside of it is missed"
          <| fun () ->
              let queries, entities = rows 1L (3 * 16), rows 2L (7 * 16)
              use tensor = (torch.tensor (Array.copy entities: float32[])).view (7L, 16L)
              let golds = [| 4; -1; 0 |]
              let listed = scores 16 queries entities 7 (Array.concat (Array.create 3 [| 0..6 |]))

              Expect.equal
                  (Scoring.rankEverything 16 (Memory queries) tensor golds)
                  (Ranking.goldListed golds listed)
                  "ranks"

          testCase "the best among everything are the first of all in order, of equals those of lower rows"
          <| fun () ->
              let struct (tied, values) = Scoring.bestOf 3 (System.ReadOnlySpan [| 1f; 5f; 2f; 5f; 5f; 0f |])
              Expect.equal (tied, values) ([| 1; 3; 4 |], [| 5f; 5f; 5f |]) "three fives"
              let struct (all, _) = Scoring.bestOf 9 (System.ReadOnlySpan [| 1f; 3f; 2f |])
              Expect.equal all [| 1; 2; 0 |] "no more than there are"

              // 70 queries and 300 entities fill tiles; 3 and 7 do not.
              for mentions, count in [ 3, 7; 70, 300 ] do
                  let queries, entities = rows 1L (mentions * 16), rows 2L (count * 16)
                  use tensor = (torch.tensor (Array.copy entities: float32[])).view (int64 count, 16L)
                  let everything = Array.concat (Array.create mentions [| 0 .. count - 1 |])
                  let table = scores 16 queries entities count everything
                  let found = Scoring.bestOfEverything 5 16 (Memory queries) tensor
                  Expect.hasLength found mentions "one a mention"

                  for mention in 0 .. mentions - 1 do
                      let struct (best, _) = found[mention]
                      let own = Array.sub table.Scores (mention * count) count
                      let expected = [| 0 .. count - 1 |] |> Array.sortBy (fun row -> -own[row]) |> Array.truncate 5
                      Expect.equal best expected $"mention {mention} of {mentions}"

          testCase "ranks among everything refuse a score that is not a number, by mention and entity"
          <| fun () ->
              let queries, entities = rows 1L (2 * 16), rows 2L (7 * 16)
              entities[3 * 16] <- nanf
              use tensor = (torch.tensor (Array.copy entities: float32[])).view (7L, 16L)

              match Scoring.rankEverything 16 (Memory queries) tensor [| 0; 1 |] with
              | Error error ->
                  Expect.equal
                      (UserError.message error)
                      "scores: mention 0, candidate 3 is 'NaN', expected a finite number."
                      "message"
              | Ok _ -> failtest "a NaN was ranked"

          testCase "sizes that do not fit are refused"
          <| fun () ->
              Expect.invalid "queries hold 3 numbers, no whole number of rows of 2" "queries" (fun () ->
                  scores 2 [| 1f; 2f; 3f |] [| 1f; 2f |] 1 [| 0 |])

              Expect.invalid "entities hold 3 numbers, no whole number of rows of 2" "entities" (fun () ->
                  scores 2 [| 1f; 2f |] [| 1f; 2f; 3f |] 1 [| 0 |])

              Expect.invalid "2 candidates, expected 1 x 1" "candidates" (fun () ->
                  scores 2 [| 1f; 2f |] [| 1f; 2f |] 1 [| 0; 0 |]) ]
