namespace Dwe.Model.Lexical

open System.Collections.Generic

/// The words of a knowledge base and of what is remembered of training, numbered in the order in which they first occur,
/// with how telling each is.
[<Sealed>]
type internal Vocabulary(documents: string[] seq) =
    let numbers = Dictionary<string, int>()
    let words = ResizeArray<string>()
    let counts = ResizeArray<int>()
    let mutable documentCount = 0

    do
        for document in documents do
            documentCount <- documentCount + 1

            for word in Seq.distinct document do
                match numbers.TryGetValue word with
                | true, number -> counts[number] <- counts[number] + 1
                | _ ->
                    numbers[word] <- counts.Count
                    words.Add word
                    counts.Add 1

    let weights = [| for count in counts -> float32 (log (float (documentCount + 1) / float count)) |]

    let unknownWeight = float32 (log (float (documentCount + 1)))

    member _.Count = counts.Count

    /// The word's number, -1 where no document has it.
    member _.NumberOf(word: string) : int =
        match numbers.TryGetValue word with
        | true, number -> number
        | _ -> -1

    /// The word as the vocabulary keeps it: one string for all who bear it.
    member _.Shared(word: string) : string =
        match numbers.TryGetValue word with
        | true, number -> words[number]
        | _ -> word

    /// log((documents + 1) / documents with the word); an unknown word weighs as if one had it.
    member _.Weight(number: int) : float32 = if number < 0 then unknownWeight else weights[number]
