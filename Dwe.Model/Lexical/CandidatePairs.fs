namespace Dwe.Model.Lexical

open System
open System.Collections.Generic

/// The pairs of a batch: each mention with its gold and its candidates, every distinct entity once.
type internal CandidatePairs =
    {
        /// Mention numbers.
        Mentions: int64[]
        /// The distinct entity rows.
        Distinct: int64[]
        /// 1 + candidates a mention.
        Width: int
        /// [batch; Width] row-major: places in `Distinct`; column 0 is the gold.
        Places: int64[]
        /// [batch; Width]: false = padding, or the gold once more.
        Counts: bool[]
    }

[<RequireQualifiedAccess>]
module internal CandidatePairs =

    /// candidates : [batch; k] entity rows, -1 = padding; empty = none
    /// raises     : ArgumentException when the candidates are no whole number a mention
    let ofRows (mentions: int64[]) (golds: int64[]) (candidates: int64[]) : CandidatePairs =
        if candidates.Length % mentions.Length <> 0 then
            invalidArg (nameof candidates) $"{candidates.Length} candidates for {mentions.Length} mentions"

        let own = candidates.Length / mentions.Length
        let width = own + 1
        let distinct = ResizeArray<int64>()
        let placeOf = Dictionary<int64, int64>()

        let place row =
            match placeOf.TryGetValue row with
            | true, place -> place
            | _ ->
                let place = int64 distinct.Count
                placeOf[row] <- place
                distinct.Add row
                place

        let places = Array.zeroCreate<int64> (mentions.Length * width)
        let counts = Array.zeroCreate<bool> places.Length

        for mention in 0 .. mentions.Length - 1 do
            places[mention * width] <- place golds[mention]
            counts[mention * width] <- true

            for at in 0 .. own - 1 do
                let row = candidates[mention * own + at]

                if row >= 0L && row <> golds[mention] then
                    places[mention * width + at + 1] <- place row
                    counts[mention * width + at + 1] <- true

        { Mentions = mentions
          Distinct = distinct.ToArray()
          Width = width
          Places = places
          Counts = counts }

    /// The features of all pairs: [batch; Width; PairFeatures.count] row-major; zeros for padding.
    let features (lexicon: Lexicon) (mentions: MentionWords[]) (pairs: CandidatePairs) : float32[] =
        let values = Array.zeroCreate<float32> (pairs.Places.Length * PairFeatures.count)

        Array.Parallel.iteri
            (fun at (mention: int64) ->
                for column in 0 .. pairs.Width - 1 do
                    let place = at * pairs.Width + column

                    if pairs.Counts[place] then
                        let row = int pairs.Distinct[int pairs.Places[place]]
                        let target = Span(values, place * PairFeatures.count, PairFeatures.count)
                        PairFeatures.fill lexicon mentions[int mention] row target)
            pairs.Mentions

        values
