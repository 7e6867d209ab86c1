module Dwe.Tests.Host.Reports.RunReportTests

open System
open System.Globalization
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open System.Xml
open System.Xml.Linq
open Dwe.Host.Evaluation
open Dwe.Host.Linking
open Dwe.Host.Reports
open Dwe.Model.Domain
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Expecto

/// The page as a parser sees it: it is written so that it is XML too.
let private parse (text: string) =
    use reader =
        XmlReader.Create(new StringReader(text), XmlReaderSettings(DtdProcessing = DtdProcessing.Ignore))

    XDocument.Load reader

let private elements (name: string) (page: XContainer) = List.ofSeq (page.Descendants(XName.Get name))

let private attribute (name: string) (element: XElement) =
    match element.Attribute(XName.Get name) with
    | null -> ""
    | found -> found.Value

let private hasClass (name: string) (element: XElement) = (attribute "class" element).Split ' ' |> Array.contains name

/// Page, Markdown and CSV of a report.
type private Written = { Page: string; Markdown: string; Csv: string }

let private report (words: string list) =
    let folder = Directory.CreateTempSubdirectory("dwe-report-").FullName

    try
        let file (name: string) = Path.Combine(folder, name)

        [ "report" ] @ words @ [ "--out"; file "a.html"; "--markdown"; file "a.md"; "--csv"; file "a.csv" ]
        |> fun words -> SampleRun.succeed words []
        |> ignore

        { Page = File.ReadAllText(file "a.html")
          Markdown = File.ReadAllText(file "a.md")
          Csv = File.ReadAllText(file "a.csv") }
    finally
        Directory.Delete(folder, true)

/// The report of the shared run.
let private shared = lazy (report [ fst SampleRun.shared.Value; "--examples"; "8" ])

let private result =
    lazy (SampleRun.json (Path.Combine(fst SampleRun.shared.Value, "results", "dev-strict.json")))

/// The numbers below an element by the names on the way, ranks of single mentions left out.
let rec private numbers (path: string list) (element: JsonElement) : (string list * float) list =
    match element.ValueKind with
    | JsonValueKind.Number -> [ List.rev path, element.GetDouble() ]
    | JsonValueKind.Object ->
        [ for property in element.EnumerateObject() do
              if property.Name <> "ranks" then
                  yield! numbers (property.Name :: path) property.Value ]
    | JsonValueKind.Array ->
        [ for at, item in Seq.indexed (element.EnumerateArray()) do
              yield! numbers ($"{at}" :: path) item ]
    | _ -> []

let private percent (share: float) = (100.0 * share).ToString("0.0", CultureInfo.InvariantCulture)

/// What the page must show for a number of a result.
let private shownAs (path: string list) (value: float) =
    let whole = value.ToString("N0", CultureInfo.InvariantCulture)
    let few = value.ToString("0.####", CultureInfo.InvariantCulture)

    match path with
    | [ "system"; "seed" ] -> value.ToString(CultureInfo.InvariantCulture)
    | "card" :: _
    | "system" :: _
    | "counts" :: _
    | [ "slices"; _; "mentions" ]
    | [ "calibration"; "mentions" ]
    | [ "calibration"; "bins"; _; "count" ] -> whole
    | [ "calibration"; "temperature" ]
    | [ "calibration"; "brier" ] -> few
    | _ when List.last path = "mean_rank" -> value.ToString("0.0##", CultureInfo.InvariantCulture)
    | _ -> percent value

let private csv (text: string) =
    [ for line in text.TrimEnd('\n').Split '\n' |> Array.tail -> line.Split ',' |> List.ofArray ]

[<Tests>]
let page =
    testList
        "dwe report"
        [ testCase "is a page that parses, fetches nothing, and has a title on every picture"
          <| fun () ->
              let text = shared.Value.Page
              let page = parse text
              Expect.isFalse (Regex.IsMatch(text, "https?:|<script|<link|@import|url\\(")) "no address, no script"

              for image in elements "img" page do
                  Expect.stringStarts (attribute "src" image) "data:image/jpeg;base64," "embedded"
                  Expect.isNotEmpty (attribute "alt" image) "described"

              let pictures = elements "svg" page |> List.filter (fun svg -> attribute "aria-hidden" svg <> "true")
              Expect.isNonEmpty pictures "curves and a calibration plot"

              for picture in pictures do
                  Expect.equal (attribute "role" picture) "img" "a picture to those who cannot see it"
                  let named = (attribute "aria-labelledby" picture).Split ' '
                  let ids = elements "title" picture @ elements "desc" picture |> List.map (attribute "id")
                  Expect.equal (List.ofArray named) ids "named by its title and description"

              let ids = page.Descendants() |> Seq.map (attribute "id") |> Seq.filter ((<>) "") |> List.ofSeq
              Expect.equal (List.distinct ids) ids "ids are unique"

              for link in elements "a" page do
                  Expect.contains ids ((attribute "href" link).TrimStart '#') "links lead somewhere"

          testCase "shows every number that a result holds"
          <| fun () ->
              let text = (parse shared.Value.Page).ToString(SaveOptions.DisableFormatting)
              let found = numbers [] result.Value
              Expect.isGreaterThan found.Length 60 "a result is full of them"

              for path, value in found do
                  let shown = shownAs path value
                  let name = String.Join(".", path)
                  Expect.isTrue (Regex.IsMatch(text, $"(?<![0-9.]){Regex.Escape shown}(?![0-9])")) $"{name} as {shown}"

          testCase "holds every number of a result in its CSV, unrounded"
          <| fun () ->
              let lines = csv shared.Value.Csv
              let values = [ for line in lines -> Double.Parse(line[4], CultureInfo.InvariantCulture) ] |> Set.ofList

              let intervals =
                  [ for line in lines do
                        for cell in line[5..] do
                            if cell <> "" then
                                Double.Parse(cell, CultureInfo.InvariantCulture) ]
                  |> Set.ofList

              for path, value in numbers [] result.Value do
                  match path with
                  | "system" :: _ -> ()
                  | "intervals" :: _ -> Expect.isTrue (intervals.Contains value) $"{path}"
                  | _ -> Expect.isTrue (values.Contains value) $"{path}"

              let hits = lines |> List.find (fun line -> line[2..3] = [ "metrics"; "hits@1" ])
              Expect.equal hits[0..1] [ "run"; "dev-strict" ] "whose"
              let stored = result.Value.GetProperty("metrics").GetProperty("hits@1").GetDouble()
              Expect.equal (Double.Parse(hits[4], CultureInfo.InvariantCulture)) stored "which"

          testCase "has the metrics in its Markdown, as a table"
          <| fun () ->
              let rows = shared.Value.Markdown.Split '\n' |> Array.filter _.StartsWith("| dev-strict")
              let cells = (Array.exactlyOne rows).Trim('|').Split '|' |> Array.map _.Trim()

              let metric (name: string) = percent (result.Value.GetProperty("metrics").GetProperty(name).GetDouble())

              Expect.equal
                  (cells[1], cells[3], cells[7])
                  (metric "hits@1", metric "hits@3", metric "mrr")
                  "hits@1, hits@3, mrr"

          testCase "draws the training losses, and lists them as they are kept"
          <| fun () ->
              let page = parse shared.Value.Page
              let titles = elements "title" page |> List.map _.Value
              Expect.contains titles "training losses of run by epoch" "a curve"
              let text = page.ToString SaveOptions.DisableFormatting

              for line in File.ReadAllLines(Path.Combine(fst SampleRun.shared.Value, "history.jsonl")) do
                  for loss in JsonDocument.Parse(line).RootElement.GetProperty("losses").EnumerateObject() do
                      let shown = loss.Value.GetDouble().ToString("0.0000", CultureInfo.InvariantCulture)
                      Expect.stringContains text $">{shown}<" loss.Name

          testCase "has the training losses in its CSV, unrounded, and those of the best checkpoint in its Markdown"
          <| fun () ->
              let run, _ = SampleRun.shared.Value
              let training = csv shared.Value.Csv |> List.filter (fun line -> line[1] = "training")

              let expected =
                  [ for line in File.ReadAllLines(Path.Combine(run, "history.jsonl")) do
                        let line = JsonDocument.Parse(line).RootElement
                        let epoch = line.GetProperty("epoch").GetInt32()

                        for loss in line.GetProperty("losses").EnumerateObject() do
                            $"epoch {epoch}", loss.Name, loss.Value.GetDouble()

                        $"epoch {epoch}", "learning_rate", line.GetProperty("learning_rate").GetDouble() ]

              let found =
                  [ for line in training -> line[2], line[3], Double.Parse(line[4], CultureInfo.InvariantCulture) ]

              Expect.equal (List.sort found) (List.sort expected) "every loss of every epoch"
              let best = shared.Value.Markdown.Split '\n' |> Array.filter _.Contains("(best checkpoint)")
              let state = SampleRun.json (Path.Combine(run, "checkpoints", "best", "state.json"))
              let cells = (Array.exactlyOne best).Trim('|').Split '|' |> Array.map _.Trim()
              let at = state.GetProperty("epoch").GetInt32()
              let epoch = $"epoch {at}"

              let loss =
                  expected
                  |> List.pick (fun (at, name, value) -> if (at, name) = (epoch, "loss") then Some value else None)

              Expect.equal cells[1] (loss.ToString("0.0000", CultureInfo.InvariantCulture)) "its loss"

          testCase "is the same bytes twice"
          <| fun () ->
              let again = report [ fst SampleRun.shared.Value; "--examples"; "8" ]
              Expect.equal again shared.Value "page, Markdown and CSV"

          testCase "shows mentions whose first candidate is not the gold, with the gold, and counts all of them"
          <| fun () ->
              let page = parse shared.Value.Page
              let examples = elements "article" page
              Expect.hasLength examples 8 "as many as were asked for"

              for example in examples do
                  let entities = elements "ol" example |> List.collect (elements "li")
                  Expect.isFalse (hasClass "gold" entities[0]) "the first is wrong"
                  Expect.hasLength (entities |> List.filter (hasClass "gold")) 1 "the gold is there once"
                  Expect.isNonEmpty (elements "mark" example) "the mention is marked"
                  Expect.isNonEmpty (elements "table" example) "what moved the scores"

              let told = Regex.Match(page.ToString(), "Of ([0-9,]+) mentions, ([0-9,]+) have another")
              let metrics = result.Value.GetProperty("metrics")
              let mentions = result.Value.GetProperty("card").GetProperty("mentions").GetDouble()
              let wrong = mentions * (1.0 - metrics.GetProperty("hits@1").GetDouble())

              Expect.floatClose
                  Accuracy.medium
                  (float told.Groups[2].Value)
                  wrong
                  "no gold of the sample is left out of the lists"

          testCase "says why there are no examples where the data are gone, and shows the rest"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let manifest = Path.Combine(run, "manifest.json")
                  let data = (SampleRun.json manifest).GetProperty("data").GetString() |> string
                  File.WriteAllText(manifest, (File.ReadAllText manifest).Replace(data, Path.Combine(run, "gone")))
                  let written = report [ run ]

                  Expect.stringContains
                      written.Page
                      "No examples: the data or features of the run could not be opened."
                      "why"

                  Expect.stringContains written.Page (Path.Combine(run, "gone")) "which"
                  Expect.equal written.Csv shared.Value.Csv "the results are there")

          testCase "compares runs whose results have one card, and leaves names as they are"
          <| fun () ->
              Folder.temporary (fun folder ->
                  // A name that would be markup, were it not escaped.
                  let other = Path.Combine(folder, "a<b>&\"c'|d")
                  SampleRun.copy (fst SampleRun.shared.Value) other
                  let written = report [ fst SampleRun.shared.Value; other; "--examples"; "0" ]
                  let page = parse written.Page
                  Expect.stringContains ((elements "h1" page).Head.Value) "a<b>&\"c'|d" "shown as it is"
                  Expect.isEmpty (elements "article" page) "none were asked for"

                  let rows =
                      elements "tr" page
                      |> List.filter (fun row -> (elements "th" row).Head.Value = "a<b>&\"c'|d")
                      |> List.map (fun row -> elements "td" row |> List.map _.Value)
                      |> List.filter (fun cells -> cells.Length = 6)

                  Expect.hasLength rows 2 "by hits@1 and by mrr"

                  for cells in rows do
                      Expect.equal cells[2..] [ "0.0"; "0.0 to 0.0"; "1"; "no" ] "the same run differs in nothing"

                  Expect.stringContains written.Markdown "a\\<b\\>&\"c'\\|d" "escaped in Markdown")

          testCase "shows an ablation beside runs, and alone"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let card = result.Value.GetProperty("card").GetRawText()

                  File.WriteAllText(
                      Path.Combine(folder, "ablation.json"),
                      """{"format":"dwe-ablation-1","measure":"hits@1","seeds":[1,2],"card":CARD,"variants":[
                          {"name":"whole","folder":"whole","measures":{
                            "hits@1":{"mean":0.925,"deviation":0.01,"values":[0.915,0.935]},"mrr":{"mean":0.95,"deviation":null,"values":[]}}},
                          {"name":"without lexical","folder":"w","measures":{"hits@1":{"mean":0.5},"mrr":{"mean":0.6}},
                            "difference":-0.425,"difference_interval":{"low":-0.44,"high":-0.4},"p_value":0.0002,"significant":true}]}"""
                          .Replace("CARD", card)
                  )

                  let written = report [ folder ]

                  let rows =
                      elements "tr" (parse written.Page)
                      |> List.tail
                      |> List.map (fun row -> [ for cell in row.Elements() -> cell.Value ])

                  Expect.equal
                      rows
                      [ [ "whole"; "92.5"; "1.0"; "95.0"; "–"; ""; ""; "" ]
                        [ "without lexical"; "50.0"; "–"; "60.0"; "–"; "-42.5"; "-44.0 to -40.0"; "0.0002" ] ]
                      "variants")

          testCase "refuses a folder that is no run, and writes nothing"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let out = Path.Combine(folder, "a.html")
                  let run = DweProcess.run [ "report"; fst SampleRun.shared.Value; folder; "--out"; out ] []
                  Expect.equal run.ExitCode 2 "wrong input"

                  Expect.equal
                      run.Errors
                      $"dwe: {folder}/manifest.json: not found; expected a run made by `dwe train`. Check the folder's name.\n"
                      "the one line"

                  Expect.isFalse (File.Exists out) "nothing") ]

let private entity id name =
    ReportEntity(
        id,
        { Id = id
          Name = name
          Aliases = [||]
          Type = ""
          Fields = dict [ "description", $"About {name}." ] |> System.Collections.Generic.Dictionary
          Images = [||] },
        Nullable()
    )

let private hostile = "<script>alert(1)</script>"

let private wrong: WrongLink =
    WrongLink(
        Mention =
            { Key = hostile
              Text = hostile
              Sentence = $"Here stands {hostile} & more."
              Images = [| "a.jpg" |]
              Type = hostile
              Gold = Gold.Entity "Q2"
              Box = null },
        Image = null,
        ImageNote = hostile,
        First = [| RankedEntity(entity "Q1" hostile, Nullable 1.0, 3.25, Nullable 0.5, false) |],
        Gold = RankedEntity(entity "Q2" "gold", Nullable 7.0, -1.5, Nullable(), true),
        Compared = 9,
        Reasons = [| Reason(hostile, 2.0, -1.0); Reason("name.exact", 0.5, 2.25) |],
        Gates = [| Contribution("text", 0.25) |],
        Attention = [| Contribution("part 1", 0.75) |]
    )

[<Tests>]
let section =
    testList
        "wrongly linked mentions on a page"
        [ testCase "names that are markup stay text"
          <| fun () ->
              let html =
                  (WrongLinkSection.Of(
                      WrongLinks(Mentions = 1, RankedBelow = 1, Protocol = "strict", Examples = [| wrong |])
                  ))
                      .Markup

              let root = XElement.Parse $"<x>{html}</x>"
              Expect.isEmpty (elements "script" root) "no element of theirs"
              Expect.equal (elements "mark" root |> List.map _.Value) [ hostile ] "marked"
              Expect.isGreaterThan (Regex.Matches(html, "&lt;script&gt;").Count) 6 "shown wherever it is a name"

          testCase "the reason says which share speaks for whom, and by how much"
          <| fun () ->
              let html = (WrongLinkSection.Of(WrongLinks(Examples = [| wrong |]))).Markup
              let root = XElement.Parse $"<x>{html}</x>"
              let text = root.Value

              Expect.stringContains
                  text
                  $"{hostile} spoke for the first candidate by 3.00; name.exact spoke for the gold by 1.75."
                  "in words"

              Expect.stringContains text "score 3.25, probability 50.0 %" "the first"
              Expect.stringContains text "The gold is number 7 of 9:" "where the gold is"
              Expect.stringContains text "score -1.50" "its score"
              Expect.stringContains text "text 25.0." "gates"
              Expect.stringContains text "part 1 75.0." "attention"

              let differences = [ for row in elements "tr" root |> List.tail -> (elements "td" row).Item(2).Value ]

              Expect.equal differences [ "+3.00"; "-1.75" ] "in the table" ]
