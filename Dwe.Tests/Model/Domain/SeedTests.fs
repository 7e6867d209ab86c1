module Dwe.Tests.Model.Domain.SeedTests

open Expecto
open FsCheck.FSharp
open Dwe.Model.Domain
open Dwe.Tests.Prelude

let private property name gen holds =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 200 } name (Prop.forAll (Arb.fromGen gen) holds)

let private anySeed = ArbMap.defaults |> ArbMap.generate<int64>

[<Tests>]
let tests =
    testList
        "Seed"
        [ testCase "a stream is SplitMix64's: the published first numbers of seed 1234567"
          <| fun () ->
              // https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64
              let random = SeededRandom 1234567L

              Expect.equal
                  [ for _ in 1..5 -> random.NextUInt64() ]
                  [ 6457827717110365317UL
                    3203168211198807973UL
                    9817491932198370423UL
                    4593380528125082431UL
                    16408922859458223821UL ]
                  "the first five"

          property "a derived seed is not negative and depends on seed, purpose and index" anySeed (fun seed ->
              let derived = Seed.derive seed "dropout" 7L
              Expect.isGreaterThanOrEqual derived 0L "not negative"
              Expect.equal (Seed.derive seed "dropout" 7L) derived "the same again"
              Expect.notEqual (Seed.derive seed "dropout" 8L) derived "another index"
              Expect.notEqual (Seed.derive seed "negatives" 7L) derived "another purpose"
              Expect.notEqual (Seed.derive (seed + 1L) "dropout" 7L) derived "another seed")

          property
              "numbers stay below their bound, and doubles in [0, 1)"
              (Gen.zip anySeed (Gen.choose (1, 1000)))
              (fun (seed, bound) ->
                  let random = SeededRandom seed

                  for _ in 1..50 do
                      let number, share = random.Next bound, random.NextDouble()
                      Expect.isTrue (number >= 0 && number < bound) $"{number} of {bound}"
                      Expect.isTrue (share >= 0.0 && share < 1.0) $"{share}")

          testCase "the largest bound is kept as well, and no bound is refused"
          <| fun () ->
              let random = SeededRandom 5L
              let drawn = [ for _ in 1..1000 -> random.Next System.Int32.MaxValue ]
              Expect.isTrue (List.forall (fun number -> number >= 0) drawn) "none wraps round"
              Expect.isGreaterThan (List.max drawn) 1_000_000_000 "the upper half is reached"
              Expect.invalid "bound is 0, expected at least 1" "no number is below 0" (fun () -> random.Next 0)

          testCase "numbers are coarsely uniform: each of ten values a tenth, within a twentieth of it"
          <| fun () ->
              let random = SeededRandom 42L
              let counts = Array.zeroCreate 10

              for _ in 1..100_000 do
                  let drawn = random.Next 10
                  counts[drawn] <- counts[drawn] + 1

              // Standard deviation 95: five of them.
              for value in 0..9 do
                  Expect.isTrue (abs (counts[value] - 10_000) < 500) $"{value}: {counts[value]}"

          testCase "a shuffle puts each item in each place equally often, within five deviations"
          <| fun () ->
              let random = SeededRandom 3L
              let counts = Array2D.zeroCreate 4 4

              for _ in 1..20_000 do
                  let items = [| 0; 1; 2; 3 |]
                  random.Shuffle items
                  items |> Array.iteri (fun place item -> counts[place, item] <- counts[place, item] + 1)

              // Mean 5000, standard deviation 61.
              counts
              |> Array2D.iteri (fun place item count ->
                  Expect.isTrue (abs (count - 5_000) < 310) $"item {item} in place {place}: {count}") ]
