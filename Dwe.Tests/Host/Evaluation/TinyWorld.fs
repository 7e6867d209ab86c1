/// Data sets of a handful of entities in the plane, with vectors given by hand.
module Dwe.Tests.Host.Evaluation.TinyWorld

open System
open System.Collections.Generic
open System.IO
open System.Text.Json
open Dwe.Host.Data
open Dwe.Host.Features
open Dwe.Host.Training

type World =
    {
        /// Id and vector.
        Entities: (string * float32 list) list
        /// Key, text, answer ("" = unlabelled, "nil" = NIL).
        Dev: (string * string * string) list
        /// Key in `search_top100.json`, ids.
        Candidates: (string * string list) list
    }

let private write (folder: string) name value =
    File.WriteAllText(Path.Combine(folder, name), JsonSerializer.Serialize(value: obj))

let private records (mentions: (string * string * string) list) =
    dict
        [ for key, text, answer in mentions ->
              key, dict [ "sentence", $"This is {text}."; "mentions", text; "answer", answer ] ]

/// The train split: one mention for every entity.
let private training world = world.Entities |> List.map (fun (id, _) -> $"t-{id}", $"Name of {id}", id)

/// Writes a WikiMEL folder.
let writeData (folder: string) (world: World) =
    Directory.CreateDirectory folder |> ignore
    write folder "train.json" (records (training world))
    write folder "dev.json" (records world.Dev)
    write folder "qids_ordered.json" (world.Entities |> List.map fst)
    write folder "property.json" (dict [ for id, _ in world.Entities -> id, $"{id} [SEP]. It is {id}." ])
    write folder "search_top100.json" (dict world.Candidates)

let private noKeys rows = Array.create rows (ContentKey(0L, 0L))

/// Writes the store of a WikiMEL folder: tables with their rows, and per kind the vectors.
let writeStore
    (folder: string)
    (data: string)
    (tables: (string * string list * (string * float32 list list) list) list)
    =
    use writer = new FeatureStoreWriter(folder)

    for table, rows, kinds in tables do
        writer.Table(table, Array.ofList rows, SortedDictionary())

        for kind, vectors in kinds do
            let vectors = vectors |> List.map Array.ofList |> Array.ofList

            writer.Dense(
                table,
                kind,
                "by-hand",
                vectors[0].Length,
                noKeys vectors.Length,
                null,
                FillRow(fun row vector -> vectors[row].AsSpan().CopyTo vector)
            )

    writer.Commit(
        FeatureManifest(
            Format = 1,
            Dataset = "WikiMEL",
            DatasetHash = (DatasetReaders.Read data).ContentHash,
            Preprocessing = "text-1",
            EntityText = "{property}",
            Tables = writer.Tables
        )
    )

/// The tables of a world: mentions are all encoded as (1, 2).
let tables (world: World) =
    let mentions name rows =
        let vectors = rows |> List.map (fun _ -> [ 1f; 2f ])
        name, rows |> List.map (fun (key, _, _) -> key), [ "mention", vectors; "text", vectors ]

    [ mentions "train" (training world)
      mentions "dev" world.Dev
      "entities", List.map fst world.Entities, [ "text", List.map snd world.Entities ] ]

/// Writes both into `data` and `store` below the folder.
let writeBoth (folder: string) (world: World) =
    let data, store = Path.Combine(folder, "data"), Path.Combine(folder, "store")
    writeData data world
    writeStore store data (tables world)
    data, store

let openBoth folder world =
    let data, store = writeBoth folder world
    RunData.Open(data, store)
