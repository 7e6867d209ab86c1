module Dwe.Tests.Host.Native.LoadingTests

open System
open System.IO
open Expecto
open TorchSharp
open Dwe.Host.Native
open Dwe.Model.Domain
open Dwe.Tests.Host.Native
open Dwe.Model.Tensors
open Dwe.Tests.Prelude

let private message (action: unit -> unit) =
    try
        action ()
        "nothing was refused"
    with :? UserErrorException as problem ->
        problem.Message

let private mapped name = SystemLibrary.MappedFiles name |> Seq.toList

// Made when this file initialises, which is before `main`.
let private early = torch.ones 3L

[<Tests>]
let devices =
    testList
        "the choice of device"
        [ test "auto takes CUDA where there is one, else the CPU" {
              Expect.equal (DeviceChoice.Resolve("auto", fun () -> true).``type``) DeviceType.CUDA "there is one"
              Expect.equal (DeviceChoice.Resolve("auto", fun () -> false).``type``) DeviceType.CPU "there is none"
          }

          test "cpu is the CPU even where there is CUDA" {
              Expect.equal (DeviceChoice.Resolve("cpu", fun () -> true).``type``) DeviceType.CPU "asked for"
          }

          test "cuda without CUDA says what to do" {
              let refused = message (fun () -> DeviceChoice.Resolve("cuda", fun () -> false) |> ignore)
              Expect.stringContains refused "-p:LibTorch=cuda" "one way"
              Expect.stringContains refused "DWE_LIBTORCH" "another"
          }

          test "another word is refused with the known ones" {
              let refused = message (fun () -> DeviceChoice.Resolve("gpu", fun () -> true) |> ignore)
              Expect.stringContains refused "--device is 'gpu', expected auto, cpu or cuda" "the message"
          } ]

[<Tests>]
let loading =
    Platform.onlyOnLinux
        "loading the native libraries"
        [ test "the test process holds one libtorch and one bridge" {
              Expect.hasLength (mapped "libtorch_cpu") 1 "libtorch_cpu"
              Expect.hasLength (mapped "libLibTorchSharp") 1 "libLibTorchSharp"
              let files = NativeSetup.report.LoadedFiles |> Seq.map Path.GetFileName |> Seq.truncate 3 |> Seq.toList
              Expect.equal files [ "libc10.so"; "libtorch_cpu.so"; "libtorch.so" ] "in order of dependence"
          }

          test "a tensor made before main is computed with" {
              Expect.equal (Numbers.value (early.sum ())) 3.0 "1 + 1 + 1"
          }

          test "asking again, from many threads, gives the same report" {
              let reports = Array.Parallel.init 32 (fun _ -> NativeLibraries.EnsureLoaded())

              Expect.allEqual
                  (reports |> Array.map (fun report -> obj.ReferenceEquals(report, NativeSetup.report)))
                  true
                  "one"
          }

          test "asking for another folder afterwards is refused, for the same one not" {
              let own = NativeSetup.report.LibraryFolder
              Expect.equal (NativeLibraries.EnsureLoaded own) NativeSetup.report "the same"
              let refused = message (fun () -> NativeLibraries.EnsureLoaded "/elsewhere" |> ignore)
              Expect.stringContains refused "loaded from" "the message"
          }

          test "a folder that is absent or lacks libtorch_cpu is refused by name" {
              Folder.temporary (fun folder ->
                  let absent = Path.Combine(folder, "absent")

                  Expect.stringContains
                      (message (fun () -> NativeLibraries.RequireFolder absent |> ignore))
                      absent
                      "absent"

                  File.WriteAllText(Path.Combine(folder, "libc10.so"), "")
                  let refused = message (fun () -> NativeLibraries.RequireFolder folder |> ignore)
                  Expect.stringContains refused "libtorch_cpu.so: not found" "what is missing")
          }

          test "glibc takes the memory options" {
              let isGlibc = File.Exists "/lib/x86_64-linux-gnu/libc.so.6" || File.Exists "/lib64/libc.so.6"

              if not isGlibc then
                  skiptest "no glibc here"

              Expect.isTrue (GlibcAllocator.Tune()) "all three"
          } ]
