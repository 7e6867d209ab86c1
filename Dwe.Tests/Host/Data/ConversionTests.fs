module Dwe.Tests.Host.Data.ConversionTests

open System.Collections.Generic
open System.IO
open Dwe.Host.Data
open Dwe.Host.Data.Conversion
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

/// All of a data set that is not a path: what a round trip must give back.
let private contents (dataset: Dataset) =
    let lists (items: IReadOnlyDictionary<string, string[]>) =
        [ for list in items -> list.Key, List.ofArray list.Value ]

    let mentions =
        [ for name in Splits.All do
              match dataset.Mentions.TryGetValue name with
              | true, mentions -> name, List.ofSeq mentions
              | _ -> () ]

    let entities =
        [ for entity in dataset.Entities ->
              entity.Id,
              entity.Name,
              List.ofArray entity.Aliases,
              entity.Type,
              List.sort [ for field in entity.Fields -> field.Key, field.Value ],
              List.ofArray entity.Images ]

    mentions, entities, [ for split in dataset.RecordCandidates -> split.Key, lists split.Value ]

let private convert (source: string) layout target = DatasetWriters.Write(DatasetReaders.Read source, layout, target)

let private losses (counts: IReadOnlyDictionary<string, int>) = [ for loss in counts -> loss.Key, loss.Value ]

/// Converts a small data set step by step, and gives the folder of each step (the source's first) to the check.
let private chain files layouts check =
    Folder.temporary (fun folder ->
        let source = Path.Combine(folder, "source")
        SmallData.write source files

        let folders = source :: [ for step in 1 .. List.length layouts -> Path.Combine(folder, $"{step}") ]

        for layout, (last, next) in List.zip layouts (List.pairwise folders) do
            convert last layout next |> ignore

        check folders)

/// What is left of a mention and of an entity in MIMIC's layout, beside what is printed as lost.
let private asMimic (mentions, entities: _ list, _) =
    let mention (mention: Mention) =
        { mention with
            Images = mention.Images |> Array.truncate 1 |> Array.map MimicReader.ImageName
            Type = ""
            Box = null }

    [ for name: string, items in mentions -> name, List.map mention items ],
    [ for id: string, name: string, _: string list, kind: string, fields: (string * string) list, images: string list in
          entities -> id, name, kind, List.sort (List.map snd fields), images ]

[<Tests>]
let tests =
    testList
        "dwe data convert"
        [ for name, _, files in SmallData.all do
              testCase $"{name}: JSON Lines hold everything"
              <| fun () ->
                  chain files [ "jsonl"; "jsonl" ] (fun folders ->
                      let read = folders |> List.map (DatasetReaders.Read >> contents)
                      Expect.equal read[1] read[0] "once"
                      Expect.equal read[2] read[0] "and again"
                      Expect.equal (Folder.contents folders[2]) (Folder.contents folders[1]) "byte for byte")

              testCase $"{name}: by way of JSON Lines, DWE's layout and JSON Lines again"
              <| fun () ->
                  chain files [ "jsonl"; "wikimel"; "jsonl"; "wikimel" ] (fun folders ->
                      let read = folders |> List.map (DatasetReaders.Read >> contents)
                      let mentions, entities, _ = read[0]
                      let mentionsBack, entitiesBack, candidatesBack = read[2]

                      // What DWE's layout does not hold: types, boxes, entity images, candidates in records; a split of no
                      // mentions appears where train or dev was absent.
                      let plain =
                          [ for name, items in mentions ->
                                name, [ for mention: Mention in items -> { mention with Type = ""; Box = null } ] ]

                      let there = mentionsBack |> List.filter (fun (_, items) -> not items.IsEmpty)
                      Expect.equal there plain "mentions"
                      Expect.isEmpty candidatesBack "candidates in records"

                      let own =
                          [ for id, name, aliases, _, fields, _ in entities ->
                                id, name, aliases, "", List.sort (List.map snd fields), [] ]

                      let back =
                          [ for id, name, aliases, kind, fields, images in entitiesBack ->
                                id, name, aliases, kind, List.sort (List.map snd fields), images ]

                      Expect.equal back own "entities"
                      Expect.equal read[4] read[2] "from there on nothing changes")

              testCase $"{name}: by way of MIMIC's layout"
              <| fun () ->
                  chain files [ "mimic"; "jsonl"; "mimic" ] (fun folders ->
                      let read = folders |> List.map (DatasetReaders.Read >> contents)
                      let mentions, entities = asMimic read[0]
                      let mentionsBack, entitiesBack = asMimic read[1]
                      let there = mentionsBack |> List.filter (fun (_, items) -> not items.IsEmpty)
                      Expect.equal there mentions "mentions"
                      Expect.equal entitiesBack entities "entities"
                      Expect.equal read[3] read[1] "from there on nothing changes")

          testCase "what a layout cannot hold is counted"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let source = Path.Combine(folder, "source")
                  SmallData.write source SmallData.jsonLines

                  Expect.equal (losses (convert source "jsonl" (Path.Combine(folder, "a")))) [] "JSON Lines"

                  Expect.equal
                      (losses (convert source "wikimel" (Path.Combine(folder, "b"))))
                      [ "candidate lists in records", 1
                        "descriptions 'description' written as 'brief'", 1
                        "entity images", 1
                        "entity types", 1
                        "mention boxes", 1
                        "mention types", 1 ]
                      "DWE"

                  Expect.equal
                      (losses (convert source "mimic" (Path.Combine(folder, "c"))))
                      [ "aliases", 1
                        "candidate lists in records", 1
                        "descriptions 'description' written as 'desc'", 1
                        "descriptions 'motto' written as 'attr'", 1
                        "mention boxes", 1
                        "mention images after the first", 1
                        "mention types", 1 ]
                      "MIMIC")

          testCase "a folder that holds something is left alone, and a new one appears whole"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let source, target = Path.Combine(folder, "source"), Path.Combine(folder, "target")
                  SmallData.write source SmallData.csv
                  SmallData.write target [ "mine.txt", "keep" ]

                  (fun () -> convert source "jsonl" target |> ignore)
                  |> Refusal.isSpelled $"{target} is not empty. Name a new folder with --out."

                  Expect.equal
                      (Directory.GetFileSystemEntries target)
                      [| Path.Combine(target, "mine.txt") |]
                      "untouched"

                  convert source "jsonl" (Path.Combine(folder, "new")) |> ignore

                  Expect.equal
                      (List.sort
                          [ for entry in Directory.GetFileSystemEntries folder -> string (Path.GetFileName entry) ])
                      [ "new"; "source"; "target" ]
                      "nothing unfinished is left")

          testCase "the real data sets survive the way through JSON Lines"
          <| fun () ->
              for name in [ "wikimel"; "richpediamel"; "wikidiverse"; "wikiperson" ] do
                  let source = Fixtures.required ("data/" + name)

                  Folder.temporary (fun folder ->
                      let target = Path.Combine(folder, "lines")
                      Expect.equal (losses (convert source "jsonl" target)) [] name
                      let before, after = contents (DatasetReaders.Read source), contents (DatasetReaders.Read target)
                      Expect.isTrue (before = after) $"{name}: mentions, entities and candidates") ]
