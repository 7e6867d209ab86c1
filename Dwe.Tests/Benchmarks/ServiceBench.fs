/// The service under load: is every answer right, is what is broken refused, does memory stay, how fast is it.
/// Not a test: `dotnet Dwe.Tests.dll bench service`. Settings, as environment variables:
///
///     DWE_BENCH_RUN, DWE_BENCH_INDEX   a run and an index for `dwe serve`; without them a linker of names without a model
///     DWE_BENCH_DATA                   the data set whose dev mentions are sent (default: the sample)
///     DWE_BENCH_REQUESTS               how many (default: 100000)
module internal Dwe.Tests.Benchmarks.ServiceBench

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Net.Http
open System.Net.Sockets
open System.Text
open System.Threading
open System.Threading.Tasks
open Dwe.Host.Data
open Dwe.Tests.Host.Service
open Dwe.Tests.Prelude

let setting name fallback =
    match Environment.GetEnvironmentVariable name with
    | null
    | "" -> fallback
    | value -> value

let private start () =
    match setting "DWE_BENCH_RUN" "" with
    | "" -> ServiceProcess.startChild 0.0
    | run ->
        let index = setting "DWE_BENCH_INDEX" ""
        let place = if index = "" then [] else [ "--index"; index ]
        ServiceProcess.startProgram ([ "--run"; run; "--port"; "0"; "--max-body"; string (1 <<< 20) ] @ place)

/// Bodies to send: dev mentions, one in twenty with a picture.
let private bodies () =
    let dataset =
        DatasetReaders.Read(setting "DWE_BENCH_DATA" (Path.Combine(Fixtures.repository, "data", "samples")))

    let pictures =
        Directory.GetFiles(NameLinker.picture, "*.svg", SearchOption.AllDirectories) |> Array.sort

    dataset.Mentions["dev"]
    |> Seq.filter (fun mention ->
        mention.Text <> "" && mention.Sentence.Contains(mention.Text, StringComparison.Ordinal))
    |> Seq.truncate 500
    |> Seq.mapi (fun i mention ->
        let picture =
            if i % 20 = 0 then
                [ "image", box (Convert.ToBase64String(File.ReadAllBytes pictures[i / 20 % pictures.Length])) ]
            else
                []

        Serving.body ([ "mention", box mention.Text; "text", box mention.Sentence; "top", box 3 ] @ picture))
    |> Array.ofSeq

let private send (client: HttpClient) (body: string) =
    task {
        use content = Serving.json body
        use! answer = client.PostAsync("/v1/link", content)
        let! text = answer.Content.ReadAsStringAsync()
        return int answer.StatusCode, text
    }

/// Asked one at a time, so that nothing can have been mixed up.
let answers (client: HttpClient) (bodies: string[]) =
    [| for body in bodies do
           match (send client body).Result with
           | 200, answer -> answer
           | status, answer -> invalidOp $"{status}: {answer}" |]

/// Over a connection of its own: a head and the beginning of a body; then `rest` until the other side has spoken.
let private raw (client: HttpClient) (rest: NetworkStream -> Task) =
    task {
        use connection = new TcpClient()

        match client.BaseAddress with
        | null -> invalidOp "no address"
        | address -> do! connection.ConnectAsync(address.Host, address.Port)

        use stream = connection.GetStream()

        let head =
            "POST /v1/link HTTP/1.1\r\nHost: dwe\r\nContent-Type: application/json\r\nContent-Length: 50000\r\nConnection: close\r\n\r\n{"

        do! stream.WriteAsync(Encoding.UTF8.GetBytes head)
        do! rest stream
        use reader = new StreamReader(stream, Encoding.UTF8)
        return! reader.ReadToEndAsync()
    }

/// A broken request, and what it must be answered with: a status and a code.
let private broken (client: HttpClient) kind =
    let isRefused status (code: string) (sent: Task<int * string>) =
        task {
            let! found, text = sent
            return found = status && text.Contains $"\"code\":\"{code}\""
        }

    match kind with
    | 0 -> "bad JSON", isRefused 400 "bad_json" (send client "{\"mention\": ")
    | 1 ->
        let noPicture = Convert.ToBase64String(Encoding.UTF8.GetBytes "no picture")

        "wrong image",
        isRefused 422 "image_unreadable" (send client $"{{\"mention\": \"a\", \"image\": \"{noPicture}\"}}")
    | 2 -> "oversize", isRefused 413 "too_large" (send client (String('a', 2_000_000)))
    | 3 ->
        "slow client",
        task {
            let! answer =
                raw client (fun stream ->
                    task {
                        try
                            for _ in 1..80 do
                                do! stream.WriteAsync [| 32uy |]
                                do! Task.Delay 100
                        with :? IOException ->
                            ()
                    })

            return answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal) && answer.Contains "body_timeout"
        }
    | _ ->
        "cut connection",
        task {
            try
                let! _ = raw client (fun stream -> task { stream.Socket.Close 0 })
                return false
            with
            | :? IOException
            | :? InvalidOperationException
            | :? ObjectDisposedException -> return true
        }

/// The process's resident memory now, in megabytes.
let private megabytes (running: ServiceProcess.Running) =
    running.Process.Refresh()
    float running.Process.WorkingSet64 / float (1 <<< 20)

let private percentile (sorted: float[]) share = sorted[min (sorted.Length - 1) (int (share * float sorted.Length))]

let speeds (client: HttpClient) (bodies: string[]) (expected: string[]) clients requests =
    let times = ConcurrentBag<float>()
    let mutable next, wrong = -1, 0
    let watch = Stopwatch.StartNew()

    let work () =
        task {
            let mutable at = Interlocked.Increment &next

            while at < requests do
                let one = Stopwatch.StartNew()
                let! answer = send client bodies[at % bodies.Length]
                times.Add one.Elapsed.TotalMilliseconds

                if answer <> (200, expected[at % bodies.Length]) then
                    Interlocked.Increment &wrong |> ignore

                at <- Interlocked.Increment &next
        }
        :> Task

    Task.WaitAll [| for _ in 1..clients -> Task.Run work |]
    let sorted = times.ToArray() |> Array.sort
    let rate = float requests / watch.Elapsed.TotalSeconds
    let p50, p99 = percentile sorted 0.5, percentile sorted 0.99

    printfn
        $"{clients, 4} clients: {rate, 7:F0} requests/s, p50 {p50, 7:F2} ms, p99 {p99, 7:F2} ms, {wrong} wrong of {requests}"

let private endurance (running: ServiceProcess.Running) (bodies: string[]) (expected: string[]) requests =
    let client = running.Client

    let wrong, refused, notRefused =
        ConcurrentQueue<string>(), ConcurrentDictionary<string, int>(), ConcurrentQueue<string>()

    let memory = ConcurrentQueue<float>()
    let slow = ConcurrentBag<Task>()
    let mutable next = -1
    let watch = Stopwatch.StartNew()

    let breakIt kind =
        task {
            let name, answered = broken client kind
            let! isRefused = answered

            if isRefused then
                refused.AddOrUpdate(name, 1, (fun _ count -> count + 1)) |> ignore
            else
                notRefused.Enqueue name
        }
        :> Task

    let one at =
        task {
            if at % 100 = 99 then
                // A slow client takes its seconds: beside the others.
                match at / 100 % 5 with
                | 3 -> slow.Add(Task.Run(fun () -> breakIt 3))
                | kind -> do! breakIt kind
            else
                let! answer = send client bodies[at % bodies.Length]

                if answer <> (200, expected[at % bodies.Length]) then
                    wrong.Enqueue $"{at}: {answer}"
        }

    let work () =
        task {
            let mutable at = Interlocked.Increment &next

            while at < requests do
                do! one at

                if at % 500 = 0 then
                    memory.Enqueue(megabytes running)

                if at > 0 && at % (requests / 10) = 0 then
                    let rate = float at / watch.Elapsed.TotalSeconds

                    printfn
                        $"  {at} of {requests}, {rate:F0} requests/s, {TimeSpan.FromSeconds(float (requests - at) / rate):``hh\:mm\:ss``} left"

                at <- Interlocked.Increment &next
        }
        :> Task

    Task.WaitAll [| for _ in 1..8 -> Task.Run work |]
    Task.WaitAll(slow.ToArray())
    let samples = memory.ToArray()
    let quarter = max 1 (samples.Length / 4)

    let first, last =
        Array.average samples[.. quarter - 1], Array.average samples[samples.Length - quarter ..]

    let counts = String.Join(", ", [ for kind in refused -> $"{kind.Value} {kind.Key}" ])
    printfn $"{requests} requests in {watch.Elapsed.TotalSeconds:F0} s, 8 clients: {wrong.Count} wrong answers"

    printfn
        $"broken ones answered as they must be: {counts}; not so: {notRefused.Count} {List.ofSeq (Seq.countBy id notRefused)}"

    printfn
        $"resident memory: first quarter {first:F0} MB, last quarter {last:F0} MB ({100.0 * (last / first - 1.0):F1} %%)"

    for line in Seq.truncate 5 wrong do
        printfn $"wrong: {line}"

let run () =
    let requests = int (setting "DWE_BENCH_REQUESTS" "100000")
    let running = start ()

    try
        let bodies = bodies ()

        let expected = answers running.Client bodies
        printfn $"{bodies.Length} different requests"

        for clients in [ 1; 8; 64 ] do
            speeds running.Client bodies expected clients (max 500 (requests / 20))

        endurance running bodies expected requests
        ServiceProcess.signal "TERM" running
        printfn $"exit code {ServiceProcess.exitCode running}"
    finally
        if not running.Process.HasExited then
            running.Process.Kill()
