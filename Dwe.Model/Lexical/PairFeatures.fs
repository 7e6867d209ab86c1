namespace Dwe.Model.Lexical

open System

/// What the names, the words and the memory of training say of one mention and one entity, as numbers of about 0 to 1. A
/// pair's numbers depend on nothing but the pair, the knowledge base and the training split: not on other candidates.
[<RequireQualifiedAccess>]
module internal PairFeatures =

    /// The features in the order in which `fill` writes them.
    let names =
        [| "name.exact"
           "name.ratio"
           "name.covers_mention"
           "name.covered_by_mention"
           "name.words_alike"
           "name.first_word"
           "name.last_word"
           "name.mention_is_last_word"
           "name.mention_is_first_word"
           "name.initials"
           "name.length"
           "name.weight_covered"
           "name.words"
           "mention.words"
           "extended.ratio"
           "extended.exact"
           "extended.longer"
           "extended.beside_in_name"
           "extended.beside_alike"
           "extended.beside_not_in_name"
           "sentence.has_name"
           "sentence.rest_of_name"
           "sentence.rest_of_name_weight"
           "sentence.telling"
           "sentence.telling_missing"
           "sentence.none_of_telling"
           "description.overlap"
           "description.overlap_share"
           "description.length"
           "year.stated"
           "year.before_birth"
           "year.childhood"
           "year.grown"
           "year.old"
           "year.long_after"
           "year.after_death"
           "year.same"
           "year.unknown"
           "gender.agrees"
           "gender.contradicts"
           "prior.entity"
           "prior.entity_unseen"
           "prior.pair_share"
           "prior.pair"
           "prior.text_other"
           "prior.text_unseen"
           "memory.overlap"
           "memory.overlap_share"
           "memory.same_sentence"
           "ambiguity.holders"
           "ambiguity.none"
           "ambiguity.named"
           "year.age"
           "year.since_last"
           "sentence.words" |]

    let count = names.Length

    let private yes condition = if condition then 1.0f else 0.0f
    let private log1p (value: float32) = MathF.Log(1.0f + value)

    /// How much of each of the words is found in the best of the name's words, averaged.
    let private wordsAlike (mention: MentionWords) (name: NameWords) =
        let mutable sum = 0.0f

        for at in 0 .. mention.Words.Length - 1 do
            let word = mention.Words[at]
            let mutable best = 0.0f

            for other in name.Words do
                if best < 1.0f then
                    best <-
                        if String.Equals(word, other) then
                            1.0f
                        else
                            max best (mention.WordPatterns[at].Ratio other)

            sum <- sum + best

        if mention.Words.Length = 0 then
            0.0f
        else
            sum / float32 mention.Words.Length

    let private shared (words: string[]) (others: string[]) =
        let mutable count = 0

        for word in words do
            if Array.contains word others then
                count <- count + 1

        count

    /// The name that is most like the mention.
    let private bestName (mention: MentionWords) (entity: EntityWords) : struct (NameWords voption * float32) =
        let mutable best = ValueNone
        let mutable ratio = -1.0f

        for name in entity.Names do
            let own = mention.Pattern.Ratio name.Bare

            if own > ratio then
                best <- ValueSome name
                ratio <- own

        struct (best, max 0.0f ratio)

    /// Age in the latest year that the sentence states, in centuries, and how long the description's last year is past by
    /// then, in half centuries.
    let private ofAge (mention: MentionWords) (entity: EntityWords) (target: Span<float32>) =
        if mention.Years.Length > 0 && entity.FirstYear > 0 then
            let latest = Array.max mention.Years
            target[0] <- Math.Clamp(float32 (latest - entity.FirstYear) / 100.0f, -2.0f, 2.0f)

            if entity.LastYear > entity.FirstYear then
                target[1] <- Math.Clamp(float32 (latest - entity.LastYear) / 50.0f, 0.0f, 2.0f)

    let private ofYears (mention: MentionWords) (entity: EntityWords) (target: Span<float32>) =
        if mention.Years.Length > 0 then
            target[0] <- 1.0f

            if entity.FirstYear = 0 then
                target[8] <- 1.0f
            else
                let latest = Array.max mention.Years
                let age = latest - entity.FirstYear
                target[1] <- yes (age < 0)
                target[2] <- yes (age >= 0 && age < 15)
                target[3] <- yes (age >= 15 && age < 60)
                target[4] <- yes (age >= 60 && age < 95)
                target[5] <- yes (age >= 95)
                target[6] <- yes (entity.LastYear > entity.FirstYear && latest > entity.LastYear)
                target[7] <- yes (Array.exists (fun year -> Array.contains year entity.Years) mention.Years)

    /// Writes the features of one pair.
    ///
    /// target : [count]
    let fill (lexicon: Lexicon) (mention: MentionWords) (row: int) (target: Span<float32>) : unit =
        let entity = lexicon.Entities[row]
        let weight (number: int) = lexicon.Vocabulary.Weight number
        target.Clear()
        let struct (best, ratio) = bestName mention entity

        match best with
        | ValueNone -> ()
        | ValueSome name ->
            let words, others = mention.Words, name.Words
            let both = shared words others
            target[0] <- yes (String.Equals(mention.Joined, name.Bare))
            target[1] <- ratio
            target[2] <- float32 both / float32 (max 1 words.Length)
            target[3] <- float32 both / float32 others.Length
            target[4] <- wordsAlike mention name

            if words.Length > 0 then
                target[5] <- yes (String.Equals(words[0], others[0]))
                target[6] <- yes (String.Equals(words[words.Length - 1], others[others.Length - 1]))
                target[7] <- yes (words.Length = 1 && String.Equals(words[0], others[others.Length - 1]))
                target[8] <- yes (words.Length = 1 && String.Equals(words[0], others[0]))

            target[9] <- yes (others.Length > 1 && String.Equals(mention.Joined.Replace(" ", ""), name.Initials))
            target[10] <- float32 (name.Bare.Length - mention.Joined.Length) / 20.0f
            let mutable covered, total = 0.0f, 0.0f

            for at in 0 .. words.Length - 1 do
                let own = weight mention.Numbers[at]
                total <- total + own

                if Array.contains words[at] others then
                    covered <- covered + own

            target[11] <- if total > 0.0f then covered / total else 0.0f
            target[12] <- float32 others.Length / 4.0f
            target[13] <- float32 words.Length / 4.0f
            target[14] <- mention.ExtendedPattern.Ratio name.Bare
            target[15] <- yes (String.Equals(mention.Extended, name.Bare))
            target[16] <- yes (mention.Beside.Length > 0)

            if mention.Beside.Length > 0 then
                let beside = shared mention.Beside others
                target[17] <- yes (beside > 0)
                target[19] <- yes (beside = 0)
                // A misspelt neighbour: McGlory for McClory.
                let mutable alike = 0.0f

                for word in mention.Beside do
                    let pattern = LetterPattern word

                    for other in others do
                        if not (Array.contains other words) then
                            alike <- max alike (pattern.Ratio other)

                target[18] <- alike

            target[20] <-
                yes (
                    others.Length > words.Length
                    && mention.Sentence.Contains(" " + name.Bare + " ", StringComparison.Ordinal)
                )

            let mutable found, foundWeight, rest = 0, 0.0f, 0

            for at in 0 .. others.Length - 1 do
                if not (Array.contains others[at] words) then
                    rest <- rest + 1

                    if mention.ContextTexts.Contains others[at] then
                        found <- found + 1
                        foundWeight <- foundWeight + weight name.Numbers[at]

            target[21] <- if rest > 0 then float32 found / float32 rest else 0.0f
            target[22] <- foundWeight / 10.0f

            target[51] <- log1p (float32 (lexicon.Named name.Bare - 1))

        if entity.Telling.Length > 0 then
            let mutable found = 0

            for word in entity.Telling do
                if mention.ContextSet.Contains word then
                    found <- found + 1

            target[23] <- yes (found > 0)
            target[24] <- yes (found = 0)
        else
            target[25] <- 1.0f

        let mutable overlap = 0.0f

        for word in entity.Description do
            if mention.ContextSet.Contains word then
                overlap <- overlap + weight word

        target[26] <- log1p overlap / 3.0f

        target[27] <-
            if mention.ContextWeight > 0.0f then
                overlap / mention.ContextWeight
            else
                0.0f

        target[28] <- log1p (float32 entity.Description.Length) / 5.0f
        ofYears mention entity (target.Slice(29, 9))

        if entity.Gender <> 0 && mention.Men <> mention.Women then
            let says = if mention.Men > mention.Women then 1 else -1
            target[38] <- yes (says = entity.Gender)
            target[39] <- yes (says <> entity.Gender)

        let memory = lexicon.Memory
        let meant = memory.OfEntity(mention.Own, row)
        let ofText = memory.OfText(mention.Own, mention.Joined)
        let ofPair = memory.OfPair(mention.Own, mention.Joined, row)
        target[40] <- log1p (float32 meant) / 4.0f
        target[41] <- yes (meant = 0)
        target[42] <- float32 ofPair / (float32 ofText + 1.0f)
        target[43] <- log1p (float32 ofPair) / 4.0f
        target[44] <- float32 (ofText - ofPair) / (float32 ofText + 1.0f)
        target[45] <- yes (ofText = 0)

        if meant > 0 then
            let overlap = memory.Overlap(mention.Own, mention.Context, row)
            target[46] <- log1p overlap / 3.0f

            target[47] <-
                if mention.ContextWeight > 0.0f then
                    overlap / mention.ContextWeight
                else
                    0.0f

            target[48] <- yes (memory.InSentence(mention.Own, mention.SentenceText, row))

        target[49] <- log1p (float32 mention.Holders) / 5.0f
        target[50] <- yes (mention.Holders = 0)
        ofAge mention entity (target.Slice(52, 2))
        target[54] <- log1p (float32 mention.ContextTexts.Count) / 4.0f
