module Dwe.Tests.Host.KnowledgeBases.WikidataTests

open System
open System.IO
open System.IO.Compression
open System.Text
open System.Threading
open Dwe.Host.KnowledgeBases.Wikidata
open Dwe.Model
open Dwe.Model.Config
open Dwe.Tests.Prelude
open Expecto
open ICSharpCode.SharpZipLib.BZip2

// --- a small dump in the form of the large ones: https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html ---

let private text language value = $"\"%s{language}\":{{\"language\":\"%s{language}\",\"value\":\"%s{value}\"}}"

let private statement property datatype kind (value: string) rank =
    $"{{\"mainsnak\":{{\"snaktype\":\"value\",\"property\":\"%s{property}\",\"datavalue\":{{\"value\":%s{value},\"type\":\"%s{kind}\"}},\"datatype\":\"%s{datatype}\"}},\"type\":\"statement\",\"id\":\"x$1\",\"rank\":\"%s{rank}\"}}"

let private thing property (id: string) rank =
    statement
        property
        "wikibase-item"
        "wikibase-entityid"
        $"{{\"entity-type\":\"item\",\"numeric-id\":{id.Substring 1},\"id\":\"{id}\"}}"
        rank

let private date property time precision =
    statement
        property
        "time"
        "time"
        $"{{\"time\":\"{time}\",\"timezone\":0,\"before\":0,\"after\":0,\"precision\":{precision},\"calendarmodel\":\"http://www.wikidata.org/entity/Q1985727\"}}"
        "normal"

let private file property name = statement property "commonsMedia" "string" $"\"{name}\"" "normal"

let private nothing property =
    $"{{\"mainsnak\":{{\"snaktype\":\"somevalue\",\"property\":\"{property}\",\"datatype\":\"wikibase-item\"}},\"type\":\"statement\",\"rank\":\"normal\"}}"

let private claims (all: (string * string list) list) =
    if List.isEmpty all then
        "[]"
    else
        "{"
        + String.Join(
            ",",
            [ for property, statements in all -> $"\"{property}\":[" + String.Join(",", statements) + "]" ]
        )
        + "}"

let private record kind id labels descriptions aliases all =
    let map (texts: string list) =
        if List.isEmpty texts then
            "[]"
        else
            "{" + String.Join(",", texts) + "}"

    $"{{\"type\":\"{kind}\",\"id\":\"{id}\",\"labels\":{map labels},\"descriptions\":{map descriptions},\"aliases\":{map aliases},\"claims\":{claims all},\"sitelinks\":[],\"lastrevid\":1}}"

let private labelled id label = record "item" id [ text "en" label ] [] [] []

let private ada =
    record
        "item"
        "Q1"
        [ text "en" "Ada Example"; text "de" "Ada Beispiel" ]
        [ text "en" "a writer of programs" ]
        [ "\"en\":[{\"language\":\"en\",\"value\":\"A. Example\"},{\"language\":\"en\",\"value\":\"Ada Example\"}]" ]
        [ "P31", [ thing "P31" "Q5" "normal" ]
          "P21", [ thing "P21" "Q20" "normal" ]
          "P569", [ date "P569" "+1815-12-10T00:00:00Z" 11; date "P569" "+1816-01-01T00:00:00Z" 9 ]
          "P19", [ thing "P19" "Q21" "normal" ]
          "P570", [ date "P570" "+1800-00-00T00:00:00Z" 7 ]
          "P106",
          [ thing "P106" "Q31" "normal"
            thing "P106" "Q30" "normal"
            thing "P106" "Q32" "deprecated"
            thing "P106" "Q33" "normal" ]
          "P140", [ nothing "P140" ]
          "P26", [ thing "P26" "Q2" "normal"; thing "P26" "Q99" "preferred" ]
          "P1449",
          [ statement
                "P1449"
                "monolingualtext"
                "monolingualtext"
                "{\"text\":\"The \\u00c4 \\\"first\\\"\",\"language\":\"en\"}"
                "normal" ]
          "P18", [ file "P18" "Ada 1.jpg" ] ]

/// Things before and behind what names them; a class of a class; one that has no English label; one that has no claims.
let private dump =
    [ labelled "Q20" "female"
      ada
      record
          "item"
          "Q2"
          [ text "de" "Bert" ]
          [ text "de" "ein Mathematiker" ]
          []
          [ "P31", [ thing "P31" "Q6" "normal" ]; "P569", [ date "P569" "-0098-00-00T00:00:00Z" 9 ] ]
      labelled "Q21" "London"
      record "item" "Q6" [ text "mul" "mathematician" ] [] [] [ "P279", [ thing "P279" "Q7" "normal" ] ]
      record "item" "Q7" [ text "en" "scholar" ] [] [] [ "P279", [ thing "P279" "Q5" "normal" ] ]
      labelled "Q30" "Poet"
      labelled "Q31" "mathematician"
      labelled "Q32" "spy"
      record "property" "P106" [ text "en" "occupation" ] [] [] []
      labelled "Q5" "human" ]

let private written (records: string list) = "[\n" + String.Join(",\n", records) + "\n]\n"

let private choice: WikidataChoice =
    match CommandLine.Parse [| "kb"; "build"; "--source"; "d.json"; "--out"; "kb" |] with
    | Ok(Command.KbBuild options) -> options.Wikidata
    | other -> failwith $"{other}"

let private readOf choice path =
    Folder.temporary
    |> fun within ->
        let mutable result = [], []

        within (fun scratch ->
            let dump = WikidataEntities(path, choice)
            let positions = Collections.Generic.List()

            let entities =
                dump.Read(
                    Action<_, _>(fun done' total -> positions.Add(done', total)),
                    scratch,
                    CancellationToken.None
                )
                |> List.ofSeq

            for done', total in positions do
                Expect.isLessThanOrEqual done' total "progress"

            result <-
                entities,
                [ for remark in dump.Remarks do
                      if remark.Value > 0L then
                          remark.Value, remark.Key ])

        result

let private read choice (bytes: byte[]) =
    let mutable result = [], []

    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "dump.json")
        File.WriteAllBytes(path, bytes)
        result <- readOf choice path)

    result

let private people = { choice with Classes = [| "Q5" |] }

let private bytesOf (text: string) = Encoding.UTF8.GetBytes text

let private gzipped (bytes: byte[]) =
    use packed = new MemoryStream()

    do
        use gzip = new GZipStream(packed, CompressionMode.Compress, true)
        gzip.Write bytes

    packed.ToArray()

let private bzipped (bytes: byte[]) =
    use packed = new MemoryStream()

    do
        use bzip = new BZip2OutputStream(packed, 1)
        bzip.IsStreamOwner <- false
        bzip.Write(bytes, 0, bytes.Length)

    packed.ToArray()

let private shown (entity: Dwe.Model.Domain.Entity) =
    entity.Id,
    entity.Name,
    List.ofArray entity.Aliases,
    entity.Type,
    [ for KeyValue(name, text) in entity.Fields -> name, text ],
    List.ofArray entity.Images

let private refused (text: string) expected =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "dump.json")
        File.WriteAllText(path, text)
        (fun () -> readOf people path |> ignore) |> Refusal.isSpelled (path + expected))

[<Tests>]
let tests =
    testList
        "Host.KnowledgeBases.Wikidata"
        [ testCase "an item becomes an entity with names, type, description and properties as WikiMEL writes them"
          <| fun () ->
              let entities, remarks = read people (bytesOf (written dump))

              Expect.equal
                  (List.map shown entities)
                  [ "Q1",
                    "Ada Example",
                    [ "A. Example" ],
                    "human",
                    [ "description", "a writer of programs"
                      "property",
                      "Sex: female. Birth: 1815, London. Occupation: mathematician, Poet. Nick name: The Ä \"first\"." ],
                    [ "Ada 1.jpg" ] ]
                  "the one human"

              Expect.equal
                  remarks
                  [ 2L, "values without a label in these languages, left out" ]
                  "Q33 and Q99 are not in the dump"

          testCase "languages are asked in their order, and other labels become aliases"
          <| fun () ->
              let entities, _ = read { people with Languages = [| "de"; "en" |] } (bytesOf (written dump))
              let _, name, aliases, kind, fields, _ = shown (List.exactlyOne entities)
              Expect.equal (name, aliases, kind) ("Ada Beispiel", [ "Ada Example"; "A. Example" ], "human") "names"
              Expect.equal (List.head fields) ("description", "a writer of programs") "what German lacks"

          testCase "instances of subclasses count when they are asked for, over any number of steps"
          <| fun () ->
              let wanted = { people with Subclasses = true; Languages = [| "en"; "de" |] }
              let entities, _ = read wanted (bytesOf (written dump))

              Expect.equal
                  [ for entity in entities -> entity.Id, entity.Type, entity.Fields["property"] ]
                  [ "Q1",
                    "human",
                    "Sex: female. Birth: 1815, London. Occupation: mathematician, Poet. Nick name: The Ä \"first\"."
                    "Q2", "mathematician", "Birth: -98." ]
                  "both"

          testCase "without classes every item counts that has a label, and properties are no entities"
          <| fun () ->
              let entities, remarks = read choice (bytesOf (written dump))

              Expect.equal
                  [ for entity in entities -> entity.Id ]
                  [ "Q20"; "Q1"; "Q21"; "Q6"; "Q7"; "Q30"; "Q31"; "Q32"; "Q5" ]
                  "ids"

              Expect.contains remarks (1L, "items without a label in these languages, left out") "Q2 in English"

          testCase "properties are those that are named, under their heading, their label in the dump, or their id"
          <| fun () ->
              let property wanted =
                  let entities, _ = read { people with Properties = wanted } (bytesOf (written dump))
                  (List.exactlyOne entities).Fields["property"]

              Expect.equal
                  (property [| "P106", ""; "P21", "" |])
                  "Occupation: mathematician, Poet. P21: female."
                  "headings"

              Expect.equal (property [| "P106", "job" |]) "Job: mathematician, Poet." "a heading of one's own"

          testCase "preferred statements stand alone; deprecated ones are passed over"
          <| fun () ->
              let spouse = dump @ [ labelled "Q99" "Carl" ]
              let entities, _ = read { people with Properties = [| "P26", "Spouse" |] } (bytesOf (written spouse))
              Expect.equal (List.exactlyOne entities).Fields["property"] "Spouse: Carl." "not Q2"

          testCase "gzip and bzip2 are read as what they hold, in one stream and in several"
          <| fun () ->
              let plain = bytesOf (written dump)
              let expected = read people plain |> fst |> List.map shown
              let cut = plain.Length / 3
              let first, second = plain[.. cut - 1], plain[cut..]

              for name, packed in
                  [ "gzip", gzipped plain
                    "bzip2", bzipped plain
                    "gzip in two", Array.append (gzipped first) (gzipped second)
                    "bzip2 in two", Array.append (bzipped first) (bzipped second)
                    "bzip2 with an empty one between", Array.concat [ bzipped first; bzipped [||]; bzipped second ] ] do
                  Expect.equal (read people packed |> fst |> List.map shown) expected name

          testCase "a compressed dump that is cut off or damaged is refused"
          <| fun () ->
              let refusal packed = Refusal.messageOf (fun () -> read people packed |> ignore)
              let damaged = "compressed data that are damaged or end early"
              let bzip, gzip = bzipped (bytesOf (written dump)), gzipped (bytesOf (written dump))
              Expect.stringContains (refusal bzip[.. bzip.Length / 2]) damaged "bzip2 cut off"
              bzip[bzip.Length / 2] <- ~~~bzip[bzip.Length / 2]
              Expect.stringContains (refusal bzip) damaged "bzip2 damaged"
              // The library takes the end of a gzip file for the end of its data: the list in it then has none.
              Expect.stringContains (refusal gzip[.. gzip.Length / 2]) "dump.json: line " "gzip cut off"
              gzip[gzip.Length - 6] <- ~~~gzip[gzip.Length - 6]
              Expect.stringContains (refusal gzip) damaged "gzip with another checksum"

          testCase "a line that is no entity is refused with its number, or counted where that is asked for"
          <| fun () ->
              let broken =
                  [ dump[0]; "{\"type\":\"item\",\"id\":\"Q9\",\"labels\":{"; dump[1]; "{\"id\":\"Q8\"}"; dump[10] ]

              refused
                  (written broken)
                  ": line 3: found text that is no JSON record, at byte 36, expected an entity of Wikidata (--skip-broken passes over such lines)."

              refused
                  (written [ dump[0]; "{\"id\":\"Q8\"}" ])
                  ": line 3: found a record without type and id, expected an entity of Wikidata (--skip-broken passes over such lines)."

              let entities, remarks = read { people with SkipBroken = true } (bytesOf (written broken))
              Expect.equal [ for entity in entities -> entity.Id ] [ "Q1" ] "the sound ones"
              Expect.contains remarks (2L, "broken lines, passed over") "counted"

          testCase "a text with half a character is a broken line, not a defect"
          <| fun () ->
              refused
                  (written [ record "item" "Q1" [ text "en" "\\ud800" ] [] [] [ "P31", [ thing "P31" "Q5" "normal" ] ] ])
                  ": line 2: found a text that is not valid Unicode, expected valid UTF-8, and escapes in pairs (--skip-broken passes over such lines)."

          testCase "a plain dump that was cut off between two lines is noticed by its end"
          <| fun () ->
              refused
                  ("[\n" + ada + ",\n")
                  ": line 2: found the end of the file, expected a last line ']': the file was cut off (--skip-broken passes over such lines)."

          testCase "lines longer than the buffer are read whole"
          <| fun () ->
              let long = String('x', 3_000_000)

              let records =
                  dump
                  @ [ record "item" "Q50" [ text "en" long ] [] [] [ "P31", [ thing "P31" "Q5" "normal" ] ]
                      labelled "Q51" "end" ]

              let entities, _ = read people (bytesOf (written records))

              Expect.equal
                  [ for entity in entities -> entity.Id, entity.Name.Length ]
                  [ "Q1", 11; "Q50", 3_000_000 ]
                  "entities" ]
