namespace Dwe.Model.Linking

open System

/// A mention with how sure the linker is of its best entity, and what is true of it.
[<Struct>]
type Judged =
    {
        /// Higher = surer that the mention has an entity; finite.
        Confidence: float
        /// The gold is an entity of the knowledge base.
        IsEntity: bool
        /// The best entity is the gold.
        IsRight: bool
    }

/// How well mentions without an entity (NIL) are told from the others.
type NilQuality =
    {
        /// Of the answers that name an entity, those that are right.
        Precision: float
        /// Of the mentions that have an entity, those that are answered rightly.
        Recall: float
        F1: float
    }

/// The decision to link to nothing: confidence below a threshold, which is chosen on dev.
[<RequireQualifiedAccess>]
module internal Nil =

    let private check (mentions: Judged[]) =
        if mentions.Length = 0 then
            invalidArg (nameof mentions) "there are no mentions"

        for mention in mentions do
            if not (Double.IsFinite mention.Confidence) then
                invalidArg (nameof mentions) $"a confidence is {mention.Confidence}, expected a finite number"

    let private ratio part whole = if whole = 0 then 0.0 else float part / float whole

    let private quality right answered entities =
        let precision, recall = ratio right answered, ratio right entities
        let sum = precision + recall

        { Precision = precision
          Recall = recall
          F1 = if sum = 0.0 then 0.0 else 2.0 * precision * recall / sum }

    /// Precision, recall and F1 of the answers given at or above the threshold.
    ///
    /// raises : ArgumentException when there are no mentions or a confidence is not finite
    let at (threshold: float) (mentions: Judged[]) : NilQuality =
        check mentions
        let answered = mentions |> Array.filter (fun mention -> mention.Confidence >= threshold)
        let right = answered |> Array.filter _.IsRight |> Array.length
        quality right answered.Length (mentions |> Array.filter _.IsEntity |> Array.length)

    /// The threshold with the highest F1, the lowest of those that tie: every confidence is tried. Choose it on dev.
    ///
    /// raises : as `at`
    let bestThreshold (mentions: Judged[]) : float =
        check mentions
        let entities = mentions |> Array.filter _.IsEntity |> Array.length
        let ordered = mentions |> Array.sortByDescending _.Confidence
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
    /// raises : as `at`
    let auroc (mentions: Judged[]) : float option =
        check mentions
        let entities = mentions |> Array.filter _.IsEntity |> Array.length
        let without = mentions.Length - entities

        if entities = 0 || without = 0 then
            None
        else
            let mutable below, sum = 0, 0.0

            for _, tied in mentions |> Array.groupBy _.Confidence |> Array.sortBy fst do
                let own = tied |> Array.filter _.IsEntity |> Array.length
                let others = tied.Length - own
                sum <- sum + float own * (float below + float others / 2.0)
                below <- below + others

            Some(sum / (float entities * float without))
