/// A chat service on loopback that answers in the format of OpenAI's chat completions, as a test says.
module Dwe.Tests.Host.Enrichment.FakeChat

open System
open System.Collections.Concurrent
open System.IO
open System.Text.Json
open System.Threading
open System.Threading.Tasks
open Microsoft.AspNetCore.Builder
open Microsoft.AspNetCore.Hosting
open Microsoft.AspNetCore.Http
open Microsoft.Extensions.Hosting
open Microsoft.Extensions.Logging

/// What was asked.
type Question =
    {
        Text: string
        Model: string
        Path: string
        /// The header `Authorization`, "" without.
        Authorization: string
        /// From 1: how often the same text was asked so far.
        Attempt: int
        /// From 1: how many requests there were so far.
        Number: int
    }

type Reply =
    | Says of string
    /// The answer when the task has ended; no thread waits for it.
    | SaysAfter of Task * string
    /// 200 with something else than an answer.
    | Sends of body: string
    /// A status with the header Retry-After ("" for none).
    | Refuses of status: int * retryAfter: string
    /// No answer as long as the other side waits.
    | Hangs

/// The body of an answer.
let completion (text: string) =
    let text = JsonSerializer.Serialize text

    """{"id": "c-1", "object": "chat.completion", "created": 0, "model": "fake", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}"""
        .Replace("TEXT", text)

type FakeChat(reply: Question -> Reply) =
    let asked = ConcurrentQueue<Question>()
    let gate = obj ()
    let mutable inFlight = 0
    let mutable most = 0

    let question (context: HttpContext) (body: string) =
        use json = JsonDocument.Parse body
        let text (element: JsonElement) = string (element.GetString())
        let messages = json.RootElement.GetProperty "messages"
        let asks = text (messages[0].GetProperty "content")

        lock gate (fun () ->
            let question =
                { Text = asks
                  Model = text (json.RootElement.GetProperty "model")
                  Path = string context.Request.Path
                  Authorization = string context.Request.Headers.Authorization
                  Attempt = 1 + (asked |> Seq.filter (fun one -> one.Text = asks) |> Seq.length)
                  Number = asked.Count + 1 }

            asked.Enqueue question
            question)

    let send (context: HttpContext) status (body: string) =
        context.Response.StatusCode <- status
        context.Response.ContentType <- "application/json"
        context.Response.WriteAsync body

    let answer (context: HttpContext) : Task =
        task {
            lock gate (fun () ->
                inFlight <- inFlight + 1
                most <- max most inFlight)

            use reader = new StreamReader(context.Request.Body)
            let! body = reader.ReadToEndAsync()
            let question = question context body
            let reply = reply question

            match reply with
            | SaysAfter(held, _) -> do! held
            | _ -> ()

            lock gate (fun () -> inFlight <- inFlight - 1)

            match reply with
            | SaysAfter(_, text)
            | Says text -> do! send context 200 (completion text)
            | Sends body -> do! send context 200 body
            | Refuses(status, retryAfter) ->
                if retryAfter <> "" then
                    context.Response.Headers.RetryAfter <- retryAfter

                // As careless services do, it repeats what it was sent.
                do! send context status $"{{\"error\": {{\"message\": \"{question.Authorization}\"}}}}"
            | Hangs -> do! Task.Delay(Timeout.Infinite, context.RequestAborted)
        }

    let app =
        let builder = WebApplication.CreateSlimBuilder()
        builder.WebHost.UseUrls "http://127.0.0.1:0" |> ignore
        builder.Logging.ClearProviders() |> ignore
        let app = builder.Build()
        app.Run(RequestDelegate answer)
        app.Start()
        app

    /// What `--endpoint` is given.
    member _.Address = Seq.head app.Urls + "/v1"

    /// In the order of arrival.
    member _.Asked = List.ofSeq asked

    /// The most requests that were there at a time.
    member _.MostAtOnce = lock gate (fun () -> most)

    interface IDisposable with
        member _.Dispose() =
            app.StopAsync(TimeSpan.Zero).GetAwaiter().GetResult()
            (app :> IAsyncDisposable).DisposeAsync().AsTask().GetAwaiter().GetResult()
