module Dwe.Tests.Host.Enrichment.EnrichmentJobTests

open System
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open System.Threading.Tasks
open Dwe.Host.Enrichment
open Dwe.Tests.Host.Enrichment.FakeChat
open Dwe.Tests.Host.Enrichment.WaitingClock
open Dwe.Tests.Prelude
open Expecto

/// What a job came to: failed questions or a refusal, the answers by question, and what was waited for.
type private Ended =
    { Failed: Result<int, string>
      Answers: (string * string option) list
      Waits: float list }

let private options = {| Rate = 60_000_000; Concurrency = 1; Key = (null: string | null) |}

let private runAt (address: string) (options: {| Rate: int; Concurrency: int; Key: string | null |}) questions =
    let mutable ended = None

    Folder.temporary (fun folder ->
        use journal = AnswerJournal.Open(Path.Combine(folder, "out.jsonl"))
        let clock = WaitingClock()
        use client = ChatEndpoint.Open(ChatEndpoint.Address address, "fake", options.Key)
        let job = EnrichmentJob(client, "the service", journal, options.Rate, options.Concurrency, clock)
        let asked = [| for question in questions -> struct ($"key of {question}", question) |]
        let run () = job.Run(asked, Action<_, _>(fun _ _ -> ()), CancellationToken.None).GetAwaiter().GetResult()

        let failed =
            try
                Ok(run ())
            with :? Dwe.Model.Domain.UserErrorException as refusal ->
                Error refusal.Message

        ended <-
            Some
                { Failed = failed
                  Answers = [ for question in questions -> question, Option.ofObj (journal.Find $"key of {question}") ]
                  // What the pace waits for at this rate is a microsecond.
                  Waits = clock.Waits |> List.filter (fun seconds -> seconds > 1e-3) })

    Option.get ended

/// Runs a job of these questions against a service that replies so; what the service was asked comes back, too.
let private run options (questions: string list) reply =
    use chat = new FakeChat(reply)
    let ended = runAt chat.Address options questions
    ended, chat

let private answered text ended =
    Expect.equal ended.Failed (Ok 0) "nothing failed"
    Expect.equal (List.map snd ended.Answers) [ Some text ] "the answer"

[<Tests>]
let tests =
    testList
        "asking for descriptions"
        [ testCase
              "an answer is kept, cleaned; each question is one request for the model, without a key where none is given"
          <| fun () ->
              let ended, chat = run options [ "Who is Ada?" ] (fun _ -> Says " A\u0007 mathematician.\n\nEnglish. ")
              answered "A mathematician. English." ended
              let asked = List.exactlyOne chat.Asked

              Expect.equal
                  (asked.Text, asked.Model, asked.Path, asked.Authorization)
                  ("Who is Ada?", "fake", "/v1/chat/completions", "")
                  "asked"

          testCase "a key goes along as a bearer's"
          <| fun () ->
              let _, chat = run {| options with Key = "s3cret" |} [ "a" ] (fun _ -> Says "x")
              Expect.equal (List.exactlyOne chat.Asked).Authorization "Bearer s3cret" "header"

          testCase "429 is asked again after what Retry-After says: seconds or a date, and two minutes at most"
          <| fun () ->
              let retrying (after: string) =
                  let ended, chat =
                      run options [ "a" ] (fun asked -> if asked.Attempt = 1 then Refuses(429, after) else Says "x")

                  answered "x" ended
                  Expect.equal chat.Asked.Length 2 "asked twice"
                  ended.Waits

              Expect.equal (retrying "7") [ 7.0 ] "seconds"
              Expect.equal (retrying "3600") [ 120.0 ] "an hour"
              Expect.equal (retrying "soon") [ 1.0 ] "nonsense is no word"
              let later = WaitingClock().Start.AddSeconds(30.0).ToString "R"
              let waited = List.exactlyOne (retrying later)
              Expect.isTrue (waited > 29.0 && waited <= 30.0) $"a date: {waited}"

          testCase "5xx and answers that are none are asked again after 1, 2, 4 and 8 seconds"
          <| fun () ->
              let broken = [ Refuses(500, ""); Sends "{\"choices\": [{"; Sends "{}"; Sends "{\"choices\": []}" ]

              let ended, chat =
                  run options [ "a" ] (fun asked ->
                      if asked.Attempt <= broken.Length then
                          broken[asked.Attempt - 1]
                      else
                          Says "x")

              answered "x" ended
              Expect.equal chat.Asked.Length 5 "the fifth was answered"
              Expect.equal ended.Waits [ 1.0; 2.0; 4.0; 8.0 ] "waits"

          testCase "a question that has failed five times is left, and the others are asked"
          <| fun () ->
              let ended, chat =
                  run options [ "a"; "b"; "c" ] (fun asked -> if asked.Text = "b" then Refuses(500, "") else Says "x")

              Expect.equal ended.Failed (Ok 1) "one failed"
              Expect.equal ended.Answers [ "a", Some "x"; "b", None; "c", Some "x" ] "the others"
              Expect.equal chat.Asked.Length 7 "five times and twice"

          testCase "a question that the service calls wrong is not asked again"
          <| fun () ->
              let ended, chat =
                  run options [ "a"; "b" ] (fun asked -> if asked.Text = "a" then Refuses(400, "") else Says "x")

              Expect.equal (ended.Failed, chat.Asked.Length, ended.Waits) (Ok 1, 2, []) "once each"

          testCase "an empty answer is an answer: the model knew nothing"
          <| fun () -> run options [ "a" ] (fun _ -> Says " \n ") |> fst |> answered ""

          testCase "a key that is refused ends the job at once, in words that do not hold it"
          <| fun () ->
              for status in [ 401; 403 ] do
                  let ended, chat =
                      run {| options with Key = "s3cret" |} [ "a"; "b"; "c" ] (fun _ -> Refuses(status, ""))

                  Expect.equal
                      ended.Failed
                      (Error $"the service: HTTP {status}. Check the key in the variable that --key-from names.")
                      "message"

                  Expect.equal chat.Asked.Length 1 "asked once"

          testCase "an address with nothing behind it ends the job"
          <| fun () ->
              let ended, _ = run options [ "a"; "b" ] (fun _ -> Refuses(404, ""))
              Expect.equal ended.Failed (Error "the service: HTTP 404. Check --endpoint and --model.") "message"
              // A port that was free a moment ago.
              use listener = new TcpListener(IPAddress.Loopback, 0)
              listener.Start()
              let port = (listener.LocalEndpoint :?> IPEndPoint).Port
              listener.Stop()
              let ended = runAt $"http://127.0.0.1:{port}/v1" options [ for number in 1..6 -> $"{number}" ]

              Expect.equal
                  ended.Failed
                  (Error
                      "the service: 5 questions in a row failed, the last with no connection. Answers are kept: run the same command again later.")
                  "message"

          testCase "five questions in a row that fail end the job; what was answered before is kept"
          <| fun () ->
              let questions = [ for number in 1..9 -> $"{number}" ]

              let ended, chat =
                  run options questions (fun asked -> if asked.Text = "1" then Says "x" else Refuses(503, "0"))

              Expect.equal
                  ended.Failed
                  (Error
                      "the service: 5 questions in a row failed, the last with HTTP 503. Answers are kept: run the same command again later.")
                  "message"

              Expect.equal ended.Answers.Head ("1", Some "x") "kept"
              Expect.equal chat.Asked.Length (1 + 5 * 5) "6 of 9 questions"

          testCase "an answer between failures begins the count anew"
          <| fun () ->
              let questions = [ for number in 1..9 -> $"{number}" ]

              let ended, _ =
                  run options questions (fun asked -> if asked.Text = "5" then Says "x" else Refuses(400, ""))

              Expect.equal ended.Failed (Ok 8) "four and four"

          testCase "requests are a minute over the rate apart, those of second attempts too"
          <| fun () ->
              let slow = {| options with Rate = 30 |}
              let ended, _ = run slow [ "a"; "b"; "c"; "d" ] (fun _ -> Says "x")
              Expect.equal ended.Waits [ 2.0; 2.0; 2.0 ] "30 a minute, the first at once"
              let once (asked: Question) = if asked.Number = 1 then Refuses(429, "0.5") else Says "x"
              let ended, _ = run slow [ "a"; "b" ] once
              Expect.equal ended.Waits [ 0.5; 1.5; 2.0 ] "half a second for the service, the rest for the rate"

          testCase "no more requests are under way than --concurrency says, and no fewer"
          <| fun () ->
              let three = TaskCompletionSource()

              let reply (asked: Question) =
                  if asked.Number = 3 then
                      // Time for a fourth, if one were under way.
                      (Task.Delay 300).ContinueWith(fun (_: Task) -> three.SetResult()) |> ignore

                  SaysAfter(three.Task.WaitAsync(TimeSpan.FromSeconds 60.0), "x")

              let ended, chat = run {| options with Concurrency = 3 |} [ for number in 1..9 -> $"{number}" ] reply
              Expect.equal ended.Failed (Ok 0) "all answered"
              Expect.equal chat.MostAtOnce 3 "at a time"

          testCase "an address that is none is refused, without the password that it may hold"
          <| fun () ->
              let refused (text: string) expected =
                  (fun () -> ChatEndpoint.Address text |> ignore)
                  |> Refusal.isSpelled
                      $"command line: --endpoint is '{expected}', expected an http or https address, e.g. http://localhost:8000/v1."

              refused "localhost:8000" "localhost:8000"
              refused "ftp://a/v1" "ftp://a/v1"
              refused "http://me:s3cret@host/v1" "an address with a name or password" ]
