/// What every index does, whatever stands behind it: one list of tests over ways to make one.
module Dwe.Tests.Host.Index.ConformanceTests

open System
open System.Collections.Generic
open System.Threading.Tasks
open Dwe.Host.Index
open Dwe.Host.Storage
open Dwe.Model.Domain
open Dwe.Tests.Host.Index.IndexWorld
open Dwe.Tests.Prelude
open Expecto
open FsCheck
open FsCheck.FSharp

/// How an index is made, and how far its vectors may be from those it was given.
type private Maker = { Name: string; Make: World -> (IEntityIndex -> unit) -> unit; Error: float }

let private ids (index: IEntityIndex) (found: Found[]) = [ for row in found -> (index.Entity row.Row).Id ]

let private vector (index: IEntityIndex) row =
    let own = Array.zeroCreate index.Dimension
    index.CopyVector(row, own.AsSpan())
    own

let private nearest (index: IEntityIndex) (query: float32[]) top = Array.head (index.Nearest(ReadOnlySpan query, top))

/// The scores of all rows in a double loop, best first, equal ones by row.
let private slowly (index: IEntityIndex) (query: float32[]) =
    [| for row in 0 .. index.Count - 1 -> row, Loops.dot (Array.map float query) (Array.map float (vector index row)) |]
    |> Array.sortBy (fun (row, score) -> -score, row)

/// Float32 sums of 512 products of unit vectors differ by less from those in double.
let private rounding = 2e-6

/// The top is that of the double loop, but for rows whose scores are the same up to rounding.
let private agree (index: IEntityIndex) (query: float32[]) top (found: Found[]) =
    let slow = slowly index query
    Expect.equal found.Length (min top slow.Length) "how many"
    let scoreOf = dict slow

    for at in 0 .. found.Length - 1 do
        Expect.isLessThan (abs (float found[at].Score - scoreOf[found[at].Row])) rounding $"score {at}"
        Expect.isLessThan (abs (snd slow[at] - scoreOf[found[at].Row])) rounding $"place {at}"

        if at > 0 then
            Expect.isTrue
                (found[at - 1].Score > found[at].Score
                 || found[at - 1].Score = found[at].Score && found[at - 1].Row < found[at].Row)
                $"order at {at}"

let private described =
    { entity "q\"1" "Zürich \"Zoo\"" [ "Zurich"; "Цюрих" ] with
        Type = "place"
        Fields = Dictionary(dict [ "brief", "city\nof 😀"; "era", "now" ])
        Images = [| "a/b.jpg"; "c.png" |] }

let private scripts =
    one
        [ for at, (id, name, aliases) in
              List.indexed
                  [ "obama", "Barack Obama", [ "Barack Hussein Obama II" ]
                    "obama-sr", "Barack Obama Sr.", []
                    "michelle", "Michelle Obama", []
                    "tokyo", "東京", [ "Tokyo" ]
                    "kyoto", "京都市", [ "Kyoto" ]
                    "moscow", "Москва", [ "Moscow" ]
                    "moscow-river", "Москва-река", []
                    "cairo", "القاهرة", [ "Cairo" ]
                    "cafe", "Café Müller", []
                    "seoul", "서울특별시", [ "Seoul" ]
                    "delhi", "नई दिल्ली", [ "New Delhi" ]
                    "us", "US", [ "United States"; "United States of America" ]
                    "us-pronoun", "us", []
                    "tie", "!!!", []
                    "lodz", "Łódź", []
                    "oneill", "Eugene O’Neill", [] ] ->
              entity id name aliases, Array.init 8 (fun place -> if place = at % 8 then 1.0f else 0.0f) ]

let private laws (maker: Maker) =
    let withIndex world test = maker.Make world test

    let worlds =
        gen {
            let! seed = Gen.choose (0, 1_000_000)
            let! count = Gen.elements [ 1; 2; 3; 4; 5; 17; 130; 300 ]
            let! dim = Gen.elements [ 1; 3; 16; 20; 64 ]
            let! queries = Gen.elements [ 1; 2; 3; 4; 7; 33 ]
            let! top = Gen.elements [ 1; 2; 10; 500 ]
            return int64 seed, count, dim, queries, top
        }

    [ testPropertyWithConfig
          { FsCheckConfig.defaultConfig with maxTest = 25 }
          "the nearest are those of a double loop, whatever the sizes"
          (Prop.forAll (Arb.fromGen worlds) (fun (seed, count, dim, queries, top) ->
              withIndex (randomWorld seed count dim) (fun index ->
                  let random = SeededRandom(seed + 1L)
                  let asked = [| for _ in 1..queries -> direction random dim |]
                  let found = index.Nearest(ReadOnlySpan(Array.concat asked), top)
                  Expect.equal found.Length queries "one list a query"
                  Array.iter2 (fun query own -> agree index query top own) asked found)))

      testCase "of rows with one vector the earlier comes first, in every list that they share"
      <| fun () ->
          let twin = direction (SeededRandom 5L) 32
          let random = SeededRandom 6L

          let rows =
              [ for number in 0..299 ->
                    entity $"e{number}" "x" [], (if number % 3 = 0 then twin else direction random 32) ]

          withIndex { Segments = List.chunkBySize 70 rows; Removed = Set.empty } (fun index ->
              for count in [ 1; 5 ] do
                  for found in index.Nearest(ReadOnlySpan(Array.concat (Array.replicate count twin)), 40) do
                      Expect.equal [ for row in found -> row.Row ] [ 0..3..117 ] $"rows, {count} queries"

                  for found in index.Nearest(ReadOnlySpan(Array.concat (Array.replicate count twin)), 1) do
                      Expect.equal found[0].Row 0 "the first")

      testCase "a query finds the same, to the bit, alone and in a batch"
      <| fun () ->
          for dim in [ 48; 20 ] do
              withIndex (randomWorld 7L 700 dim) (fun index ->
                  let random = SeededRandom 8L
                  let asked = [| for _ in 1..300 -> direction random dim |]
                  let batch = index.Nearest(ReadOnlySpan(Array.concat asked), 20)

                  for at in [ 0; 1; 150; 255; 256; 299 ] do
                      Expect.equal (nearest index asked[at] 20) batch[at] $"query {at} of width {dim}")

      testCase "an entity comes back as it was given, its vector of length 1 and close to the given one"
      <| fun () ->
          let own = direction (SeededRandom 9L) 24

          withIndex (one [ entity "a" "A" [], direction (SeededRandom 10L) 24; described, own ]) (fun index ->
              let found = index.Entity 1
              Expect.equal { found with Fields = described.Fields } described "everything but the fields"
              let fields (entity: Entity) = entity.Fields |> Seq.map (|KeyValue|) |> List.ofSeq |> List.sort
              Expect.equal (fields found) (fields described) "the fields"
              Expect.equal (index.Description 1) "city\nof 😀" "its description: the template's field"
              Expect.equal (index.Description 0) "" "no description"
              let kept = vector index 1 |> Array.map float
              Expect.floatClose { absolute = max maker.Error 1e-6; relative = 0.0 } (Loops.length kept) 1.0 "length"

              for place in 0..23 do
                  Expect.isLessThan (abs (kept[place] - float own[place])) (max maker.Error 1e-7) $"number {place}")

      testCase "rows and ids are each other's, and what is not there has none"
      <| fun () ->
          withIndex (randomWorld 11L 50 4) (fun index ->
              Expect.equal index.Count 50 "count"

              for row in 0..49 do
                  Expect.equal (index.RowOf $"e{row}") row "row"
                  Expect.equal (index.Entity row).Id $"e{row}" "id"

              Expect.equal (index.RowOf "e50") -1 "unknown"
              Expect.equal (index.RowOf "") -1 "empty"
              Expect.equal (index.ImageOf 0) null "no picture"
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> index.Entity 50 |> ignore) "past the end"
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> index.Entity -1 |> ignore) "before the start"

              Expect.throwsT<ArgumentOutOfRangeException>
                  (fun () -> nearest index [| 1f; 0f; 0f; 0f |] 0 |> ignore)
                  "top 0")

      testCase "a later entity of an id takes its place, a removed one is found by nothing"
      <| fun () ->
          let at place = Array.init 16 (fun number -> if number = place then 1.0f else 0.0f)

          let world =
              { Segments =
                  [ [ entity "a" "Anton" [], at 0; entity "b" "Berta" [ "Bertha" ], at 1; entity "c" "Caesar" [], at 2 ]
                    [ entity "a" "Aurelia" [], at 3; entity "d" "Dora" [], at 4 ] ]
                Removed = Set.ofList [ "b" ] }

          withIndex world (fun index ->
              Expect.equal index.Count 3 "living"
              Expect.equal [ for row in 0..2 -> (index.Entity row).Id ] [ "c"; "a"; "d" ] "in order"
              Expect.equal (index.RowOf "b") -1 "removed"
              Expect.equal (index.Entity(index.RowOf "a")).Name "Aurelia" "the later"
              Expect.equal (vector index (index.RowOf "a")).[3] 1.0f "its vector"
              let all = nearest index (at 0) 10
              Expect.equal (all |> Array.map _.Row |> Array.sort) [| 0; 1; 2 |] "nobody else is near"
              Expect.equal all[0].Score 0.0f "nor as near as the dead"
              Expect.equal (ids index (index.Named("Aurelia", 1))) [ "a" ] "by the new name"
              Expect.isEmpty (index.Named("Anton", 10)) "not by the old"
              Expect.isEmpty (index.Named("Bertha", 10)) "not the removed")

      testCase "names are found in any case, without accents, by alias, in several scripts"
      <| fun () ->
          withIndex scripts (fun index ->
              for text, expected in
                  [ "Barack Obama", "obama"
                    "barack obama", "obama"
                    "BARACK HUSSEIN OBAMA II", "obama"
                    "Tokyo", "tokyo"
                    "東京", "tokyo"
                    "京都市", "kyoto"
                    "москва", "moscow"
                    "МОСКВА", "moscow"
                    "القاهرة", "cairo"
                    "القَاهِرَة", "cairo"
                    "cafe muller", "cafe"
                    "CAFÉ MÜLLER", "cafe"
                    "서울특별시", "seoul"
                    "नई दिल्ली", "delhi"
                    "ｔｏｋｙｏ", "tokyo"
                    "US", "us"
                    "us", "us-pronoun"
                    "united states", "us"
                    "!!!", "tie"
                    "Lodz", "lodz"
                    "Eugene O'Neill", "oneill"
                    "eugene oneill", "oneill" ] do
                  Expect.equal (ids index (index.Named(text, 3)) |> List.head) expected text)

      testCase "names are found with a typo or two, or in part"
      <| fun () ->
          withIndex scripts (fun index ->
              for text, expected in
                  [ "Barak Obama", "obama"
                    "Barack Obbama", "obama"
                    "Michele Obama", "michelle"
                    "東亰", "tokyo"
                    "京都", "kyoto"
                    "Масква", "moscow"
                    "القاهره", "cairo"
                    "Cafe Mueller", "cafe"
                    "서울", "seoul"
                    "दिल्ली", "delhi"
                    "Untied States of America", "us" ] do
                  Expect.contains (ids index (index.Named(text, 3))) expected text)

      testCase "an entity is found once, homonyms by row, nothing by an empty text"
      <| fun () ->
          let rows =
              [ for number in 0..49 ->
                    entity $"e{number}" "John Smith" [ "Jon Smith"; "John Smyth" ],
                    direction (SeededRandom(int64 number)) 4 ]

          withIndex (one rows) (fun index ->
              Expect.equal [ for found in index.Named("John Smith", 20) -> found.Row ] [ 0..19 ] "homonyms"
              let typo = index.Named("Johnn Smith", 200)
              Expect.equal (typo |> Array.map _.Row) [| 0..49 |] "all, once, by row"
              Expect.isEmpty (index.Named("", 5)) "empty"
              Expect.isEmpty (index.Named("  \t", 5)) "white space"
              Expect.isEmpty (index.Named("xqz", 5)) "unlike all")

      testCase "long names and half surrogates are looked up like others"
      <| fun () ->
          let long = String.replicate 5_000 "very long name "

          withIndex
              (one [ entity "long" long [], [| 1f; 0f |]; entity "half" "a\uD800b name" [], [| 0f; 1f |] ])
              (fun index ->
                  Expect.equal (ids index (index.Named(long, 1))) [ "long" ] "long"
                  Expect.contains (ids index (index.Named("a\uD800b name", 2))) "half" "half")

      testCase "it reads the same from many threads at once"
      <| fun () ->
          withIndex (randomWorld 12L 400 32) (fun index ->
              let random = SeededRandom 13L
              let asked = [| for _ in 1..32 -> direction random 32 |]
              let expected = asked |> Array.map (fun query -> nearest index query 5)
              let named = [| for number in 0..31 -> index.Named($"name {number}", 5) |]

              Parallel.For(
                  0,
                  256,
                  fun at ->
                      let at = at % 32
                      Expect.equal (nearest index asked[at] 5) expected[at] "nearest"
                      Expect.equal (index.Named($"name {at}", 5)) named[at] "named"
                      Expect.equal (index.Entity at).Id $"e{at}" "entity"
              )
              |> ignore)

      testCase "its version is that of its content"
      <| fun () ->
          let versionOf world =
              let mutable version = ""
              withIndex world (fun index -> version <- index.Version)
              version

          let world = randomWorld 14L 5 4
          Expect.equal (versionOf world) (versionOf world) "the same again"
          Expect.notEqual (versionOf { world with Removed = Set.ofList [ "e3" ] }) (versionOf world) "one removed"

          let added =
              { world with
                  Segments = world.Segments @ [ [ entity "n" "new" [], [| 1f; 0f; 0f; 0f |] ] ] }

          Expect.notEqual (versionOf added) (versionOf world) "one added" ]

let private makers =
    let segments name dtype error =
        { Name = name
          Make = fun world test -> IndexWorld.withIndex dtype world (fun index -> test index)
          Error = error }

    [ { Name = "in memory"
        Make = fun world test -> test (new MemoryIndex(world))
        Error = 0.0 }
      segments "of float32 segments" Dtype.F32 0.0
      segments "of float16 segments" Dtype.F16 5e-4
      segments "of int8 segments" Dtype.I8 6e-3 ]

[<Tests>]
let tests =
    testList "Host.Index conformance" [ for maker in makers -> testList $"an index {maker.Name}" (laws maker) ]
