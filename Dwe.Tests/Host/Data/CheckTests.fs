module Dwe.Tests.Host.Data.CheckTests

open System
open System.IO
open System.Text.Json
open System.Threading
open Dwe.Host.Commands
open Dwe.Host.Data
open Dwe.Host.Data.Check
open Dwe.Host.Features.Images
open Dwe.Model
open Dwe.Model.Config
open Dwe.Tests.Prelude
open Expecto
open Spectre.Console

let private parse (words: string list) = CommandLine.Parse(Array.ofList ("data" :: words))

/// Exit code, table lines, JSON of `dwe data check` with these words.
let private run (words: string list) =
    match parse ("check" :: words) with
    | Ok(Command.DataCheck options) ->
        let table, json = new StringWriter(), new StringWriter()
        let console = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput table))
        let exitCode = DataCheckCommand.Run(options, console, json, CancellationToken.None)
        exitCode, List.ofArray (table.ToString().TrimEnd().Split('\n')), json.ToString()
    | other -> failtest $"not understood: {other}"

let private check files test =
    Folder.temporary (fun folder ->
        SmallData.write folder files
        test (DatasetCheck.Run(DatasetReaders.Read folder, null)))

/// A PNG of one grey pixel, from its parts.
let private png =
    Convert.FromBase64String
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

/// Two mentions in each split that are sound in every way.
let private sound: SmallData.Files =
    [ "train.jsonl",
      """{"key": "1", "mention": "Ada", "sentence": "Ada met Grace.", "entity": "Q1"}
{"key": "2", "mention": "Grace", "sentence": "Ada met Grace.", "entity": "Q2"}"""
      "dev.jsonl",
      """{"key": "3", "mention": "Ada", "sentence": "Ada spoke.", "entity": "Q1"}
{"key": "4", "mention": "Bob", "sentence": "They call him Robert.", "entity": "Q3"}"""
      "entities.jsonl",
      """{"id": "Q1", "name": "Ada", "description": "a mathematician"}
{"id": "Q2", "name": "Grace"}
{"id": "Q3", "name": "Grace"}""" ]

let private problems changes =
    let mutable found = []

    let files =
        sound
        |> List.map (fun (name, text) -> name, defaultArg (Map.tryFind name (Map.ofList changes)) text)

    let added = changes |> List.filter (fun (name, _) -> not (List.exists (fst >> (=) name) sound))
    check (files @ added) (fun report -> found <- List.ofSeq report.Unsound)
    found

[<Tests>]
let tests =
    testList
        "dwe data check"
        [ testCase "counts of splits, overlaps, homonyms and descriptions are what the data hold"
          <| fun () ->
              check sound (fun report ->
                  let dev = report.Splits["dev"]
                  Expect.equal (report.Splits["train"].Mentions, dev.Mentions) (2, 2) "mentions"

                  Expect.equal
                      (dev.GoldEntities, dev.UnseenEntities, dev.MentionsOfUnseen)
                      (2, Nullable 1, Nullable 1)
                      "unseen"

                  Expect.equal dev.NotInSentence 1 "Bob is not in his sentence"
                  Expect.equal dev.WithoutImage 2 "without image"
                  let overlap = Seq.exactlyOne report.Overlaps
                  Expect.equal (overlap.Left, overlap.Right) ("train", "dev") "pair"

                  Expect.equal
                      (overlap.Keys, overlap.Records, overlap.Sentences, overlap.Entities)
                      (0, 0, 0, 1)
                      "overlap"

                  let known = report.KnowledgeBase
                  Expect.equal (known.Entities, known.WithoutName, known.WithoutDescription) (3, 0, 2) "entities"
                  Expect.equal (known.HomonymNames, known.HomonymEntities) (1, 2) "homonyms"
                  Expect.isEmpty report.Unsound "sound")

          testCase "NIL, unlabelled mentions, golds outside and duplicates are told apart"
          <| fun () ->
              let train =
                  """{"key": "1", "mention": "a", "sentence": "a", "entity": "NIL"}
{"key": "2", "mention": "a", "sentence": "a"}
{"key": "3", "mention": "a", "sentence": "a", "entity": "Q404"}
{"key": "4", "mention": "a", "sentence": "a", "entity": "Q1"}
{"key": "5", "mention": "a", "sentence": "a", "entity": "Q1"}"""

              check [ "train.jsonl", train; "entities.jsonl", snd sound[2] ] (fun report ->
                  let split = report.Splits["train"]

                  Expect.equal
                      (split.Nil, split.Unlabelled, split.GoldOutsideKb, split.Duplicates)
                      (1, 1, 1, 1)
                      "train")

          testCase "recall@k counts over all mentions of the split, those without a list included"
          <| fun () ->
              check (sound @ [ "search_top100.json", """{"Ada": ["Q9", "Q2", "Q1"]}""" ]) (fun report ->
                  match report.Splits["dev"].Candidates with
                  | null -> failtest "candidates are there"
                  | candidates ->
                      Expect.equal candidates.Without 1 "Bob has none"
                      Expect.equal candidates.UnknownIds 1 "Q9"

                      Expect.equal
                          [ for share in candidates.Recall -> share.Key, share.Value ]
                          [ "recall@1", 0.0; "recall@5", 0.5; "recall@10", 0.5; "recall@100", 0.5 ]
                          "recall")

          testCase "images are decoded: a name alone, half a file and a header that boasts are found"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let train =
                      [ "good"; "half"; "text"; "gone"; "../good" ]
                      |> List.mapi (fun key name ->
                          $"""{{"key": "image {key}", "mention": "a", "sentence": "a", "entity": "Q1", "image": "{name}.png"}}""")

                  SmallData.write folder (("train.jsonl", String.Join("\n", train)) :: List.tail sound)
                  let images = Path.Combine(folder, "photos")
                  Directory.CreateDirectory images |> ignore
                  File.WriteAllBytes(Path.Combine(images, "good.png"), png)
                  File.WriteAllBytes(Path.Combine(images, "half.png"), png[..50])
                  File.WriteAllText(Path.Combine(images, "text.png"), "no image")
                  let report = DatasetCheck.Run(DatasetReaders.Read folder, images)
                  let found = report.Splits["train"].Images
                  Expect.equal (found.Named, found.Missing, found.Unreadable) (5, 2, 2) "train"

                  Expect.equal
                      (List.ofSeq found.Examples)
                      [ "half.png cannot be decoded"
                        "text.png cannot be decoded"
                        "gone.png is missing"
                        "../good.png is missing" ]
                      "examples; a name that leaves the folder is not followed"

                  Expect.equal
                      (List.ofSeq report.Unsound)
                      [ "train: 2 of 3 images cannot be decoded (more than 1 %)" ]
                      "unsound"

                  // The same pixel with a width of 2^20 and a height of 2^20 in its header (and that header's checksum).
                  let boasting =
                      let header =
                          Array.concat
                              [ "IHDR"B; [| 0uy; 16uy; 0uy; 0uy; 0uy; 16uy; 0uy; 0uy; 8uy; 0uy; 0uy; 0uy; 0uy |] ]

                      // CRC-32 as PNG defines it.
                      let crc =
                          header
                          |> Array.fold
                              (fun (crc: uint32) value ->
                                  Seq.init 8 id
                                  |> Seq.fold
                                      (fun crc _ ->
                                          if crc &&& 1u = 1u then
                                              0xEDB88320u ^^^ (crc >>> 1)
                                          else
                                              crc >>> 1)
                                      (crc ^^^ uint32 value))
                              0xFFFFFFFFu
                          |> (^^^) 0xFFFFFFFFu

                      Array.concat [ png[..11]; header; BitConverter.GetBytes crc |> Array.rev; png[33..] ]

                  let path = Path.Combine(images, "boasting.png")
                  File.WriteAllBytes(path, boasting)
                  Expect.equal (ImageDecoder.Check path) (Nullable ImageFault.TooManyPixels) "a million million pixels"
                  Expect.equal (ImageDecoder.Check(Path.Combine(images, "good.png"))) (Nullable()) "one pixel")

          testCase "what makes training unsound is said with its numbers"
          <| fun () ->
              Expect.equal (problems [ "dev.jsonl", "" ]) [ "dev has no mentions" ] "no dev"

              Expect.equal
                  (problems [ "train.jsonl", """{"mention": "a", "sentence": "a", "entity": "Q7"}""" ])
                  [ "train: no mention has a gold in the knowledge base" ]
                  "no gold"

              Expect.equal
                  (problems
                      [ "train.jsonl",
                        "{\"mention\": \"a\", \"sentence\": \"a\", \"entity\": \"Q7\"}\n{\"mention\": \"a\", \"sentence\": \"b\", \"entity\": \"Q1\"}" ])
                  [ "train: 1 of 2 golds are not in the knowledge base (more than 10 %)" ]
                  "gold missing"

              Expect.equal
                  (problems [ "dev.jsonl", """{"key": "1", "mention": "b", "sentence": "b", "entity": "Q1"}""" ])
                  [ "train and dev share 1 keys that stand for different records: results by key would be mixed up" ]
                  "keys"

              Expect.equal
                  (problems
                      [ "dev.jsonl", """{"key": "9", "mention": "Ada", "sentence": "Ada met Grace.", "entity": "Q1"}""" ])
                  [ "1 records of dev are in train, too (more than 5 %): results would be too good" ]
                  "leak"

              Expect.equal
                  (problems
                      [ "entities.jsonl",
                        """{"id": "Q1"}
{"id": "Q2"}
{"id": "Q3", "name": "Grace"}""" ])
                  [ "of 3 entities more than half have neither a name nor a description" ]
                  "nothing known"

              Expect.equal
                  (problems [ "search_top100.json", """{"Ada": ["Q2"], "Bob": ["Q2"], "Grace": ["Q2"]}""" ])
                  [ "dev: no list of search_top100.json holds the gold of its mention" ]
                  "candidates"

          testCase "exit code 1 belongs to --strict and an unsound data set alone"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let good, bad = Path.Combine(folder, "good"), Path.Combine(folder, "bad")
                  SmallData.write good sound
                  SmallData.write bad (sound |> List.filter (fun (name, _) -> name <> "dev.jsonl"))
                  let exitCode words = let code, _, _ = run words in code
                  Expect.equal [ for data in [ good; bad ] -> exitCode [ data ] ] [ 0; 0 ] "told"
                  Expect.equal [ for data in [ good; bad ] -> exitCode [ data; "--strict" ] ] [ 0; 1 ] "strict"
                  let _, lines, _ = run [ bad ]
                  Expect.equal (List.last lines) "unsound: dev has no mentions" "the last line")

          testCase "--json prints one object that machines can read"
          <| fun () ->
              Folder.temporary (fun folder ->
                  SmallData.write folder sound
                  let _, table, text = run [ folder; "--json" ]
                  Expect.equal table [ "" ] "no table"
                  use json = JsonDocument.Parse text
                  let root = json.RootElement
                  Expect.equal (root.GetProperty("format").GetString()) "JSONL" "format"
                  let dev = root.GetProperty("splits").GetProperty "dev"
                  Expect.equal (dev.GetProperty("mentions_of_unseen").GetInt32()) 1 "dev"

                  Expect.equal
                      (root.GetProperty("knowledge_base").GetProperty("homonym_entities").GetInt32())
                      2
                      "homonyms"

                  Expect.equal (root.GetProperty("unsound").GetArrayLength()) 0 "sound")

          testCase "the table names every count"
          <| fun () ->
              Folder.temporary (fun folder ->
                  SmallData.write folder sound
                  let _, lines, _ = run [ folder ]
                  let text = String.Join("\n", lines)

                  for words in
                      [ "mentions not in their sentence"
                        "duplicate records"
                        "recall@100"
                        "homonyms: 2 entities share 1 names" ] do
                      Expect.stringContains text words words)

          testCase "wrong words are answered with the way to the right ones"
          <| fun () ->
              let refused words expected =
                  match parse words with
                  | Error error -> Expect.equal (Dwe.Model.Domain.UserError.message error) expected "message"
                  | Ok command -> failtest $"understood as {command}"

              refused [] "data needs a verb: check or convert. See `dwe data --help`."

              refused
                  [ "convert"; "x"; "--to"; "csv"; "--out"; "y" ]
                  "command line: --to is 'csv', expected one of wikimel, mimic, jsonl." ]
