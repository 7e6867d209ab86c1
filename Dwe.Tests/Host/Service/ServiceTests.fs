module Dwe.Tests.Host.Service.ServiceTests

open System
open System.IO
open System.Net.Http
open System.Net.Http.Headers
open System.Net.Sockets
open System.Text
open System.Text.Json
open System.Threading
open System.Threading.Tasks
open Dwe.Host.Linking
open Dwe.Host.Service
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto
open Serving

let private sentence = "A fast turn gave Augustus Quillane gold in the front crawl."
let private quillane = LinkRequest(Mention = "Augustus Quillane", Text = sentence)

let private asked (mention: string) = LinkRequest(Mention = mention, Text = $"All of {mention} at once.")

/// The body that asks for it.
let private bodyOf (request: LinkRequest) = body [ "mention", box request.Mention; "text", box request.Text ]

let private posted (client: HttpClient) request = post client "/v1/link" (bodyOf request)

/// Sends bytes over a connection of its own, and reads until the other side closes or nothing comes for a while.
let private raw (service: LinkService) (send: NetworkStream -> Task) =
    task {
        use connection = new TcpClient()
        do! connection.ConnectAsync(service.Address.Host, service.Address.Port)
        use stream = connection.GetStream()
        do! send stream
        use answer = new MemoryStream()
        use patience = new CancellationTokenSource(TimeSpan.FromSeconds 20.0)

        try
            do! stream.CopyToAsync(answer, patience.Token)
        with :? IOException ->
            ()

        return Encoding.UTF8.GetString(answer.ToArray())
    }

let private head (length: int) =
    $"POST /v1/link HTTP/1.1\r\nHost: dwe\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"

let private write (stream: NetworkStream) (text: string) = stream.WriteAsync(Encoding.UTF8.GetBytes text).AsTask()

let private retryAfter (found: Reply) = int (Seq.exactlyOne (found.Message.Headers.GetValues "Retry-After"))

/// Whether the metrics have this line.
let private shows (it: Served) (line: string) () = (get it.Client "/metrics").Result.Raw.Contains $"\n{line}\n"

[<Tests>]
let linking =
    testList
        "service, linking"
        [ testTask "a mention of a JSON body is linked as the linker does it" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! found = posted it.Client quillane
                          isAnswer quillane found
                          Expect.equal (text [ "entities"; "0"; "name" ] found.Body) "Augustus Quillane" "the best"
                          Expect.equal (at [ "nil" ] found.Body).ValueKind JsonValueKind.False "meant"
                      })
          }

          testTask "a mark in the text says which mention is meant" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let marked = sentence.Replace("Augustus Quillane", "[[Augustus Quillane]]")
                          let! found = link it.Client [ "text", marked ]
                          isAnswer quillane found
                      })
          }

          testTask "top, candidates, explain and an image reach the linker, from JSON and from a form alike" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let image = png 40 30
                          let ids = [| "S0119"; "S0015"; "unknown"; "S0002" |]

                          let request =
                              LinkRequest(
                                  Mention = quillane.Mention,
                                  Text = sentence,
                                  Image = image,
                                  Candidates = ids,
                                  Top = 2,
                                  Explain = true
                              )

                          let! ofJson =
                              link
                                  it.Client
                                  [ "mention", quillane.Mention
                                    "text", sentence
                                    "image", Convert.ToBase64String image
                                    "candidates", ids
                                    "top", 2
                                    "explain", true ]

                          isAnswer request ofJson

                          let parts =
                              [ "mention", quillane.Mention; "text", sentence; "top", "2"; "explain", "true" ]
                              @ [ for id in ids -> "candidates", id ]

                          let! ofForm = it.Client.PostAsync("/v1/link", form parts (Some image)) |> reply
                          isAnswer request ofForm
                      })
          }

          testTask "a mention alone is linked by itself" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! found = link it.Client [ "mention", " Quillane " ]
                          isAnswer (LinkRequest(Mention = "Quillane", Text = "Quillane")) found
                      })
          }

          testTask "a batch is answered as its requests would be, in their order" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let requests = [ for i in 1..40 -> asked $"Quillane {i}" ]
                          let bodies = requests |> List.map bodyOf |> String.concat ","
                          let! found = post it.Client "/v1/link:batch" $"{{\"requests\": [{bodies}]}}"
                          Expect.equal found.Status 200 found.Raw

                          for i, request in List.indexed requests do
                              let item = at [ "answers"; string i ] found.Body
                              Expect.equal ((at [ "answer" ] item).GetRawText()) (expected request) $"{i}"
                              Expect.equal (at [ "error" ] item).ValueKind JsonValueKind.Null $"{i}"
                      })
          }

          testTask "64 clients at once each get the answer to what they asked" {
              do!
                  served { wish () with Queue = 1024 } (fun it ->
                      task {
                          let client (number: int) =
                              task {
                                  for turn in 1..8 do
                                      let request = asked $"Client {number} turn {turn}"
                                      let! found = posted it.Client request
                                      isAnswer request found
                              }
                              :> Task

                          do! Task.WhenAll [ for number in 1..64 -> client number ]
                          Expect.equal (Array.sum it.Linker.Batches) 512 "every mention once"
                          Expect.isLessThan it.Linker.Batches.Length 512 "some went together"
                          Expect.isLessThanOrEqual (Array.max it.Linker.Batches) 16 "no batch beyond its bound"
                      })
          }

          testTask "what waits goes together, up to a batch" {
              do!
                  served { wish () with Batch = 4 } (fun it ->
                      task {
                          it.Linker.Hold()
                          let first = posted it.Client quillane
                          do! eventually "the first is begun" (fun () -> it.Linker.Calls = 1)
                          let others = [| for i in 1..6 -> posted it.Client (asked $"Other {i}") |]
                          do! eventually "six wait" (shows it "dwe_queue_length 6")

                          it.Linker.Release()
                          let! _ = first
                          let! _ = Task.WhenAll others
                          Expect.equal (List.ofArray it.Linker.Batches) [ 1; 4; 2 ] "the batches"
                      })
          }

          testTask "a request that the linker cannot bear fails alone" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          it.Linker.Hold()
                          let first = posted it.Client quillane
                          do! eventually "the first is begun" (fun () -> it.Linker.Calls = 1)
                          let good = [| for i in 1..3 -> posted it.Client (asked $"Good {i}") |]
                          let poison = posted it.Client (asked NameLinker.Poison)
                          do! eventually "four wait" (shows it "dwe_queue_length 4")

                          it.Linker.Release()
                          let! bad = poison
                          isFault 500 "internal" bad
                          let! answers = Task.WhenAll good
                          answers |> Array.iteri (fun i found -> isAnswer (asked $"Good {i + 1}") found)
                          let! after = first
                          isAnswer quillane after
                      })
          }

          testTask "a request of a batch that fails says so in its place" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let good = bodyOf quillane
                          let bad = bodyOf (asked NameLinker.Poison)
                          let! found = post it.Client "/v1/link:batch" $"{{\"requests\": [{good}, {bad}, {good}]}}"
                          Expect.equal found.Status 200 found.Raw
                          let item i path = text ([ "answers"; string i ] @ path) found.Body
                          Expect.equal (item 1 [ "error"; "code" ]) "internal" "the bad one"
                          Expect.equal (item 1 [ "answer" ]) "" "no answer"

                          for i in [ 0; 2 ] do
                              Expect.equal (item i [ "answer"; "mention" ]) quillane.Mention $"{i}"
                      })
          } ]

/// What a body is refused with.
let private refusals: (string * string * int * string * string) list =
    let image (bytes: byte[]) = body [ "mention", box "A"; "image", box (Convert.ToBase64String bytes) ]

    [ "no JSON", "{\"mention\": Jordan}", 400, "bad_json", "line 1, byte 13"
      "JSON that ends", "{\"mention\":\n \"Jordan\"", 400, "bad_json", "line 2, byte 10"
      "nothing", "", 400, "bad_json", "line 1"
      "a key twice", "{\"mention\": \"a\", \"mention\": \"b\"}", 400, "bad_json", "twice"
      "half a character", "{\"mention\": \"\\ud800\"}", 400, "bad_json", "Unicode"
      "no object", "[1]", 400, "bad_value", "the body is an array"
      "an unknown key", "{\"mention\": \"a\", \"candidate\": []}", 400, "unknown_key", "candidate"
      "a number for a text", "{\"mention\": 7}", 400, "bad_value", "mention is a number"
      "half a number", "{\"mention\": \"a\", \"top\": 1.5}", 400, "bad_value", "top"
      "a text for a truth", "{\"mention\": \"a\", \"explain\": \"yes\"}", 400, "bad_value", "explain"
      "ids that are none", "{\"mention\": \"a\", \"candidates\": [\"S1\", 2]}", 400, "bad_value", "candidates[1]"
      "no mention", "{\"text\": \"Nobody is marked.\"}", 422, "mention_missing", "The request"
      "two marks", "{\"text\": \"[[A]] and [[B]]\"}", 422, "mention_missing", "The request"
      "an empty mark", "{\"text\": \"[[ ]] and so on\"}", 422, "mention_missing", "The request"
      "top of none", "{\"mention\": \"a\", \"top\": 0}", 422, "out_of_range", "top is 0"
      "top of too many", "{\"mention\": \"a\", \"top\": 101}", 422, "out_of_range", "top is 101"
      "no candidates", "{\"mention\": \"a\", \"candidates\": []}", 422, "out_of_range", "candidates"
      "a book", body [ "mention", box "a"; "text", box (String('a', 20_001)) ], 422, "out_of_range", "20001 letters"
      "a path for an image",
      body [ "mention", box "a"; "image", box "/etc/passwd.png" ],
      422,
      "image_unreadable",
      "base64"
      "text for an image", image (Encoding.UTF8.GetBytes "not a picture"), 422, "image_unreadable", "not an image"
      "an empty image", image [||], 422, "image_unreadable", "empty"
      "half an image", image ((png 300 200)[..200]), 422, "image_unreadable", "truncated or damaged"
      "a PDF", image (Encoding.UTF8.GetBytes "%PDF-1.7 and more"), 422, "image_unreadable", "unsupported"
      "a huge image", image (png 4000 2501), 422, "image_too_large", "too many pixels" ]

[<Tests>]
let errors =
    testList
        "service, errors"
        [ testTask "every wrong body is refused with what is wrong and what would be right" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          for name, sent, status, code, words in refusals do
                              let! found = post it.Client "/v1/link" sent

                              try
                                  isFault status code found
                                  Expect.stringContains (text [ "error"; "message" ] found.Body) words "the message"
                              with wrong ->
                                  failtest $"{name}: {wrong.Message}"

                          Expect.equal it.Linker.Calls 0 "none of them reached the linker"
                      })
          }

          testTask "a wrong request of a batch is named by its place, and none is linked" {
              do!
                  served { wish () with Queue = 3 } (fun it ->
                      task {
                          let cases =
                              [ "{\"requests\": [{\"mention\": \"a\"}, {\"mention\": \"a\", \"top\": 0}]}",
                                422,
                                "out_of_range",
                                "requests[1].top"
                                "{\"requests\": [{\"mention\": \"a\"}, {\"text\": \"b\"}]}",
                                422,
                                "mention_missing",
                                "requests[1]"
                                "{\"requests\": [3]}", 400, "bad_value", "requests[0] is a number"
                                "{\"requests\": {}}", 400, "bad_value", "requests is an object"
                                "{}", 400, "bad_value", "requests is missing"
                                "{\"requests\": []}", 422, "out_of_range", "requests is empty"
                                "{\"requests\": [1, 2, 3, 4]}", 413, "too_many_requests_in_batch", "too many" ]

                          for sent, status, code, words in cases do
                              let! found = post it.Client "/v1/link:batch" sent
                              isFault status code found
                              Expect.stringContains (text [ "error"; "message" ] found.Body) words sent

                          Expect.equal it.Linker.Calls 0 "none of them reached the linker"
                      })
          }

          testTask "wrong forms are refused" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let send parts image = it.Client.PostAsync("/v1/link", form parts image) |> reply
                          let! unknown = send [ "mention", "a"; "colour", "red" ] None
                          isFault 400 "unknown_key" unknown
                          let! number = send [ "mention", "a"; "top", "many" ] None
                          isFault 400 "bad_value" number
                          let! image = send [ "mention", "a" ] (Some [| 1uy; 2uy; 3uy |])
                          isFault 422 "image_unreadable" image
                          let! text = send [ "mention", "a"; "image", "/etc/passwd" ] None
                          isFault 400 "bad_form" text
                          let cut = new StringContent("--x\r\nContent-Disposition: form-data; name=mention\r\n\r\na")
                          cut.Headers.ContentType <- MediaTypeHeaderValue.Parse "multipart/form-data; boundary=x"
                          let! ended = it.Client.PostAsync("/v1/link", cut) |> reply
                          isFault 400 "bad_form" ended
                      })
          }

          testTask "wrong addresses, methods and types have their own numbers and the one shape" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! nowhere = get it.Client "/v2/link"
                          isFault 404 "not_found" nowhere
                          let! nobody = get it.Client "/v1/entities/S9999"
                          isFault 404 "entity_not_found" nobody
                          let! method = get it.Client "/v1/link"
                          isFault 405 "method_not_allowed" method
                          Expect.equal (List.ofSeq method.Message.Content.Headers.Allow) [ "POST" ] "Allow"
                          let! plain = it.Client.PostAsync("/v1/link", new StringContent "a") |> reply
                          isFault 415 "unsupported_media_type" plain
                          let! batch = it.Client.PostAsync("/v1/link:batch", form [ "mention", "a" ] None) |> reply
                          isFault 415 "unsupported_media_type" batch
                          let zipped = json "{}"
                          zipped.Headers.ContentEncoding.Add "gzip"
                          let! zip = it.Client.PostAsync("/v1/link", zipped) |> reply
                          isFault 415 "unsupported_media_type" zip
                      })
          }

          testTask "a body beyond the limit is refused, whether or not its length is said" {
              do!
                  served { wish () with MaxBody = 100_000L } (fun it ->
                      task {
                          let large = body [ "mention", box "a"; "image", box (String('A', 5_000_000)) ]
                          let! said = post it.Client "/v1/link" large
                          isFault 413 "too_large" said
                          use request = new HttpRequestMessage(HttpMethod.Post, "/v1/link", Content = json large)
                          request.Headers.TransferEncodingChunked <- true
                          let! chunked = it.Client.SendAsync request |> reply
                          isFault 413 "too_large" chunked

                          let! asForm =
                              it.Client.PostAsync(
                                  "/v1/link",
                                  form [ "mention", "a" ] (Some(Array.zeroCreate 5_000_000))
                              )
                              |> reply

                          isFault 413 "too_large" asForm
                          Expect.stringContains (text [ "error"; "expected" ] said.Body) "100000 bytes" "the limit"
                      })
          }

          testTask "a full queue refuses with 429 and says when to try again; what it has is answered" {
              do!
                  served { wish () with Queue = 2 } (fun it ->
                      task {
                          it.Linker.Hold()
                          let first = posted it.Client quillane
                          do! eventually "the first is begun" (fun () -> it.Linker.Calls = 1)
                          let waiting = [| for i in 1..2 -> posted it.Client (asked $"Waiting {i}") |]
                          do! eventually "two wait" (shows it "dwe_queue_length 2")

                          let! refused = posted it.Client (asked "Late")
                          isFault 429 "queue_full" refused
                          let after = retryAfter refused
                          Expect.isTrue (after >= 1 && after <= 60) $"Retry-After {after}"
                          it.Linker.Release()
                          let! answers = Task.WhenAll waiting
                          answers |> Array.iteri (fun i found -> isAnswer (asked $"Waiting {i + 1}") found)
                          let! begun = first
                          isAnswer quillane begun
                          let! again = posted it.Client (asked "Late")
                          isAnswer (asked "Late") again
                      })
          }

          testTask "without the key everything that costs something is refused, and the page is not" {
              do!
                  served { wish () with ApiKey = "s3cret" } (fun it ->
                      task {
                          let! without = posted it.Client quillane
                          isFault 401 "unauthorized" without
                          Expect.equal (string without.Message.Headers.WwwAuthenticate) "Bearer" "the scheme"
                          it.Client.DefaultRequestHeaders.Authorization <- AuthenticationHeaderValue("Bearer", "s3cre")
                          let! wrong = get it.Client "/v1/entities/S0002"
                          isFault 401 "unauthorized" wrong
                          let! metrics = get it.Client "/metrics"
                          isFault 401 "unauthorized" metrics

                          for path in [ "/"; "/healthz"; "/readyz"; "/openapi/v1.json" ] do
                              let! open' = get it.Client path
                              Expect.equal open'.Status 200 path

                          it.Client.DefaultRequestHeaders.Authorization <-
                              AuthenticationHeaderValue("Bearer", "s3cret")

                          let! right = posted it.Client quillane
                          isAnswer quillane right
                      })
          }

          testTask "an answer that is not ready in time is given up, and its mention is not linked" {
              do!
                  served { wish () with Timeout = 0.3 } (fun it ->
                      task {
                          it.Linker.Hold()
                          let first = posted it.Client quillane
                          do! eventually "the first is begun" (fun () -> it.Linker.Calls = 1)
                          let! late = posted it.Client (asked "Late")
                          isFault 504 "timeout" late
                          let! begun = first
                          isFault 504 "timeout" begun
                          it.Linker.Release()
                          let! next = posted it.Client (asked "Next")
                          isAnswer (asked "Next") next
                          Expect.equal (Array.sum it.Linker.Batches) 2 "the first and the next"
                      })
          }

          testTask "a client that leaves while it waits costs nothing" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          it.Linker.Hold()
                          let first = posted it.Client quillane
                          do! eventually "the first is begun" (fun () -> it.Linker.Calls = 1)
                          use leaves = new CancellationTokenSource()
                          let gone = it.Client.PostAsync("/v1/link", json (bodyOf (asked "Gone")), leaves.Token)

                          do! eventually "it waits" (shows it "dwe_queue_length 1")
                          leaves.Cancel()

                          do!
                              eventually
                                  "it is noticed"
                                  (shows it "dwe_requests_total{route=\"/v1/link\",status=\"499\"} 1")

                          it.Linker.Release()
                          let! begun = first
                          isAnswer quillane begun
                          let! next = posted it.Client (asked "Next")
                          isAnswer (asked "Next") next
                          Expect.isTrue gone.IsCanceled "it was given up"
                          Expect.equal (Array.sum it.Linker.Batches) 2 "the first and the next"
                      })
          } ]

[<Tests>]
let connections =
    testList
        "service, connections"
        [ testTask "a body that trickles is given up with 408" {
              do!
                  served { wish () with SlowestBody = 1000.0; SlowGrace = 1.1 } (fun it ->
                      task {
                          let! answer =
                              raw it.Service (fun stream ->
                                  task {
                                      do! write stream (head 5_000)

                                      try
                                          for _ in 1..60 do
                                              do! write stream "{"
                                              do! Task.Delay 50
                                      with :? IOException ->
                                          ()
                                  })

                          Expect.stringStarts answer "HTTP/1.1 408 " "the status"
                          Expect.stringContains answer "\"code\":\"body_timeout\"" "the shape"
                      })
          }

          testTask "a body that stops is given up when the request's time is over" {
              do!
                  served { wish () with Timeout = 0.5 } (fun it ->
                      task {
                          let! answer = raw it.Service (fun stream -> write stream (head 100 + "{\"mention\""))
                          Expect.stringStarts answer "HTTP/1.1 408 " "the status"
                          Expect.stringContains answer "\"code\":\"body_timeout\"" "the shape"
                      })
          }

          testTask "a head that does not end is given up" {
              do!
                  served { wish () with HeaderTimeout = 0.5 } (fun it ->
                      task {
                          let! answer =
                              raw it.Service (fun stream -> write stream "POST /v1/link HTTP/1.1\r\nHost: dwe\r\n")

                          Expect.stringStarts answer "HTTP/1.1 408 " "the status"
                      })
          }

          testTask "what is no HTTP is refused" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! answer = raw it.Service (fun stream -> write stream "HELLO\r\n\r\n")
                          Expect.stringStarts answer "HTTP/1.1 400 " "the status"
                      })
          }

          testTask "a connection cut within a body disturbs nobody" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          for _ in 1..20 do
                              use connection = new TcpClient()
                              do! connection.ConnectAsync(it.Service.Address.Host, it.Service.Address.Port)
                              do! write (connection.GetStream()) (head 1_000 + "{\"mention\": \"Qu")
                              do! eventually "it has begun" (shows it "dwe_requests_in_progress{route=\"/v1/link\"} 1")
                              connection.Client.Close 0
                              do! eventually "it is over" (shows it "dwe_requests_in_progress{route=\"/v1/link\"} 0")

                          let! after = posted it.Client quillane
                          isAnswer quillane after

                          do!
                              eventually
                                  "they are counted"
                                  (shows it "dwe_requests_total{route=\"/v1/link\",status=\"499\"} 20")

                          Expect.equal it.Linker.Calls 1 "none of them reached the linker"
                      })
          } ]

[<Tests>]
let knowledge =
    testList
        "service, knowledge base and state"
        [ testTask "an entity is shown with its names and texts, and its picture as a small JPEG" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! found = get it.Client "/v1/entities/S0002"
                          Expect.equal found.Status 200 found.Raw
                          Expect.equal (text [ "name" ] found.Body) "Augustus Ostrell" "the name"
                          Expect.equal (at [ "has_image" ] found.Body).ValueKind JsonValueKind.True "has one"
                          let! picture = it.Client.GetByteArrayAsync "/v1/entities/S0002/image"
                          use image = NetVips.Image.NewFromBuffer picture
                          Expect.equal (string (image.Get "vips-loader")) "jpegload_buffer" "the format"
                          Expect.isLessThanOrEqual (max image.Width image.Height) 320 "small"
                          let! none = get it.Client "/v1/entities/S0001/image"
                          isFault 404 "image_not_found" none
                      })
          }

          testTask "the linker's card names run and index" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! card = get it.Client "/v1/linker"

                          let expected =
                              "{\"run\":\"names\",\"index\":\"sample\",\"entities\":192,\"sees_images\":true}"

                          Expect.equal card.Raw expected "the card"
                      })
          }

          testTask "metrics count requests by route and status, batches, and name the linker" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! _ = posted it.Client quillane
                          let! _ = post it.Client "/v1/link" "{"
                          let! _ = get it.Client "/v1/entities/S0002"
                          let! metrics = get it.Client "/metrics"

                          for line in
                              [ "dwe_requests_total{route=\"/v1/link\",status=\"200\"} 1"
                                "dwe_requests_total{route=\"/v1/link\",status=\"400\"} 1"
                                "dwe_requests_total{route=\"/v1/entities/{id}\",status=\"200\"} 1"
                                "dwe_request_seconds_count{route=\"/v1/link\"} 2"
                                "dwe_queue_length 0"
                                "dwe_batch_size_sum 1"
                                "dwe_linker_info{run=\"names\",index=\"sample\",sees_images=\"true\"} 1"
                                "dwe_linker_entities 192"
                                "dwe_linker_loads_total{outcome=\"opened\"} 1"
                                "dwe_linker_loads_total{outcome=\"refused\"} 0" ] do
                              Expect.stringContains metrics.Raw $"\n{line}\n" line
                      })
          }

          testTask "the document describes every route and names no address" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! found = get it.Client "/openapi/v1.json"

                          Expect.equal
                              (List.sort (keys [ "paths" ] found.Body))
                              [ "/healthz"
                                "/readyz"
                                "/v1/entities/{id}"
                                "/v1/entities/{id}/image"
                                "/v1/link"
                                "/v1/link:batch"
                                "/v1/linker" ]
                              "the routes"

                          let link = at [ "paths"; "/v1/link"; "post" ] found.Body
                          Expect.equal (text [ "operationId" ] link) "link" "its name"

                          Expect.stringContains
                              (text [ "description" ] link)
                              "Entities come best first"
                              "its description"

                          let contents = at [ "requestBody"; "content" ] link
                          Expect.equal (keys [] contents) [ "application/json"; "multipart/form-data" ] "bodies"
                          let example = text [ "application/json"; "example"; "mention" ] contents
                          Expect.equal example "Jordan" "an example"

                          Expect.equal
                              (List.sort (keys [ "responses" ] link))
                              [ "200"; "400"; "401"; "408"; "413"; "415"; "422"; "429"; "500"; "503"; "504" ]
                              "what may come back"

                          Expect.equal
                              (keys [ "components"; "schemas"; "LinkAnswer"; "properties" ] found.Body)
                              [ "mention"
                                "entities"
                                "nil"
                                "nil_threshold"
                                "compared"
                                "explanation"
                                "image_fault"
                                "notes" ]
                              "of an answer"

                          Expect.isFalse (found.Raw.Contains "127.0.0.1") "no address"
                          Expect.isFalse (found.Raw.Contains "localhost") "no address"
                      })
          }

          testTask "the examples of the document are answered" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! document = get it.Client "/openapi/v1.json"

                          for path in [ "/v1/link"; "/v1/link:batch" ] do
                              let content = at [ "paths"; path; "post"; "requestBody"; "content" ] document.Body
                              let example = at [ "application/json"; "example" ] content
                              let! found = post it.Client path (example.GetRawText())
                              Expect.equal found.Status 200 found.Raw
                      })
          }

          testTask "nothing that a user sends stands in the log" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let secret = "Zanzibar Quux"
                          let! _ = posted it.Client (asked secret)
                          let! _ = post it.Client "/v1/link" $"{{\"{secret}\": 1}}"
                          let! _ = post it.Client "/v1/link" $"{{\"mention\": {secret}"
                          let! _ = posted it.Client (asked NameLinker.Poison)
                          let! _ = get it.Client $"/v1/entities/{secret}"
                          let! _ = get it.Client $"/{secret}?q={secret}"

                          let! _ =
                              it.Client.SendAsync(new HttpRequestMessage(HttpMethod "Zanzibar", "/v1/link")) |> reply

                          let lines = it.Log.All
                          Expect.isGreaterThan lines.Length 7 "it was logged"

                          for line in lines do
                              for word in [ "Zanzibar"; "Quux"; "Poison" ] do
                                  Expect.isFalse (line.Contains word) line

                          Expect.exists
                              lines
                              (fun line -> line.Contains "System.InvalidOperationException")
                              "why it failed"
                      })
          } ]

/// A linker that can be told apart from others.
let private opened (made: Collections.Generic.List<NameLinker.NameLinker>) () =
    let linker = new NameLinker.NameLinker($"number {made.Count}")
    made.Add linker
    linker :> ILinker

let private runName client = text [ "run" ] (get client "/v1/linker").Result.Body

[<Tests>]
let lifecycle =
    testList
        "service, beginning and end"
        [ testTask "until its linker is loaded the service is healthy, but not ready" {
              let mayLoad = new ManualResetEventSlim(false)

              do!
                  started
                      (wish ())
                      (fun () ->
                          mayLoad.Wait()
                          new NameLinker.NameLinker "late")
                      (fun service client ->
                          task {
                              let! health = get client "/healthz"
                              Expect.equal (health.Status, text [ "status" ] health.Body) (200, "ok") "healthy"

                              for path in [ "/readyz"; "/v1/entities/S0001"; "/v1/linker" ] do
                                  let! early = get client path
                                  isFault 503 "loading" early

                              let! early = posted client quillane
                              isFault 503 "loading" early
                              Expect.equal (retryAfter early) 2 "when to try again"
                              mayLoad.Set()
                              do! service.Loaded
                              let! ready = get client "/readyz"
                              Expect.equal (ready.Status, text [ "status" ] ready.Body) (200, "ready") "ready"
                              let! found = posted client quillane
                              isAnswer quillane found
                          })
          }

          testTask "a first linker that cannot be opened is reported to whoever started the service" {
              let missing = UserErrorException(FileMissing("runs/none", "a run", "Train one."))

              do!
                  started (wish ()) (fun () -> raise missing) (fun service _ ->
                      task {
                          let! problem =
                              task {
                                  try
                                      do! service.Loaded
                                      return None
                                  with problem ->
                                      return Some problem
                              }

                          Expect.equal problem (Some(missing :> exn)) "what was wrong"
                      })
          }

          testTask "while it stops it takes nothing new, and answers what it has" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          it.Linker.Hold()
                          let first = posted it.Client quillane
                          do! eventually "the first is begun" (fun () -> it.Linker.Calls = 1)
                          let second = posted it.Client (asked "Second")
                          do! eventually "one waits" (shows it "dwe_queue_length 1")

                          it.Service.BeginStop()
                          let! ready = get it.Client "/readyz"
                          isFault 503 "stopping" ready
                          let! late = posted it.Client (asked "Late")
                          isFault 503 "stopping" late
                          let stop = it.Service.Stop()
                          it.Linker.Release()
                          let! begun = first
                          isAnswer quillane begun
                          let! waited = second
                          isAnswer (asked "Second") waited
                          let! complete = stop
                          Expect.isTrue complete "everything was answered"
                      })
          }

          testTask "changed files bring a new linker; the old one finishes and is closed" {
              let made = Collections.Generic.List<NameLinker.NameLinker>()
              let folder = Directory.CreateTempSubdirectory("dwe-").FullName
              let manifest = Path.Combine(folder, "manifest.json")
              File.WriteAllText(manifest, "1")

              do!
                  started { wish () with Files = [ manifest ] } (opened made) (fun service client ->
                      task {
                          do! service.Loaded
                          made[0].Hold()
                          let before = posted client quillane
                          do! eventually "it is begun" (fun () -> made[0].Calls = 1)
                          // As the program writes: at once, or not at all.
                          File.WriteAllText(manifest + ".new", "number two")
                          File.Move(manifest + ".new", manifest, true)
                          do! eventually "the new one serves" (fun () -> runName client = "number 1")
                          Expect.isFalse made[0].IsDisposed "the old one is still at work"
                          made[0].Release()
                          let! answered = before
                          isAnswer quillane answered
                          do! eventually "the old one is closed" (fun () -> made[0].IsDisposed)
                          let! after = posted client quillane
                          isAnswer quillane after
                          Expect.equal made[1].Calls 1 "by the new one"
                          let! metrics = get client "/metrics"
                          Expect.stringContains metrics.Raw "dwe_linker_info{run=\"number 1\"" "named"
                          Expect.isFalse (metrics.Raw.Contains "run=\"number 0\"") "the old one no more"
                      })

              Expect.isTrue made[1].IsDisposed "closed with the service"
              Directory.Delete(folder, true)
          }

          testTask "a new linker that is broken is refused, and the old one goes on" {
              let made = Collections.Generic.List<NameLinker.NameLinker>()
              let mutable broken = false
              let log = new LogLines()

              let opener () =
                  if Volatile.Read &broken then
                      raise (UserErrorException(FileBroken("index/manifest.json", "line 1", "nothing", "an index")))
                  else
                      opened made ()

              do!
                  started { wish () with Log = log } opener (fun service client ->
                      task {
                          do! service.Loaded
                          Volatile.Write(&broken, true)
                          service.Reload()

                          do!
                              eventually "it is refused" (fun () ->
                                  (get client "/metrics").Result.Raw.Contains
                                      "dwe_linker_loads_total{outcome=\"refused\"} 1")

                          let! found = posted client quillane
                          isAnswer quillane found
                          Expect.equal (runName client) "number 0" "the old one"

                          Expect.exists
                              log.All
                              (fun line ->
                                  line.Contains "index/manifest.json: line 1: found nothing, expected an index.")
                              "said"

                          Volatile.Write(&broken, false)
                          service.Reload()
                          do! eventually "a good one serves" (fun () -> runName client = "number 1")
                      })
          } ]
