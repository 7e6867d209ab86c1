module Dwe.Tests.Host.Native.MendTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open Dwe.Host.Native
open Dwe.Model.Domain
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude

let private original = Path.Combine(DweProcess.folder, "libLibTorchSharp.so")
let private oldSystem = [| "GLIBCXX_3.4"; "GLIBCXX_3.4.9"; "GLIBCXX_3.4.30" |]
let private newSystem = [| "GLIBCXX_3.4.30"; "GLIBCXX_3.4.31"; "GLIBCXX_3.4.32" |]

let private bytes = lazy (File.ReadAllBytes original)

let private mended () =
    match LibTorchSharpMend.Mend(original, bytes.Value) with
    | null -> failtest "the original needs no mending"
    | mended -> mended

/// Reads everything the mend reads: "read", "refused", or the name of an exception that is no UserError.
let private outcome (content: byte[]) =
    try
        LibTorchSharpMend.Mend("forged.so", content) |> ignore
        ElfImage.Parse("forged.so", content).DefinedVersions() |> ignore
        "read"
    with
    | :? UserErrorException -> "refused"
    | other -> other.GetType().Name

let private refusal (content: byte[]) =
    try
        ElfImage.Parse("some.so", content).DynamicSymbols() |> Seq.length |> ignore
        "read"
    with :? UserErrorException as problem ->
        problem.Message

[<Tests>]
let tests =
    Platform.onlyOnLinux
        "mending libLibTorchSharp"
        [ test "the original insists on GLIBCXX_3.4.32 for one symbol" {
              let image = ElfImage.Parse(original, bytes.Value)

              let version =
                  image.NeededVersions() |> Seq.filter (fun v -> v.Name = "GLIBCXX_3.4.32") |> Seq.exactlyOne

              Expect.equal version.Library "libstdc++.so.6" "who must offer it"
              Expect.equal version.Flags 0us "not weak"

              Expect.equal
                  [ for symbol in image.DynamicSymbols() do
                        if symbol.VersionIndex = version.Index then
                            symbol.Name ]
                  [ "_ZSt21ios_base_library_initv" ]
                  "its only user"
          }

          test "the mended copy is weak on the version and calls rand instead" {
              let image = ElfImage.Parse("mended", mended ())

              let version =
                  image.NeededVersions() |> Seq.filter (fun v -> v.Name = "GLIBCXX_3.4.32") |> Seq.exactlyOne

              let rand = image.DynamicSymbols() |> Seq.filter (fun symbol -> symbol.Name = "rand") |> Seq.exactlyOne

              Expect.equal version.Flags 2us "weak"
              Expect.isTrue rand.IsUndefined "found in libc"
              Expect.equal rand.VersionIndex 1us "of any version"
          }

          test "mending changes at most eight bytes and leaves its input alone" {
              let before = Array.copy bytes.Value
              let changed = Seq.zip bytes.Value (mended ()) |> Seq.filter (fun (a, b) -> a <> b) |> Seq.length
              Expect.isTrue (changed >= 3 && changed <= 8) $"{changed} bytes changed"
              Expect.equal bytes.Value before "the input"
          }

          test "what is mended needs no mending" {
              Expect.isNull (LibTorchSharpMend.Mend("mended", mended ())) "a second time"
          }

          test "a system whose libstdc++ is new enough is left alone" {
              Folder.temporary (fun folder ->
                  let chosen = MendedCopy.Choose(original, newSystem, [ folder ])
                  Expect.equal chosen.Path original "the original is loaded"
                  Expect.isFalse chosen.IsMended "not mended"
                  Expect.equal chosen.GlibcxxOffered "GLIBCXX_3.4.32" "offered"
                  Expect.isEmpty (Directory.GetFileSystemEntries folder) "nothing is written")
          }

          test "a system with an unknown libstdc++ is left alone" {
              Folder.temporary (fun folder ->
                  Expect.equal (MendedCopy.Choose(original, [||], [ folder ]).Path) original "the original"
                  Expect.isEmpty (Directory.GetFileSystemEntries folder) "nothing is written")
          }

          test "an old system gets a copy named after the original's hash, which is used again" {
              Folder.temporary (fun folder ->
                  let first = MendedCopy.Choose(original, oldSystem, [ folder ])
                  let written = File.GetLastWriteTimeUtc first.Path
                  let second = MendedCopy.Choose(original, oldSystem, [ folder ])
                  Expect.isTrue first.IsMended "mended"
                  Expect.equal first.GlibcxxNeeded "GLIBCXX_3.4.32" "needed"
                  Expect.equal first.GlibcxxOffered "GLIBCXX_3.4.30" "offered: 30 is newer than 9"
                  Expect.equal second first "the same choice"
                  Expect.equal (File.GetLastWriteTimeUtc second.Path) written "not written again"
                  Expect.equal (File.ReadAllBytes first.Path) (mended ()) "its content"
                  Expect.equal (Directory.GetFileSystemEntries folder) [| first.Path |] "no temporary file is left")
          }

          test "a changed original is mended anew, a spoilt copy is replaced" {
              Folder.temporary (fun folder ->
                  let changed = Path.Combine(folder, "libLibTorchSharp.so")
                  File.WriteAllBytes(changed, Array.append bytes.Value [| 0uy |])
                  let first = MendedCopy.Choose(original, oldSystem, [ folder ])
                  let other = MendedCopy.Choose(changed, oldSystem, [ folder ])
                  Expect.notEqual other.Path first.Path "another hash, another name"
                  File.WriteAllBytes(first.Path, [| 1uy |])
                  MendedCopy.Choose(original, oldSystem, [ folder ]) |> ignore
                  Expect.equal (File.ReadAllBytes first.Path) (mended ()) "whole again")
          }

          test "a folder that cannot be written is passed over" {
              Folder.temporary (fun folder ->
                  // Below a file, and in /proc: nobody, root included, can make a folder there.
                  let file = Path.Combine(folder, "file")
                  File.WriteAllText(file, "")
                  let cache = Path.Combine(folder, "cache")

                  let chosen =
                      MendedCopy.Choose(original, oldSystem, [ Path.Combine(file, "mended"); "/proc/mended"; cache ])

                  Expect.equal (Path.GetDirectoryName chosen.Path) cache "the first that can be written")
          }

          test "where no folder can be written the error names them" {
              let problem =
                  Expect.throwsC
                      (fun () -> MendedCopy.Choose(original, oldSystem, [ "/proc/a"; "/proc/b" ]) |> ignore)
                      id

              Expect.isTrue (problem :? UserErrorException) (problem.GetType().Name)

              for part in [ "/proc/a"; "/proc/b"; "GLIBCXX_3.4.32"; "XDG_CACHE_HOME" ] do
                  Expect.stringContains problem.Message part "the message"
          }

          test "sixteen writers at once leave one whole file" {
              Folder.temporary (fun folder ->
                  let choices =
                      Task.WhenAll
                          [ for _ in 1..16 -> Task.Run(fun () -> MendedCopy.Choose(original, oldSystem, [ folder ])) ]

                  let paths = choices.Result |> Array.map _.Path |> Array.distinct
                  Expect.equal (Directory.GetFiles folder) paths "one path, nothing beside it"
                  Expect.equal (File.ReadAllBytes paths[0]) (mended ()) "its content")
          }

          test "the system's libstdc++ defines the versions up to its own" {
              let versions = SystemLibrary.StandardLibraryVersions()
              Expect.contains versions "GLIBCXX_3.4" "the first of all"
              Expect.contains versions "CXXABI_1.3" "the other series"
          }

          test "the newest GLIBCXX is chosen by number, not by letter" {
              Expect.equal
                  (MendedCopy.NewestGlibcxx [ "GLIBCXX_3.4.9"; "GLIBCXX_3.4.30"; "CXXABI_9.9"; "GLIBCXX_LDBL_3.4" ])
                  "GLIBCXX_3.4.30"
                  "30 > 9"

              Expect.isNull (MendedCopy.NewestGlibcxx [ "CXXABI_1.3" ]) "none"
          }

          test "what is no 64-bit little-endian ELF is refused in words" {
              let changed position value =
                  let copy = Array.copy bytes.Value
                  copy[position] <- value
                  copy

              Expect.stringContains (refusal (Array.zeroCreate 10)) "found 10 bytes" "too short"
              Expect.stringContains (refusal (Array.replicate 100 65uy)) "found 41414141" "text"
              Expect.stringContains (refusal (changed 4 1uy)) "class 1" "32-bit"
              Expect.stringContains (refusal (changed 5 2uy)) "byte order 2" "big-endian"
              Expect.stringContains (refusal bytes.Value[..99999]) "section headers" "cut short"
              Expect.equal (refusal bytes.Value) "read" "the original"
          }

          test "a thousand forged headers and tables are read or refused, never followed out of the file" {
              let random = Random 17
              let size = bytes.Value.Length
              let sectionHeaders = int (BitConverter.ToUInt64(bytes.Value, 40))

              // What the reader follows: the file header, the section headers, and the tables before the code.
              let targets = [| 0, 64; sectionHeaders, size - sectionHeaders; 0x270, 0x40000; 0x3df00, 0x1d00 |]

              let outcomes =
                  [ for case in 1..1000 do
                        let copy = Array.copy bytes.Value
                        let start, length = targets[case % targets.Length]

                        for _ in 1 .. 1 + random.Next 8 do
                            copy[start + random.Next length] <- byte (random.Next 256)

                        let cut = if case % 5 = 0 then random.Next size else size
                        outcome copy[.. cut - 1] ]
                  |> List.countBy id
                  |> Map.ofList

              Expect.equal (Map.keys outcomes |> List.ofSeq) [ "read"; "refused" ] "no other exception"
              Expect.isGreaterThan outcomes["refused"] 200 "the forgeries matter"
          }

          test "a chain of versions that points back or overlaps is refused" {
              let image = ElfImage.Parse(original, bytes.Value)
              let first = image.NeededVersions()[0]
              let copy = Array.copy bytes.Value
              // vna_next of the first entry: eight bytes after its flags.
              BitConverter.GetBytes(1u).CopyTo(copy, first.FlagsOffset + 8)

              Expect.throwsT<UserErrorException>
                  (fun () -> ElfImage.Parse("forged", copy).NeededVersions() |> ignore)
                  "a step of one byte"
          } ]
