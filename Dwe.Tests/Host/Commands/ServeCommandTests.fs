module Dwe.Tests.Host.Commands.ServeCommandTests

open System.Net.Http
open System.Text.Json
open System.Threading.Tasks
open Dwe.Host.Linking
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Service
open Dwe.Tests.Host.Service.Serving
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Expecto

let private refusedBy arguments environment =
    let run = DweProcess.run ("serve" :: arguments) environment
    Expect.equal run.ExitCode 2 run.Errors
    run.Errors

[<Tests>]
let tests =
    Platform.onlyOnUnix
        "dwe serve"
        [ testTask "when terminated answers what it has accepted, and ends with 0" {
              let running = ServiceProcess.startChild 300.0
              let mention i = $"Terminated {i}"

              let asked = [| for i in 1..6 -> link running.Client [ "mention", mention i ] |]

              let metrics () = (get running.Client "/metrics").Result.Raw

              do!
                  eventually "all have been read" (fun () ->
                      metrics().Contains "dwe_requests_in_progress{route=\"/v1/link\"} 6\n")

              ServiceProcess.signal "TERM" running
              let! answers = Task.WhenAll asked

              answers
              |> Array.iteri (fun at found ->
                  isAnswer (LinkRequest(Mention = mention (at + 1), Text = mention (at + 1))) found)

              Expect.equal (ServiceProcess.exitCode running) 0 "the exit code"

              Expect.throwsT<HttpRequestException>
                  (fun () -> running.Client.GetAsync("/healthz").GetAwaiter().GetResult() |> ignore)
                  "nobody listens"

              let lines = (ServiceProcess.errors running).TrimEnd().Split '\n'

              for line in lines do
                  Expect.equal (JsonDocument.Parse line).RootElement.ValueKind JsonValueKind.Object line

              let last = (JsonDocument.Parse(Array.last lines)).RootElement

              Expect.equal
                  (last.GetProperty("Message").GetString())
                  "stopped; everything accepted was answered: True"
                  "the last line"
          }

          testTask "serves a run as `dwe link` links, reloads when it is told to, and stops when interrupted" {
              SharedWeights.withSentenceEncoder () |> ignore
              let run = fst SampleRun.shared.Value
              let text = "A fast turn gave [[Augustus Quillane]] gold in the front crawl."
              let running = ServiceProcess.startProgram [ "--run"; run; "--port"; "0"; "--device"; "cpu" ]
              let! ready = get running.Client "/readyz"
              Expect.equal ready.Status 200 ready.Raw
              let! found = link running.Client [ "text", text; "top", 3 ]

              let program =
                  SampleRun.succeed
                      [ "link"; "--run"; run; "--text"; text; "--top"; "3"; "--json"; "--device"; "cpu" ]
                      []

              let ofProgram = JsonElement.Parse program.Output
              Expect.isTrue (JsonElement.DeepEquals(found.Body, ofProgram)) $"{found.Raw} and {program.Output}"
              let! entity = get running.Client "/v1/entities/S0119"
              Expect.equal (Serving.text [ "name" ] entity.Body) "Augustus Quillane" "the entity"
              ServiceProcess.signal "HUP" running

              do!
                  eventually "it is opened again" (fun () ->
                      (get running.Client "/metrics").Result.Raw.Contains
                          "dwe_linker_loads_total{outcome=\"opened\"} 2\n")

              let! again = link running.Client [ "text", text; "top", 3 ]
              Expect.equal again.Raw found.Raw "the same answer"
              ServiceProcess.signal "INT" running
              Expect.equal (ServiceProcess.exitCode running) 0 "the exit code"
          }

          testCase "refuses what it cannot use before it listens"
          <| fun () ->
              Expect.equal
                  (refusedBy [ "--run"; "none"; "--host"; "example.org" ] [])
                  "dwe: command line: --host is 'example.org', expected an address of this machine, e.g. 127.0.0.1, or 0.0.0.0 for all of them.\n"
                  "a name for an address"

              Expect.equal
                  (refusedBy [ "--run"; "none"; "--api-key-from"; "DWE_NO_KEY" ] [])
                  "dwe: the environment variable DWE_NO_KEY, which --api-key-from names, is not set. Set it to the key that clients send.\n"
                  "no key"

          testCase "ends with 2 and one line when the run or the index is not there"
          <| fun () ->
              Expect.equal
                  (refusedBy [ "--run"; "none"; "--port"; "0" ] [])
                  "dwe: none/manifest.json: not found; expected a run made by `dwe train`. Check the folder's name.\n"
                  "no run"

              let errors = refusedBy [ "--run"; fst SampleRun.shared.Value; "--index"; "no.index"; "--port"; "0" ] []
              Expect.stringStarts errors "dwe: no.index/manifest.json: not found; " "no index"
              Expect.hasLength (errors.TrimEnd('\n').Split '\n') 1 "one line" ]
