module Dwe.Tests.Host.Data.WikiMelTests

open System.IO
open Dwe.Host.Data
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

let private write folder name (text: string) = File.WriteAllText(Path.Combine(folder, name), text)

/// Two mentions, one per split, of a knowledge base of three entities, of which one has no description.
let private small folder =
    write
        folder
        "train.json"
        """{"1-0": {"id": "1", "sentence": "Ada met Lovelace.", "imgPath": "a/1.jpg", "mentions": "Ada", "entities": "Ada Lovelace", "answer": "Q7"}}"""

    write
        folder
        "dev.json"
        """{
"2": {"id": "2", "sentence": "The Queen spoke.", "imgPath": "", "mentions": "The Queen", "answer": "Q9"}
}"""

    write folder "qids_ordered.json" """["Q7", "Q9", "Q3"]"""

    write
        folder
        "property.json"
        """{"Q9": "Elizabeth II [SEP]. Sex: female.", "Q7": "Ada Lovelace [SEP]. Sex: female. Occupation: mathematician."}"""

let private read folder = DatasetReaders.Read folder

/// The message when one file of the small data set holds this text (or, for None, is absent).
let private refusedWith name (text: string option) expected =
    Folder.temporary (fun folder ->
        small folder

        match text with
        | Some text -> write folder name text
        | None -> File.Delete(Path.Combine(folder, name))

        (fun () -> read folder |> ignore)
        |> Refusal.isSpelled (Path.Combine(folder, name) + ": " + expected))

let private fieldsOf (entity: Entity) = [ for field in entity.Fields -> field.Key, field.Value ] |> List.sort

[<Tests>]
let tests =
    testList
        "WikiMEL"
        [ testCase "mentions keep their file's order and entities that of qids_ordered"
          <| fun () ->
              Folder.temporary (fun folder ->
                  small folder
                  let dataset = read folder
                  Expect.equal dataset.Format "WikiMEL" "format"

                  Expect.equal
                      (List.ofSeq dataset.Mentions["train"])
                      [ { Key = "1-0"
                          Text = "Ada"
                          Sentence = "Ada met Lovelace."
                          Images = [| "a/1.jpg" |]
                          Type = ""
                          Gold = Gold.Entity "Q7"
                          Box = null } ]
                      "train"

                  Expect.equal
                      (List.ofSeq dataset.Mentions["dev"])
                      [ { Key = "2"
                          Text = "The Queen"
                          Sentence = "The Queen spoke."
                          Images = [||]
                          Type = ""
                          Gold = Gold.Entity "Q9"
                          Box = null } ]
                      "dev; an empty imgPath is no image"

                  Expect.isFalse (dataset.Mentions.ContainsKey "test") "a test split that is not there"

                  Expect.equal
                      [ for entity in dataset.Entities -> entity.Id, entity.Name, fieldsOf entity ]
                      [ "Q7", "Ada Lovelace", [ "property", "Sex: female. Occupation: mathematician." ]
                        "Q9", "Elizabeth II", [ "property", "Sex: female." ]
                        "Q3", "Q3", [] ]
                      "entities; without a description there is no field, without any name the id is the name"

                  Expect.equal dataset.CandidatePath null "no candidates came with it")

          testCase "a second description file is a second field, and name files give names and aliases"
          <| fun () ->
              Folder.temporary (fun folder ->
                  small folder

                  write
                      folder
                      "brief.json"
                      """{"Q3": "no mark at all", "Q9": "Elizabeth II [SEP]. queen [SEP]. of many", "Q7": "Ada Lovelace [SEP]. "}"""

                  write folder "qid2ne.json" """{"Q9": "Queen Elizabeth"}"""
                  write folder "ne2qid.json" """{"Lilibet": "Q9", "Third": "Q3", "Ada Lovelace": "Q7"}"""
                  let dataset = read folder

                  Expect.equal
                      [ for entity in dataset.Entities -> entity.Name, List.ofArray entity.Aliases, fieldsOf entity ]
                      [ "Ada Lovelace", [], [ "property", "Sex: female. Occupation: mathematician." ]
                        "Queen Elizabeth",
                        [ "Elizabeth II"; "Lilibet" ],
                        [ "brief", "queen [SEP]. of many"; "property", "Sex: female." ]
                        "Third", [], [ "brief", "no mark at all" ] ]
                      "entities"

                  Expect.equal (List.ofSeq dataset.FieldNames) [ "brief"; "property" ] "fields")

          testCase "answers outside the knowledge base are kept and counted, nil and empty ones are told apart"
          <| fun () ->
              Folder.temporary (fun folder ->
                  small folder

                  write
                      folder
                      "test.json"
                      """{"a": {"sentence": "s", "mentions": "m", "answer": "Q404"}, "b": {"sentence": "s", "mentions": "m", "answer": "nil"},
"c": {"sentence": "s", "mentions": "m", "answer": ""}, "d": {"sentence": "s", "mentions": "m", "answer": "Q3"}}"""

                  let dataset = read folder

                  Expect.equal
                      [ for mention in dataset.Mentions["test"] -> mention.Gold ]
                      [ Gold.Entity "Q404"; Gold.Nil; Gold.Unlabelled; Gold.Entity "Q3" ]
                      "gold"

                  Expect.equal
                      [ for split in dataset.GoldMissing -> split.Key, split.Value ]
                      [ "train", 0; "dev", 0; "test", 1 ]
                      "missing gold")

          testCase "the content hash follows contents, not the folder or the candidates"
          <| fun () ->
              let hashAfter change =
                  let mutable hash = ""

                  Folder.temporary (fun folder ->
                      small folder
                      change folder
                      hash <- (read folder).ContentHash)

                  hash

              let unchanged = hashAfter ignore
              Expect.equal unchanged.Length 64 "SHA-256"
              Expect.equal (hashAfter ignore) unchanged "the same files elsewhere"
              Expect.equal (hashAfter (fun folder -> write folder "search_top100.json" "{}")) unchanged "candidates"

              Expect.notEqual
                  (hashAfter (fun folder -> write folder "qids_ordered.json" """["Q9", "Q7", "Q3"]"""))
                  unchanged
                  "another order"

          testCase "missing files are named with what they are for"
          <| fun () ->
              let layout =
                  "A WikiMEL folder holds train.json, dev.json, qids_ordered.json, property.json or brief.json; check --data."

              refusedWith "dev.json" None $"not found; expected the dev split. {layout}"
              refusedWith "qids_ordered.json" None $"not found; expected the entity ids in row order. {layout}"
              refusedWith "property.json" None $"not found; expected descriptions of the entities. {layout}"

          testCase "a folder of no known format, and no folder, are answered with the formats that are known"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let known =
                      DatasetReaders.All
                      |> Seq.map _.Format
                      |> String.concat ", "

                  Expect.stringEnds
                      known
                      "WikiMEL"
                      "the last of nine"

                  (fun () -> read folder |> ignore)
                  |> Refusal.isSpelled
                      $"{folder}/train.json: not found; expected a data set: {known}. docs/data-formats.md has their files; --format names one."

                  (fun () -> read (folder + "/no") |> ignore)
                  |> Refusal.isSpelled
                      $"{folder}/no: not found; expected the folder of a data set. Check --data.")

          testCase "broken JSON is refused with its line and byte"
          <| fun () ->
              refusedWith
                  "dev.json"
                  (Some "{\n\"2\": {\"id\": \"2\",}\n}")
                  "line 2, byte 17: found text that is no JSON, expected JSON."

              refusedWith "dev.json" (Some "{\"2\": {") "line 1, byte 8: found text that is no JSON, expected JSON."
              refusedWith "dev.json" (Some "") "line 1, byte 1: found text that is no JSON, expected JSON."

              refusedWith
                  "qids_ordered.json"
                  (Some "[\"Q1\"] x")
                  "line 1, byte 8: found text that is no JSON, expected JSON."

          testCase "records that are not what they should be are refused with line and key"
          <| fun () ->
              refusedWith "dev.json" (Some "[]") "line 1: found a list, expected an object."
              refusedWith "dev.json" (Some "{\n\n\"2\": 5}") "line 3, key '2': found a number, expected a record."

              refusedWith
                  "dev.json"
                  (Some "{\n\"2\": {\"sentence\": \"s\"}}")
                  "line 2, key '2': found a record without 'mentions', expected the mention's text."

              refusedWith
                  "dev.json"
                  (Some "{\n\"2\": {\"mentions\": \"m\"}}")
                  "line 2, key '2': found a record without 'sentence', expected the sentence."

              refusedWith
                  "dev.json"
                  (Some "{\"2\": {\"mentions\": [\"m\"],\n \"sentence\": \"s\"}}")
                  "line 1, key '2' field 'mentions': found a list, expected a text."

              refusedWith
                  "dev.json"
                  (Some "{\"2\": {\"mentions\": \"m\", \"sentence\": \"s\"},\n\"2\": {}}")
                  "line 2, key '2': found the key twice, expected every key once."

              refusedWith "property.json" (Some "{\"Q7\": 1}") "line 1, key 'Q7': found a number, expected a text."

          testCase "an entity id given twice is refused"
          <| fun () ->
              refusedWith
                  "qids_ordered.json"
                  (Some "[\"Q7\", \"Q9\", \"Q7\"]")
                  "entity ids: found 'Q7' twice, expected every id once."

          testCase "the tiny WikiMEL that the published code was run on is read whole"
          <| fun () ->
              let dataset = read (Fixtures.required "fixtures/reference/formats/wikipedia")
              Expect.equal [ for split in dataset.Mentions -> split.Key ] [ "train"; "dev"; "test" ] "splits"
              Expect.equal dataset.Entities.Count 20 "entities"
              Expect.equal (List.ofSeq dataset.FieldNames) [ "brief"; "property" ] "fields"

          testCase "the real WikiMEL has 18,092 and 2,585 mentions of 18,880 described entities"
          <| fun () ->
              let dataset = read (Fixtures.required "data/wikimel")
              Expect.equal dataset.Mentions["train"].Count 18_092 "train"
              Expect.equal dataset.Mentions["dev"].Count 2_585 "dev"
              Expect.equal dataset.Entities.Count 18_880 "entities"
              Expect.all dataset.Entities (fun entity -> entity.Fields.ContainsKey "property") "descriptions"
              Expect.equal dataset.GoldMissing["train"] 0 "gold of train"
              Expect.equal dataset.GoldMissing["dev"] 0 "gold of dev"

              match dataset.CandidatePath with
              | null -> failtest "search_top100.json is there"
              | path ->
                  let candidates = CandidateFile.Read(path, dataset.Mentions["dev"])
                  Expect.equal candidates.KeyedBy CandidateKey.MentionText "keyed by mention text"
                  Expect.equal candidates.Ids.Count 2_585 "lists"
                  Expect.all candidates.Ids.Values (fun ids -> ids.Length = 100) "a hundred each" ]
