module Dwe.Tests.Host.KnowledgeBases.KnowledgeBaseTests

open System
open System.IO
open System.Threading
open Dwe.Host.Features.Text
open Dwe.Host.KnowledgeBases
open Dwe.Model.Domain
open Dwe.Tests.Host.Features
open Dwe.Tests.Host.KnowledgeBases.SmallBase
open Dwe.Tests.Prelude
open Expecto
open FsCheck
open FsCheck.FSharp

/// A folder for a knowledge base that is not there yet, and an encoder that counts.
let private withNew test =
    Folder.temporary (fun folder ->
        use encoder = HashEncoder.quick ()
        test (Path.Combine(folder, "kb")) encoder)

let private three = [ entity "a" "Ann" "a painter"; entity "b" "Bob" "a sailor"; entity "c" "Cyd" "" ]

/// A change of a knowledge base, over few ids, so that they meet.
type private Change =
    | Adds of (string * string) list
    | Removes of string list

let private changes =
    let id = Gen.elements [ for letter in 'a' .. 'g' -> string letter ]
    let text = Gen.elements [ ""; "one"; "two"; "three" ]

    Gen.frequency
        [ 3, Gen.nonEmptyListOf (Gen.zip id text) |> Gen.map Adds
          1, Gen.nonEmptyListOf id |> Gen.map Removes ]
    |> Gen.listOf
    |> Gen.resize 8

let private applied (state: Map<string, string>) change =
    match change with
    | Adds pairs -> (state, pairs) ||> List.fold (fun state (id, text) -> Map.add id text state)
    | Removes ids -> (state, ids) ||> List.fold (fun state id -> Map.remove id state)

[<Tests>]
let tests =
    testList
        "Host.KnowledgeBases"
        [ testCase
              "what was built opens with its entities in order and the vector of each text, zeros where there is none"
          <| fun () ->
              withNew (fun kb encoder ->
                  let written = add kb encoder three
                  Expect.equal (written.Added, written.Encoded, written.WithoutText) (3L, 2, 1L) "what was done"
                  Expect.equal (holds kb) (expected three) "entities and vectors")

          testCase "of an addition only what is new is written, and only texts that no entity has had are encoded"
          <| fun () ->
              withNew (fun kb encoder ->
                  add kb encoder three |> ignore
                  let before = encoder.Encoded

                  let written =
                      add
                          kb
                          encoder
                          [ entity "a" "Ann" "a painter"
                            entity "b" "Robert" "a sailor"
                            entity "c" "Cyd" "a dancer"
                            entity "d" "Dan" "a painter" ]

                  Expect.equal (written.Added, written.Changed, written.Same) (1L, 2L, 1L) "what was done"
                  Expect.equal (written.Encoded, encoder.Encoded - before) (1, 1) "a dancer alone"

                  Expect.equal
                      (holds kb)
                      (expected
                          [ entity "a" "Ann" "a painter"
                            entity "b" "Robert" "a sailor"
                            entity "c" "Cyd" "a dancer"
                            entity "d" "Dan" "a painter" ])
                      "entities and vectors")

          testCase "an addition of what is there changes nothing, not even the generation"
          <| fun () ->
              withNew (fun kb encoder ->
                  add kb encoder three |> ignore
                  let before = Folder.contents kb
                  Expect.equal (add kb encoder three).Same 3L "as they were"
                  Expect.equal (Folder.contents kb) before "files")

          testCase "of one id in one addition the last one counts, in one segment and across several"
          <| fun () ->
              for rows in [ 1; 2; 100 ] do
                  withNew (fun kb encoder ->
                      addIn rows kb encoder [ entity "a" "1" "x"; entity "b" "2" "y"; entity "a" "3" "z" ] |> ignore

                      Expect.equal
                          (holds kb |> List.map (fun (id, name, _, _) -> id, name) |> List.sort)
                          [ "a", "3"; "b", "2" ]
                          "last"

                      addIn rows kb encoder [ entity "b" "4" "x"; entity "b" "2" "y" ] |> ignore

                      Expect.equal
                          (holds kb |> List.map (fun (id, name, _, _) -> id, name) |> List.sort)
                          [ "a", "3"; "b", "2" ]
                          "back")

          testCase "what was removed is gone, and comes back without being encoded"
          <| fun () ->
              withNew (fun kb encoder ->
                  let many = [ for number in 1..9 -> entity $"e{number}" $"name {number}" $"text {number}" ]
                  add kb encoder many |> ignore
                  let removed = remove kb [ "e2"; "e4"; "e2"; "nobody" ]
                  Expect.equal (removed.Removed, removed.Absent, removed.Manifest.Live) (2, 1, 7) "counted"

                  Expect.equal
                      (holds kb |> List.map (fun (id, _, _, _) -> id))
                      [ "e1"; "e3"; "e5"; "e6"; "e7"; "e8"; "e9" ]
                      "left"

                  let again = add kb encoder [ many[1] ]
                  Expect.equal (again.Added, again.Encoded, again.Manifest.Live) (1L, 0, 8) "added again"
                  Expect.equal (holds kb |> List.last) (expected [ many[1] ] |> List.head) "at the end")

          testCase "when more than a third of the rows are dead, all segments become one, and nothing is encoded"
          <| fun () ->
              withNew (fun kb encoder ->
                  let many = [ for number in 1..9 -> entity $"e{number}" "" $"text {number}" ]
                  add kb encoder many |> ignore
                  remove kb [ "e1"; "e2"; "e3" ] |> ignore
                  Expect.equal (segmentsIn kb) [ "000001"; "000002" ] "a third is not more than a third"
                  let before = encoder.Encoded
                  remove kb [ "e4" ] |> ignore
                  Expect.equal (segmentsIn kb) [ "000004" ] "one segment under a new number"
                  Expect.equal (holds kb) (expected (List.skip 4 many)) "the living"
                  Expect.equal encoder.Encoded before "encoder calls"
                  remove kb [ for number in 5..9 -> $"e{number}" ] |> ignore
                  Expect.equal (segmentsIn kb, holds kb) ([], []) "empty"
                  add kb encoder three |> ignore
                  Expect.equal (holds kb) (expected three) "filled again")

          testCase "many small additions are merged, and what they removed from before them stays removed"
          <| fun () ->
              withNew (fun kb encoder ->
                  let many = [ for number in 1..100 -> entity $"e{number}" "" $"text {number}" ]
                  // Enough rows that the first segment is not a small one.
                  let first = [ for number in 1 .. 1 <<< 14 -> entity $"f{number}" "" $"{number % 7}" ]
                  add kb encoder first |> ignore
                  remove kb [ "f1" ] |> ignore

                  for one in List.take 20 many do
                      add kb encoder [ one ] |> ignore

                  Expect.isLessThanOrEqual (segmentsIn kb).Length 18 "segments"
                  Expect.equal (segmentsIn kb).Head "000001" "the large one is as it was"
                  Expect.equal (holds kb) (expected (first.Tail @ List.take 20 many)) "entities and vectors")

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 60 }
              "any sequence of additions and removals is what a dictionary makes of it"
              (Prop.forAll (Arb.fromGen (Gen.zip (Gen.choose (1, 4)) changes)) (fun (rows, steps) ->
                  withNew (fun kb encoder ->
                      add kb encoder [ entity "start" "" "" ] |> ignore
                      let mutable state = Map [ "start", "" ]

                      for step in steps do
                          let living = Set [ for KeyValue(_, text) in state -> text ]
                          state <- applied state step

                          let written =
                              match step with
                              | Adds pairs ->
                                  addIn rows kb encoder [ for id, text in pairs -> entity id $"{id} {text}" text ]
                              | Removes ids -> remove kb ids

                          let fresh =
                              match step with
                              | Adds pairs -> Set.difference (Set.ofList (List.map snd pairs)) (Set.add "" living)
                              | Removes _ -> Set.empty

                          Expect.equal written.Manifest.Live state.Count "living"

                          Expect.isLessThanOrEqual
                              written.Encoded
                              fresh.Count
                              "texts that no living entity had, each once"

                      let start = entity "start" "" ""

                      Expect.equal
                          (List.sort (holds kb))
                          (expected
                              [ for KeyValue(id, text) in state ->
                                    if id = "start" then
                                        start
                                    else
                                        entity id $"{id} {text}" text ]
                           |> List.sort)
                          "entities and vectors"

                      let files = Directory.GetFileSystemEntries kb |> Array.map Path.GetFileName |> Array.sort
                      Expect.equal files [| ".writer.lock"; "manifest.json"; "segments" |] "nothing else is left")))

          testCase "what has been opened stays as it is while others merge and remove its segments"
          <| fun () ->
              withNew (fun kb encoder ->
                  add kb encoder three |> ignore
                  use opened = KnowledgeBase.Open kb
                  remove kb [ "a"; "b" ] |> ignore
                  Expect.equal (segmentsIn kb) [ "000003" ] "merged"
                  Expect.equal [ for entity in opened.Entities -> entity.Id ] [ "a"; "b"; "c" ] "as it was"
                  let vector = Array.zeroCreate<float32> 8
                  opened.CopyTextVector(1, vector.AsSpan())
                  let _, _, _, bob = (expected three)[1]
                  Expect.equal vector bob "Bob's vector")

          testCase "a second writer is refused while one is at work, and let in afterwards"
          <| fun () ->
              withNew (fun kb encoder ->
                  add kb encoder three |> ignore

                  (fun () ->
                      use _writer = KnowledgeBaseWriter.Open kb
                      remove kb [ "a" ] |> ignore)
                  |> Refusal.isSpelled
                      $"{kb} is being written by another process. Wait for it, or end it: what it has written stays whole."

                  Expect.equal (remove kb [ "a" ]).Removed 1 "afterwards")

          testCase "what a killed writer left is removed by the next one, and its encoded texts are used"
          <| fun () ->
              withNew (fun kb encoder ->
                  add kb encoder three |> ignore
                  let one = entity "d" "Dan" "a baker"

                  // The writer is stopped after the text is in the journal, and its segment's folder is left unnamed.
                  let stopped =
                      seq {
                          yield one
                          raise (OperationCanceledException())
                      }

                  Expect.throwsT<OperationCanceledException>
                      (fun () ->
                          use writer = KnowledgeBaseWriter.Open(kb, 1)

                          writer.Add(
                              feed stopped,
                              encodingBy encoder,
                              [||],
                              Action<_, _, _>(fun _ _ _ -> ()),
                              CancellationToken.None
                          )
                          |> ignore)
                      "stopped"

                  Expect.equal (segmentsIn kb) [ "000001"; "000002" ] "a segment that no manifest names"
                  Expect.equal (holds kb) (expected three) "not there"
                  Directory.CreateDirectory(Path.Combine(kb, "segments", "000007")) |> ignore
                  let before = encoder.Encoded
                  let written = add kb encoder [ one ]
                  Expect.equal (written.Added, encoder.Encoded - before) (1L, 0) "from the journal"
                  Expect.equal (segmentsIn kb) [ "000001"; "000002" ] "folders"
                  Expect.equal (holds kb) (expected (three @ [ one ])) "there"
                  Expect.isFalse (File.Exists(Path.Combine(kb, "journal.bin"))) "the journal is gone")

          testCase "an encoder other than the knowledge base's is refused, once a text needs it"
          <| fun () ->
              withNew (fun kb encoder ->
                  add kb encoder three |> ignore

                  let other () = new HashEncoder.HashEncoder("hash-other", 8, TimeSpan.Zero) :> ITextEncoder

                  let addBy entities =
                      use writer = KnowledgeBaseWriter.Open kb

                      let encoding =
                          TextEncoding(Encoder = "hash-8", Dimension = 8, EntityText = template, Open = Func<_> other)

                      writer.Add(
                          feed entities,
                          encoding,
                          [||],
                          Action<_, _, _>(fun _ _ _ -> ()),
                          CancellationToken.None
                      )

                  Expect.equal (addBy [ entity "a" "Anna" "a painter" ]).Changed 1L "no text is new"

                  (fun () -> addBy [ entity "e" "Eve" "a pilot" ] |> ignore)
                  |> Refusal.isSpelled
                      "--encoder: hash-other with 8 values, expected hash-8 with 8. Name the encoder that the run, the store or the knowledge base was made with.")

          testCase
              "of several templates the vector is the mean of the texts' vectors; texts that are known cost no encoding"
          <| fun () ->
              withNew (fun kb encoder ->
                  let pooled entities =
                      use writer =
                          if KnowledgeBaseManifest.IsIn kb then
                              KnowledgeBaseWriter.Open kb
                          else
                              KnowledgeBaseWriter.Begin kb

                      let encoding =
                          TextEncoding(
                              Encoder = "hash-8",
                              Dimension = 8,
                              EntityText = "{brief} || {name}",
                              Open = Func<_>(fun () -> encoder :> ITextEncoder)
                          )

                      let report = Action<_, _, _>(fun _ _ _ -> ())
                      writer.Add(feed entities, encoding, [||], report, CancellationToken.None)

                  let vectorOf text = (encoder :> ITextEncoder).Encode([| text |], CancellationToken.None)

                  let mean one other =
                      [| for one, other in Array.zip (vectorOf one) (vectorOf other) ->
                             float32 ((float one + float other) / 2.0) |]

                  let vectors () = [ for id, _, _, vector in holds kb -> id, vector ]
                  Expect.equal (pooled three).Encoded 5 "three names, two descriptions"

                  Expect.equal
                      (vectors ())
                      [ "a", mean "a painter" "Ann"; "b", mean "a sailor" "Bob"; "c", vectorOf "Cyd" ]
                      "vectors"

                  // Of d the mean is there, of e one text: no vector of its own says what its description is.
                  let written = pooled [ entity "d" "Ann" "a painter"; entity "e" "Cyd" "a painter" ]
                  Expect.equal written.Encoded 1 "a painter alone"

                  Expect.equal
                      (List.skip 3 (vectors ()))
                      [ "d", mean "a painter" "Ann"; "e", mean "a painter" "Cyd" ]
                      "added")

          testCase "a source without entities makes no knowledge base"
          <| fun () ->
              withNew (fun kb encoder ->
                  (fun () -> add kb encoder [] |> ignore)
                  |> Refusal.isSpelled
                      "a list: the source: found no entity, expected entities to build a knowledge base of."

                  (fun () -> KnowledgeBase.Open kb |> ignore)
                  |> Refusal.isSpelled
                      $"{kb}/manifest.json: not found; expected a knowledge base. Build it with `dwe kb build`.")

          testCase "a folder that holds anything else, or a knowledge base, is not built in"
          <| fun () ->
              withNew (fun kb encoder ->
                  add kb encoder three |> ignore

                  (fun () -> KnowledgeBaseWriter.Begin kb |> ignore)
                  |> Refusal.isSpelled
                      $"{kb} is a knowledge base already. Add to it with `dwe kb add`, or name another folder."

                  let other = Path.Combine(kb, "segments")

                  (fun () -> KnowledgeBaseWriter.Begin other |> ignore)
                  |> Refusal.isSpelled
                      $"{other} holds 000001, which is no knowledge base's. Name a new folder with --out.")

          testCase "files that are missing, cut off or of another size are refused by name"
          <| fun () ->
              let damaged damage expected =
                  withNew (fun kb encoder ->
                      add kb encoder three |> ignore
                      damage (fun name -> Path.Combine(kb, "segments", "000001", name))

                      Expect.stringContains
                          (Refusal.messageOf (fun () -> KnowledgeBase.Open kb |> ignore))
                          expected
                          "message")

              damaged
                  (fun file -> File.Delete(file "entities.jsonl"))
                  "entities.jsonl: not found; expected a segment's entities"

              damaged (fun file -> File.AppendAllText(file "entities.jsonl", "{}\n")) "Build the knowledge base again"
              damaged (fun file -> File.Delete(file "text.safetensors")) "text.safetensors: not found"

              damaged
                  (fun file ->
                      let bytes = File.ReadAllBytes(file "text.safetensors")
                      File.WriteAllBytes(file "text.safetensors", bytes[.. bytes.Length - 5]))
                  "text.safetensors"

          testCase "two builds of the same entities are the same bytes"
          <| fun () ->
              withNew (fun kb encoder ->
                  let other = kb + "2"
                  add kb encoder three |> ignore
                  add other encoder three |> ignore
                  Expect.equal (Folder.contents other) (Folder.contents kb) "files") ]
