/// Small knowledge bases for the tests of indexes, the source and the projection they are built through, and an index in memory
/// that does everything in plain loops.
module Dwe.Tests.Host.Index.IndexWorld

open System
open System.Collections.Generic
open System.Security.Cryptography
open System.Text
open Dwe.Host.Index
open Dwe.Host.Storage
open Dwe.Model.Domain
open Dwe.Tests.Prelude

let entity id name (aliases: string list) : Entity =
    { Id = id
      Name = name
      Aliases = Array.ofList aliases
      Type = ""
      Fields = Dictionary()
      Images = [||] }

/// A knowledge base as it grew: of an id in several segments the last one lives, unless it was removed.
type World = { Segments: (Entity * float32[]) list list; Removed: Set<string> }

let one entities = { Segments = [ entities ]; Removed = Set.empty }

/// Whether each row of each segment lives.
let live (world: World) =
    let later = world.Segments |> List.map (List.map (fun (entity, _) -> entity.Id) >> Set.ofList)

    world.Segments
    |> List.mapi (fun at segment ->
        let replaced = later |> List.skip (at + 1) |> Set.unionMany
        [ for entity, _ in segment -> not (replaced.Contains entity.Id || world.Removed.Contains entity.Id) ])

/// The living entities in the order of their rows.
let living (world: World) =
    List.zip (List.concat world.Segments) (List.concat (live world)) |> List.filter snd |> List.map fst

let dimension (world: World) = world.Segments |> List.concat |> List.head |> snd |> Array.length

/// A random direction; the same for the same seed.
let direction (random: SeededRandom) dim =
    let row = Array.init dim (fun _ -> random.NextDouble() - 0.5)
    let length = Loops.length row
    row |> Array.map (fun number -> float32 (number / length))

/// Entities e0, e1, ... with random directions.
let randomWorld seed count dim =
    let random = SeededRandom seed
    one [ for number in 0 .. count - 1 -> entity $"e{number}" $"name {number}" [], direction random dim ]

let card: IndexedSource =
    IndexedSource(
        Name = "world",
        Encoder = "tests",
        EntityText = "{name}: {brief}",
        FieldNames = [ "brief"; "era" ],
        ImageFolders = []
    )

/// The world as the builder takes it.
let source (card: IndexedSource) (world: World) =
    let segment (rows: (Entity * float32[]) list) (live: bool list) =
        let entities, vectors = rows |> Array.ofList |> Array.unzip
        let hash = StringBuilder()

        for entity, vector in rows do
            let fields = entity.Fields |> Seq.map (fun field -> $"{field.Key}={field.Value}") |> String.concat ","

            hash.Append $"{entity.Id}|{entity.Name}|%A{entity.Aliases}|{fields}|%A{List.ofArray vector}\n"
            |> ignore

        let hash = hash.ToString() |> Encoding.UTF8.GetBytes |> SHA256.HashData |> Convert.ToHexStringLower

        { new IEntitySourceSegment with
            member _.ContentHash = hash
            member _.Entities = entities
            member _.Live = Array.ofList live

            member _.CopyVectors(first, target) =
                let dim = if vectors.Length = 0 then 1 else vectors[0].Length

                for at in 0 .. target.Length / dim - 1 do
                    vectors[first + at].AsSpan().CopyTo(target.Slice(at * dim)) }

    let segments = List.map2 segment world.Segments (live world)

    { new IEntitySource with
        member _.Card = card
        member _.Dimension = dimension world
        member _.Segments = Array.ofList segments }

/// Hands vectors on as they are and counts the rows.
type CountingProjection(dim: int, checkpoint: string) =
    member val Rows = 0 with get, set

    interface IEntityProjection with
        member _.Card = IndexedRun(Name = "run", Checkpoint = checkpoint, Projects = false)
        member _.Dimension = dim
        member _.RowsAtOnce = 64

        member counting.Project(rows, _) =
            counting.Rows <- counting.Rows + rows.Length / dim
            rows

let build (folder: string) (dtype: Dtype) (world: World) =
    let projection = CountingProjection(dimension world, "c0")
    let builder = IndexBuilder(folder, source card world, projection, dtype)
    builder.Build((fun _ _ -> ()), Threading.CancellationToken.None)

/// Runs a test with an index of these entities in a folder.
let withIndex dtype (world: World) (test: SegmentIndex -> unit) =
    Folder.temporary (fun folder ->
        build folder dtype world |> ignore
        use index = SegmentIndex.Open folder
        test index)

/// The index in memory: what the others are held against.
type MemoryIndex(world: World) =
    let rows = living world |> Array.ofList
    let names (entity: Entity) = Array.append [| entity.Name |] entity.Aliases

    let grams (text: string) =
        let found = List<string>()
        NameGrams.Of(FoldedName.Of text, found)
        Set.ofSeq found

    let likeness (text: string) (entity: Entity) =
        let own = grams text

        let share name =
            let other = grams name
            let common = (Set.intersect own other).Count
            float32 common / float32 (own.Count + other.Count - common + 1)

        if FoldedName.Of text = "" then
            0.0f
        elif Array.contains text (names entity) then
            3.0f
        elif names entity |> Array.exists (fun name -> FoldedName.Of name = FoldedName.Of text) then
            2.0f
        else
            names entity |> Array.map share |> Array.max

    let best top (score: Entity * float32[] -> float32) (keep: float32 -> bool) =
        rows
        |> Array.mapi (fun row own -> Found(row, score own))
        |> Array.filter (fun found -> keep found.Score)
        |> Array.sortBy (fun found -> -found.Score, found.Row)
        |> Array.truncate top

    interface IEntityIndex with
        member _.Version = $"%A{rows |> Array.map (fun (entity, vector) -> entity.Id, entity.Name, vector)}"
        member _.Count = rows.Length
        member _.Dimension = dimension world

        member _.Entity(row) =
            if row < 0 || row >= rows.Length then
                raise (ArgumentOutOfRangeException "row")
            else
                fst rows[row]

        member _.Description(row) =
            match (fst rows[row]).Fields.TryGetValue "brief" with
            | true, brief -> brief
            | _ -> ""

        member _.RowOf(id) = rows |> Array.tryFindIndex (fun (entity, _) -> entity.Id = id) |> Option.defaultValue -1
        member _.ImageOf(_) = null
        member _.CopyVector(row, target) = (snd rows[row]).AsSpan().CopyTo target

        member _.Nearest(queries, top) =
            if top < 1 then
                raise (ArgumentOutOfRangeException "top")

            let dim = dimension world
            let queries = queries.ToArray() |> Array.chunkBySize dim

            [| for query in queries ->
                   let wide = Array.map float query
                   best top (fun (_, vector) -> float32 (Loops.dot wide (Array.map float vector))) (fun _ -> true) |]

        member _.Named(text, top) = best top (fun (entity, _) -> likeness text entity) (fun score -> score > 0.0f)
        member _.Dispose() = ()
