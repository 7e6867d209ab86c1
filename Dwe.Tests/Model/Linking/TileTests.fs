module Dwe.Tests.Model.Linking.TileTests

open System
open Expecto
open TorchSharp
open Dwe.Model.Linking

let private numbers seed count =
    let random = Random(seed: int)
    Array.init count (fun _ -> float32 (random.NextDouble() - 0.5))

[<Tests>]
let tests =
    testList
        "Model.Linking.Tile"
        [ // Fewer rows than a tile, no whole number of tiles, of groups, of blocks, of chunks; a width that tiles do not take.
          for mentions, entities, dim in [ 3, 5, 32; 4, 4, 16; 7, 13, 32; 131, 301, 48; 300, 50, 512; 5, 9, 20 ] do
              testCase $"ranks of {mentions} queries among {entities} entities of {dim} are those of single dot products"
              <| fun () ->
                  let queries, rows = numbers 1 (mentions * dim), numbers 2 (entities * dim)
                  let golds = Array.init mentions (fun mention -> if mention % 5 = 4 then -1 else mention % entities)
                  let everyOne = Array.init (mentions * entities) (fun at -> at % entities)
                  let table = Scoring.candidates dim (ReadOnlyMemory queries) (ReadOnlyMemory rows) entities everyOne
                  use tensor = torch.tensor(rows).view (int64 entities, int64 dim)
                  let ranks = Scoring.rankEverything dim (queries.AsMemory()) tensor golds
                  Expect.equal ranks (Ranking.goldListed golds table) "ranks"

          testCase "a score does not depend on its place in the tile, nor on its neighbours"
          <| fun () ->
              if Tile.isFast then
                  let dim = 64
                  let row, other = numbers 3 dim, numbers 4 dim
                  let left = Array.concat [ row; numbers 5 dim; row; numbers 6 dim; row ]
                  let right = Array.concat [ numbers 7 dim; other; numbers 8 dim; other; numbers 9 dim; other ]
                  let scores = Array.zeroCreate<float32> 30
                  Tile.fillAll dim (ReadOnlySpan left) (ReadOnlySpan right) (scores.AsSpan())

                  for i in [ 0; 2; 4 ] do
                      for j in [ 1; 3; 5 ] do
                          Expect.equal scores[i * 6 + j] scores[1] $"({i}, {j})"

          testCase "a score that is not finite is named by mention and candidate"
          <| fun () ->
              let queries, rows = numbers 1 (6 * 16), numbers 2 (9 * 16)
              rows[8 * 16 + 3] <- nanf
              use tensor = torch.tensor(rows).view (9L, 16L)

              match Scoring.rankEverything 16 (queries.AsMemory()) tensor (Array.zeroCreate 6) with
              | Error problem -> Expect.stringContains $"{problem}" "candidate 8" "its place"
              | Ok _ -> failtest "NaN was ranked" ]
