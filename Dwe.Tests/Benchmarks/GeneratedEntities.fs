/// A knowledge base for benchmarks: names with homonyms, vectors in clusters; the same on every machine.
module Dwe.Tests.Benchmarks.GeneratedEntities

open System
open System.IO
open System.Threading.Tasks
open Dwe.Model
open Dwe.Model.Domain
open Dwe.Tests.Host.Index.IndexWorld

let dim = 512
let private latent = 64
let private clusters = 20_000

/// Normal numbers by Box and Muller.
let normal (random: SeededRandom) =
    sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

/// Vectors of 512 numbers that vary in 64 directions, around 20,000 centres; a row is decided by its number.
type Directions() =
    let mixing =
        let random = SeededRandom 21L
        Array.init (dim * latent) (fun _ -> float32 (normal random))

    let around (random: SeededRandom) (target: Span<float32>) =
        let centre = SeededRandom(Seed.derive 22L "centre" (int64 (random.Next clusters)))

        for at in 0 .. latent - 1 do
            target[at] <- float32 (normal centre + 0.7 * normal random)

    /// Rows by number, with a little noise in all directions so that no two are one.
    member _.Fill(numbers: int[], target: Memory<float32>) =
        Parallel.For(
            0,
            (numbers.Length + 63) / 64,
            fun chunk ->
                let own = numbers[chunk * 64 .. min numbers.Length (chunk * 64 + 64) - 1]
                let hidden = Array.zeroCreate<float32> (max 4 own.Length * latent)
                let noise = Array.init own.Length (fun at -> SeededRandom(Seed.derive 23L "row" (int64 own[at])))

                for at in 0 .. own.Length - 1 do
                    around noise[at] (hidden.AsSpan(at * latent, latent))

                let mixed = Array.zeroCreate<float32> (max 4 own.Length * dim)
                DotProducts.Fill(latent, ReadOnlySpan hidden, ReadOnlySpan mixing, mixed.AsSpan())

                for at in 0 .. own.Length * dim - 1 do
                    mixed[at] <- mixed[at] + 0.5f * float32 (noise[at / dim].NextDouble() - 0.5)

                mixed.AsSpan(0, own.Length * dim).CopyTo(target.Span.Slice(chunk * 64 * dim))
        )
        |> ignore

/// Every fifth name is that of an earlier entity; every tenth entity has an alias.
let entities count =
    let random = SeededRandom 24L
    let names = CandidatesBench.generated random count

    Array.init count (fun number ->
        let name =
            if number > 0 && number % 5 = 0 then
                names[random.Next number]
            else
                names[number]

        names[number] <- name

        let aliases =
            if number % 10 = 3 then
                [ name.Substring(name.IndexOf ' ' + 1) ]
            else
                []

        entity $"Q{number}" name aliases)

/// One or two letters left out, changed, doubled or swapped.
let edited (random: SeededRandom) edits (name: string) =
    let edit (name: string) =
        let at = random.Next(name.Length - 1)
        let letter = string (char (int 'a' + random.Next 26))

        match random.Next 4 with
        | 0 -> name.Remove(at, 1)
        | 1 -> name.Remove(at, 1).Insert(at, letter)
        | 2 -> name.Insert(at, letter)
        | _ -> name.Remove(at, 1).Insert(at + 1, string name[at])

    (name, [ 1..edits ]) ||> List.fold (fun name _ -> edit name)

let bytesIn folder =
    Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
    |> Array.sumBy (fun file -> FileInfo(file).Length)
