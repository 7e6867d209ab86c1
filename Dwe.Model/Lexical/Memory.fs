namespace Dwe.Model.Lexical

open System.Collections.Generic

/// A training mention as a run keeps it: all that its lexical unit knows of the training split.
type RememberedMention =
    {
        /// The mention's key in the training split.
        Key: string
        Mention: string
        Sentence: string
        /// The id of what it meant.
        Entity: string
    }

/// How often each name meant each entity, and among which words, in training. What is asked leaves one mention out: a
/// training mention must not find itself.
[<Sealed>]
type internal Memory(vocabulary: Vocabulary, entityCount: int, remembered: struct (string * string * int)[]) =
    // Per remembered mention: folded text, numbers of the sentence's words, entity row (-1 = none).
    let texts = remembered |> Array.map (fun struct (text, _, _) -> String.concat " " (Words.textsOf text))

    let sentences =
        remembered
        |> Array.Parallel.map (fun struct (_, sentence, _) ->
            Words.textsOf sentence |> Array.map vocabulary.NumberOf |> Array.distinct)

    let golds = remembered |> Array.map (fun struct (_, _, gold) -> gold)
    let byEntity = Array.zeroCreate<int> entityCount
    let byText = Dictionary<string, int>()
    let byPair = Dictionary<struct (string * int), int>()
    let words = Array.init entityCount (fun _ -> null: Dictionary<int, int> | null)
    let inSentence = Dictionary<struct (string * int), int>()
    let sentenceKeys = remembered |> Array.map (fun struct (_, sentence, _) -> sentence)

    let add (table: Dictionary<'Key, int>) key = table[key] <- table.GetValueOrDefault(key, 0) + 1

    do
        for at in 0 .. golds.Length - 1 do
            let gold = golds[at]

            if gold >= 0 then
                byEntity[gold] <- byEntity[gold] + 1
                add byText texts[at]
                add byPair (struct (texts[at], gold))
                add inSentence (struct (sentenceKeys[at], gold))

                let own =
                    match words[gold] with
                    | null ->
                        let fresh = Dictionary<int, int>()
                        words[gold] <- fresh
                        fresh
                    | own -> own

                for word in sentences[at] do
                    add own word

    let left own entity = if own >= 0 && golds[own] = entity then 1 else 0

    /// How often the entity was meant.
    member _.OfEntity(own: int, entity: int) : int = byEntity[entity] - left own entity

    /// How often the text meant anything.
    member _.OfText(own: int, text: string) : int =
        byText.GetValueOrDefault(text, 0)
        - (if own >= 0 && golds[own] >= 0 && texts[own] = text then
               1
           else
               0)

    /// How often the text meant the entity.
    member _.OfPair(own: int, text: string, entity: int) : int =
        byPair.GetValueOrDefault(struct (text, entity), 0)
        - (if own >= 0 && texts[own] = text then left own entity else 0)

    /// The very sentence was seen with the entity.
    member _.InSentence(own: int, sentence: string, entity: int) : bool =
        inSentence.GetValueOrDefault(struct (sentence, entity), 0)
        - (if own >= 0 && sentenceKeys[own] = sentence then
               left own entity
           else
               0) > 0

    /// Σ of the weights of those of the words that stood in a sentence in which the entity was meant.
    ///
    /// context : words of the sentence that is asked about: those of `own` where it is remembered
    member _.Overlap(own: int, context: int[], entity: int) : float32 =
        match words[entity] with
        | null -> 0.0f
        | seen ->
            let gone = left own entity
            let mutable sum = 0.0f

            for word in context do
                if seen.GetValueOrDefault(word, 0) > gone then
                    sum <- sum + vocabulary.Weight word

            sum
