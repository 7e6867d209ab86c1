module Dwe.Tests.Host.Commands.EnrichCommandTests

open System
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open System.Threading
open Dwe.Host.Commands
open Dwe.Host.Data
open Dwe.Host.Data.Conversion
open Dwe.Host.Enrichment
open Dwe.Host.Features
open Dwe.Host.Features.Text
open Dwe.Host.KnowledgeBases
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Host.Enrichment.FakeChat
open Dwe.Tests.Host.Enrichment.WaitingClock
open Dwe.Tests.Host.Features
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Expecto
open Spectre.Console

let private parse (words: string list) = CommandLine.Parse(Array.ofList ("enrich" :: words))

/// Exit code and standard output of `dwe enrich` with these words; whoever waits waits no time.
let private run (words: string list) =
    let options =
        match parse words with
        | Ok(Command.Enrich options) -> options
        | other -> failtest $"not understood: {other}"

    let output = new StringWriter()
    let console = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput output))
    let exitCode = EnrichCommand.Run(console, output, options, WaitingClock(), CancellationToken.None)
    exitCode, output.ToString().TrimEnd()

let private entities =
    """{"id": "Q1", "name": "Ann", "aliases": ["Anna", "A."], "type": "person", "brief": "a painter"}
{"id": "Q2", "name": "Bob"}
{"id": "Q3", "name": "Cyd", "images": ["cyd.png"]}
"""

/// What the service is asked with the prompt that comes with the program, by name.
let private nameIn (question: Question) = Regex.Match(question.Text, "Name: (.*)\n").Groups[1].Value

/// A folder with three entities and a prompt of the name alone; paths in it.
let private withEntities test =
    Folder.temporary (fun folder ->
        let file name = Path.Combine(folder, name)
        File.WriteAllText(file "entities.jsonl", entities)
        File.WriteAllText(file "prompt.txt", "{name}")
        test file)

let private words (chat: FakeChat) (file: string -> string) =
    [ "--endpoint"
      chat.Address
      "--model"
      "fake"
      "--kb"
      file "entities.jsonl"
      "--out"
      file "out.jsonl"
      "--rate"
      "600000" ]

/// The words with the prompt of the name alone and one request at a time.
let private plain chat file = words chat file @ [ "--prompt"; file "prompt.txt"; "--concurrency"; "1" ]

let private describe (asked: Question) = Says $"{asked.Text} is known."

let private refused words expected = (fun () -> run words |> ignore) |> Refusal.isSpelled expected

let private cardOf file = (SampleRun.json (file "out.jsonl.card.json")).GetProperty "enrichments"

/// Field, model and what was counted, of every entry of a card.
let private entries (card: JsonElement) =
    [ for entry in card.EnumerateArray() do
          let text (name: string) = entry.GetProperty(name).GetString()
          let number (name: string) = entry.GetProperty(name).GetInt32()

          text "field",
          text "model",
          text "endpoint_host",
          [ for name in [ "entities"; "answered"; "empty"; "failed" ] -> number name ] ]

[<Tests>]
let command =
    testList
        "dwe enrich"
        [ testCase
              "writes all entities with the answers as a field, and a card of who wrote it; the standard prompt names the entity"
          <| fun () ->
              withEntities (fun file ->
                  use chat =
                      new FakeChat(fun asked ->
                          Says(
                              if nameIn asked = "Bob" then
                                  ""
                              else
                                  $"{nameIn asked}, known."
                          ))

                  let exitCode, output = run (words chat file)
                  Expect.equal exitCode 0 "exit code"
                  Expect.equal output $"""{file "out.jsonl"}: 3 entities, 2 answered, 1 empty, 0 failed""" "output"

                  Expect.equal
                      (File.ReadAllText(file "out.jsonl"))
                      """{"id":"Q1","name":"Ann","type":"person","aliases":["Anna","A."],"brief":"a painter","enriched":"Ann, known."}
{"id":"Q2","name":"Bob"}
{"id":"Q3","name":"Cyd","images":["cyd.png"],"enriched":"Cyd, known."}
"""
                      "entities"

                  Expect.equal (entries (cardOf file)) [ "enriched", "fake", "127.0.0.1", [ 3; 2; 1; 0 ] ] "card"

                  let asked = chat.Asked |> List.find (fun asked -> nameIn asked = "Ann")
                  Expect.stringEnds asked.Text "Name: Ann\nType: person\nAlso called: Anna, A." "the standard prompt")

          testCase "a second run asks nothing and writes the same bytes; a changed entity alone is asked again"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(describe)
                  run (plain chat file) |> ignore
                  let written () = File.ReadAllBytes(file "out.jsonl"), File.ReadAllBytes(file "out.jsonl.card.json")
                  let before = written ()
                  Expect.equal (fst (run (plain chat file))) 0 "exit code"
                  Expect.equal chat.Asked.Length 3 "nothing new"
                  Expect.equal (written ()) before "bytes"
                  File.WriteAllText(file "entities.jsonl", entities.Replace("Bob", "Robert"))
                  run (plain chat file) |> ignore
                  Expect.equal [ for asked in chat.Asked[3..] -> asked.Text ] [ "Robert" ] "what is new")

          testCase "entities that ask the same are one request"
          <| fun () ->
              withEntities (fun file ->
                  File.AppendAllText(file "entities.jsonl", """{"id": "Q4", "name": "Bob"}""")
                  use chat = new FakeChat(describe)
                  run (plain chat file) |> ignore
                  Expect.equal [ for asked in chat.Asked -> asked.Text ] [ "Ann"; "Bob"; "Cyd" ] "asked"
                  Expect.equal (entries (cardOf file)) [ "enriched", "fake", "127.0.0.1", [ 4; 4; 0; 0 ] ] "card")

          testCase "another model and another prompt are asked anew"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(describe)
                  run (plain chat file) |> ignore
                  run (plain chat file |> List.map (fun word -> if word = "fake" then "other" else word)) |> ignore
                  Expect.equal [ for asked in chat.Asked[3..] -> asked.Model ] [ "other"; "other"; "other" ] "model"
                  File.WriteAllText(file "prompt.txt", "{name}?")
                  run (plain chat file) |> ignore
                  Expect.equal chat.Asked.Length 9 "prompt")

          testCase "--dry-run sends nothing and leaves nothing behind"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(describe)
                  let exitCode, output = run (plain chat file @ [ "--dry-run" ])

                  Expect.equal
                      (exitCode, output)
                      (0, "Ann\n3 requests to 127.0.0.1; 0 answers are there already")
                      "said"

                  Expect.isEmpty chat.Asked "asked"

                  Expect.equal
                      (Directory.GetFiles(file "") |> Array.map Path.GetFileName |> Array.sort)
                      [| "entities.jsonl"; "prompt.txt" |]
                      "files"

                  run (plain chat file) |> ignore
                  File.AppendAllText(file "entities.jsonl", """{"id": "Q4", "name": "Dan"}""")
                  let _, output = run (plain chat file @ [ "--dry-run" ])
                  Expect.equal output "Ann\n1 requests to 127.0.0.1; 3 answers are there already" "of what is there")

          testCase
              "a question that fails is exit code 1, its entity written without the field; the next run asks it alone"
          <| fun () ->
              withEntities (fun file ->
                  let mutable isWell = false

                  use chat =
                      new FakeChat(fun asked ->
                          if asked.Text = "Bob" && not (Volatile.Read &isWell) then
                              Refuses(500, "")
                          else
                              describe asked)

                  let exitCode, output = run (plain chat file @ [ "--field"; "said" ])
                  Expect.equal exitCode 1 "exit code"
                  Expect.equal output $"""{file "out.jsonl"}: 3 entities, 2 answered, 0 empty, 1 failed""" "output"

                  Expect.equal
                      (File.ReadAllLines(file "out.jsonl") |> List.ofArray |> List.tail)
                      [ """{"id":"Q2","name":"Bob"}"""
                        """{"id":"Q3","name":"Cyd","images":["cyd.png"],"said":"Cyd is known."}""" ]
                      "Bob has none"

                  Volatile.Write(&isWell, true)
                  let before = chat.Asked.Length
                  Expect.equal (fst (run (plain chat file @ [ "--field"; "said" ]))) 0 "exit code"
                  Expect.equal [ for asked in chat.Asked[before..] -> asked.Text ] [ "Bob" ] "alone")

          testCase "the counts as JSON are those of the card"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(describe)
                  let _, output = run (plain chat file @ [ "--json" ])
                  use json = JsonDocument.Parse output
                  Expect.isTrue (JsonElement.DeepEquals(json.RootElement, (cardOf file)[0])) "the same")

          testCase "a refused key is one line and exit code 2; neither line nor files hold the key"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(fun _ -> Refuses(401, ""))
                  let arguments = "enrich" :: plain chat file @ [ "--key-from"; "DWE_TESTS_KEY" ]
                  let ended = DweProcess.run arguments [ "DWE_TESTS_KEY", " s3cret\n" ]

                  Expect.equal
                      (ended.ExitCode, ended.Output, ended.Errors)
                      (2, "", "dwe: 127.0.0.1: HTTP 401. Check the key in the variable that --key-from names.\n")
                      "one line"

                  Expect.equal (List.exactlyOne chat.Asked).Authorization "Bearer s3cret" "sent without white space"

                  Expect.equal
                      (Directory.GetFiles(file "") |> Array.map Path.GetFileName |> Array.sort)
                      [| "entities.jsonl"; "prompt.txt" |]
                      "files")

          testCase "a variable without a key is refused before anything is asked"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(describe)

                  refused
                      (plain chat file @ [ "--key-from"; "DWE_TESTS_NO_KEY" ])
                      "the environment variable DWE_TESTS_NO_KEY is not set. Put the service's key in it, or leave --key-from out."

                  Expect.isEmpty chat.Asked "asked")

          testCase "fields that entities have, or cannot have, and fields that a prompt cannot ask for are refused"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(describe)

                  let field name expected =
                      refused
                          (plain chat file @ [ "--field"; name ])
                          $"command line: --field is '{name}', expected {expected}."

                  field "brief" "a name that the entities do not have yet"
                  field "name" "a name that the entities do not have yet"
                  field "to be" "letters, digits and _"
                  field "" "letters, digits and _"
                  File.WriteAllText(file "prompt.txt", "{name} {breif}")
                  refused (plain chat file) $"""{file "prompt.txt"}: unknown key 'breif'; did you mean brief?"""
                  File.Delete(file "prompt.txt")

                  refused
                      (plain chat file)
                      $"""{file "prompt.txt"}: not found; expected a prompt's template. Check --prompt."""

                  Expect.isEmpty chat.Asked "asked")

          testCase "words that are wrong are refused with the way to the right ones"
          <| fun () ->
              let wrong words expected =
                  match parse words with
                  | Error error -> Expect.equal (UserError.message error) expected "message"
                  | Ok command -> failtest $"understood as {command}"

              let given = [ "--out"; "x"; "--endpoint"; "http://a/v1" ]
              wrong (given @ [ "--kb"; "a" ]) "missing argument '--model'. See `dwe enrich --help`."
              let given = given @ [ "--model"; "m" ]
              wrong given "enrich needs --kb FILE or --data DIR. See `dwe enrich --help`."

              wrong
                  (given @ [ "--kb"; "a"; "--data"; "b" ])
                  "enrich takes --kb or --data, not both. See `dwe enrich --help`."

              wrong
                  (given @ [ "--kb"; "a"; "--rate"; "0" ])
                  "command line: --rate is '0', expected a whole number of at least 1."

              wrong
                  (given @ [ "--kb"; "a"; "--concurrency"; "0" ])
                  "command line: --concurrency is '0', expected a whole number of at least 1."

          Platform.onlyOnLinux
              "killed in the middle of asking"
              [ testCase "it goes on with what is missing, and ends with the bytes of one that was never stopped"
                <| fun () ->
                    withEntities (fun file ->
                        let many = [ for number in 1..20 -> $"""{{"id": "Q{number}", "name": "Person {number}"}}""" ]
                        File.WriteAllLines(file "entities.jsonl", many)
                        use reached = new ManualResetEventSlim()

                        let hangs (asked: Question) =
                            if asked.Number < 8 then
                                describe asked
                            else
                                reached.Set()
                                Hangs

                        using (new FakeChat(hangs)) (fun chat ->
                            use started = DweProcess.start DweProcess.folder ("enrich" :: plain chat file) []
                            Expect.isTrue (reached.Wait(TimeSpan.FromMinutes 2.0)) "the eighth question"
                            started.Kill()
                            started.WaitForExit()
                            Expect.isFalse (File.Exists(file "out.jsonl")) "nothing is written yet")

                        use chat = new FakeChat(describe)
                        SampleRun.succeed ("enrich" :: plain chat file) [] |> ignore

                        Expect.equal
                            [ for asked in chat.Asked -> asked.Text ]
                            [ for number in 8..20 -> $"Person {number}" ]
                            "what was missing"

                        let whole =
                            plain chat file
                            |> List.map (fun word -> if word = file "out.jsonl" then file "whole.jsonl" else word)

                        run whole |> ignore

                        Expect.equal
                            (File.ReadAllText(file "out.jsonl"))
                            (File.ReadAllText(file "whole.jsonl"))
                            "entities"

                        Expect.equal
                            (File.ReadAllText(file "out.jsonl.card.json"))
                            (File.ReadAllText(file "whole.jsonl.card.json"))
                            "card") ] ]

/// `dwe kb` and `dwe features` with the encoder without weights.
let private openHash () = HashEncoder.quick () :> ITextEncoder

let private quietly () = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput(new StringWriter())))

let private kb (words: string list) =
    match CommandLine.Parse(Array.ofList ("kb" :: words)) with
    | Ok(Command.KbBuild options) -> KbCommand.Build(options, quietly (), openHash, CancellationToken.None) |> ignore
    | Ok(Command.KbAdd options) -> KbCommand.Add(options, quietly (), openHash, CancellationToken.None) |> ignore
    | Ok(Command.KbRemove options) -> KbCommand.Remove(options, quietly ()) |> ignore
    | other -> failtest $"not understood: {other}"

let private features (words: string list) =
    match CommandLine.Parse(Array.ofList ("features" :: words)) with
    | Ok(Command.Features options) ->
        FeaturesCommand.Run(quietly (), options, openHash, CancellationToken.None) |> ignore
    | other -> failtest $"not understood: {other}"

let private fieldsOf (written: EnrichedField seq | null) =
    match written with
    | null -> []
    | written -> [ for one in written -> one.Field, one.Model ]

[<Tests>]
let provenance =
    testList
        "what a language model wrote is said"
        [ testCase
              "by the card of a file that was enriched twice, and by knowledge bases that are built of it or added to"
          <| fun () ->
              withEntities (fun file ->
                  use chat = new FakeChat(describe)
                  run (plain chat file @ [ "--field"; "first" ]) |> ignore

                  let again source field out =
                      let given = [ "--endpoint"; chat.Address; "--prompt"; file "prompt.txt"; "--model"; "other" ]
                      run (given @ [ "--kb"; file source; "--field"; field; "--out"; file out ]) |> ignore

                  again "out.jsonl" "second" "twice.jsonl"
                  let card = (SampleRun.json (file "twice.jsonl.card.json")).GetProperty "enrichments"

                  Expect.equal
                      (entries card)
                      [ "first", "fake", "127.0.0.1", [ 3; 3; 0; 0 ]; "second", "other", "127.0.0.1", [ 3; 3; 0; 0 ] ]
                      "card"

                  let fields folder = fieldsOf (KnowledgeBaseManifest.Read(file folder).EnrichedBy)

                  let build source out =
                      kb [ "build"; "--source"; file source; "--entity-text"; "{name}"; "--out"; file out ]

                  build "out.jsonl" "kb"
                  Expect.equal (fields "kb") [ "first", "fake" ] "built"
                  kb [ "add"; "--kb"; file "kb"; "--source"; file "twice.jsonl" ]
                  Expect.equal (fields "kb") [ "first", "fake"; "second", "other" ] "added"
                  let hash = KnowledgeBaseManifest.Read(file "kb").ContentHash
                  kb [ "add"; "--kb"; file "kb"; "--source"; file "twice.jsonl" ]
                  Expect.equal (fields "kb") [ "first", "fake"; "second", "other" ] "said once"
                  Expect.equal (KnowledgeBaseManifest.Read(file "kb").ContentHash) hash "nothing changed"
                  kb [ "remove"; "--kb"; file "kb"; "--ids"; "Q1" ]
                  Expect.equal (fields "kb") [ "first", "fake"; "second", "other" ] "kept"
                  build "entities.jsonl" "plain"
                  Expect.isNull (KnowledgeBaseManifest.Read(file "plain").EnrichedBy) "nobody's"
                  kb [ "add"; "--kb"; file "plain"; "--source"; file "out.jsonl" ]
                  Expect.equal (fields "plain") [ "first", "fake" ] "added to a plain one"
                  // What came out of a knowledge base has no counts.
                  again "plain" "third" "third.jsonl"
                  let third = (SampleRun.json (file "third.jsonl.card.json")).GetProperty "enrichments"

                  Expect.equal
                      [ for entry in third.EnumerateArray() -> entry.GetProperty("field").GetString() ]
                      [ "first"; "third" ]
                      "card")

          testCase
              "by no store whose template does not name the field, nor where the card names a field that is not there"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let data = Path.Combine(folder, "data")
                  DatasetWriters.Write(DatasetReaders.Read SampleRun.sample, "jsonl", data) |> ignore
                  use chat = new FakeChat(describe)
                  let own = Path.Combine(data, "entities.jsonl")

                  run
                      [ "--endpoint"
                        chat.Address
                        "--model"
                        "fake"
                        "--data"
                        data
                        "--out"
                        own
                        "--rate"
                        "600000" ]
                  |> ignore

                  let dataset = DatasetReaders.Read data
                  Expect.equal (fieldsOf dataset.EnrichedBy) [ "enriched", "fake" ] "the data set"

                  let store text =
                      let out = Path.Combine(folder, "store")
                      features [ "--data"; data; "--out"; out; "--entity-text"; text ]
                      FeatureManifest.Read out

                  let without = store "{name} [SEP] {property}"
                  Expect.isNull without.EnrichedBy "not named"
                  Expect.isFalse (without.ToText().Contains "enriched_by") "as before there were any"

                  Expect.equal
                      (fieldsOf (store "{name} || {enriched|property}").EnrichedBy)
                      [ "enriched", "fake" ]
                      "named"

                  let built = Path.Combine(folder, "kb")
                  kb [ "build"; "--data"; data; "--entity-text"; "{name}"; "--out"; built ]

                  Expect.equal
                      (fieldsOf (KnowledgeBaseManifest.Read built).EnrichedBy)
                      [ "enriched", "fake" ]
                      "knowledge base"

                  let copy = Path.Combine(folder, "copy")
                  DatasetWriters.Write(dataset, "jsonl", copy) |> ignore
                  Expect.equal (fieldsOf (DatasetReaders.Read copy).EnrichedBy) [ "enriched", "fake" ] "converted"

                  let lines =
                      File.ReadAllLines own |> Array.map (fun line -> line.Replace("\"enriched\":", "\"mine\":"))

                  File.WriteAllLines(own, lines)
                  Expect.isEmpty (DatasetReaders.Read data).EnrichedBy "the field is gone"

                  File.WriteAllText(own + ".card.json", "{\"format\": \"other\", \"enrichments\": []}")

                  (fun () -> DatasetReaders.Read data |> ignore)
                  |> Refusal.isSpelled
                      $"{own}.card.json: format other, expected dwe-enrichment-1. Write the entities again with `dwe enrich`.")

          Platform.onlyOnLinux
              "from the service to the report"
              [ testCase "by run, result, what eval prints, comparison and report"
                <| fun () ->
                    Folder.temporary (fun folder ->
                        let file name = Path.Combine(folder, name)
                        let data = file "data"
                        DatasetWriters.Write(DatasetReaders.Read SampleRun.sample, "jsonl", data) |> ignore
                        use chat = new FakeChat(describe)
                        let own = Path.Combine(data, "entities.jsonl")

                        run
                            [ "--endpoint"
                              chat.Address
                              "--model"
                              "llama"
                              "--data"
                              data
                              "--out"
                              own
                              "--rate"
                              "600000"
                              "--field"
                              "generated" ]
                        |> ignore

                        features [ "--data"; data; "--out"; file "store"; "--entity-text"; "{name} [SEP] {generated}" ]
                        let hash = (DatasetReaders.Read data).EnrichedBy[0].PromptHash

                        let line =
                            $"run: its entity texts hold what a language model wrote: generated by llama, prompt {hash[..7]}."

                        let shown (output: string) = Regex.Replace(output, @"\s+", " ")
                        let trained = [ "--data"; data; "--features"; file "store"; "--set"; "training.epochs=1" ]
                        let run = SampleRun.succeed (SampleRun.words (file "run") trained) []
                        Expect.stringContains (shown run.Output) line "what train prints"

                        let evaluation =
                            [ "eval"; "--run"; file "run"; "--split"; "dev"; "--json"; file "result.json" ]

                        Expect.stringContains (shown (SampleRun.succeed evaluation []).Output) line "what eval prints"

                        let named (element: JsonElement) =
                            [ for one in element.GetProperty("enriched_by").EnumerateArray() ->
                                  [ for name in [ "field"; "model"; "prompt_hash" ] ->
                                        one.GetProperty(name).GetString() ] ]

                        let expected = [ [ "generated"; "llama"; hash ] ]
                        Expect.equal (named (SampleRun.json (file "run/manifest.json"))) expected "the run's manifest"

                        Expect.equal
                            (named ((SampleRun.json (file "result.json")).GetProperty "system"))
                            expected
                            "result"

                        let compared = SampleRun.succeed [ "compare"; file "run"; file "result.json" ] []
                        Expect.stringContains (shown compared.Output) line "comparison"

                        SampleRun.copy (file "run") (file "other")

                        SampleRun.succeed
                            [ "report"; file "run"; file "other"; "--out"; file "a.html"; "--markdown"; file "a.md" ]
                            []
                        |> ignore

                        let times (words: string) name = Regex.Count(File.ReadAllText(file name), Regex.Escape words)
                        let words = $"generated by llama, prompt {hash[..7]}"
                        // Of each of two runs: its origin, its result, its place in the comparisons by hits@1 and mrr.
                        Expect.equal (times words "a.html") 8 "page"
                        Expect.equal (times words "a.md") 6 "Markdown, which has no origin"
                        Expect.equal (times line "a.md", times line "a.html") (2, 2) "the comparisons") ] ]
