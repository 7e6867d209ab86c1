module Dwe.Tests.Data.SamplesTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Expecto
open Dwe.Tests.Prelude

type private Mention =
    { Split: string
      Key: string
      Id: string
      Sentence: string
      Text: string
      Name: string
      Answer: string }

let private samples = Path.Combine(Fixtures.repository, "data", "samples")

let private json (file: string) =
    use document = JsonDocument.Parse(File.ReadAllText(Path.Combine(samples, file)))
    document.RootElement.Clone()

let private text (element: JsonElement) = element.GetString() |> Option.ofObj |> Option.defaultValue ""
let private texts (element: JsonElement) = [ for item in element.EnumerateArray() -> text item ]
let private fields file = [ for field in (json file).EnumerateObject() -> field.Name, field.Value ]

/// All repeats are kept, so that a test can find them.
let private mentions =
    lazy
        [ for split in [ "train"; "dev"; "test" ] do
              for key, record in fields $"{split}.json" do
                  let field (name: string) = text (record.GetProperty name)

                  { Split = split
                    Key = key
                    Id = field "id"
                    Sentence = field "sentence"
                    Text = field "mentions"
                    Name = field "entities"
                    Answer = field "answer" } ]

let private names = lazy [ for id, name in fields "qid2ne.json" -> id, text name ]
let private candidates = lazy [ for mention, ids in fields "search_top100.json" -> mention, texts ids ]
let private nameOf = lazy Map.ofList names.Value
let private listOf = lazy Map.ofList candidates.Value

/// Exit code and everything printed by the script that made the files.
let private check () =
    let start = ProcessStartInfo "dotnet"

    for argument in [ "fsi"; Path.Combine(samples, "make.fsx"); "--check" ] do
        start.ArgumentList.Add argument

    start.WorkingDirectory <- Fixtures.repository
    start.RedirectStandardOutput <- true
    start.RedirectStandardError <- true

    match Process.Start start with
    | null -> failtest "dotnet fsi did not start"
    | started ->
        use started = started
        let errors = started.StandardError.ReadToEndAsync()
        let output = started.StandardOutput.ReadToEnd()
        started.WaitForExit()
        started.ExitCode, output + errors.Result

[<Tests>]
let tests =
    testList
        "The embedded sample"
        [ test "has at least 300 mentions, in three splits, and 120 entities" {
              Expect.isGreaterThanOrEqual mentions.Value.Length 300 "mentions"
              Expect.isGreaterThanOrEqual names.Value.Length 120 "entities"

              Expect.equal
                  (mentions.Value |> List.map _.Split |> List.distinct)
                  [ "train"; "dev"; "test" ]
                  "no split is empty"
          }

          test "names each answer as the knowledge base does" {
              for mention in mentions.Value do
                  Expect.equal (nameOf.Value.TryFind mention.Answer) (Some mention.Name) mention.Key
          }

          test "describes every entity once in each file, under its name, in the order of ids" {
              let ids = texts (json "qids_ordered.json")

              Expect.sequenceEqual
                  ids
                  (ids |> List.distinct |> List.sortWith (fun a b -> String.CompareOrdinal(a, b)))
                  "sorted"

              Expect.sequenceEqual (names.Value |> List.map fst) ids "qid2ne.json"

              for file in [ "brief.json"; "property.json" ] do
                  let described = fields file
                  Expect.sequenceEqual (described |> List.map fst) ids file

                  for id, description in described do
                      Expect.stringStarts (text description) $"{nameOf.Value[id]} [SEP]. " $"{file} {id}"
          }

          test "has no two entities that name and description cannot tell apart" {
              let briefs = fields "brief.json" |> List.map (snd >> text)
              Expect.equal (List.distinct briefs).Length briefs.Length "distinct"
          }

          test "has no key twice" {
              let keys = mentions.Value |> List.map _.Key
              Expect.equal (List.distinct keys).Length keys.Length "keys"
          }

          test "shares neither ids nor sentences between splits" {
              for shared in [ (fun m -> m.Id); (fun m -> m.Sentence) ] do
                  for value, group in mentions.Value |> List.groupBy shared do
                      Expect.hasLength (group |> List.distinctBy _.Split) 1 value
          }

          test "has every mention once in its sentence" {
              for mention in mentions.Value do
                  let first = mention.Sentence.IndexOf(mention.Text, StringComparison.Ordinal)
                  Expect.isGreaterThanOrEqual first 0 $"{mention.Key}: {mention.Text}"
                  Expect.equal (mention.Sentence.LastIndexOf(mention.Text, StringComparison.Ordinal)) first mention.Key
          }

          test "has homonyms: entities with one name, and mention strings with several answers" {
              let repeated = names.Value |> List.countBy snd |> List.filter (fun (_, count) -> count > 1)
              Expect.isGreaterThanOrEqual repeated.Length 10 "names shared by entities"

              let several =
                  mentions.Value
                  |> List.groupBy _.Text
                  |> List.filter (fun (_, group) -> (List.distinctBy _.Answer group).Length > 1)

              Expect.isGreaterThanOrEqual several.Length 30 "strings with several answers"
          }

          test "has in dev and test entities that train mentions and entities that it does not" {
              let seen = mentions.Value |> List.filter (fun m -> m.Split = "train") |> List.map _.Answer |> Set.ofList

              for split in [ "dev"; "test" ] do
                  let own = mentions.Value |> List.filter (fun m -> m.Split = split)
                  let unseen = own |> List.filter (fun m -> not (seen.Contains m.Answer))
                  Expect.isGreaterThan (10 * unseen.Length) (2 * own.Length) $"{split}: more than a fifth unseen"
                  Expect.isLessThan (10 * unseen.Length) (3 * own.Length) $"{split}: less than three tenths unseen"
          }

          test "lists as many distinct, known candidates for every mention string" {
              let strings = mentions.Value |> List.map _.Text |> List.distinct |> Set.ofList
              Expect.equal (candidates.Value |> List.map fst |> Set.ofList) strings "the mention strings"
              Expect.equal candidates.Value.Length strings.Count "each once"
              let lengths = candidates.Value |> List.map (fun (_, ids) -> ids.Length) |> List.distinct
              Expect.hasLength lengths 1 "one length"

              for mention, ids in candidates.Value do
                  Expect.equal (List.distinct ids).Length ids.Length mention

                  for id in ids do
                      Expect.isTrue (nameOf.Value.ContainsKey id) $"{mention}: {id}"
          }

          test "finds the answer without being told: in nearly every list, and seldom first" {
              for split, own in mentions.Value |> List.groupBy _.Split do
                  let count test = own |> List.filter test |> List.length
                  let found = count (fun m -> List.contains m.Answer listOf.Value[m.Text])
                  let first = count (fun m -> List.head listOf.Value[m.Text] = m.Answer)
                  Expect.isGreaterThanOrEqual (100 * found) (98 * own.Length) $"{split}: recall"
                  Expect.isLessThan (100 * first) (50 * own.Length) $"{split}: the lexical order alone"
          }

          test "ranks names that are equal by id, whichever is the answer" {
              for mention, ids in candidates.Value do
                  for name, group in ids |> List.groupBy (fun id -> nameOf.Value[id]) do
                      Expect.sequenceEqual group (List.sort group) $"{mention}: {name}"
          }

          test "is what make.fsx makes" {
              let code, printed = check ()
              Expect.equal code 0 printed
          } ]
