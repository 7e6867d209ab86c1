/// `dwe link` as users call it, in processes of their own.
module Dwe.Tests.Host.Commands.LinkCommandTests

open System.IO
open System.Text.Json
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

let private run = lazy DualWayRunTests.shared.Value

let private refused arguments expected =
    let refused = DweProcess.run ([ "link"; "--run"; run.Value ] @ arguments) []
    Expect.equal refused.ExitCode 2 refused.Errors
    Expect.equal refused.Errors $"dwe: {expected}\n" "what to do"

[<Tests>]
let tests =
    Platform.onlyOnUnix
        "Host.Commands.LinkCommand"
        [ testCase "one mention, marked in its sentence, is answered by a table or by JSON"
          <| fun () ->
              SharedWeights.withSentenceEncoder () |> ignore
              let words = [ "link"; "--run"; run.Value; "--text"; "Does [[Jordan]] still play?"; "--top"; "2" ]
              let table = SampleRun.succeed (words @ [ "--explain" ]) []
              Expect.stringContains table.Output "entities compared." "the table's foot"
              Expect.stringContains table.Output "units: text 1.00" "the one unit of a run without images"
              let answer = SampleRun.succeed (words @ [ "--json" ]) []
              let answer = (JsonDocument.Parse answer.Output).RootElement
              Expect.equal (answer.GetProperty("mention").GetString()) "Jordan" "the mention"
              Expect.equal (answer.GetProperty("entities").GetArrayLength()) 2 "as many as asked for"

          testCase "many mentions: one answer a line; a broken line is answered by its error, and the exit code is 1"
          <| fun () ->
              Folder.temporary (fun folder ->
                  SharedWeights.withSentenceEncoder () |> ignore
                  let input, output = Path.Combine(folder, "in.jsonl"), Path.Combine(folder, "out.jsonl")

                  File.WriteAllText(
                      input,
                      """{"key": "a", "text": "Does [[Jordan]] still play?"}
{"text": "Jordan plays", "mention": "Jordan"}
no json

{"key": "c", "text": "no mark"}
{"key": "d", "text": "[[Jordan]]", "image": "absent.jpg"}
"""
                  )

                  let linked = DweProcess.run [ "link"; "--run"; run.Value; "--input"; input; "--out"; output ] []
                  Expect.equal linked.ExitCode 1 linked.Errors
                  Expect.stringContains linked.Errors "3 lines could not be linked; each says why." "the count"
                  let lines = [ for line in File.ReadAllLines output -> (JsonDocument.Parse line).RootElement ]
                  let keys = [ for line in lines -> line.GetProperty("key").GetString() ]
                  Expect.equal keys [ "a"; "2"; "3"; "c"; "d" ] "in the order of the lines"

                  for line in lines[..1] do
                      let mention = line.GetProperty("answer").GetProperty("mention").GetString()
                      Expect.equal mention "Jordan" "linked"

                  let errors = [ for line in lines[2..] -> line.GetProperty("error").GetString() ]

                  Expect.equal
                      errors
                      [ $"{input}: line 3: found no JSON object, expected an object with a text, and a mention unless it is marked in the text."
                        "there is no mention. Give it beside the text, or mark it: Does [[Jordan]] still play?"
                        $"{folder}/absent.jpg: not found; expected an image. Check its name, or leave it out." ]
                      "why")

          testCase "what is wrong is said before anything is loaded"
          <| fun () ->
              refused [] "link needs --text SENTENCE or --input FILE. See `dwe link --help`."

              refused
                  [ "--text"; "no mark" ]
                  "there is no mention. Give it beside the text, or mark it: Does [[Jordan]] still play?"

              refused
                  [ "--text"; "[[a]]"; "--image"; "no.jpg" ]
                  "no.jpg: not found; expected an image. Check its name, or leave it out."

              refused [ "--input"; "no.jsonl" ] "no.jsonl: not found; expected mentions as JSON Lines. Check --input."

              refused
                  [ "--input"; "no.jsonl"; "--json" ]
                  "--json goes with --text, not with --input. See `dwe link --help`." ]
