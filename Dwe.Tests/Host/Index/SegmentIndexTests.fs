/// What is true of segments in a folder alone: generations, what is taken over, what is refused, threads.
module Dwe.Tests.Host.Index.SegmentIndexTests

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Dwe.Host.Index
open Dwe.Host.Storage
open Dwe.Model.Domain
open Dwe.Tests.Host.Index.IndexWorld
open Dwe.Tests.Prelude
open Expecto

let private buildWith (projection: IEntityProjection) folder dtype world =
    IndexBuilder(folder, source card world, projection, dtype).Build((fun _ _ -> ()), CancellationToken.None)

let private rows (world: World) = world.Segments |> List.concat |> List.length

/// Three segments of which the later ones replace some ids of the first.
let private grown =
    let random = SeededRandom 31L
    let segment ids = [ for id in ids -> entity $"e{id}" $"name {id}" [], direction random 16 ]

    { Segments = [ segment [ 0..99 ]; segment [ 90..119 ]; segment [ 5; 120 ] ]
      Removed = Set.ofList [ "e7"; "e100" ] }

/// What an index answers, as values that can be compared.
let private answers (index: IEntityIndex) =
    let vector = Array.zeroCreate<float32> index.Dimension

    [ for row in 0 .. index.Count - 1 do
          index.CopyVector(row, vector.AsSpan())
          let own = index.Entity row
          let named = index.Named(own.Name, 1) |> Array.head
          own.Id, index.RowOf own.Id, index.Nearest(ReadOnlySpan vector, 3), named.Row ]

let private names folder =
    Directory.GetFileSystemEntries folder |> Array.map Path.GetFileName |> Array.sort |> List.ofArray

[<Tests>]
let tests =
    testList
        "Host.Index segments"
        [ testCase "an index built from a knowledge base as it grew answers as one built at once"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let whole, steps = Path.Combine(folder, "whole"), Path.Combine(folder, "steps")
                  build whole Dtype.F32 grown |> ignore

                  // Dead when its segment is written, alive afterwards.
                  let without = Set.ofList [ for id in 0..49 -> $"e{id}" ]

                  for count in 1..3 do
                      build steps Dtype.F32 { Segments = List.truncate count grown.Segments; Removed = without }
                      |> ignore

                  build steps Dtype.F32 grown |> ignore
                  use one = SegmentIndex.Open whole
                  use other = SegmentIndex.Open steps
                  Expect.equal (answers other) (answers one) "answers"
                  Expect.equal other.Version one.Version "version"
                  Expect.equal other.Count 119 "121 ids without two"

                  Expect.equal
                      (names steps)
                      [ ".writer.lock"; "gen-000004"; "manifest.json" ]
                      "former generations are gone")

          testCase "segments that are there are not projected again; those of another run, kind or width are"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let projected checkpoint dtype world =
                      let projection = CountingProjection(16, checkpoint)
                      let outcome = buildWith projection folder dtype world
                      Expect.equal outcome.Written projection.Rows "what is said of it"
                      projection.Rows

                  let first = { grown with Segments = List.truncate 1 grown.Segments }
                  Expect.equal (projected "c0" Dtype.F32 first) 100 "all"
                  Expect.equal (projected "c0" Dtype.F32 grown) 32 "the new segments"

                  Expect.equal
                      (projected "c0" Dtype.F32 { grown with Removed = Set.empty })
                      0
                      "none for a removal undone"

                  Expect.equal (projected "c1" Dtype.F32 grown) 132 "another checkpoint"
                  Expect.equal (projected "c1" Dtype.F16 grown) 132 "another kind")

          testCase "an index that is up to date is left as it is"
          <| fun () ->
              Folder.temporary (fun folder ->
                  Expect.isTrue (build folder Dtype.I8 grown).Changed "built"
                  let before = Folder.contents folder
                  let again = build folder Dtype.I8 grown
                  Expect.isFalse again.Changed "not again"
                  Expect.equal again.Taken 132 "rows"
                  Expect.equal (Folder.contents folder) before "byte for byte")

          testCase "one that has an index open keeps it while it is replaced and removed"
          <| fun () ->
              Folder.temporary (fun folder ->
                  build folder Dtype.F32 grown |> ignore
                  use before = SegmentIndex.Open folder
                  let expected = answers before
                  build folder Dtype.F32 (randomWorld 32L 40 16) |> ignore
                  use after = SegmentIndex.Open folder
                  Expect.equal after.Count 40 "the next generation"
                  Expect.equal (answers before) expected "the former"

                  Expect.equal
                      (names folder)
                      [ ".writer.lock"; "gen-000002"; "manifest.json" ]
                      "whose files have no name")

          testCase "what is found is the same to the bit on 1, 2, 3 and 8 threads"
          <| fun () ->
              for dtype in [ Dtype.F32; Dtype.F16; Dtype.I8 ] do
                  Folder.temporary (fun folder ->
                      build folder dtype (randomWorld 33L 20_000 32) |> ignore
                      let random = SeededRandom 34L
                      let asked = Array.concat [ for _ in 1..9 -> direction random 32 ]

                      let found workers =
                          use index = SegmentIndex.Open(folder, workers)
                          index.Nearest(ReadOnlySpan asked, 40), index.Nearest(ReadOnlySpan(asked, 0, 32), 40)

                      let expected = found 1

                      for workers in [ 2; 3; 8 ] do
                          Expect.equal (found workers) expected $"{dtype}, {workers} threads")

          testCase "files are the same whenever they are built, but for those of Lucene, which bear a time"
          <| fun () ->
              let contents folder =
                  Folder.contents folder
                  |> List.filter (fun (name, _) ->
                      not (name.Contains $"{Path.DirectorySeparatorChar}lexical{Path.DirectorySeparatorChar}"))

              Folder.temporary (fun folder ->
                  let one, other = Path.Combine(folder, "one"), Path.Combine(folder, "other")
                  build one Dtype.I8 grown |> ignore
                  build other Dtype.I8 grown |> ignore
                  Expect.equal (contents other) (contents one) "byte for byte"
                  Expect.equal (contents one).Length 12 "manifest, lock, living rows, three files of each segment")

          testCase "what a dead writer left does not stand in the way, and is removed"
          <| fun () ->
              Folder.temporary (fun folder ->
                  build folder Dtype.F32 (randomWorld 35L 10 4) |> ignore
                  let dead = Guid.NewGuid().ToString "N"
                  // Killed before its manifest, in the midst of its files, and in the midst of removing.
                  Directory.CreateDirectory(Path.Combine(folder, "gen-000002", "000001")) |> ignore
                  File.WriteAllText(Path.Combine(folder, "gen-000002", "000001", "vectors.safetensors"), "half")
                  Directory.CreateDirectory(Path.Combine(folder, $".gen-000003.{dead}.partial")) |> ignore
                  File.WriteAllText(Path.Combine(folder, $".gen-000003.{dead}.partial.lock"), "")
                  use before = SegmentIndex.Open folder
                  Expect.equal before.Count 10 "the last whole one"
                  build folder Dtype.F32 (randomWorld 36L 12 4) |> ignore
                  use after = SegmentIndex.Open folder
                  Expect.equal after.Count 12 "the next"
                  Expect.equal (names folder) [ ".writer.lock"; "gen-000002"; "manifest.json" ] "nothing else")

          testCase "a second writer is refused while the first is at work"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use _ =
                      new FileStream(
                          Path.Combine(folder, ".writer.lock"),
                          FileMode.Create,
                          FileAccess.ReadWrite,
                          FileShare.None
                      )

                  Refusal.isSpelled
                      $"{folder} is being written by another process. Wait for it, or end it: what it has written stays whole."
                      (fun () -> build folder Dtype.F32 grown |> ignore))

          testCase "a folder that holds something else is refused and left alone"
          <| fun () ->
              Folder.temporary (fun folder ->
                  File.WriteAllText(Path.Combine(folder, "thesis.txt"), "")

                  Refusal.isSpelled
                      $"{folder} holds thesis.txt, which is no index's. Name a folder for the index alone."
                      (fun () -> build folder Dtype.F32 grown |> ignore)

                  Expect.equal (names folder) [ "thesis.txt" ] "the folder")

          testCase
              "an id that lives twice and a vector that is not finite are refused by name, and the former index stays"
          <| fun () ->
              Folder.temporary (fun folder ->
                  build folder Dtype.F32 (randomWorld 37L 10 4) |> ignore
                  let good = direction (SeededRandom 38L) 4

                  let twice = one [ entity "a" "A" [], good; entity "a" "B" [], good ]

                  Refusal.isSpelled
                      "world: an id that two living entities have is 'a', expected every id once."
                      (fun () -> build folder Dtype.F32 twice |> ignore)

                  let infinite = one [ entity "a" "A" [], good; entity "b" "B" [], [| 0f; nanf; 0f; 0f |] ]

                  Refusal.isSpelled
                      "world: the vector of entity 'b' is 'not a finite number', expected finite numbers; encode the knowledge base again."
                      (fun () -> build folder Dtype.F32 infinite |> ignore)

                  use index = SegmentIndex.Open folder
                  Expect.equal index.Count 10 "the former")

          testCase "no index, one of another format, and files that do not fit their manifest are refused"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let missing = Path.Combine(folder, "none")

                  Refusal.isSpelled
                      $"{missing}/manifest.json: not found; expected an index. Build it with `dwe index`."
                      (fun () -> (SegmentIndex.Open missing).Dispose())

                  let index = Path.Combine(folder, "index")
                  build index Dtype.F32 (randomWorld 39L 10 4) |> ignore
                  let manifest = Path.Combine(index, "manifest.json")
                  let text = File.ReadAllText manifest
                  let opening () = (SegmentIndex.Open index).Dispose()

                  File.WriteAllText(manifest, text.Replace("dwe-index-1", "dwe-index-9"))

                  Refusal.isSpelled
                      $"{manifest}: format dwe-index-9, expected dwe-index-1. Build the index again with `dwe index`."
                      opening

                  File.WriteAllText(manifest, text.Replace("\"dimension\": 4", "\"dimension\": 5"))
                  let vectors = Path.Combine(index, "gen-000001", "000001", "vectors.safetensors")

                  Refusal.isSpelled
                      $"{vectors}: vectors F32 [10, 4], expected vectors F32 [10, 5] as the manifest says. Build the index again with `dwe index`."
                      opening

                  File.WriteAllText(manifest, text)
                  let lines = Path.Combine(index, "gen-000001", "000001", "entities.jsonl")
                  File.AppendAllText(lines, "{}\n")
                  Expect.stringContains (Refusal.messageOf opening) "Build the index again" "more lines than rows"
                  File.Delete lines
                  Expect.stringContains (Refusal.messageOf opening) $"{lines}: not found" "no lines"
                  Directory.Delete(Path.Combine(index, "gen-000001"), true)
                  Expect.stringContains (Refusal.messageOf opening) "not found" "no generation")

          testCase "a picture is looked for in the folders that the index names, and only there"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let pictures = Path.Combine(folder, "pictures")
                  Directory.CreateDirectory pictures |> ignore
                  File.WriteAllText(Path.Combine(pictures, "b.png"), "")
                  File.WriteAllText(Path.Combine(folder, "out.png"), "")
                  let own names = { entity "a" "A" [] with Images = Array.ofList names }
                  let vector = [| 1f; 0f |]

                  let world =
                      one
                          [ { own [ "a.png"; "b.png" ] with Id = "a" }, vector
                            { own [ "../out.png" ] with Id = "b" }, vector ]

                  let card =
                      IndexedSource(
                          Name = "world",
                          Encoder = "",
                          EntityText = "",
                          FieldNames = [||],
                          ImageFolders = [| pictures |]
                      )

                  let index = Path.Combine(folder, "index")

                  IndexBuilder(index, source card world, CountingProjection(2, "c"), Dtype.F32)
                      .Build((fun _ _ -> ()), CancellationToken.None)
                  |> ignore

                  use index = SegmentIndex.Open index
                  Expect.equal (index.ImageOf 0) (Path.Combine(pictures, "b.png")) "the first that is there"
                  Expect.isNull (index.ImageOf 1) "not outside")

          testCase "vectors of length 1 come out of vectors of any length, and zeros stay zeros"
          <| fun () ->
              for dtype in [ Dtype.F32; Dtype.F16; Dtype.I8 ] do
                  withIndex
                      dtype
                      (one [ entity "a" "A" [], [| 3f; 0f; 4f |]; entity "z" "Z" [], [| 0f; 0f; 0f |] ])
                      (fun index ->
                          let row = Array.zeroCreate 3
                          index.CopyVector(0, row.AsSpan())

                          for found, expected in Array.zip row [| 0.6f; 0f; 0.8f |] do
                              Expect.isLessThan (abs (found - expected)) 4e-3f $"{dtype}"

                          index.CopyVector(1, row.AsSpan())
                          Expect.equal row [| 0f; 0f; 0f |] $"{dtype}"
                          let found = index.Nearest(ReadOnlySpan [| 1f; 0f; 0f |], 2)[0]

                          Expect.equal
                              [ for row in found -> row.Row ]
                              [ 0; 1 ]
                              "the zero vector is as near as what is square to it")

          testCase "candidates of three lists are merged by reciprocal ranks, the nearest at half weight"
          <| fun () ->
              let vectors = [ [| 1f; 0f; 0f |]; [| 0.8f; 0.6f; 0f |]; [| 0f; 1f; 0f |]; [| 0f; 0f; 1f |] ]

              let world =
                  one (
                      List.mapi2
                          (fun at name vector -> entity $"e{at}" name [], vector)
                          [ "Ada"; "Adam"; "Bo"; "Cy" ]
                          vectors
                  )

              withIndex Dtype.F32 world (fun index ->
                  let remember mention entity : Dwe.Model.Lexical.RememberedMention =
                      { Key = ""; Mention = mention; Sentence = ""; Entity = entity }

                  let prior =
                      NamePrior.Of(
                          [ remember "ADA" "e3"; remember "Ada" "e3"; remember "ada" "e0"; remember "Ada" "gone" ],
                          index
                      )

                  Expect.equal
                      (prior.Meant("ada", 9))
                      [| Found(3, 0.5f); Found(0, 0.25f) |]
                      "shares of what the name meant"

                  let fusion = CandidateFusion(index, prior)
                  let found = fusion.Candidates("Ada", ReadOnlySpan [| 1f; 0f; 0f |], 3)
                  // Dense: 0, 1, 2; lexical: 0, 1; prior: 3, 0.
                  let expected =
                      [ 0, FoundBy.Dense ||| FoundBy.Lexical ||| FoundBy.Prior, 0.5 / 31.0 + 1.0 / 31.0 + 1.0 / 32.0
                        1, FoundBy.Dense ||| FoundBy.Lexical, 0.5 / 32.0 + 1.0 / 32.0
                        3, FoundBy.Prior, 1.0 / 31.0 ]

                  for candidate, (row, sources, score) in Seq.zip found expected do
                      Expect.equal (candidate.Row, candidate.Sources) (row, sources) "candidate"
                      Expect.floatClose Accuracy.high candidate.Score score "score"

                  let limited = CandidateFusion(index, null, DenseLimit = 3, LexicalFirst = 10)
                  let found = limited.Candidates("Ada", ReadOnlySpan [| 0f; 1f; 0f |], 3)
                  // Of those alike by name, 1 is nearer; 2 would be the nearest of all.
                  Expect.equal [ for candidate in found -> candidate.Row ] [ 0; 1 ] "only what is alike by name"

                  Expect.floatClose
                      Accuracy.high
                      found[0].Score
                      (1.0 / 31.0 + 0.5 / 32.0)
                      "first by name, second by cosine") ]
