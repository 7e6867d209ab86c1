module Dwe.Tests.Host.Data.FuzzTests

open System
open System.Diagnostics
open System.IO
open System.Text
open Dwe.Host.Data
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

/// Mutations of each format's files, over all of its files together.
let private mutations = 10_000

/// Bytes that mean something to a reader, and things that must not be believed.
let private pieces =
    [| "\""
       "\\"
       "{"
       "}"
       "["
       "]"
       ","
       ":"
       "\n"
       "\r"
       "null"
       "true"
       "-1"
       "1e999"
       "\\ud800"
       "\\u0000"
       "[SEP]."
       "@@@@"
       "[AND]"
       "%"
       "%zz"
       "https://en.wikipedia.org/wiki/"
       "nil"
       "c"
       "../"
       "\u0000"
       "\uFEFF"
       "99999999999999999999"
       String('[', 100)
       "|"
       "Q7"
       "{\"id\": \"Q7\"}" |]
    |> Array.map Encoding.UTF8.GetBytes

/// One to three changes: a byte, a piece put in, a stretch taken out, doubled or moved, or the end cut off.
let private mutate (random: SeededRandom) (original: byte[]) =
    let change (bytes: byte[]) =
        let at = random.Next(bytes.Length + 1)
        let length = random.Next(min 40 (bytes.Length - at) + 1)
        let before, stretch, after = bytes[.. at - 1], bytes[at .. at + length - 1], bytes[at + length ..]

        match random.Next 7 with
        | 0 when at < bytes.Length ->
            let changed = Array.copy bytes
            changed[at] <- byte (random.Next 256)
            changed
        | 1
        | 2 -> Array.concat [ before; pieces[random.Next pieces.Length]; stretch; after ]
        | 3 -> Array.concat [ before; after ]
        | 4 -> Array.concat [ before; stretch; stretch; after ]
        | 5 -> Array.concat [ before; after; stretch ]
        | _ -> before

    Seq.init (1 + random.Next 3) id |> Seq.fold (fun bytes _ -> change bytes) original

/// The names in a folder below it.
let private names folder = [ for file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories) -> file ]

/// Reads a folder again and again with one file changed; tells how many readings were refused.
let private fuzz format (files: SmallData.Files) =
    let mutable refused = 0

    Folder.temporary (fun folder ->
        SmallData.write folder files
        let random = SeededRandom(Seed.derive 3L format 0L)
        let originals = [| for file in names folder -> file, File.ReadAllBytes file |]
        let clock = Stopwatch()

        for number in 1..mutations do
            let file, original = originals[random.Next originals.Length]
            let changed = mutate random original
            File.WriteAllBytes(file, changed)
            clock.Restart()

            try
                try
                    let dataset = DatasetReaders.Read(folder, format)
                    let ids = dataset.Entities |> Seq.map _.Id |> Seq.distinct |> Seq.length

                    if ids <> dataset.Entities.Count then
                        failtest $"mutation {number}: an id twice"

                    for split in dataset.Mentions do
                        let keys = split.Value |> Seq.map _.Key |> Seq.distinct |> Seq.length

                        if keys <> split.Value.Count then
                            failtest $"mutation {number}: a key twice"
                with
                | :? UserErrorException as error ->
                    refused <- refused + 1

                    if not (error.Message.Contains(folder + "/")) then
                        failtest $"mutation {number} of {file}: no file is named: {error.Message}"
                | :? AssertException -> reraise ()
                | error ->
                    failtest $"mutation {number} of {file}: {error}\n{Convert.ToBase64String changed}"
            finally
                File.WriteAllBytes(file, original)

            if clock.Elapsed.TotalMinutes > 3.0 then
                failtest $"mutation {number} of {file} took {clock.Elapsed}")

    refused

[<Tests>]
let tests =
    testList
        "Damaged files"
        [ for name, format, files in SmallData.all do
              testCase $"{name}: every damage ends in an error that names the file, or in a reading"
              <| fun () ->
                  let refused = fuzz format files

                  // Neither reading everything nor refusing everything would show that the files were read.
                  Expect.isGreaterThan refused (mutations / 10) "refused"
                  Expect.isLessThan refused (mutations * 99 / 100) "read" ]
