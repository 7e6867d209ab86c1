module Dwe.Tests.Host.Data.ReaderTests

open System.IO
open Dwe.Host.Data
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

let private mention key text sentence images kind gold : Mention =
    { Key = key
      Text = text
      Sentence = sentence
      Images = Array.ofList images
      Type = kind
      Gold = gold
      Box = null }

let private read files check =
    Folder.temporary (fun folder ->
        SmallData.write folder files
        check (DatasetReaders.Read folder))

let private split name (dataset: Dataset) = List.ofSeq dataset.Mentions[name]

/// Id, name, aliases, type, description fields, images.
let private entities (dataset: Dataset) =
    [ for entity in dataset.Entities ->
          entity.Id,
          entity.Name,
          List.ofArray entity.Aliases,
          entity.Type,
          List.sort [ for field in entity.Fields -> field.Key, field.Value ],
          List.ofArray entity.Images ]

let private remarks (dataset: Dataset) = [ for remark in dataset.Remarks -> remark.Key, remark.Value ]

let private candidates name (dataset: Dataset) =
    match dataset.RecordCandidates.TryGetValue name with
    | true, lists -> [ for list in lists -> list.Key, List.ofArray list.Value ]
    | _ -> []

let private changed name text (files: SmallData.Files) =
    files |> List.map (fun (own, content) -> own, (if own = name then text else content))

/// The message when one of the files holds this text, without the folder's name.
let private refused files name text expected =
    Folder.temporary (fun folder ->
        SmallData.write folder (changed name text files)
        let message = Refusal.messageOf (fun () -> DatasetReaders.Read folder |> ignore)
        Expect.equal (message.Replace(folder + "/", "")) expected "message")

/// (format, mentions of train and dev, entities) of a real data set.
let private counts folder =
    let dataset = DatasetReaders.Read(Fixtures.required folder)
    dataset, (dataset.Format, dataset.Mentions["train"].Count, dataset.Mentions["dev"].Count, dataset.Entities.Count)

[<Tests>]
let tests =
    testList
        "Readers"
        [ for name, format, files in SmallData.all do
              testCase $"{name}: recognised by content, and read alike when the format is named"
              <| fun () ->
                  Folder.temporary (fun folder ->
                      SmallData.write folder files
                      let recognised = DatasetReaders.Read folder
                      Expect.equal recognised.Format format "format"
                      let named = DatasetReaders.Read(folder, format.ToLowerInvariant())
                      Expect.equal named.ContentHash recognised.ContentHash "content")

          testCase "a format that is not known is answered with the nearest"
          <| fun () ->
              Folder.temporary (fun folder ->
                  (fun () -> DatasetReaders.Read(folder, "wikimell") |> ignore)
                  |> Refusal.isSpelled "--format: unknown key 'wikimell'; did you mean WikiMEL?")

          testCase "WikiMEL: homonyms are two entities, the answer c is mended, strange descriptions are counted"
          <| fun () ->
              read SmallData.wikiMel (fun dataset ->
                  Expect.equal
                      (split "train" dataset)
                      [ mention "1-0" "Ada" "Ada met Grace." [ "a/1.jpg" ] "" (Gold.Entity "Q7")
                        mention "1-1" "Grace" "Ada met Grace." [ "a/1.jpg" ] "" (Gold.Entity "Q5729149") ]
                      "train"

                  Expect.equal
                      (entities dataset)
                      [ "Q7", "Ada Lovelace", [], "", [ "property", "Sex: female. Occupation: mathematician." ], []
                        "Q9", "Elizabeth II", [ "Lilibet" ], "", [ "brief", "queen"; "property", "Sex: female." ], []
                        "Q3", "Ada Lovelace", [], "", [], []
                        "Q5729149", "Grace Hopper", [], "", [], [] ]
                      "entities"

                  Expect.equal
                      (remarks dataset)
                      [ "answers 'c' read as Q5729149", 1
                        "descriptions in property.json of entities outside of the knowledge base", 1 ]
                      "remarks")

          testCase "RichpediaMEL: any number of images, two descriptions"
          <| fun () ->
              read SmallData.richpedia (fun dataset ->
                  Expect.equal
                      (split "train" dataset @ split "dev" dataset)
                      [ mention
                            "Q7"
                            "Ada"
                            "Ada met Grace."
                            [ "Q7_0.jpg"; "Q7_1.JPG"; "Q7_2.png" ]
                            ""
                            (Gold.Entity "Q7")
                        mention "Q9" "The Queen" "The Queen spoke." [] "" (Gold.Entity "Q5729149") ]
                      "mentions"

                  Expect.equal
                      (entities dataset)
                      [ "Q7",
                        "Ada Lovelace",
                        [],
                        "",
                        [ "property", "Sex: female."; "property_long", "Sex: female. Birth: 1815." ],
                        []
                        "Q9", "Elizabeth II", [], "", [], [] ]
                      "entities"

                  Expect.equal
                      [ for count in dataset.GoldMissing -> count.Key, count.Value ]
                      [ "train", 0; "dev", 1 ]
                      "gold")

          testCase "WikiDiverse by title: underscores, dashes, percent signs and addresses lead to one title"
          <| fun () ->
              read SmallData.wikiDiverse (fun dataset ->
                  Expect.equal
                      (split "train" dataset @ split "dev" dataset)
                      [ mention
                            "train-0"
                            "Ada"
                            "Ada met X-Ray Smith."
                            [ "0a.png" ]
                            "Person"
                            (Gold.Entity "Ada Lovelace")
                        mention "train-1" "X-Ray" "Ada met X-Ray Smith." [] "" (Gold.Entity "X-Ray Smith")
                        mention "dev-0" "Nobody" "Nobody came." [ "1b.jpg" ] "Person" Gold.Nil
                        mention "dev-1" "Zürich" "Zürich wins." [ "1b.png" ] "Location" (Gold.Entity "FC Zürich") ]
                      "mentions"

                  Expect.equal
                      (entities dataset)
                      [ "X-Ray Smith", "X-Ray Smith", [], "", [ "description", "a singer" ], []
                        "Ada Lovelace", "Ada Lovelace", [], "", [ "description", "a mathematician" ], []
                        "Ada (town)", "Ada (town)", [], "", [], []
                        "FC Zürich", "FC Zürich", [], "", [], []
                        "FC Basel", "FC Basel", [], "", [], [] ]
                      "rows as in entity_list, then golds, then candidates"

                  Expect.equal dataset.CandidatePath null "lists keyed by the right entity are no candidates"

                  Expect.equal
                      (candidates "train" dataset)
                      [ "train-0", [ "Ada Lovelace"; "Ada (town)" ] ]
                      "candidates of the records")

          testCase "WikiDiverse by id: two titles of one id are one entity"
          <| fun () ->
              read SmallData.wikiDiverseIds (fun dataset ->
                  Expect.equal
                      (split "dev" dataset)
                      [ mention "dev-0" "planet" "planet" [ "m.jpg" ] "" (Gold.Entity "Q634") ]
                      "dev"

                  Expect.equal
                      (entities dataset)
                      [ "Q634", "planet", [ "Planet" ], "", [ "property", "Kind: body." ], []
                        "Q7", "Ada Lovelace", [], "", [ "description", "a mathematician" ], []
                        "Q313", "Venus", [], "", [], []
                        "Q999", "Q999", [], "", [], [] ]
                      "golds and candidates"

                  Expect.equal
                      (remarks dataset)
                      [ "descriptions in entity2desc_more.json of entities outside of the knowledge base", 1
                        "entities known from search_top100.json alone", 1 ]
                      "remarks"

                  Expect.stringEnds (string dataset.CandidatePath) "search_top100.json" "keyed by the mention")

          testCase "WikiPerson: boxes are numbers, entities without a description are kept"
          <| fun () ->
              read SmallData.wikiPerson (fun dataset ->
                  Expect.equal
                      [ for mention in split "train" dataset -> mention.Key, mention.Images, mention.Box ]
                      [ "0", [| "5.jpg" |], { Left = -1.5; Top = 2.0; Right = 30.25; Bottom = 40.0 }
                        "1", [| "5.jpg" |], { Left = 3.0; Top = 4.0; Right = 20.0; Bottom = 22.0 } ]
                      "train"

                  Expect.equal
                      (entities dataset)
                      [ "Q9", "Elizabeth II", [], "", [ "description", "queen" ], [ "Q9.jpg" ]
                        "Q7", "Ada Lovelace", [], "", [], []
                        "Q404", "Q404", [], "", [], []
                        "Q555", "Q555", [], "", [], [] ]
                      "entities, golds, candidates"

                  Expect.equal dataset.CandidatePath null "lists keyed by the right entity are no candidates")

          testCase "WikiPerson's sample is cut by image: every fifth image is dev, with all of its mentions"
          <| fun () ->
              let record number image =
                  $"""{{"id": {number}, "image": "{image}.jpg", "boundingbox": "[0, 0, 1, 1]", "wikiid": "Q{number}"}}"""

              let records = [ 1, 10; 2, 20; 3, 30; 4, 40; 5, 50; 6, 50; 7, 10; 8, 60 ]
              let text = records |> List.map (fun (number, image) -> record number image) |> String.concat ","

              read
                  [ "sample.json", $"[{text}]"; "entity_few.json", """[{"id": "Q1", "name": "Ada"}]""" ]
                  (fun dataset ->
                      let keys name = [ for mention in split name dataset -> mention.Key ]
                      Expect.equal (keys "train") [ "1"; "2"; "3"; "4"; "7"; "8" ] "train"
                      Expect.equal (keys "dev") [ "5"; "6" ] "dev"
                      Expect.equal dataset.Entities.Count 8 "entities")

          testCase "MIMIC: rows become ids, two ids of a row lead to one entity, nil is NIL"
          <| fun () ->
              read SmallData.mimic (fun dataset ->
                  Expect.equal
                      (split "train" dataset @ split "dev" dataset)
                      [ mention "4" "Ada" "Ada met Grace." [ "m.jpg" ] "" (Gold.Entity "Q7")
                        mention "4#2" "Grace" "Ada met Grace." [] "" Gold.Nil
                        mention "5" "The Queen" "The Queen spoke." [ "q.jpg" ] "" (Gold.Entity "Q9") ]
                      "mentions"

                  Expect.equal
                      (entities dataset)
                      [ "Q7", "Ada Lovelace", [], "", [ "attr", "Sex: female." ], [ "Q7_0.jpg"; "Q7_1.jpg" ]
                        "Q9", "Elizabeth II", [], "human", [ "desc", "queen" ], []
                        "2", "Ada Lovelace", [], "", [ "attr", "A ship." ], [] ]
                      "entities"

                  Expect.equal
                      (remarks dataset)
                      [ "ids in qid2id.json that share an entity", 1
                        "ids in qid2id.json without an entity", 1
                        "mentions whose key another one has (told apart by #2, #3, ...)", 1 ]
                      "remarks")

          testCase "MIMIC: mention images lie in either spelling of their folder"
          <| fun () ->
              for spelling in [ "mention_image"; "mention_images" ] do
                  read (SmallData.mimic @ [ $"{spelling}/m.jpg", "" ]) (fun dataset ->
                      let found = ImageFiles(dataset.MentionImageFolders).Find "m.jpg"
                      Expect.stringEnds (string found) $"{spelling}/m.jpg" spelling)

          testCase "MELBench: lists side by side become mentions, and a record in two splits is in both"
          <| fun () ->
              read SmallData.melBench (fun dataset ->
                  let alone = mention "11" "Powers" "Powers alone." [] "" (Gold.Entity "Q2")

                  Expect.equal
                      (split "train" dataset)
                      [ mention "10-0" "Noel Harrison" "Powers with Noel Harrison." [ "10.jpg" ] "" (Gold.Entity "Q1")
                        mention "10-1" "Powers" "Powers with Noel Harrison." [ "10.jpg" ] "" (Gold.Entity "Q2") ]
                      "train"

                  Expect.equal (split "dev" dataset) [ alone ] "dev"
                  Expect.equal (split "test" dataset) [ alone ] "test"

                  Expect.equal
                      (entities dataset)
                      [ "Q1",
                        "Noel Harrison",
                        [ "Harrison" ],
                        "",
                        [ "property", "Sex: male."; "property_long", "Sex: male. Birth: 1934." ],
                        []
                        "Q3", "Q3", [], "", [ "property", "Sex: male." ], []
                        "Q2", "Stefanie Powers", [], "", [], [] ]
                      "entities"

                  Expect.equal
                      (remarks dataset)
                      [ "ids in splits.json without a record", 1; "records in no split of splits.json", 1 ]
                      "remarks")

          testCase "MELBench without splits is cut 7 : 1 : 2, twice alike"
          <| fun () ->
              let record number =
                  $"""  "{number}": {{"sentence": "s", "mentions": ["m"], "entities": ["e"], "answer": ["Q{number}"]}}"""

              let text = [ 1..30 ] |> List.map record |> String.concat ",\n"

              let keys (dataset: Dataset) =
                  [ for split in dataset.Mentions -> split.Key, [ for m in split.Value -> m.Key ] ]

              read [ "Wikidata-MEL.json", "{" + text + "}" ] (fun first ->
                  Expect.equal
                      [ for split in first.Mentions -> split.Key, split.Value.Count ]
                      [ "train", 21; "test", 6; "dev", 3 ]
                      "sizes"

                  Expect.equal
                      (keys first |> List.collect snd |> List.sort)
                      (List.sort [ for number in 1..30 -> string number ])
                      "every record once"

                  read [ "Wikidata-MEL.json", "{" + text + "}" ] (fun second ->
                      Expect.equal (keys second) (keys first) "again"))

          testCase "WikiDiverse's passages: image names by MD5, mistyped addresses, NIL"
          <| fun () ->
              // MD5 of DetroitLionsRunningPlay-2007.jpg, Flag.svg, L.gif and M.jpg, as md5sum gives them.
              let image = "062ce5e341a566a4208d801e53557538.jpg"

              read SmallData.upstream (fun dataset ->
                  Expect.equal
                      (split "train" dataset @ split "dev" dataset)
                      [ mention
                            "train-0-0"
                            "Lions"
                            "The Lions versus the Bears."
                            [ image ]
                            "Organization"
                            (Gold.Entity "Detroit Lions")
                        mention
                            "train-0-1"
                            "Bears"
                            "The Lions versus the Bears."
                            [ image ]
                            "Organization"
                            (Gold.Entity "Bears' Club")
                        mention
                            "dev-0-0"
                            "Nobody"
                            "Nobody came."
                            [ "61eb6732d864d1aa5a11de501771d863.png" ]
                            "Person"
                            Gold.Nil ]
                      "mentions"

                  Expect.equal
                      (entities dataset)
                      [ "Detroit Lions",
                        "Detroit Lions",
                        [],
                        "",
                        [ "description", "a team" ],
                        [ "185fc2f5b15ae63609c82922a4dd668e.png"; "de850c8af24fdc635dee086d9f64798c.jpg" ]
                        "Chicago Bears", "Chicago Bears", [], "", [ "description", "another team" ], []
                        "Bears' Club", "Bears' Club", [], "", [], [] ]
                      "entities"

                  Expect.equal (remarks dataset) [ "article addresses whose beginning is mistyped", 1 ] "remarks")

          testCase "WikiDiverse with candidates: they belong to the knowledge base and to their mention"
          <| fun () ->
              read SmallData.upstreamCandidates (fun dataset ->
                  Expect.equal (candidates "train" dataset) [ "train-0", [ "Lion"; "Detroit Lions" ] ] "train"
                  Expect.equal (candidates "dev" dataset) [ "dev-0", [ "Nobody (song)" ] ] "dev"

                  Expect.equal
                      [ for mention in split "train" dataset @ split "dev" dataset ->
                            mention.Images.Length, mention.Gold ]
                      [ 1, Gold.Entity "Detroit Lions"; 0, Gold.Nil ]
                      "mentions"

                  Expect.equal
                      [ for entity in dataset.Entities -> entity.Id ]
                      [ "Lion"; "Detroit Lions"; "Nobody (song)" ]
                      "entities")

          testCase "JSON Lines: further texts are descriptions; keys, boxes, candidates and NIL are read"
          <| fun () ->
              read SmallData.jsonLines (fun dataset ->
                  Expect.equal
                      (split "train" dataset @ split "dev" dataset)
                      [ { mention "t1" "Ada" "Ada met Grace." [ "a.jpg" ] "person" (Gold.Entity "Q7") with
                            Box = { Left = 1.0; Top = 2.0; Right = 3.0; Bottom = 4.5 } }
                        mention "train-1" "Grace" "Ada met Grace." [ "a.jpg"; "b.jpg" ] "" Gold.Nil
                        mention "mentions-0" "The Queen" "The Queen spoke." [] "" Gold.Unlabelled ]
                      "mentions"

                  Expect.equal
                      (entities dataset)
                      [ "Q7",
                        "Ada Lovelace",
                        [ "Ada King" ],
                        "person",
                        [ "description", "a mathematician"; "motto", "no machine thinks" ],
                        [ "ada.jpg" ]
                        "Q3", "Ada Lovelace", [], "", [], []
                        "9", "9", [], "", [], [] ]
                      "entities"

                  Expect.equal (candidates "train" dataset) [ "t1", [ "Q3"; "Q7" ] ] "candidates")

          testCase "CSV: quotes, line breaks in cells, lists by a bar, empty cells as nothing"
          <| fun () ->
              read SmallData.csv (fun dataset ->
                  Expect.equal
                      (split "train" dataset @ split "dev" dataset)
                      [ mention "t1" "Ada" "Ada met \"Grace\",\nthen left." [ "a.jpg"; "b.jpg" ] "" (Gold.Entity "Q7")
                        mention "train-1" "Grace" "Ada met Grace." [] "" Gold.Nil
                        mention "dev-0" "The Queen" "The Queen spoke." [] "" Gold.Unlabelled ]
                      "mentions"

                  Expect.equal
                      (entities dataset)
                      [ "Q7",
                        "Ada Lovelace",
                        [ "Ada King"; "Countess" ],
                        "person",
                        [ "description", "a mathematician" ],
                        [ "ada.jpg" ]
                        "Q3", "Ada Lovelace", [], "", [], [] ]
                      "entities")

          testCase "what is wrong is named with file, record, what was found and what was expected"
          <| fun () ->
              refused
                  SmallData.mimic
                  "WIKIMEL_dev.json"
                  """[{"id": 5,
"mentions": "m"}]"""
                  "WIKIMEL_dev.json: line 1, record 0: found a record without 'sentence', expected the sentence."

              refused
                  SmallData.mimic
                  "kb_entity.json"
                  """[{"id": 0, "entity_name": "a"},
{"id": 0, "entity_name": "b"}]"""
                  "kb_entity.json: line 2, record 1 field 'id': found '0' twice, expected every id once."

              refused
                  SmallData.wikiPerson
                  "dev.json"
                  """[{"id": 0, "image": "6.jpg", "boundingbox": "[0,0,1]", "wikiid": "Q9"}]"""
                  "dev.json: line 1, record 0 field 'boundingbox': found '[0,0,1]', expected four numbers: left, top, right, bottom."

              refused
                  SmallData.melBench
                  "nel_12n.json"
                  """{"10": {"sentence": "s", "mentions": ["a", "b"], "answer": ["Q1"]}}"""
                  "nel_12n.json: line 1, key '10' field 'answer': found 1 for 2 mentions, expected as many as mentions."

              refused
                  SmallData.upstream
                  "train.json"
                  """[["s", "i", "t"]]"""
                  "train.json: line 1, record 0: found a list of 3, expected a list of 4 or 11."

              refused
                  SmallData.upstream
                  "entity2desc.tsv"
                  "Detroit_Lions@@@@a team\nno mark\n"
                  "entity2desc.tsv: line 2: found 'no mark', expected a title, @@@@ and what belongs to it."

              refused
                  SmallData.jsonLines
                  "entities.jsonl"
                  "{\"id\": \"Q1\"}\n{\"id\": \"Q1\"}"
                  "entities.jsonl: line 2 field 'id': found 'Q1' twice, expected every id once."

              refused
                  SmallData.jsonLines
                  "train.jsonl"
                  "{\"mention\": \"m\"}\n\n{\"mention\": \"m\""
                  "train.jsonl: line 3: found text that is no JSON record, at byte 16, expected one JSON record a line, no key twice."

              refused
                  SmallData.csv
                  "dev.csv"
                  "mention,sentence\nThe Queen\n"
                  "dev.csv: line 2: found 1 cells, expected 2, as in the first line."

              refused
                  SmallData.csv
                  "dev.csv"
                  "mention,sentence\nThe Queen,\"spoke\n"
                  "dev.csv: line 2: found quotes that do not match, or an endless record, expected comma-separated values in UTF-8, quotes doubled within quotes."

          testCase "the tiny data sets that the published code was run on are read whole"
          <| fun () ->
              let sizes folder =
                  let dataset, (format, train, dev, entities) = counts ("fixtures/reference/formats/" + folder)
                  format, train, dev, dataset.Mentions["test"].Count, entities

              Expect.equal (sizes "wikipedia") ("WikiMEL", 7, 6, 7, 20) "wikipedia"
              Expect.equal (sizes "wikidiverse") ("WikiDiverse", 6, 4, 3, 20) "wikidiverse"
              Expect.equal (sizes "wikiperson") ("WikiPerson", 6, 4, 3, 20) "wikiperson"

              Folder.temporary (fun folder ->
                  // The published code leaves the entities to the folder of its sister data set.
                  for source, name in
                      [ "richpedia", "train.json"
                        "richpedia", "dev.json"
                        "richpedia", "test.json"
                        "wikipedia", "qids_ordered.json"
                        "wikipedia", "brief.json" ] do
                      File.Copy(
                          Fixtures.required $"fixtures/reference/formats/{source}/{name}",
                          Path.Combine(folder, name)
                      )

                  let dataset = DatasetReaders.Read folder
                  Expect.equal dataset.Format "RichpediaMEL" "format"

                  Expect.equal
                      [ for split in dataset.Mentions -> split.Key, split.Value.Count ]
                      [ "train", 6; "dev", 4; "test", 3 ]
                      "richpedia")

          testCase "the real RichpediaMEL has 12,467 and 1,776 mentions of 17,805 entities"
          <| fun () ->
              let dataset, found = counts "data/richpediamel"
              Expect.equal found ("RichpediaMEL", 12_467, 1_776, 17_805) "counts"

              let described field =
                  dataset.Entities |> Seq.filter (fun entity -> entity.Fields.ContainsKey field) |> Seq.length

              Expect.equal (described "property", described "property_long") (17_625, 17_805) "180 have no short one"
              Expect.equal (dataset.GoldMissing["train"], dataset.GoldMissing["dev"]) (0, 0) "gold"

          testCase "the real WikiDiverse has 11,204 and 1,663 mentions of 7,649 entities"
          <| fun () ->
              let dataset, found = counts "data/wikidiverse"
              Expect.equal found ("WikiDiverse", 11_204, 1_663, 7_649) "counts"
              Expect.equal (dataset.GoldMissing["train"], dataset.GoldMissing["dev"]) (0, 0) "gold"

              let golds =
                  Seq.append dataset.Mentions["train"] dataset.Mentions["dev"] |> Seq.map _.Gold |> Seq.distinct

              Expect.equal (Seq.length golds) 6_904 "golds"

              match dataset.CandidatePath with
              | null -> failtest "search_top100.json is keyed by the mention"
              | path -> Expect.equal (CandidateFile.Read(path, dataset.Mentions["dev"]).Ids.Count) 1_663 "lists"

          testCase "the real WikiPerson has 1,000 mentions; described entities and golds are its knowledge base"
          <| fun () ->
              let dataset, (format, train, dev, entities) = counts "data/wikiperson"
              Expect.equal (format, train + dev) ("WikiPerson", 1_000) "mentions"
              Expect.equal (dataset.GoldMissing["train"], dataset.GoldMissing["dev"]) (0, 0) "gold"

              let described =
                  dataset.Entities |> Seq.filter (fun entity -> entity.Fields.ContainsKey "description") |> Seq.length

              Expect.equal described 2_120 "described"
              Expect.isGreaterThan entities 2_120 "golds without a description are entities"

              let images name = dataset.Mentions[name] |> Seq.collect _.Images |> Set.ofSeq
              Expect.isEmpty (Set.intersect (images "train") (images "dev")) "no image is in both" ]
