/// Linking over a generated knowledge base: what it costs to write and to index, and how fast `dwe serve` links over it.
/// Not a test: `dotnet Dwe.Tests.dll bench link`. Settings, as environment variables:
///
///     DWE_BENCH_RUN        a run whose entities are texts of the default encoder (default: one trained on the sample)
///     DWE_BENCH_ENTITIES   how many entities (default: 1000000)
///     DWE_BENCH_DTYPES     how the index keeps vectors (default: float16 int8)
module internal Dwe.Tests.Benchmarks.LinkBench

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open System.Threading
open Dwe.Host.Checkpoints
open Dwe.Host.Features.Text
open Dwe.Host.KnowledgeBases
open Dwe.Model
open Dwe.Model.Domain
open Dwe.Tests.Benchmarks.GeneratedEntities
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Service
open Dwe.Tests.Host.Training

let private topics =
    "river town player union album novel school bridge film actor league county island painter church battle species station singer village"
        .Split
        ' '

/// Twenty words, decided by the number.
let private described number =
    let random = SeededRandom(Seed.derive 31L "words" (int64 number))
    String.Join(' ', [ for _ in 1..20 -> topics[random.Next topics.Length] ])

/// The field that a template reads last: descriptions go where the run looks for them.
let private fieldOf (template: string) = Regex.Matches(template, @"(\w+)\}") |> Seq.last |> _.Groups[1].Value

let private write (path: string) field (entities: Entity[]) =
    use writer = new StreamWriter(path)

    for number in 0 .. entities.Length - 1 do
        let entity = entities[number]

        let line =
            dict
                [ "id", box entity.Id
                  "name", box entity.Name
                  "aliases", box entity.Aliases
                  field, box (described number) ]

        writer.WriteLine(JsonSerializer.Serialize line)

/// Vectors of the generated clusters in place of an encoder's, which would take hours.
let private instant id =
    let directions = Directions()

    { new ITextEncoder with
        member _.Id = id
        member _.Dimension = dim

        member _.Encode(texts, _) =
            let rows = Array.zeroCreate<float32> (texts.Count * dim)

            let numbers = [| for text in texts -> int (Seed.derive 32L text 0L &&& 0x3fffffffL) |]

            directions.Fill(numbers, rows.AsMemory())
            rows

        member _.Dispose() = () }

let private seconds work =
    let watch = Stopwatch.StartNew()
    work ()
    watch.Elapsed.TotalSeconds

let private build (kb: string) (source: string) (manifest: RunManifest) =
    let encoder = RunEncoders.Of(manifest).Text

    let encoding =
        TextEncoding(
            Encoder = encoder,
            Dimension = dim,
            EntityText = manifest.EntityText,
            Open = Func<_>(fun () -> instant encoder)
        )

    use writer = KnowledgeBaseWriter.Begin kb

    writer.Add(OwnEntities source, encoding, [||], Action<_, _, _>(fun _ _ _ -> ()), CancellationToken.None)
    |> ignore

let private succeed arguments =
    let run = DweProcess.run arguments []

    if run.ExitCode <> 0 then
        invalidOp $"{arguments}: {run.Errors}"

/// Anonymous and all resident memory, in megabytes: the rest is files that are mapped.
let private memory (running: ServiceProcess.Running) =
    let line (name: string) =
        File.ReadLines $"/proc/{running.Process.Id}/status"
        |> Seq.find _.StartsWith(name, StringComparison.Ordinal)
        |> fun line -> float (line.Split([| ' ' |], StringSplitOptions.RemoveEmptyEntries)[1]) / 1024.0

    line "RssAnon:", line "VmRSS:"

/// A third of the names as they are, a third with one edit, a third with two.
let private bodies (entities: Entity[]) count =
    let random = SeededRandom 33L

    [| for at in 0 .. count - 1 ->
           let number = random.Next entities.Length
           let mention = edited random (at % 3) entities[number].Name
           let text = $"They spoke of {mention}, the {described number}."
           Serving.body [ "mention", box mention; "text", box text; "top", box 3 ] |]

let private linking run index (entities: Entity[]) =
    let watch = Stopwatch.StartNew()
    let running = ServiceProcess.startProgram [ "--run"; run; "--index"; index; "--port"; "0" ]

    try
        let bodies = bodies entities 600
        let expected = ServiceBench.answers running.Client (Array.truncate 1 bodies)
        let anonymous, _ = memory running
        printfn $"first answer after {watch.Elapsed.TotalSeconds:F1} s, {anonymous:F0} MB of its own"
        ignore expected
        let expected = ServiceBench.answers running.Client bodies

        for clients, requests in [ 1, 300; 8, 1200; 64, 2400 ] do
            ServiceBench.speeds running.Client bodies expected clients requests

        let anonymous, resident = memory running
        printfn $"memory: {anonymous:F0} MB of its own, {resident:F0} MB with mapped files"
        ServiceProcess.signal "TERM" running
        ServiceProcess.exitCode running |> ignore
    finally
        if not running.Process.HasExited then
            running.Process.Kill()

let run () =
    let count = int (ServiceBench.setting "DWE_BENCH_ENTITIES" "1000000")

    let run =
        match ServiceBench.setting "DWE_BENCH_RUN" "" with
        | "" -> fst SampleRun.shared.Value
        | run -> run

    let struct (_, manifest) = RunFolder(run).Open()
    let folder = Directory.CreateTempSubdirectory("dwe-link-bench-").FullName
    let file name = Path.Combine(folder, name)

    try
        let entities = entities count
        write (file "entities.jsonl") (fieldOf manifest.EntityText) entities
        let building = seconds (fun () -> build (file "kb") (file "entities.jsonl") manifest)
        let bytes = float (bytesIn (file "kb")) / float count
        printfn $"{count} entities: knowledge base written in {building:F0} s, {bytes:F0} bytes an entity"

        for dtype in (ServiceBench.setting "DWE_BENCH_DTYPES" "float16 int8").Split ' ' do
            let indexing =
                seconds (fun () ->
                    succeed [ "index"; "--kb"; file "kb"; "--run"; run; "--out"; file dtype; "--dtype"; dtype ])

            let bytes = float (bytesIn (file dtype)) / float count
            printfn $"{dtype}: indexed in {indexing:F0} s, {bytes:F0} bytes an entity"
            linking run (file dtype) entities
    finally
        Directory.Delete(folder, true)
