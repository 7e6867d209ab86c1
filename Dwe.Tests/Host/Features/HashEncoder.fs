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

/// 8 values per text and per word of it, by the word's place.
type WordEncoder() =
    let texts = new HashEncoder("hash-8", 8, TimeSpan.Zero) :> ITextEncoder
    let mutable encoded = 0

    let words (text: string) = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length

    /// Texts whose words were encoded so far.
    member _.Encoded = encoded

    /// The vector of one word.
    static member Word (text: string) (place: int) =
        let random = SeededRandom(Seed.derive 2L text (int64 place))
        [| for _ in 1..8 -> float32 (random.NextDouble() * 2.0 - 1.0) |]

    interface ITokenEncoder with
        member _.Id = texts.Id
        member _.TokensId = "hash-8/words"
        member _.Dimension = texts.Dimension
        member _.Encode(several, cancel) = texts.Encode(several, cancel)
        member _.CountTokens text = words text

        member _.EncodeTokens(several, _) =
            encoded <- encoded + several.Count

            [| for text in several ->
                   [| for place in 0 .. words text - 1 do
                          yield! WordEncoder.Word text place |] |]

        member _.Dispose() = texts.Dispose()

/// 8 values per text, at once.
let quick () = new HashEncoder("hash-8", 8, TimeSpan.Zero)
