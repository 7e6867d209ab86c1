namespace Dwe.Model.Sampling

open System
open System.Collections.Generic
open TorchSharp
open Dwe.Model.Domain

/// Which rows of the knowledge base are one entity: those with equal ids.
[<Sealed>]
type internal Identities(ids: string[]) =
    let first = Dictionary<string, int>()

    let entityOf =
        ids
        |> Array.mapi (fun row id ->
            match first.TryGetValue id with
            | true, earlier -> earlier
            | false, _ ->
                first[id] <- row
                row)

    let rowsOf =
        entityOf
        |> Array.indexed
        |> Array.groupBy snd
        |> Array.map (fun (entity, rows) -> KeyValuePair(entity, Array.map fst rows))
        |> Dictionary

    /// Number of rows.
    member _.Rows = ids.Length

    /// Number of different entities.
    member _.Entities = rowsOf.Count

    /// The rows of the entity in this row, ascending.
    member _.RowsOf(row: int) : int[] = rowsOf[entityOf[row]]

    /// Whether two rows are one entity; row -1 is none.
    member _.Same(left: int, right: int) = left >= 0 && right >= 0 && entityOf[left] = entityOf[right]

/// Draws entities that a mention does not mean: never its gold, and never another row of its gold. What is drawn depends on
/// the stream alone, which is made from seed and batch: the number of threads has no part in it.
///
/// A sampler takes the stream, the mention's number among the training mentions and its gold's row (-1 where it has none).
type internal NegativeSampler = SeededRandom -> int -> int -> int

[<RequireQualifiedAccess>]
module internal Negatives =

    /// The released code draws uniformly with this probability.
    let private uniformShare = 0.05

    /// Uniform over all rows but those of the gold.
    let uniform (identities: Identities) : NegativeSampler =
        fun random _ gold ->
            let barred = if gold < 0 then [||] else identities.RowsOf gold
            let mutable drawn = random.Next(identities.Rows - barred.Length)

            for row in barred do
                if drawn >= row then
                    drawn <- drawn + 1

            drawn

    /// Uniform over a list of rows but those of the gold; over everything where nothing else is on the list.
    let private fromList (identities: Identities) (list: int[]) (random: SeededRandom) mention gold =
        let others = list |> Array.filter (fun row -> not (identities.Same(row, gold)))

        if others.Length = 0 then
            uniform identities random mention gold
        else
            others[random.Next others.Length]

    /// As the released code (sample_util.py): once in twenty draws, or where the gold has no telling word, uniform; else a
    /// telling word of the gold's description, by its weight, and a description that has it, by how often. The gold is
    /// drawn again. Ends, because a uniform draw hits something else sooner or later.
    let tfIdf (identities: Identities) (tables: TfIdfTables) : NegativeSampler =
        let rec draw (random: SeededRandom) mention gold =
            // Drawn before it is known to be needed, as published.
            let share = random.NextDouble()

            let words =
                if gold < 0 then
                    Weighted.OfPairs [||]
                else
                    tables.WordsOf[gold]

            let row =
                if words.Total = 0 || share > 1.0 - uniformShare then
                    random.Next identities.Rows
                else
                    let documents = tables.DocumentsOf[words.At(random.Next words.Total)]
                    documents.At(random.Next documents.Total)

            if identities.Same(row, gold) then
                draw random mention gold
            else
                row

        draw

    /// Entities of the gold's type; of any type where the gold has none or is its type's only one.
    let sameType (identities: Identities) (types: string[]) : NegativeSampler =
        let rows =
            types
            |> Array.indexed
            |> Array.filter (fun (_, name) -> name <> "")
            |> Array.groupBy snd
            |> Array.map (fun (name, rows) -> KeyValuePair(name, Array.map fst rows))
            |> Dictionary

        fun random mention gold ->
            match if gold < 0 then "" else types[gold] with
            | "" -> uniform identities random mention gold
            | name -> fromList identities rows[name] random mention gold

    /// Rows listed for each mention, e.g. its candidates or the nearest entities; any row where none is left.
    let listed (identities: Identities) (lists: int[][]) : NegativeSampler =
        fun random mention gold -> fromList identities lists[mention] random mention gold

    /// One negative for each mention of a batch.
    let batch
        (identities: Identities)
        (sampler: NegativeSampler)
        seed
        (batch: int64)
        (mentions: int[])
        (golds: int64[])
        =
        if identities.Entities < 2 then
            invalidArg "entities" $"there are {identities.Entities} entities, a negative needs at least 2"

        let random = SeededRandom(Seed.derive seed "negatives" batch)
        Array.map2 (fun mention gold -> int64 (sampler random mention (int gold))) mentions golds

    /// `count` negatives of different entities for one mention, in the order drawn.
    ///
    /// raises : ArgumentException when there are not so many other entities
    let several (identities: Identities) (sampler: NegativeSampler) (random: SeededRandom) mention gold count =
        let others = identities.Entities - (if gold < 0 then 0 else 1)

        if count > others then
            invalidArg (nameof count) $"{count} negatives are asked for, there are {others} entities beside the gold"

        let drawn = ResizeArray<int>()

        // A sampler may know fewer entities than are asked for: after so many draws in vain they are drawn uniformly.
        let mutable inVain = 0

        while drawn.Count < count do
            let source = if inVain < 1000 then sampler else uniform identities
            let row = source random mention gold

            if drawn.Exists(fun earlier -> identities.Same(earlier, row)) then
                inVain <- inVain + 1
            else
                drawn.Add row

        drawn.ToArray()

    /// Scores held at once: 128 MB.
    let private scoresAtOnce = 1 <<< 25

    /// The entities nearest to each query by cosine, nearest first, without the gold.
    ///
    /// queries  : [mentions; dim]; their length has no part in the order
    /// entities : [rows; dim]
    /// returns  : for each mention up to `count` rows
    let nearest
        (identities: Identities)
        (count: int)
        (queries: torch.Tensor)
        (entities: torch.Tensor)
        (golds: int64[])
        =
        use _ = torch.no_grad ()
        use _ = torch.NewDisposeScope()
        let unit' = torch.nn.functional.normalize(entities.``to`` (torch.float32), dim = 1L).t().contiguous ()
        let block = max 1 (scoresAtOnce / identities.Rows)
        let mined = Array.zeroCreate<int[]> golds.Length

        for first in 0..block .. golds.Length - 1 do
            use _ = torch.NewDisposeScope()
            let held = min block (golds.Length - first)
            let scores = torch.mm (queries.narrow(0L, int64 first, int64 held).``to`` (torch.float32), unit')

            let own = golds[first .. first + held - 1] |> Array.map int

            let barred =
                own |> Array.map (fun gold -> if gold < 0 then 0 else (identities.RowsOf gold).Length) |> Array.max

            let width = min (count + barred) identities.Rows
            let struct (_, rows) = scores.topk (width, 1, true, true)
            let rows = rows.contiguous().data<int64>().ToArray()

            for at in 0 .. held - 1 do
                mined[first + at] <-
                    rows[at * width .. (at + 1) * width - 1]
                    |> Array.map int
                    |> Array.filter (fun row -> not (identities.Same(row, own[at])))
                    |> Array.truncate count

        mined
