/// The service in a process of its own: with the linker of names, or the program's.
module internal Dwe.Tests.Host.Service.ServiceProcess

open System
open System.Diagnostics
open System.Globalization
open System.Net.Http
open System.Threading
open Dwe.Host.Commands
open Dwe.Host.Linking
open Dwe.Host.Service
open Expecto

/// What `child` below does in a process of its own: the milliseconds that every batch takes.
let private childVariable = "DWE_TESTS_SERVICE"

/// Serves until a signal, if this process was started for that.
let child () =
    match Environment.GetEnvironmentVariable childVariable with
    | null
    | "" -> None
    | pause ->
        let linker = new NameLinker.NameLinker "child"
        linker.Pause <- TimeSpan.FromMilliseconds(Double.Parse(pause, CultureInfo.InvariantCulture))
        let settings = ServiceOptions(Port = 0, Batch = (if pause = "0" then 16 else 1), MaxBody = (1L <<< 20))
        Some(ServeCommand.Run(settings, LinkerOpener(fun _ _ -> linker :> ILinker), CancellationToken.None))

/// A started service: its process, a client to it, and what it has written to standard error so far.
type Running = { Process: Process; Client: HttpClient; Errors: Text.StringBuilder }

let private listening (started: Process) =
    let errors = Text.StringBuilder()

    started.ErrorDataReceived.Add(fun line ->
        if not (isNull line.Data) then
            lock errors (fun () -> errors.Append(line.Data).Append '\n' |> ignore))

    started.BeginErrorReadLine()

    /// What is printed before, such as the table of a training, is passed over.
    let rec announced () =
        match started.StandardOutput.ReadLine() with
        | null ->
            started.WaitForExit()
            failtest $"it ended with {started.ExitCode}: {errors}"
        | line when line.StartsWith("listening on ", StringComparison.Ordinal) -> line
        | _ -> announced ()

    // listening on http://127.0.0.1:1234/ (Ctrl-C stops)
    let address = Uri(announced().Split(' ')[2])

    { Process = started
      Client = new HttpClient(BaseAddress = address, Timeout = TimeSpan.FromMinutes 2.0)
      Errors = errors }

/// Starts the service of `child`.
let startChild (pause: float) =
    let info = ProcessStartInfo("dotnet", RedirectStandardOutput = true, RedirectStandardError = true)
    info.ArgumentList.Add(System.Reflection.Assembly.GetExecutingAssembly().Location)
    info.Environment[childVariable] <- pause.ToString CultureInfo.InvariantCulture

    match Process.Start info with
    | null -> invalidOp "dotnet did not start"
    | started -> listening started

/// Starts a command that serves, with these arguments.
let startCommand (command: string) (arguments: string list) =
    Dwe.Tests.Host.Native.DweProcess.start Dwe.Tests.Host.Native.DweProcess.folder (command :: arguments) []
    |> listening

/// Starts `dwe serve` with these arguments.
let startProgram (arguments: string list) = startCommand "serve" arguments

/// Sends it a signal, e.g. TERM.
let signal name (running: Running) =
    use kill = Process.Start("kill", [ $"-{name}"; string running.Process.Id ])
    kill.WaitForExit()

/// Waits for its end, at most a minute.
let exitCode (running: Running) =
    if not (running.Process.WaitForExit 60_000) then
        running.Process.Kill()
        failtest $"it did not end: {running.Errors}"

    running.Process.WaitForExit()
    running.Process.ExitCode

let errors (running: Running) = lock running.Errors (fun () -> string running.Errors)
