namespace Dwe.Model.Lexical

open System
open System.Collections.Generic
open Dwe.Model.Domain

/// What the lexical features read of a mention and its sentence.
type internal MentionWords =
    {
        /// The mention's words, joined by spaces.
        Joined: string
        Words: string[]
        Numbers: int[]
        Pattern: LetterPattern
        WordPatterns: LetterPattern[]
        /// The capitalised words around the mention, it included, joined by spaces: in `Sean McGlory` for `Sean` both.
        Extended: string
        ExtendedPattern: LetterPattern
        /// The words of `Extended` that are not the mention's.
        Beside: string[]
        /// The sentence's words, joined by spaces, with one before and after.
        Sentence: string
        /// The sentence as it was given.
        SentenceText: string
        /// How many entities have all of the mention's words in their names.
        Holders: int
        /// Numbers of the sentence's words that are not the mention's, distinct.
        Context: int[]
        ContextSet: HashSet<int>
        /// The same as texts.
        ContextTexts: HashSet<string>
        /// Σ of the weights of `ContextTexts`. Words that nothing else has count too: of a remembered mention they are known
        /// by its own sentence, of another one by none, and a feature must not tell the two apart.
        ContextWeight: float32
        Years: int[]
        Men: int
        Women: int
        /// Its number in the memory, so that it is not counted as its own evidence; -1 where it is not remembered.
        Own: int
    }

[<RequireQualifiedAccess>]
module internal MentionWords =

    /// The words around the mention that are capitalised like it and parted from it by spaces, hyphens, stops or apostrophes.
    let private extend (sentence: string) (words: Word[]) (first: int) (last: int) =
        let joined left right =
            sentence.AsSpan(words[left].End, words[right].Start - words[left].End).IndexOfAnyExcept(" -.'’") < 0

        let mutable left, right = first, last

        while left > 0 && words[left - 1].Capital && joined (left - 1) left do
            left <- left - 1

        while right + 1 < words.Length && words[right + 1].Capital && joined right (right + 1) do
            right <- right + 1

        struct (left, right)

    /// Where the mention's words stand first in the sentence.
    let private find (words: Word[]) (mention: string[]) =
        seq { 0 .. words.Length - mention.Length }
        |> Seq.tryFind (fun at ->
            Seq.forall (fun i -> words[at + i].Text = mention[i]) (seq { 0 .. mention.Length - 1 }))

    let prepare (vocabulary: Vocabulary) (holders: string[] -> int) (own: int) (mention: Mention) : MentionWords =
        let own' = Words.textsOf mention.Text
        let words = Words.ofText mention.Sentence

        let extended, beside =
            match find words own' with
            | Some first when own'.Length > 0 ->
                let last = first + own'.Length - 1
                let struct (left, right) = extend mention.Sentence words first last

                [| for at in left..right -> words[at].Text |],
                [| for at in left..right do
                       if at < first || at > last then
                           words[at].Text |]
            | _ -> own', [||]

        let context = words |> Array.map _.Text |> Array.filter (fun word -> not (Array.contains word own'))

        let numbers =
            context
            |> Array.map vocabulary.NumberOf
            |> Array.filter (fun number -> number >= 0)
            |> Array.distinct

        let joined = String.Join(' ', own')
        let extendedText = String.Join(' ', extended)
        let struct (men, women) = Gender.ofSentence context

        { Joined = joined
          Words = own'
          Numbers = Array.map vocabulary.NumberOf own'
          Pattern = LetterPattern joined
          WordPatterns = Array.map LetterPattern own'
          Extended = extendedText
          ExtendedPattern = LetterPattern extendedText
          Beside = beside
          Sentence = " " + String.Join(' ', words |> Array.map _.Text) + " "
          SentenceText = mention.Sentence
          Holders = holders own'
          Context = numbers
          ContextSet = HashSet numbers
          ContextTexts = HashSet context
          ContextWeight = context |> Array.distinct |> Array.sumBy (vocabulary.NumberOf >> vocabulary.Weight)
          Years = Words.years context
          Men = men
          Women = women
          Own = own }
