module Dwe.Tests.Host.Commands.KbCommandTests

open System
open System.IO
open System.Threading
open Dwe.Host.Commands
open Dwe.Host.Features.Text
open Dwe.Host.KnowledgeBases
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Host.Features
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Expecto
open Spectre.Console

let private parse (words: string list) = CommandLine.Parse(Array.ofList ("kb" :: words))

/// Standard output of `dwe kb` with these words and this encoder, line by line.
let private runBy (encoder: ITextEncoder) words =
    let output = new StringWriter()
    let console = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput output))
    let openEncoder = Func<_>(fun () -> encoder)

    let exitCode =
        match parse words with
        | Ok(Command.KbBuild options) -> KbCommand.Build(options, console, openEncoder, CancellationToken.None)
        | Ok(Command.KbAdd options) -> KbCommand.Add(options, console, openEncoder, CancellationToken.None)
        | Ok(Command.KbRemove options) -> KbCommand.Remove(options, console)
        | Ok(Command.KbShow options) -> KbCommand.Show(options, console, output)
        | other -> failtest $"not understood: {other}"

    Expect.equal exitCode 0 "exit code"
    output.ToString().TrimEnd().Split('\n') |> List.ofArray

let private noEncoder: ITextEncoder =
    { new ITextEncoder with
        member _.Id = failtest "the encoder was opened"
        member _.Dimension = failtest "the encoder was opened"
        member _.Encode(_, _) = failtest "the encoder was opened"
        member _.Dispose() = () }

let private refused words expected =
    match parse words with
    | Error error -> Expect.equal (UserError.message error) expected "message"
    | Ok command -> failtest $"understood as {command}"

let private jsonl =
    """{"id": "a", "name": "Ann", "aliases": ["Anna"], "type": "person", "image": "ann.png", "brief": "a painter"}
{"id": "b", "name": "Bob", "brief": "a sailor"}
"""

[<Tests>]
let tests =
    testList
        "dwe kb"
        [ testCase "builds, adds, removes and shows, each in a line that says what was done"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use encoder = HashEncoder.quick ()
                  let file name = Path.Combine(folder, name)
                  let run = runBy encoder
                  File.WriteAllText(file "entities.jsonl", jsonl)
                  File.WriteAllText(file "ann.png", "")
                  let kb = file "kb"

                  Expect.equal
                      (run [ "build"; "--source"; file "entities.jsonl"; "--out"; kb ])
                      [ $"{kb}: 2 added, 0 changed, 0 as they were; 2 texts encoded; 2 entities, generation 1" ]
                      "built"

                  File.WriteAllText(file "more.csv", "id,name,brief\nb,Bob,a captain\nc,\"Cyd, the first\",a dancer\n")

                  Expect.equal
                      (run [ "add"; "--kb"; kb; "--source"; file "more.csv" ])
                      [ $"{kb}: 1 added, 1 changed, 0 as they were; 2 texts encoded; 3 entities, generation 2" ]
                      "added"

                  Expect.equal
                      (run [ "show"; "--kb"; kb; "--entity"; "a" ])
                      [ "a  Ann"
                        "type: person"
                        "aliases: Anna"
                        "brief: a painter"
                        "image: ann.png"
                        "encoded as: a painter" ]
                      "shown"

                  File.WriteAllText(file "ids.txt", "a\n\nnobody\n")

                  Expect.equal
                      (run [ "remove"; "--kb"; kb; "--source"; file "ids.txt" ])
                      [ $"{kb}: 1 removed, 1 were not there; 2 entities, generation 3" ]
                      "removed"

                  Expect.equal
                      (run [ "remove"; "--kb"; kb; "--source"; file "more.csv" ])
                      [ $"{kb}: 2 removed, 0 were not there; 0 entities, generation 4" ]
                      "removed by a file of entities"

                  let shown = run [ "show"; "--kb"; kb; "--json" ] |> String.concat "\n"
                  use json = Text.Json.JsonDocument.Parse shown
                  let number (name: string) = json.RootElement.GetProperty(name).GetInt32()
                  Expect.equal (number "entities", number "generation", number "dimension") (0, 4, 8) "as JSON")

          testCase "of a store whose features are taken nothing is encoded, and its vectors are the store's"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let kb = Path.Combine(folder, "kb")
                  let store = Path.Combine(SampleRun.sample, "features")

                  runBy noEncoder [ "build"; "--data"; SampleRun.sample; "--features"; store; "--out"; kb ] |> ignore

                  use opened = KnowledgeBase.Open kb
                  use features = Dwe.Host.Features.FeatureStore.Open store
                  let table = features.Table "entities"
                  let kind = table.Kind "text"
                  let vectors = kind.Segments[0].ToArray()
                  let vector = Array.zeroCreate<float32> opened.Manifest.Dimension
                  Expect.equal opened.Entities.Count table.Rows.Count "entities"

                  for row in 0 .. opened.Entities.Count - 1 do
                      opened.CopyTextVector(row, vector.AsSpan())
                      Expect.equal opened.Entities[row].Id table.Rows[row] "id"
                      Expect.equal vector vectors[row * kind.Dim .. (row + 1) * kind.Dim - 1] "vector")

          testCase "a store with another template is refused"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let store = Path.Combine(SampleRun.sample, "features")

                  let words =
                      [ "build"
                        "--data"
                        SampleRun.sample
                        "--features"
                        store
                        "--entity-text"
                        "{name}"
                        "--out"
                        Path.Combine(folder, "kb") ]

                  let message = Refusal.messageOf (fun () -> runBy noEncoder words |> ignore)
                  Expect.stringStarts message $"{store}: entities as " "the store"

                  Expect.stringEnds
                      message
                      ", expected {name}. Leave --features out, or encode as it does."
                      "what to do")

          testCase "a template with a field that no entity has is refused before anything is encoded"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let source = Path.Combine(folder, "entities.jsonl")
                  File.WriteAllText(source, jsonl)

                  (fun () ->
                      use encoder = HashEncoder.quick ()

                      runBy
                          encoder
                          [ "build"
                            "--source"
                            source
                            "--entity-text"
                            "{breif}"
                            "--out"
                            Path.Combine(folder, "kb") ]
                      |> ignore)
                  |> Refusal.isSpelled "--entity-text '{breif}': unknown key 'breif'; did you mean brief?")

          testCase "images are found by name in the folder that was named and in the knowledge base's own"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use encoder = HashEncoder.quick ()
                  let file name = Path.Combine(folder, name)
                  File.WriteAllText(file "entities.jsonl", jsonl)
                  Directory.CreateDirectory(file "photos") |> ignore
                  File.WriteAllText(file "photos/ann.png", "")

                  runBy
                      encoder
                      [ "build"; "--source"; file "entities.jsonl"; "--images"; file "photos"; "--out"; file "kb" ]
                  |> ignore

                  use opened = KnowledgeBase.Open(file "kb")
                  Expect.equal (opened.ImageFile "ann.png") (file "photos/ann.png") "where it was named"
                  Expect.isNull (opened.ImageFile "../photos/ann.png") "no way out"
                  Directory.CreateDirectory(file "kb/images") |> ignore
                  File.WriteAllText(file "kb/images/ann.png", "")
                  use again = KnowledgeBase.Open(file "kb")
                  Expect.equal (again.ImageFile "ann.png") (file "kb/images/ann.png") "its own first")

          testCase "options that are wrong are refused with the way to the right ones"
          <| fun () ->
              refused [] "kb needs a verb: build, add, remove or show. See `dwe kb --help`."
              refused [ "build"; "--out"; "x" ] "kb build needs --source FILE or --data DIR. See `dwe kb --help`."

              refused
                  [ "build"; "--out"; "x"; "--source"; "a"; "--data"; "b" ]
                  "kb build takes --source or --data, not both. See `dwe kb --help`."

              refused
                  [ "build"; "--out"; "x"; "--source"; "a"; "--run"; "r"; "--entity-text"; "{name}" ]
                  "--entity-text does not go with --run, whose template is taken. See `dwe kb --help`."

              refused
                  [ "build"; "--out"; "x"; "--source"; "a"; "--classes"; "Q5,human" ]
                  "command line: --classes is 'human', expected ids like Q5, separated by commas."

              refused
                  [ "add"; "--kb"; "x"; "--source"; "a"; "--subclasses" ]
                  "--subclasses goes with --classes. See `dwe kb --help`."

              refused [ "remove"; "--kb"; "x" ] "kb remove needs --ids ID,ID or --source FILE. See `dwe kb --help`."

          testCase "the program adds what needs no encoder without one, and shows it"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use encoder = HashEncoder.quick ()
                  let file name = Path.Combine(folder, name)
                  File.WriteAllText(file "entities.jsonl", jsonl)
                  runBy encoder [ "build"; "--source"; file "entities.jsonl"; "--out"; file "kb" ] |> ignore
                  File.WriteAllText(file "more.jsonl", """{"id": "d", "name": "Dan", "brief": "a sailor"}""")
                  let added = DweProcess.run [ "kb"; "add"; "--kb"; file "kb"; "--source"; file "more.jsonl" ] []
                  Expect.equal (added.ExitCode, added.Errors) (0, "") "added"

                  Expect.stringContains
                      added.Output
                      "1 added, 0 changed, 0 as they were; 0 texts encoded; 3 entities"
                      "what was done"

                  let kb = file "kb"
                  let shown = DweProcess.run [ "kb"; "show"; "--kb"; kb; "--entity"; "nobody" ] []

                  Expect.equal
                      (shown.ExitCode, shown.Errors)
                      (2, $"dwe: {kb}: --entity is 'nobody', expected the id of one of its 3 entities.\n")
                      "nobody") ]
