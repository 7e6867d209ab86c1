module Dwe.Tests.Model.Sampling.EpochOrderTests

open Expecto
open FsCheck.FSharp
open Dwe.Model
open Dwe.Model.Domain
open Dwe.Tests.Prelude

let private property name gen holds =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 200 } name (Prop.forAll (Arb.fromGen gen) holds)

let private anySeed = ArbMap.defaults |> ArbMap.generate<int64>

/// A seed, a number of entities and gold rows among them, -1 = none.
let private batches =
    gen {
        let! seed = anySeed
        let! entities = Gen.choose (2, 6)
        let! golds = Gen.listOfLength 40 (Gen.choose (-1, entities - 1))
        return seed, entities, golds |> List.map int64 |> Array.ofList
    }

/// One negative for each gold, from entities that all have an id of their own.
let private negatives seed batch entities (golds: int64[]) =
    match NegativeDraws.Random(Array.init entities string) with
    | Ok draws -> draws.Draw(seed, batch, Array.init golds.Length id, golds)
    | Error error -> failtest (UserError.message error)

[<Tests>]
let tests =
    testList
        "Draw"
        [ property
              "an epoch's order is a permutation"
              (Gen.zip3 anySeed (Gen.choose (0, 1000)) (Gen.choose (0, 200)))
              (fun (seed, epoch, count) ->
                  Expect.equal
                      (Array.sort (Draw.EpochOrder(seed, epoch, count)))
                      [| 0 .. count - 1 |]
                      "every number once")

          property "an epoch's order depends on seed and epoch, and on nothing drawn before" anySeed (fun seed ->
              let order = Draw.EpochOrder(seed, 3, 50)
              Draw.EpochOrder(seed, 2, 50) |> ignore
              negatives seed 3L 10 [| 1L |] |> ignore
              Expect.equal (Draw.EpochOrder(seed, 3, 50)) order "the same again"
              // Two of 50! orders are equal by chance never.
              Expect.notEqual (Draw.EpochOrder(seed, 4, 50)) order "another epoch"
              Expect.notEqual (Draw.EpochOrder(seed + 1L, 3, 50)) order "another seed")

          property "a random negative is an entity, and never the gold" batches (fun (seed, entities, golds) ->
              let drawn = negatives seed 11L entities golds
              Expect.hasLength drawn golds.Length "one for each mention"

              Array.iter2
                  (fun negative gold ->
                      Expect.isTrue (negative >= 0L && negative < int64 entities) $"{negative} of {entities}"
                      Expect.notEqual negative gold "not the gold")
                  drawn
                  golds

              Expect.equal (negatives seed 11L entities golds) drawn "the same again")

          testCase "every other entity is drawn, the ones beside the gold too"
          <| fun () ->
              let drawn = negatives 1L 0L 5 (Array.create 2_000 2L)
              let counts = drawn |> Array.countBy id |> Array.sort
              Expect.equal (Array.map fst counts) [| 0L; 1L; 3L; 4L |] "all but 2"
              // Mean 500, standard deviation 19.
              Expect.all counts (fun (_, count) -> abs (count - 500) < 100) "equally often"

          testCase "the batch decides the negatives; one entity leaves none"
          <| fun () ->
              let golds = Array.create 50 0L
              Expect.notEqual (negatives 1L 0L 9 golds) (negatives 1L 1L 9 golds) "another batch"

              match NegativeDraws.Random [| "only" |] with
              | Error error ->
                  Expect.equal
                      (UserError.message error)
                      "1 entities in the knowledge base: a negative is another one than the gold. Give it more, or set loss.negatives=in-batch."
                      "message"
              | Ok _ -> failtest "one entity has no negative" ]
