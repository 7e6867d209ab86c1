/// Small knowledge bases: entities as F# values, and a feed of them.
module Dwe.Tests.Host.KnowledgeBases.SmallBase

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Dwe.Host.Features.Text
open Dwe.Host.KnowledgeBases
open Dwe.Model.Domain
open Dwe.Tests.Host.Features

/// An entity with one description; "" for none.
let entity id name brief : Entity =
    { Id = id
      Name = name
      Aliases = [||]
      Type = ""
      Fields =
        Dictionary(
            dict
                [ if brief <> "" then
                      "brief", brief ]
        )
        :> IReadOnlyDictionary<_, _>
      Images = [||] }

let feed (entities: Entity seq) =
    { new IEntityFeed with
        member _.Name = "a list"
        member _.Unit = "entities"
        member _.FieldNames = [| "brief" |]
        member _.ImageFolders = [||]
        member _.Remarks = Dictionary<string, int64>() :> IReadOnlyDictionary<_, _>
        member _.Read(_, _, _) = entities }

let template = "{brief}"

let encodingBy (encoder: ITextEncoder) =
    TextEncoding(
        Encoder = encoder.Id,
        Dimension = encoder.Dimension,
        EntityText = template,
        Open = Func<_>(fun () -> encoder)
    )

/// Adds entities through a writer, `rows` in a segment.
let addIn rows folder encoder (entities: Entity list) =
    use writer =
        if KnowledgeBaseManifest.IsIn folder then
            KnowledgeBaseWriter.Open(folder, rows)
        else
            KnowledgeBaseWriter.Begin(folder, rows)

    writer.Add(feed entities, encodingBy encoder, [||], Action<_, _, _>(fun _ _ _ -> ()), CancellationToken.None)

let add folder encoder entities = addIn KnowledgeBaseWriter.DefaultRowsAtOnce folder encoder entities

let remove folder (ids: string list) =
    use writer = KnowledgeBaseWriter.Open folder
    writer.Remove ids

/// What a knowledge base holds: id, name, description and vector of each living entity.
let holds folder =
    use opened = KnowledgeBase.Open folder

    [ for row in 0 .. opened.Entities.Count - 1 do
          let entity = opened.Entities[row]
          let vector = Array.zeroCreate<float32> opened.Manifest.Dimension
          opened.CopyTextVector(row, vector.AsSpan())

          let brief =
              match entity.Fields.TryGetValue "brief" with
              | true, text -> text
              | _ -> ""

          entity.Id, entity.Name, brief, vector ]

/// The same, of entities, by an encoder of its own; zeros where there is no text.
let expected (entities: Entity list) =
    use encoder = HashEncoder.quick ()

    [ for entity in entities do
          match entity.Fields.TryGetValue "brief" with
          | true, text ->
              entity.Id, entity.Name, text, (encoder :> ITextEncoder).Encode([| text |], CancellationToken.None)
          | _ -> entity.Id, entity.Name, "", Array.zeroCreate 8 ]

/// Names of the segments' folders.
let segmentsIn folder =
    Directory.GetFileSystemEntries(Path.Combine(folder, "segments"))
    |> Array.map Path.GetFileName
    |> Array.sort
    |> List.ofArray
