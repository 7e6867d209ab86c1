/// One small data set of each format, as text of this project's own; what they hold is spelled out in `ReaderTests`.
module Dwe.Tests.Host.Data.SmallData

open System.IO

/// Files by name.
type Files = (string * string) list

let write (folder: string) (files: Files) =
    for name, text in files do
        let path = Path.Combine(folder, name)
        path |> Path.GetDirectoryName |> Option.ofObj |> Option.iter (Directory.CreateDirectory >> ignore)
        File.WriteAllText(path, text)

let wikiMel: Files =
    [ "train.json",
      """{"1-0": {"id": "1", "sentence": "Ada met Grace.", "imgPath": "a/1.jpg", "mentions": "Ada", "entities": "Ada Lovelace", "answer": "Q7"},
"1-1": {"id": "1", "sentence": "Ada met Grace.", "imgPath": "a/1.jpg", "mentions": "Grace", "answer": "c"}}"""
      "dev.json",
      """{"2": {"id": "2", "sentence": "The Queen spoke.", "imgPath": "", "mentions": "The Queen", "answer": "Q9"}}"""
      "test.json", """{"3": {"sentence": "Nobody came.", "imgPath": "b.png", "mentions": "Nobody", "answer": "nil"}}"""
      "qids_ordered.json", """["Q7", "Q9", "Q3", "Q5729149"]"""
      "property.json",
      """{"Q9": "Elizabeth II [SEP]. Sex: female.", "Q7": "Ada Lovelace [SEP]. Sex: female. Occupation: mathematician.", "Q3": "Ada Lovelace [SEP]. ", "Q404": "x"}"""
      "brief.json", """{"Q9": "Elizabeth II [SEP]. queen", "Q3": null}"""
      "qid2ne.json", """{"Q5729149": "Grace Hopper"}"""
      "ne2qid.json", """{"Lilibet": "Q9", "Elizabeth II": "Q9"}"""
      "search_top100.json", """{"Ada": ["Q3", "Q7"], "Grace": ["Q7"], "The Queen": ["Q7", "Q3", "Q9"]}""" ]

let richpedia: Files =
    [ "train.json",
      """{"Q7": {"sentence": "Ada met Grace.", "mentions": "Ada", "entities": "Ada Lovelace", "answer": "Q7", "img_list": ["Q7_0.jpg", "Q7_1.JPG", "Q7_2.png"]}}"""
      "dev.json", """{"Q9": {"sentence": "The Queen spoke.", "mentions": "The Queen", "answer": "c"}}"""
      "qids_ordered.json", """["Q7", "Q9"]"""
      "property.json", """{"Q7": "Ada Lovelace [SEP]. Sex: female.", "Q9": "Elizabeth II [SEP]. "}"""
      "property_long.json", """{"Q7": "Ada Lovelace [SEP]. Sex: female. Birth: 1815."}""" ]

/// As DWE's own preparation writes it: entities are titles, candidates are keyed by the right one.
let wikiDiverse: Files =
    [ "train.json",
      """[{"sentence": "Ada met X-Ray Smith.", "mention": "Ada", "mention_type": "Person", "mention_image": "0a.SVG", "entity": "Ada_Lovelace", "cands": [["Ada Lovelace", 0.9], ["Ada (town)", 0.2]]},
{"sentence": "Ada met X-Ray Smith.", "mention": "X-Ray", "mention_type": "Unknown", "mention_image": "", "entity": "X Ray Smith", "cands": []}]"""
      "dev.json",
      """[{"sentence": "Nobody came.", "mention": "Nobody", "mention_type": "Person", "mention_image": "1b.jpg", "entity": "nil"},
{"sentence": "Zürich wins.", "mention": "Zürich", "mention_type": "Location", "mention_image": "1b.gif", "entity": "nhttps://en.wikipedia.org/wiki/FC_Z%C3%BCrich"}]"""
      "entity2desc.json", """{"Ada_Lovelace": "a mathematician", "X-Ray Smith": "a singer", "Ada (town)": null}"""
      "entity_list.json", """["X-Ray Smith", "Ada_Lovelace", "Ada (town)"]"""
      "search_top100.json",
      """{"Ada Lovelace": ["Ada (town)", "X-Ray Smith"], "FC Zürich": ["Ada (town)", "FC Basel"]}""" ]

/// With ids: entities are told apart by them, and candidates are keyed by the mention.
let wikiDiverseIds: Files =
    [ "train.json",
      """[{"sentence": "Ada spoke.", "mention": "Ada", "mention_type": "Unknown", "mention_image": "m.jpg", "entity": "Ada Lovelace", "answer": "Q7", "cands": [], "topic": null, "start": 0, "end": 3}]"""
      "dev.json",
      """[{"sentence": "planet", "mention": "planet", "mention_image": "m.jpg", "entity": "Planet", "answer": "Q634"}]"""
      "gold_entity2qid.json", """{"planet": "Q634", "Planet": "Q634", "Ada Lovelace": "Q7", "Venus": "Q313"}"""
      "entity2desc_more.json", """{"Ada_Lovelace": "a mathematician", "Somebody_else": "unknown here"}"""
      "entity2property_more.json", """{"planet": "Kind: body."}"""
      "search_top100.json", """{"planet": ["Q313", "Q634", "Q999"], "Ada": ["Q7"]}""" ]

let wikiPerson: Files =
    [ "train.json",
      """[{"id": 0, "image": "5.jpg", "boundingbox": "[-1.5, 2, 30.25, 40]", "wikiid": "Q7"}, {"id": 1, "image": "5.jpg", "boundingbox": [3, 4, 20, 22], "wikiid": "Q404"}]"""
      "dev.json", """[{"id": 0, "image": "6.jpg", "boundingbox": "[0,0,1,1]", "wikiid": "Q9"}]"""
      "TKB/entity_12w.json",
      """[{"id": "Q9", "name": "Elizabeth II", "description": "queen"}, {"id": "Q7", "name": "Ada Lovelace", "description": ""}]"""
      "IKB/Q9.jpg", "no picture"
      "search_100_random.json", """{"Q7": ["Q9", "Q555"]}""" ]

let mimic: Files =
    [ "WIKIMEL_train.json",
      """[{"id": 4, "sentence": "Ada met Grace.", "mentions": "Ada", "entities": "Ada Lovelace", "answer": "Q7", "imgPath": "wikipedia/m.1.JPG"},
{"id": 4, "sentence": "Ada met Grace.", "mentions": "Grace", "entities": "nil", "answer": "nil", "imgPath": ""}]"""
      "WIKIMEL_dev.json",
      """[{"id": 5, "sentence": "The Queen spoke.", "mentions": "The Queen", "answer": "Q90", "imgPath": "q.jpg"}]"""
      "kb_entity.json",
      """[{"id": 0, "type": "entity", "entity_name": "Ada%20Lovelace", "attr": "Sex: female.", "image_list": ["Q7_0.jpg", "Q7_1.jpg"]},
{"id": 1, "type": "entity", "qid": "Q9", "entity_name": "Elizabeth II", "instance": ["human"], "attr": "", "desc": "queen", "image_list": []},
{"id": 2, "type": "entity", "entity_name": "Ada%20Lovelace", "attr": "A ship.", "image_list": []}]"""
      "qid2id.json", """{"Q7": 0, "Q9": 1, "Q90": 1, "Q500": 77}""" ]

let melBench: Files =
    [ "nel_12n.json",
      """{"10": {"id": "10", "sentence": "Powers with Noel Harrison.", "imgPath": "10.jpg", "mentions": ["Noel Harrison", "Powers"], "entities": ["Noel Harrison", "Stefanie Powers"], "answer": ["Q1", "Q2"]},
"11": {"id": "11", "sentence": "Powers alone.", "mentions": "Powers", "entities": "Stefanie Powers", "answer": "Q2"},
"12": {"id": "12", "sentence": "Left out.", "mentions": ["Left"], "entities": ["Left"], "answer": ["nil"]}}"""
      "splits.json", """{"train": ["10"], "dev": [11, "99"], "test": ["11"]}"""
      "qid2abs.json", """{"Q1": "Sex: male.", "Q3": "Sex: male."}"""
      "qid2abs_long.json", """{"Q1": "Sex: male. Birth: 1934."}"""
      "ne2qid.json", """{"Noel Harrison": "Q1", "Harrison": "Q1"}""" ]

/// Passages.
let upstream: Files =
    [ "train.json",
      """[["The Lions versus the Bears.", "https://upload.example.org/commons/0/06/DetroitLionsRunningPlay-2007.jpg", "sports", [["Lions", "Organization", 4, 9, "https://en.wikipedia.org/wiki/Detroit_Lions"], ["Bears", "Organization", 21, 26, "]https://en.wikipedia.org/wiki/Bears%27_Club#Past"]]]]"""
      "valid.json",
      """[["Nobody came.", "https://upload.example.org/a/Flag.svg", "politics", [["Nobody", "Person", 0, 6, "NIL"]]]]"""
      "entity2desc.tsv", "Detroit_Lions@@@@a team\nChicago_Bears@@@@another team\n"
      "entity2imgs.tsv", "Detroit_Lions@@@@https://upload.example.org/a/L.gif[AND]https://upload.example.org/b/M.jpg\n" ]

/// One mention a record, with candidates.
let upstreamCandidates: Files =
    [ "train_w_10cands.json",
      """[["The Lions versus the Bears.", "https://upload.example.org/x.PNG", "Lions", "Organization", ["The"], ["versus"], "ttps://en.wikipedia.org/wiki/Detroit_Lions", ["https://en.wikipedia.org/wiki/Lion", "https://en.wikipedia.org/wiki/Detroit_Lions"], "sports", 4, 9]]"""
      "valid_w_10cands.json",
      """[["Nobody came.", "", "Nobody", "Person", [], ["came"], "nil", ["https://en.wikipedia.org/wiki/Nobody_(song)"], "politics", 0, 6]]""" ]

let jsonLines: Files =
    [ "train.jsonl",
      """{"key": "t1", "mention": "Ada", "sentence": "Ada met Grace.", "image": "a.jpg", "entity": "Q7", "type": "person", "box": [1, 2, 3, 4.5], "candidates": ["Q3", "Q7"]}

{"mention": "Grace", "sentence": "Ada met Grace.", "images": ["a.jpg", "b.jpg"], "entity": "NIL"}
"""
      "mentions.jsonl", """{"mention": "The Queen", "sentence": "The Queen spoke.", "split": "dev"}"""
      "entities.jsonl",
      """{"id": "Q7", "name": "Ada Lovelace", "description": "a mathematician", "motto": "no machine thinks", "aliases": ["Ada King"], "type": "person", "image": "ada.jpg", "born": 1815}
{"id": "Q3", "name": "Ada Lovelace", "description": ""}
{"id": 9}""" ]

let csv: Files =
    [ "train.csv",
      "mention,sentence,image,entity,key\nAda,\"Ada met \"\"Grace\"\",\nthen left.\",a.jpg|b.jpg,Q7,t1\nGrace,Ada met Grace.,,nil,\n"
      "dev.csv", "mention,sentence,image,entity\nThe Queen,The Queen spoke.,,\n"
      "entities.csv",
      "id,name,description,aliases,type,image\nQ7,Ada Lovelace,a mathematician,Ada King|Countess,person,ada.jpg\nQ3,Ada Lovelace,,,,\n" ]

/// Every format's small data set: a name for messages, the format that it must be recognised as, its files.
let all: (string * string * Files) list =
    [ "WikiMEL", "WikiMEL", wikiMel
      "RichpediaMEL", "RichpediaMEL", richpedia
      "WikiDiverse by title", "WikiDiverse", wikiDiverse
      "WikiDiverse by id", "WikiDiverse", wikiDiverseIds
      "WikiPerson", "WikiPerson", wikiPerson
      "MIMIC", "MIMIC", mimic
      "MELBench", "MELBench", melBench
      "WikiDiverse's passages", "WikiDiverse-upstream", upstream
      "WikiDiverse with candidates", "WikiDiverse-upstream", upstreamCandidates
      "JSON Lines", "JSONL", jsonLines
      "CSV", "CSV", csv ]
