module Dwe.Tests.Host.Data.StreamingTests

open System
open System.IO
open System.Text
open Dwe.Host.Data
open Dwe.Tests.Benchmarks
open Dwe.Tests.Prelude
open Expecto

let private withFile (bytes: byte[]) test =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "entities.jsonl")
        File.WriteAllBytes(path, bytes)
        test path)

let private ids path = [ for entity in JsonLines.ReadEntities path -> entity.Id ]

[<Tests>]
let tests =
    testList
        "JSON Lines"
        [ testCase "lines end with either line break, the last one with none, and empty ones are passed over"
          <| fun () ->
              let text = "\uFEFF{\"id\": \"a\"}\r\n\r\n  \n{\"id\": \"b\"}\n\n{\"id\": \"c\"}"
              withFile (Encoding.UTF8.GetBytes text) (fun path -> Expect.equal (ids path) [ "a"; "b"; "c" ] "ids")

          testCase "a line longer than the buffer is read whole, whatever stands before and behind it"
          <| fun () ->
              let long = String('x', 3_000_000)
              let text = $"{{\"id\": \"a\"}}\n{{\"id\": \"b\", \"name\": \"{long}\"}}\n{{\"id\": \"c\"}}\n"

              withFile (Encoding.UTF8.GetBytes text) (fun path ->
                  Expect.equal
                      [ for entity in JsonLines.ReadEntities path -> entity.Id, entity.Name.Length ]
                      [ "a", 1; "b", 3_000_000; "c", 1 ]
                      "lengths")

          testCase "a file without line breaks is refused before it fills the memory"
          <| fun () ->
              withFile (Array.create ((64 <<< 20) + 1) (byte ' ')) (fun path ->
                  (fun () -> ids path |> ignore)
                  |> Refusal.isSpelled $"{path}: line 1: found a line longer than 64 MB, expected one record a line.")

          testCase "the generated knowledge base streams: each entity once, in order, in little memory"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "many.jsonl")
                  EntityStream.generate path 200_000L
                  let mutable number = 0

                  for entity in JsonLines.ReadEntities path do
                      if entity.Id <> $"Q{number}" || entity.Fields["description"].Length < 60 then
                          failtest $"entity {number} is {entity}"

                      number <- number + 1

                  Expect.equal number 200_000 "entities"
                  let measured = EntityStream.measure path
                  Expect.equal measured.Entities 200_000L "measured entities") ]
