/// Runs the built program in a process of its own.
module Dwe.Tests.Host.Native.DweProcess

open System
open System.Diagnostics
open System.IO
open Dwe.Tests.Prelude

/// What a run left behind.
type Run = { ExitCode: int; Output: string; Errors: string }

/// Starts `dwe` of the given build folder with these arguments and extra environment variables.
let start (folder: string) (arguments: string list) (environment: (string * string) list) =
    let info = ProcessStartInfo("dotnet", RedirectStandardOutput = true, RedirectStandardError = true)

    info.ArgumentList.Add(Path.Combine(folder, "dwe.dll"))
    arguments |> List.iter info.ArgumentList.Add
    info.Environment.Remove "DWE_LIBTORCH" |> ignore
    environment |> List.iter (fun (name, value) -> info.Environment[name] <- value)

    match Process.Start info with
    | null -> invalidOp "dotnet did not start"
    | started -> started

/// Waits for its end; both streams are read at once, so that neither fills up.
let finish (started: Process) =
    let errors = started.StandardError.ReadToEndAsync()
    let output = started.StandardOutput.ReadToEnd()
    started.WaitForExit()

    { ExitCode = started.ExitCode; Output = output; Errors = errors.Result }

/// Starts the program, waits as long as `wait` does, and kills it unless it has ended by itself: by SIGKILL, as the kernel
/// would that has no memory left. Its exit code is then not 0.
let killed arguments (wait: Process -> unit) =
    use started = start AppContext.BaseDirectory arguments []
    wait started
    started.Kill()
    finish started

/// The build under test.
let folder = AppContext.BaseDirectory

/// As `start` and `finish`.
let runIn folder arguments environment = start folder arguments environment |> finish

/// As `runIn` on the build under test.
let run arguments environment = runIn folder arguments environment

/// A copy of the build that shares its files by symbolic links, for tests that change the folder; with no mended copy yet.
let withBuild (test: string -> unit) =
    Folder.temporary (fun target ->
        for file in Directory.GetFiles folder do
            let copy = Path.Combine(target, Path.GetRelativePath(folder, file))
            // dotnet resolves links of managed files and then calls their folder the program's.
            if file.EndsWith(".so", StringComparison.Ordinal) then
                File.CreateSymbolicLink(copy, file) |> ignore
            else
                File.Copy(file, copy)

        Directory.CreateSymbolicLink(Path.Combine(target, "libtorch"), Path.Combine(folder, "libtorch"))
        |> ignore

        test target)
