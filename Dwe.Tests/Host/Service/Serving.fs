/// A service on a free port of this machine, and a client to it.
module internal Dwe.Tests.Host.Service.Serving

open System
open System.Collections.Concurrent
open System.Net.Http
open System.Net.Http.Headers
open System.Text
open System.Text.Json
open System.Threading
open System.Threading.Tasks
open Dwe.Host.Features.Images
open Dwe.Host.Linking
open Dwe.Host.Service
open Expecto
open Microsoft.Extensions.Logging

/// Keeps what was logged.
type LogLines() =
    let lines = ConcurrentQueue<string>()
    member _.All = lines.ToArray()

    interface ILoggerProvider with
        member this.CreateLogger category =
            { new ILogger with
                member _.BeginScope _ = null
                member _.IsEnabled _ = true

                member _.Log(level, _, state, failed, format) =
                    lines.Enqueue $"{level} {category} {format.Invoke(state, failed)} {failed}" }

        member _.Dispose() = ()

/// What tests change of the service's options.
type Wish =
    { Queue: int
      Batch: int
      MaxBody: int64
      Timeout: float
      ApiKey: string | null
      HeaderTimeout: float
      SlowestBody: float
      SlowGrace: float
      Pixels: int64
      Files: string list
      Log: LogLines }

let wish () =
    { Queue = 64
      Batch = 16
      MaxBody = 1L <<< 20
      Timeout = 30.0
      ApiKey = null
      HeaderTimeout = 10.0
      SlowestBody = 1024.0
      SlowGrace = 5.0
      Pixels = 10_000_000L
      Files = []
      Log = new LogLines() }

let options wish =
    ServiceOptions(
        Port = 0,
        Queue = wish.Queue,
        Batch = wish.Batch,
        MaxBody = wish.MaxBody,
        Timeout = TimeSpan.FromSeconds wish.Timeout,
        ApiKey = wish.ApiKey,
        HeaderTimeout = TimeSpan.FromSeconds wish.HeaderTimeout,
        SlowestBody = wish.SlowestBody,
        SlowGrace = TimeSpan.FromSeconds wish.SlowGrace,
        Images = ImageLimits(Pixels = wish.Pixels, Time = TimeSpan.FromSeconds 10.0),
        WatchInterval = TimeSpan.FromMilliseconds 20.0,
        LinkerFiles = Array.ofList wish.Files,
        Log = wish.Log
    )

/// A running service as a test sees it.
type Served =
    { Service: LinkService
      Client: HttpClient
      Linker: NameLinker.NameLinker
      Log: LogLines }

let started wish (opener: unit -> ILinker) (test: LinkService -> HttpClient -> Task) : Task =
    task {
        let! service = LinkService.Start(options wish, LinkerOpener(fun _ _ -> opener ()))
        use service: IAsyncDisposable = service
        let service = service :?> LinkService
        use client = new HttpClient(BaseAddress = service.Address, Timeout = TimeSpan.FromMinutes 2.0)
        do! test service client
    }

/// Runs a test against a service with a linker of names that is loaded.
let served wish (test: Served -> Task) : Task =
    let linker = new NameLinker.NameLinker "names"

    started wish (fun () -> linker) (fun service client ->
        task {
            do! service.Loaded
            do! test { Service = service; Client = client; Linker = linker; Log = wish.Log }
        })

/// An answer of the service: status, JSON (`{}` where it is none) and the whole message.
type Reply = { Status: int; Body: JsonElement; Raw: string; Message: HttpResponseMessage }

let reply (sent: Task<HttpResponseMessage>) =
    task {
        let! message = sent
        let! raw = message.Content.ReadAsStringAsync()

        let isJson =
            message.Content.Headers.ContentType
            |> Option.ofObj
            |> Option.exists (fun it -> it.MediaType = "application/json")

        return
            { Status = int message.StatusCode
              Body = JsonElement.Parse(if isJson then raw else "{}")
              Raw = raw
              Message = message }
    }

let get (client: HttpClient) (path: string) = client.GetAsync path |> reply

let json (text: string) = new StringContent(text, Encoding.UTF8, "application/json")

let post (client: HttpClient) (path: string) (body: string) = client.PostAsync(path, json body) |> reply

/// A body of `/v1/link` with these keys.
let body (keys: (string * (obj | null)) list) = JsonSerializer.Serialize(dict keys)

let link client keys = post client "/v1/link" (body keys)

/// What the service answers to a request, as JSON.
let expected (request: LinkRequest) = JsonSerializer.Serialize(NameLinker.answer request, WireJson.Options)

let isAnswer request (found: Reply) = Expect.equal (found.Status, found.Raw) (200, expected request) "the answer"

/// What stands below keys and numbers of elements, e.g. `entities/0/name`; nothing (`Undefined`) where they lead nowhere.
let rec at (path: string list) (from: JsonElement) =
    match path with
    | [] -> from
    | step :: rest ->
        match from.ValueKind with
        | JsonValueKind.Array when int step < from.GetArrayLength() -> at rest from[int step]
        | JsonValueKind.Object ->
            match from.TryGetProperty step with
            | true, found -> at rest found
            | _ -> JsonElement()
        | _ -> JsonElement()

let text (path: string list) (from: JsonElement) = (at path from).ToString()

let keys (path: string list) (from: JsonElement) = [ for key in (at path from).EnumerateObject() -> key.Name ]

/// The one shape of errors: code, message and expected, and nothing else.
let isFault status code (found: Reply) =
    Expect.equal (found.Status, text [ "error"; "code" ] found.Body) (status, code) found.Raw
    Expect.equal (keys [ "error" ] found.Body) [ "code"; "message"; "expected" ] "its keys"

    for key in [ "message"; "expected" ] do
        Expect.isNotEmpty (text [ "error"; key ] found.Body) key

/// A PNG of one colour.
let png (width: int) (height: int) =
    use black = NetVips.Image.Black(width, height, bands = 3)
    black.PngsaveBuffer()

/// Waits until something holds; what never does fails the test.
let eventually what (holds: unit -> bool) =
    task {
        let mutable tries = 0

        while not (holds ()) do
            tries <- tries + 1

            if tries > 2000 then
                failtest $"never: {what}"

            do! Task.Delay 10
    }

let form (parts: (string * string) list) (image: byte[] option) =
    let content = new MultipartFormDataContent()

    for key, value in parts do
        content.Add(new StringContent(value), key)

    image
    |> Option.iter (fun bytes ->
        let file = new ByteArrayContent(bytes)
        file.Headers.ContentType <- MediaTypeHeaderValue "image/png"
        content.Add(file, "image", "photo.png"))

    content
