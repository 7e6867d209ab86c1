namespace Dwe.Model.Lexical

open System
open System.Collections.Generic
open Dwe.Model.Domain

/// A name of an entity: `Fred (footballer, born 1979)` is the bare name `fred` and what tells it from others.
type internal NameWords =
    {
        /// The bare name's words, joined by spaces.
        Bare: string
        Words: string[]
        /// The words' numbers in the vocabulary.
        Numbers: int[]
        /// First letters of the words.
        Initials: string
    }

/// What the lexical features read of an entity.
type internal EntityWords =
    {
        /// Name and aliases, the name first; none is empty.
        Names: NameWords[]
        /// Numbers of the words in parentheses after the name, distinct.
        Telling: int[]
        /// Numbers of the description's words, distinct.
        Description: int[]
        /// The first and the last year of the description; 0 where it has none.
        FirstYear: int
        LastYear: int
        /// All years of the description.
        Years: int[]
        /// 1 = its words speak of men only, -1 of women only, 0 of both or neither.
        Gender: int
    }

/// Words that say whether a text speaks of a man or of a woman.
[<RequireQualifiedAccess>]
module internal Gender =

    let private men =
        HashSet
            [ "he"
              "him"
              "his"
              "himself"
              "male"
              "man"
              "mr"
              "sir"
              "king"
              "prince"
              "duke"
              "husband"
              "father"
              "son"
              "brother"
              "grandfather"
              "actor" ]

    let private women =
        HashSet
            [ "she"
              "her"
              "hers"
              "herself"
              "female"
              "woman"
              "mrs"
              "miss"
              "ms"
              "lady"
              "queen"
              "princess"
              "duchess"
              "wife"
              "mother"
              "daughter"
              "sister"
              "grandmother"
              "actress" ]

    /// A description that states the sex says nothing by `actor`, which stands for both.
    let ofDescription (words: string[]) =
        let has word = Array.contains word words

        match has "male", has "female" with
        | true, false -> 1
        | false, true -> -1
        | _ ->
            match Array.exists men.Contains words, Array.exists women.Contains words with
            | true, false -> 1
            | false, true -> -1
            | _ -> 0

    /// How many words speak of men, and how many of women.
    let ofSentence (words: string[]) =
        let count (known: HashSet<string>) = words |> Seq.filter known.Contains |> Seq.length
        struct (count men, count women)

[<RequireQualifiedAccess>]
module internal EntityWords =

    /// The name before its parentheses, and what is inside them.
    let split (name: string) : struct (string * string) =
        match name.IndexOf '(' with
        | at when at > 0 -> struct (name.Substring(0, at).Trim(), name.Substring(at + 1).TrimEnd(')', ' '))
        | _ -> struct (name, "")

    let private nameOf (vocabulary: Vocabulary) (name: string) : NameWords option =
        let struct (bare, _) = split name

        match Words.textsOf bare with
        | [||] -> None
        | words ->
            Some
                { Bare = String.Join(' ', words)
                  Words = Array.map vocabulary.Shared words
                  Numbers = Array.map vocabulary.NumberOf words
                  Initials = String [| for word in words -> word[0] |] }

    /// The texts of an entity that the vocabulary counts as one document.
    let document (entity: Entity) (description: string) : string[] =
        Words.textsOf (String.Join(' ', [| entity.Name; yield! entity.Aliases; description |]))

    let prepare (vocabulary: Vocabulary) (entity: Entity) (description: string) : EntityWords =
        let described = Words.textsOf description
        let struct (_, telling) = split entity.Name
        let years = Words.years described
        let numbered words = words |> Array.map vocabulary.NumberOf |> Array.distinct

        let names =
            [| entity.Name; yield! entity.Aliases |]
            |> Array.choose (nameOf vocabulary)
            |> Array.distinctBy _.Bare

        { Names = names
          Telling = numbered (Words.textsOf telling)
          Description = numbered described
          FirstYear = if years.Length = 0 then 0 else Array.min years
          LastYear = if years.Length = 0 then 0 else Array.max years
          Years = years
          Gender = Gender.ofDescription described }
