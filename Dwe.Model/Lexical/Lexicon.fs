namespace Dwe.Model.Lexical

open System
open System.Collections.Generic
open Dwe.Model.Domain

/// A knowledge base by its words, with what is remembered of training: what lexical features are computed from.
[<Sealed>]
type internal Lexicon(entities: Entity[], descriptions: string[], remembered: RememberedMention[]) =

    let vocabulary =
        Vocabulary(
            Seq.append
                (Seq.map2 EntityWords.document entities descriptions)
                (remembered |> Seq.map (fun one -> Words.textsOf one.Sentence))
        )

    let prepared =
        Array.Parallel.init entities.Length (fun row -> EntityWords.prepare vocabulary entities[row] descriptions[row])

    let rowOf = Dictionary<string, int>()

    do
        for row in 0 .. entities.Length - 1 do
            rowOf[entities[row].Id] <- row

    let memory =
        Memory(
            vocabulary,
            entities.Length,
            remembered
            |> Array.map (fun one -> struct (one.Mention, one.Sentence, rowOf.GetValueOrDefault(one.Entity, -1)))
        )

    // How many entities have a bare name, and which have a word in their names: rows, ascending.
    let named = Dictionary<string, int>()
    let holders = Dictionary<string, ResizeArray<int>>()

    do
        for row in 0 .. prepared.Length - 1 do
            for name in prepared[row].Names do
                named[name.Bare] <- named.GetValueOrDefault(name.Bare, 0) + 1

                for word in name.Words do
                    match holders.TryGetValue word with
                    | true, rows when rows[rows.Count - 1] = row -> ()
                    | true, rows -> rows.Add row
                    | _ -> holders[word] <- ResizeArray [| row |]

    member _.Vocabulary = vocabulary
    member _.Memory = memory
    member _.Entities = prepared

    /// How many entities bear the bare name.
    member _.Named(bare: string) : int = named.GetValueOrDefault(bare, 0)

    /// How many entities have all of the words in their names.
    member _.Holders(words: string[]) : int =
        let sets =
            words
            |> Array.map (fun word ->
                match holders.TryGetValue word with
                | true, rows -> rows
                | _ -> ResizeArray())
            |> Array.sortBy _.Count

        if sets.Length = 0 then
            0
        else
            sets[0]
            |> Seq.filter (fun row -> sets |> Array.forall (fun rows -> rows.BinarySearch row >= 0))
            |> Seq.length

    /// A mention, ready to be compared.  own : its number among the remembered, -1 = it is none of them
    member this.Prepare(mention: Mention, own: int) : MentionWords =
        MentionWords.prepare vocabulary this.Holders own mention
