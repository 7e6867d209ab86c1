/// An encoder that needs no weights: numbers drawn from a hash of the text. It counts what it is asked.
module Dwe.Tests.Host.Features.HashEncoder

open System
open System.Threading
open Dwe.Host.Features.Text
open Dwe.Model.Domain

/// Vectors of `dimension` values; `pause` is slept per text, to be slow enough to be killed.
type HashEncoder(id: string, dimension: int, pause: TimeSpan) =
    let mutable encoded = 0

    /// Texts encoded so far.
    member _.Encoded = encoded

    interface ITextEncoder with
        member _.Id = id
        member _.Dimension = dimension

        member _.Encode(texts, _) =
            encoded <- encoded + texts.Count

            if pause > TimeSpan.Zero then
                Thread.Sleep(pause * float texts.Count)

            [| for text in texts do
                   let random = SeededRandom(Seed.derive 1L text 0L)
                   for _ in 1..dimension -> float32 (random.NextDouble() * 2.0 - 1.0) |]

        member _.Dispose() = ()

/// 8 values per text, at once.
let quick () = new HashEncoder("hash-8", 8, TimeSpan.Zero)
