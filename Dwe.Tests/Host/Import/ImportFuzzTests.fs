/// Ten thousand damaged copies of each small file: read correctly, or refused by name; nothing else.
module Dwe.Tests.Host.Import.ImportFuzzTests

open System
open System.Collections.Generic
open System.IO
open Dwe.Host.Import
open Dwe.Host.Import.Pickle
open Dwe.Model.Domain
open Dwe.Tests.Host.Import.PickleBytes
open Dwe.Tests.Prelude
open Expecto

let private runs = 10_000
let private mostAllocated = 64_000_000L

/// Bytes, lengths and tails, changed at one to four places of the first `reach` bytes.
let private mutate (random: SeededRandom) reach (original: byte[]) =
    let mutable bytes = Array.copy original

    let wide =
        [| 0L
           1L
           -1L
           0x7fffffffL
           0xffffffffL
           Int64.MaxValue
           Int64.MinValue
           0x10000L
           int64 original.Length |]

    for _ in 0 .. random.Next(4) do
        let at = random.Next(max 1 (min reach bytes.Length))

        match random.Next(9) with
        | 0
        | 1
        | 2 when bytes.Length > 0 -> bytes[at] <- byte (random.Next(256))
        | 3 when bytes.Length > 0 -> bytes[at] <- bytes[at] ^^^ (1uy <<< random.Next(8))
        | 4 when bytes.Length >= 8 ->
            let size = 1 <<< random.Next(4)
            let at = min at (bytes.Length - size)
            let value: int64 = wide[random.Next wide.Length]
            Array.blit (BitConverter.GetBytes value) 0 bytes at size
        | 5 -> bytes <- bytes[.. at - 1]
        | 6 ->
            bytes <-
                Array.concat
                    [ bytes[.. at - 1]; Array.init (1 + random.Next 8) (fun _ -> byte (random.Next(256))); bytes[at..] ]
        | 7 -> bytes <- Array.append bytes[.. at - 1] bytes[min bytes.Length (at + 1 + random.Next 16) ..]
        | _ ->
            let from = random.Next(max 1 (min reach bytes.Length))
            let piece = bytes[from .. min (bytes.Length - 1) (from + random.Next 32)]
            let room = min piece.Length (bytes.Length - at)

            if room > 0 then
                Array.Copy(piece, 0, bytes, at, room)

    bytes

/// How many were refused; the test fails at anything that is neither read nor refused by the file's name.
let private survive name reach (original: byte[]) (read: string -> unit) =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "damaged")
        let random = SeededRandom(Seed.derive 7L name 0L)
        let mutable refused, accepted = 0, 0

        for run in 1..runs do
            File.WriteAllBytes(path, mutate random reach original)
            let before = GC.GetAllocatedBytesForCurrentThread()

            try
                read path
                accepted <- accepted + 1
            with
            | :? UserErrorException as error when error.Message.Contains path -> refused <- refused + 1
            | other -> failtest $"{name}, mutation {run}: {other}"

            let allocated = GC.GetAllocatedBytesForCurrentThread() - before

            if allocated > mostAllocated then
                failtest $"{name}, mutation {run}: {allocated} bytes"

        // Both ends are seen, or the mutations miss what they are to damage.
        Expect.isGreaterThan refused (runs / 20) "refused"
        Expect.isGreaterThan accepted 0 "read")

let private bytesOf (save: string -> unit) =
    let mutable bytes = [||]

    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "whole")
        save path
        bytes <- File.ReadAllBytes path)

    bytes

/// Two records with everything that a cache of DWE holds.
let private cache save path =
    let record key =
        Object(
            Global("prepare_wikipedia", "InputFeatures"),
            [ "key_id", Text key
              "mentions", Text "Ann"
              "answer_id", Text "Q1"
              "text_feature", Tuple [ tensor "0" [ 1L; 2L ] ]
              "segement_feature", tensorOf (storage "FloatStorage" "1" 6L) 1L [ 2L; 2L ] [ 1L; 2L ]
              "half", tensorOf (storage "HalfStorage" "2" 2L) 0L [ 2L ] [ 1L ] ]
        )

    save path (List [ record "0-0"; record "1-0" ]) [ "0", [ 1f; 2f ]; "1", [ 1f .. 6f ] ]

let private format = ImportFormat.All[0]

let private readCache path =
    use cached = CachedFeatures.Open(path, format)

    for record in cached.Records do
        for field in [ "text_feature"; "segement_feature" ] do
            cached.Rows(record, field) |> ignore

let private readTensors objects path =
    use file = TorchFile.Open(path, objects)

    for struct (_, tensor) in file.Tensors() do
        tensor.ToSingles() |> ignore

[<Tests>]
let tests =
    testList
        "damaged files are read or refused by name"
        [ testCase "caches in archives"
          <| fun () -> survive "archive" Int32.MaxValue (bytesOf (cache save)) readCache

          testCase "caches in the old stream"
          <| fun () ->
              let plain path root storages = saveLegacy path root (storages @ [ "2", [ 1f ] ])
              // The half storage has two elements in one float's bytes: its count is put right.
              let bytes = bytesOf (cache plain)
              BitConverter.GetBytes(2L).CopyTo(bytes, bytes.Length - 12)
              survive "stream" Int32.MaxValue bytes readCache

          testCase "views of a shared storage"
          <| fun () ->
              let path = Fixtures.required "fixtures/reference/formats/variants/shared_storage_views.pt"
              survive "views" Int32.MaxValue (File.ReadAllBytes path) (readTensors TorchObjects.Script)

          testCase "HDF5 as h5py writes it"
          <| fun () ->
              let path = Fixtures.required "fixtures/reference/formats/wikiperson/profile.h5"
              let bytes = File.ReadAllBytes path
              // What stands before the matrix: signature, groups, the data set's description.
              let header = bytes.Length - 13 * 512 * 4
              survive "h5" header bytes (fun path -> Hdf5Features.Read path |> ignore) ]
