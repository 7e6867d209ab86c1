module Dwe.Tests.Host.Commands.DoctorTests

open System
open System.IO
open System.Text.Json
open Expecto
open Dwe.Host.Commands
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude

let private facts (run: DweProcess.Run) =
    try
        JsonDocument.Parse(run.Output).RootElement
    with :? JsonException ->
        failtest $"not JSON: {run.Output}{run.Errors}"

let private text (name: string) (facts: JsonElement) = string (facts.GetProperty(name).GetString())

let private names (name: string) (facts: JsonElement) =
    [ for file in facts.GetProperty(name).EnumerateArray() -> string (file.GetString()) ]

let private has (name: string) (facts: JsonElement) = fst (facts.TryGetProperty name)

let private sumOfThreeOnes (facts: JsonElement) = facts.GetProperty("sumOfThreeOnes").GetDouble()

[<Tests>]
let tests =
    Platform.onlyOnLinux
        "dwe doctor"
        [ test "a process of its own loads one libtorch, computes, and says what was mended" {
              let run = DweProcess.run [ "doctor"; "--json" ] []
              let found = facts run
              Expect.equal run.ExitCode 0 run.Errors
              Expect.equal (sumOfThreeOnes found) 3.0 "1 + 1 + 1"

              Expect.equal
                  (names "mappedFiles" found
                   |> List.filter (fun file -> file.EndsWith "libtorch_cpu.so")
                   |> List.length)
                  1
                  "one libtorch"

              Expect.equal
                  (names "mappedFiles" found |> List.filter _.Contains("libLibTorchSharp") |> List.length)
                  1
                  "one bridge"

              Expect.equal (text "glibcxxNeeded" found) "GLIBCXX_3.4.32" "needed"

              Expect.equal
                  (has "mendedCopy" found)
                  (System.Version.Parse((text "glibcxxOffered" found).Substring 8) < System.Version(3, 4, 32))
                  "mended exactly where the system is older"
          }

          test "two processes that mend at once both compute" {
              DweProcess.withBuild (fun build ->
                  let started = [ for _ in 1..2 -> DweProcess.start build [ "doctor"; "--json" ] [] ]
                  let finished = started |> List.map (DweProcess.finish >> facts)
                  Expect.equal (finished |> List.map sumOfThreeOnes) [ 3.0; 3.0 ] "both"
                  let mended = Path.Combine(build, "mended")

                  if Directory.Exists mended then
                      Expect.hasLength (Directory.GetFiles mended) 1 "one copy, no temporary file")
          }

          test "where the build folder takes no copy, the user's cache does" {
              DweProcess.withBuild (fun build ->
                  // A file where the folder would be: not even root can write below it.
                  File.WriteAllText(Path.Combine(build, "mended"), "")
                  let cache = Path.Combine(build, "cache")
                  let found = facts (DweProcess.runIn build [ "doctor"; "--json" ] [ "XDG_CACHE_HOME", cache ])
                  Expect.equal (sumOfThreeOnes found) 3.0 "1 + 1 + 1"

                  if has "mendedCopy" found then
                      Expect.equal
                          (Path.GetDirectoryName(text "mendedCopy" found))
                          (Path.Combine(cache, "dwe"))
                          "its folder")
          }

          test "another libtorch named by DWE_LIBTORCH replaces the program's own" {
              Folder.temporary (fun folder ->
                  for file in Directory.GetFiles NativeSetup.report.LibraryFolder do
                      File.Copy(file, Path.Combine(folder, FileInfo(file).Name))

                  let run = DweProcess.run [ "doctor"; "--json" ] [ "DWE_LIBTORCH", folder ]
                  Expect.equal run.ExitCode 0 run.Errors
                  let found = facts run
                  Expect.equal (sumOfThreeOnes found) 3.0 "1 + 1 + 1"
                  let mapped = names "mappedFiles" found |> List.filter (fun file -> file.EndsWith "libtorch_cpu.so")
                  Expect.equal mapped [ Path.Combine(folder, "libtorch_cpu.so") ] "the named one alone")
          }

          test "a libtorch that does not load is reported in the loader's words, with exit code 1" {
              Folder.temporary (fun folder ->
                  for name in [ "c10"; "torch_cpu"; "torch" ] do
                      File.WriteAllText(Path.Combine(folder, $"lib{name}.so"), "no library")

                  let run = DweProcess.run [ "doctor"; "--json" ] [ "DWE_LIBTORCH", folder ]
                  let found = facts run
                  Expect.equal run.ExitCode 1 "the exit code"
                  Expect.stringContains (text "error" found) "libc10.so: file too short" "dlopen's words"
                  Expect.isFalse (has "sumOfThreeOnes" found) "nothing is computed"

                  let table = DweProcess.run [ "doctor" ] [ "DWE_LIBTORCH", folder ]
                  Expect.equal table.ExitCode 1 "the table's exit code"
                  Expect.stringContains table.Output "file too short" "the table says it too")
          }

          test "a folder without libtorch is reported, with exit code 1" {
              Folder.temporary (fun folder ->
                  let run = DweProcess.run [ "doctor"; "--json" ] [ "DWE_LIBTORCH", folder ]
                  Expect.equal run.ExitCode 1 "the exit code"
                  Expect.stringContains (text "error" (facts run)) "libc10.so: not found" "what is missing")
          }

          test "an unknown device is reported, and the rest is shown all the same" {
              let output = new StringWriter()
              let exitCode = DoctorCommand.Run(true, "gpu", null, output)
              let found = JsonDocument.Parse(output.ToString()).RootElement
              Expect.equal exitCode 1 "the exit code"
              Expect.stringContains (text "error" found) "auto, cpu or cuda" "the message"
              Expect.equal (sumOfThreeOnes found) 3.0 "libtorch works"
          }

          test "the table names what matters" {
              let output = new StringWriter()
              Expect.equal (DoctorCommand.Run(false, "cpu", null, output)) 0 "the exit code"

              for part in [ "TorchSharp"; "0.107.0"; "ONNX Runtime"; "libtorch threads"; "mended"; "All works." ] do
                  Expect.stringContains (output.ToString()) part "the table"
          } ]
