module Dwe.Tests.Data.DrawnTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Dwe.Host.Features
open Dwe.Host.Features.Images
open Dwe.Host.Training
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Expecto

type private Entity = { Id: string; Name: string; Kind: string; Topic: string }

type private Mention =
    { Split: string
      Key: string
      Name: string
      Sentence: string
      Images: string list
      Gold: string
      DecidedBy: string
      SaysKind: string
      SaysTopic: string
      Shows: string }

let private folder = Path.Combine(Fixtures.repository, "data", "samples", "drawn")

let private records (file: string) =
    [ for line in File.ReadAllLines(Path.Combine(folder, file)) do
          use document = JsonDocument.Parse line
          document.RootElement.Clone() ]

let private text (name: string) (record: JsonElement) =
    record.GetProperty(name).GetString() |> Option.ofObj |> Option.defaultValue ""

let private entities =
    lazy
        [ for record in records "entities.jsonl" ->
              { Id = text "id" record
                Name = text "name" record
                Kind = text "type" record
                Topic = text "topic" record } ]

let private splits = [ "train"; "dev"; "test" ]

let private mentions =
    lazy
        [ for split in splits do
              for record in records $"{split}.jsonl" ->
                  { Split = split
                    Key = text "key" record
                    Name = text "mention" record
                    Sentence = text "sentence" record
                    Images =
                      [ for image in record.GetProperty("images").EnumerateArray() -> string (image.GetString()) ]
                    Gold = text "entity" record
                    DecidedBy = text "decided_by" record
                    SaysKind = text "says_kind" record
                    SaysTopic = text "says_topic" record
                    Shows = text "shows" record } ]

let private namesakes mention = entities.Value |> List.filter (fun entity -> entity.Name = mention.Name)

let private agrees said (known: string) = said = "" || said = known

/// Ids of the entities of its name that the sentence leaves, that the image leaves, that both leave.
let private left mention =
    let ids fits = namesakes mention |> List.filter fits |> List.map _.Id
    let byText entity = agrees mention.SaysKind entity.Kind && agrees mention.SaysTopic entity.Topic
    let byImage entity = agrees mention.Shows entity.Kind
    ids byText, ids byImage, ids (fun entity -> byText entity && byImage entity)

let private readme = lazy File.ReadAllText(Path.Combine(folder, "README.md"))

/// Exit code and everything printed by the script that made the files.
let private check () =
    let start = ProcessStartInfo "dotnet"

    for argument in [ "fsi"; Path.Combine(folder, "make.fsx"); "--check" ] do
        start.ArgumentList.Add argument

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
        "The drawn sample"
        [ test "has 300 mentions in three splits, 64 entities of 16 names, and a third of each kind of decision" {
              Expect.equal mentions.Value.Length 300 "mentions"
              Expect.equal entities.Value.Length 64 "entities"
              Expect.equal (entities.Value |> List.countBy _.Name |> List.map snd |> List.distinct) [ 4 ] "of a name"

              Expect.equal
                  (mentions.Value |> List.countBy _.DecidedBy |> List.sort)
                  [ "both", 64; "either", 44; "image", 96; "text", 96 ]
                  "what decides"

              Expect.equal (mentions.Value |> List.filter (fun m -> m.Images.IsEmpty)).Length 48 "without image"
          }

          test "is decided by what it says decides it, and always by sentence and image together" {
              for mention in mentions.Value do
                  let byText, byImage, byBoth = left mention
                  Expect.equal byBoth [ mention.Gold ] $"{mention.Key}: both"
                  let count = byText.Length, byImage.Length

                  match mention.DecidedBy, count with
                  | "image", (2, 1)
                  | "image", (4, 1)
                  | "text", (1, 4)
                  | "both", (2, 2)
                  | "either", (1, 1) -> ()
                  | way, left -> failtest $"{mention.Key}: decided by {way}, but {left} are left"
          }

          test "has the ceilings that its README says" {
              for split in splits do
                  let own = mentions.Value |> List.filter (fun mention -> mention.Split = split)

                  let ceiling choose =
                      100.0 * (own |> List.averageBy (fun mention -> 1.0 / float (List.length (choose (left mention)))))

                  let text, image, both =
                      ceiling (fun (text, _, _) -> text),
                      ceiling (fun (_, image, _) -> image),
                      ceiling (fun (_, _, both) -> both)

                  let line = $" | {text:F1} | {image:F1} | {both:F1} |"
                  let found = readme.Value.Split('\n') |> Array.filter _.StartsWith($"| {split} | {own.Length} |")
                  Expect.hasLength found 1 split
                  Expect.stringEnds found[0] line split
          }

          test "names no kind in a sentence, and every mention once" {
              for mention in mentions.Value do
                  Expect.equal (mention.Sentence.Split(mention.Name).Length - 1) 1 mention.Key

                  for kind in entities.Value |> List.map _.Kind |> List.distinct do
                      Expect.isFalse (mention.Sentence.ToLowerInvariant().Contains kind) $"{mention.Key}: {kind}"
          }

          test "has no wording in two splits" {
              for sentence, group in mentions.Value |> List.groupBy (fun m -> m.Sentence.Replace(m.Name, "{m}")) do
                  Expect.hasLength (group |> List.distinctBy _.Split) 1 sentence
          }

          test "is not to be had by what train means most often by a name" {
              let usual =
                  mentions.Value
                  |> List.filter (fun mention -> mention.Split = "train")
                  |> List.groupBy _.Name
                  |> List.map (fun (name, group) -> name, group |> List.countBy _.Gold |> List.maxBy snd |> fst)
                  |> Map.ofList

              let others = mentions.Value |> List.filter (fun mention -> mention.Split <> "train")
              let right = others |> List.filter (fun mention -> usual[mention.Name] = mention.Gold)
              Expect.isLessThan (10 * right.Length) (4 * others.Length) "less than two fifths"
          }

          test "has every picture that it names, none over 10 KB and 2 MB in all, and they can be read" {
              let named = mentions.Value |> List.collect _.Images
              let files = named |> List.map (fun name -> FileInfo(Path.Combine(folder, name)))
              Expect.all files _.Exists "all there"
              Expect.all files (fun file -> file.Length < 10_000L) "small"
              Expect.isLessThan (files |> List.sumBy _.Length) 2_000_000L "together"

              for file in files |> List.indexed |> List.filter (fun (i, _) -> i % 16 = 0) |> List.map snd do
                  match (ImageDecoder.Read file.FullName).Image with
                  | null -> failtest $"{file.Name} cannot be read"
                  | picture -> Expect.equal (picture.Width, picture.Height) (224, 224) file.Name
          }

          test "is what make.fsx makes" {
              let code, printed = check ()
              Expect.equal code 0 printed
          } ]

[<Tests>]
let features =
    testList
        "The drawn sample's features"
        [ test "fit the data: an image where a mention has one, a part where it shows something" {
              use data = RunData.Open(folder, Path.Combine(folder, "features"))

              for split in splits do
                  let own = mentions.Value |> List.filter (fun mention -> mention.Split = split)
                  let table = data.Store.Table split
                  Expect.equal (List.ofSeq table.Rows) (own |> List.map _.Key) split
                  let image = table.Kind FeatureKinds.Image

                  let present =
                      match image.Present with
                      | null -> failtest "no mask"
                      | present -> present.data<bool>().ToArray() |> List.ofArray

                  Expect.equal present (own |> List.map (fun mention -> not mention.Images.IsEmpty)) $"{split}: image"
                  let offsets = (table.Kind FeatureKinds.Parts).RowOffsets.ToArray()

                  Expect.equal
                      (offsets |> Array.pairwise |> Array.map (fun (first, next) -> int (next - first)) |> List.ofArray)
                      (own |> List.map (fun mention -> if mention.Shows = "" then 0 else 1))
                      $"{split}: parts"

                  Expect.isFalse (table.Has FeatureKinds.Profile) "no faces"

              data.RequireFinite(Array.ofList splits)
              Expect.isTrue ((data.Store.Table FeatureStore.Entities).Has FeatureKinds.Image) "entities' pictures"
          }

          test "stay below 3 MB each and 6 MB together" {
              let sizes =
                  Directory.GetFiles(Path.Combine(folder, "features"), "*", SearchOption.AllDirectories)
                  |> Array.map (fun path -> FileInfo(path).Length)

              Expect.isLessThan (Array.max sizes) 3_000_000L "each"
              Expect.isLessThan (Array.sum sizes) 6_000_000L "together"
          }

          testCase "link at least a tenth more of the mentions with images than without"
          <| fun () ->
              Folder.temporary (fun runs ->
                  let small =
                      [ "model.hidden=64"
                        "model.heads=4"
                        "model.dropout=0.2"
                        "optimizer.learning_rate=3e-3"
                        "training.epochs=40" ]

                  let hits name settings =
                      let json = Path.Combine(runs, name + ".json")
                      let changes = small @ settings |> List.collect (fun setting -> [ "--set"; setting ])
                      let out = [ "--out"; Path.Combine(runs, name); "--json"; json ]
                      SampleRun.succeed ([ "train"; "--preset"; "drawn-dwe" ] @ out @ changes) [] |> ignore
                      (SampleRun.json json).GetProperty("metrics").GetProperty("hits@1").GetDouble()

                  let textOnly =
                      hits "text" [ "model.vision_unit=false"; "loss.coarse_weight=0"; "loss.fine_weight=0" ]

                  Expect.isGreaterThan (hits "both" []) (textOnly + 0.1) "hits@1 on dev") ]
