module Dwe.Tests.Model.Sampling.FoldsTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Dwe.Model.Sampling
open Dwe.Tests.Prelude

/// Seed, number of parts, groups of items: at least as many groups as parts.
let private divisions =
    gen {
        let! seed = Gen.choose (0, 1000000)
        let! parts = Gen.choose (2, 6)
        let! groups = Gen.choose (parts, 30)
        let! others = Gen.listOf (Gen.choose (0, groups - 1))
        let! order = Gen.shuffle ([ 0 .. groups - 1 ] @ others)
        return int64 seed, parts, order |> Array.map (fun group -> $"sentence {group}")
    }

let private property name (holds: int64 * int * string[] -> unit) =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 200 } name
    <| Prop.forAll (Arb.fromGen divisions) holds

[<Tests>]
let tests =
    testList
        "Model.Sampling.Folds"
        [ property "a sentence is never in two parts"
          <| fun (seed, parts, groups) ->
              let found = Folds.divide seed parts groups

              for _, own in Array.zip groups found |> Array.groupBy fst do
                  Expect.hasLength (Array.distinct (Array.map snd own)) 1 "one part"

          property "every part has something, and no two differ by more than the largest sentence"
          <| fun (seed, parts, groups) ->
              let found = Folds.divide seed parts groups
              let sizes = [ for part in 0 .. parts - 1 -> found |> Array.filter ((=) part) |> Array.length ]
              let largest = groups |> Array.countBy id |> Array.map snd |> Array.max
              Expect.equal (List.sum sizes) groups.Length "everything is in a part"
              Expect.isGreaterThan (List.min sizes) 0 "something"
              Expect.isLessThanOrEqual (List.max sizes - List.min sizes) largest "even"

          property "the seed decides"
          <| fun (seed, parts, groups) ->
              Expect.equal (Folds.divide seed parts groups) (Folds.divide seed parts groups) "the same again"

          testCase "another seed divides otherwise"
          <| fun () ->
              let groups = Array.init 40 string
              Expect.notEqual (Folds.divide 1L 4 groups) (Folds.divide 2L 4 groups) "two seeds"

          testCase "fewer sentences than parts, or fewer than two parts, are refused"
          <| fun () ->
              Expect.throwsT<ArgumentException>
                  (fun () -> Folds.divide 1L 3 [| "a"; "a"; "b" |] |> ignore)
                  "two for three"

              Expect.throwsT<ArgumentException> (fun () -> Folds.divide 1L 1 [| "a" |] |> ignore) "one part" ]
