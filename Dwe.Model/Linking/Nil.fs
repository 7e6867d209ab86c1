namespace Dwe.Model.Linking

open System

/// A mention with how sure the linker is of its best entity, and what is true of it.
[<Struct>]
type Judged =
    {
        /// Higher = surer that the mention has an entity: the score of its best candidate. -infinity where it has none: such a
        /// mention is NIL whatever the threshold.
        Confidence: float
        /// The gold is an entity of the knowledge base.
        IsEntity: bool
        /// The best entity is the gold.
        IsRight: bool
    }

/// How good answers of one kind are.
type AnswerQuality =
    {
        /// Of the answers that were given, those that are right; 0 where none was.
        Precision: float
        /// Of the mentions that should have got such an answer, those that rightly did; 0 where there is none.
        Recall: float
        /// The harmonic mean of both.
        F1: float
    }

/// The decision to link to nothing: confidence below a threshold, which is chosen on dev.
[<RequireQualifiedAccess>]
module internal Nil =

    let private check (mentions: Judged[]) =
        if mentions.Length = 0 then
            invalidArg (nameof mentions) "there are no mentions"

        for mention in mentions do
            if Double.IsNaN mention.Confidence || mention.Confidence = infinity then
                invalidArg (nameof mentions) $"a confidence is {mention.Confidence}, expected a finite number"

    let private ratio part whole = if whole = 0 then 0.0 else float part / float whole

    let private quality right answered expected =
        let precision, recall = ratio right answered, ratio right expected
        let sum = precision + recall

        { Precision = precision
          Recall = recall
          F1 = if sum = 0.0 then 0.0 else 2.0 * precision * recall / sum }

    let private isNamed threshold (mention: Judged) =
        Double.IsFinite mention.Confidence && mention.Confidence >= threshold

    let private count (holds: Judged -> bool) mentions = mentions |> Array.filter holds |> Array.length

    /// The answers that name an entity: those at or above the threshold. Right = the gold.
    ///
    /// raises : ArgumentException when there are no mentions or a confidence is NaN or +infinity
    /// see    : `nils` (the answers that name none)
    let links (threshold: float) (mentions: Judged[]) : AnswerQuality =
        check mentions
        let named = mentions |> Array.filter (isNamed threshold)
        quality (count _.IsRight named) named.Length (count _.IsEntity mentions)

    /// The answers that say NIL: those below the threshold. Right = the mention has no entity in the knowledge base.
    ///
    /// raises : as `links`
    let nils (threshold: float) (mentions: Judged[]) : AnswerQuality =
        check mentions
        let said = mentions |> Array.filter (fun mention -> not (isNamed threshold mention))

        quality
            (count (fun mention -> not mention.IsEntity) said)
            said.Length
            (mentions.Length - count _.IsEntity mentions)

    /// The threshold with the highest F1 of `links`, the lowest of those that tie: every finite confidence is tried. Choose
    /// it on dev.
    ///
    /// raises : as `links`, and when no mention has a candidate
    let bestThreshold (mentions: Judged[]) : float =
        check mentions
        let entities = count _.IsEntity mentions

        let ordered =
            mentions
            |> Array.filter (fun mention -> Double.IsFinite mention.Confidence)
            |> Array.sortByDescending _.Confidence

        if ordered.Length = 0 then
            invalidArg (nameof mentions) "no mention has a candidate"

        let mutable right, best, threshold = 0, -1.0, ordered[0].Confidence

        for index in 0 .. ordered.Length - 1 do
            let mention = ordered[index]
            right <- right + (if mention.IsRight then 1 else 0)
            // A threshold admits all mentions of its confidence.
            let isLastOfTie = index = ordered.Length - 1 || ordered[index + 1].Confidence < mention.Confidence

            if isLastOfTie then
                let found = (quality right (index + 1) entities).F1

                if found >= best then
                    best <- found
                    threshold <- mention.Confidence

        threshold

    /// The chance that a mention with an entity has a higher confidence than one without (Mann, Whitney 1947), a tie
    /// counting half: the area under the ROC curve. None when either kind is absent.
    ///
    /// raises : as `links`
    let auroc (mentions: Judged[]) : float option =
        check mentions
        let entities = count _.IsEntity mentions
        let without = mentions.Length - entities

        if entities = 0 || without = 0 then
            None
        else
            let mutable below, sum = 0, 0.0

            for _, tied in mentions |> Array.groupBy _.Confidence |> Array.sortBy fst do
                let own = count _.IsEntity tied
                let others = tied.Length - own
                sum <- sum + float own * (float below + float others / 2.0)
                below <- below + others

            Some(sum / (float entities * float without))
