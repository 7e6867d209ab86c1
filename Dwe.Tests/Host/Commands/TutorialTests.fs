/// docs/tutorial.md, run as a reader would: its files are written, its commands run, and what it shows is what comes out.
module Dwe.Tests.Host.Commands.TutorialTests

open System
open System.Diagnostics
open System.Globalization
open System.IO
open System.Net
open System.Net.Sockets
open System.Text.RegularExpressions
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude

/// What stands between two fences of the page.
type private Block =
    | WrittenTo of file: string * text: string
    | Commands of string
    | Shown of string list

let private blocks (page: string) =
    [ for block in Regex.Matches(page, @"^```([^\n]*)\n(.*?)^```$", RegexOptions.Multiline ||| RegexOptions.Singleline) do
          let text = block.Groups[2].Value

          match block.Groups[1].Value.Split ' ' with
          | [| "sh" |] -> Commands text
          | [| "text" |] -> Shown(List.ofArray (text.TrimEnd().Split '\n'))
          | [| _; file |] -> WrittenTo(file, text)
          | other -> failtest $"a block of a kind that nobody runs: {String.Join(' ', other)}" ]

/// What the page asks for by its default.
let private port = "8080"

let private freePort () =
    use listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start()
    string (listener.LocalEndpoint :?> IPEndPoint).Port

let private mark = "=== the next commands ==="

/// The output of each block of commands, both streams together; all of them in one shell, which ends at the first that fails.
let private outputs (folder: string) (commands: string list) =
    let program = Path.Combine(folder, ".bin", "dwe")
    Directory.CreateDirectory(string (Path.GetDirectoryName program)) |> ignore
    File.WriteAllText(program, $"#!/bin/sh\nexec dotnet '{DweProcess.folder}dwe.dll' \"$@\"\n")

    File.SetUnixFileMode(program, UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute)

    let stopped = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
    let parts = [ for block in commands -> $"echo '{mark}'\n{block}" ]
    let script = $"set -e\nexec 2>&1\n{stopped}" + String.concat "" parts

    let info =
        ProcessStartInfo("bash", [ "-c"; script ], RedirectStandardOutput = true, WorkingDirectory = folder)

    info.Environment["PATH"] <- Path.Combine(folder, ".bin") + ":" + info.Environment["PATH"]
    info.Environment.Remove "DWE_LIBTORCH" |> ignore

    match Process.Start info with
    | null -> failtest "bash did not start"
    | started ->
        use started = started
        let output = started.StandardOutput.ReadToEnd()
        started.WaitForExit()
        Expect.equal started.ExitCode 0 output
        output.Split mark |> List.ofArray |> List.tail

/// How far a number with a point may be from what is shown: processors round differently.
let private tolerance = 0.02

let private number = @"(-?\d+\.\d+)"

/// Whether a line is the one that is shown, in which `...` stands for anything.
let private isShown (shown: string) (line: string) =
    let numbers = [ for found in Regex.Matches(shown, number) -> found.Value ]

    let pattern =
        Regex.Split(shown.Trim(), number)
        |> Array.map (fun part ->
            if Regex.IsMatch(part, $"^{number}$") then
                number
            else
                Regex.Escape(part).Replace(@"\.\.\.", ".*"))
        |> String.concat ""

    let found = Regex.Match(line.Trim(), $"^{pattern}$")
    let value (text: string) = Double.Parse(text, CultureInfo.InvariantCulture)

    found.Success
    && List.indexed numbers
       |> List.forall (fun (at, shown) -> abs (value shown - value found.Groups[at + 1].Value) <= tolerance)

/// Every line that is shown, in its order; others may stand between them.
let private isIn (output: string) (shown: string list) =
    let follow (rest: string list) line =
        match List.tryFindIndex (isShown line) rest with
        | Some at -> List.skip (at + 1) rest
        | None -> failtest $"the tutorial shows\n{line}\nand this came out:\n{output}"

    List.fold follow (List.ofArray (output.Split '\n')) shown |> ignore

[<Tests>]
let tests =
    Platform.onlyOnUnix
        "docs/tutorial.md (slow: some fifteen processes)"
        [ testCase "does what it says, from a CSV to a service that is stopped"
          <| fun () ->
              if not (File.Exists "/usr/bin/curl") then
                  skiptest "no curl here"

              SharedWeights.withSentenceEncoder () |> ignore
              let page = File.ReadAllText(Path.Combine(Fixtures.repository, "docs", "tutorial.md"))
              let page = page.Replace(port, freePort ())

              Folder.temporary (fun folder ->
                  let found = blocks page

                  for block in found do
                      match block with
                      | WrittenTo(file, text) ->
                          let path = Path.Combine(folder, file)
                          Directory.CreateDirectory(string (Path.GetDirectoryName path)) |> ignore
                          File.WriteAllText(path, text)
                      | _ -> ()

                  let ofCommands =
                      outputs
                          folder
                          (found
                           |> List.choose (function
                               | Commands text -> Some text
                               | _ -> None))

                  // What is shown belongs to the commands before it.
                  let mutable at = -1

                  for block in found do
                      match block with
                      | Commands _ -> at <- at + 1
                      | Shown lines -> isIn ofCommands[at] lines
                      | WrittenTo _ -> ()

                  Expect.equal (List.length ofCommands) (at + 1) "as many outputs as blocks of commands")

          testCase "a line is what is shown but for `...` and the last digits of its numbers"
          <| fun () ->
              Expect.isTrue (isShown "made in ... s, score 1.50" "made in 0.31 s, score 1.51") "alike"
              Expect.isFalse (isShown "made in ... s, score 1.50" "made in 0.31 s, score 1.59") "another number"
              Expect.isFalse (isShown "2 added" "12 added") "other words" ]
