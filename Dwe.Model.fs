namespace Dwe.Model


open System
open System.Collections.Generic
open System.Text.Json
open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Model.Encoders
open Dwe.Model.Fusion
open Dwe.Model.Layers
open Dwe.Model.Lexical
open Dwe.Model.Linking
open Dwe.Model.Losses
open Dwe.Model.Sampling
open Dwe.Model.Tensors
open Dwe.Model.Training

/// The words of the command line as a command.
[<AbstractClass; Sealed>]
type CommandLine =
    static member Parse(words: string[]) : Result<Command, UserError> = CommandLine.parse words

/// Configurations from and to text; see `dwe config` for every key.
[<AbstractClass; Sealed>]
type Configuration =
    static member Defaults: RunConfig = RunConfig.Defaults

    /// The keys of a JSON file over `config`. `path` is only named in errors.
    static member Overlay(config: RunConfig, path: string, json: JsonElement) : Result<RunConfig, UserError> =
        ConfigText.overlay config path json

    /// `key=value` assignments over `config`.
    static member Set(config: RunConfig, assignments: IEnumerable<string>) : Result<RunConfig, UserError> =
        ConfigText.set config assignments

    static member Write(config: RunConfig) : string = ConfigText.write config

    /// Key, value, meaning and expectation of every field.
    static member Describe(config: RunConfig) : IReadOnlyList<struct (string * string * string * string)> =
        ConfigText.describe config

/// The widths that the features of a data set dictate.
type FeatureSizes =
    {
        /// Of an encoded mention or sentence.
        Text: int
        /// Of an encoded image or part; 0 where there are none. A profile is a text.
        Image: int
        /// Of an encoded entity.
        Entity: int
    }

/// Mentions of one batch by row, with what they should be linked to, by entity row.
type TrainingRows =
    {
        /// [batch]
        Mentions: int64[]
        /// [batch]
        Golds: int64[]
        /// [batch], one sampled for each mention; empty where negatives come from the batch alone.
        Negatives: int64[]
        /// [batch; k] row-major, entities that each mention might mean, -1 = padding; empty where nothing compares them. A
        /// gold among them is passed over.
        Candidates: int64[]
    }

/// Mentions of one split, ready to be compared with the entities by names and words.
[<Sealed>]
type LexicalMentions internal (lexicon: Lexicon, mentions: MentionWords[]) =
    member internal _.Lexicon = lexicon
    member internal _.Mentions = mentions
    member _.Count = mentions.Length

/// What the lexical unit knows: the knowledge base's names and words, and the training mentions that it remembers.
[<Sealed>]
type LexicalUnit private (lexicon: Lexicon) =
    /// descriptions : of the entities, by row, "" where there is none
    static member Create
        (entities: IReadOnlyList<Entity>, descriptions: string[], remembered: IReadOnlyList<RememberedMention>)
        : LexicalUnit =
        LexicalUnit(Lexicon(Array.ofSeq entities, descriptions, Array.ofSeq remembered))

    /// own : of each mention, its number among the remembered ones, so that it does not count as its own evidence; -1 = none
    member _.Prepare(mentions: IReadOnlyList<Mention>, own: int[]) : LexicalMentions =
        let mentions = Array.ofSeq mentions

        if own.Length <> mentions.Length then
            invalidArg (nameof own) $"{own.Length} numbers for {mentions.Length} mentions"

        LexicalMentions(lexicon, Array.Parallel.init mentions.Length (fun at -> lexicon.Prepare(mentions[at], own[at])))

/// How much of what a mention has went into its query.
type QueryShares =
    {
        /// By unit: how much of it the query takes; they sum to 1. Empty for a model without gates.
        Gates: struct (string * float32)[]
        /// How much the vision unit read of the whole image; 0 where it reads none.
        Image: float32
        /// How much it read of each part, in their order.
        Parts: float32[]
        /// How much the attribute unit read of each profile, in their order.
        Profiles: float32[]
    }

/// The two kinds of net.
type internal MatcherNet =
    | PublishedNet of Net<Published>
    | DualWayNet of Net<DualWay>

/// A net that turns mentions into queries, with its weights.
[<Sealed>]
type Matcher private (config: RunConfig, sizes: FeatureSizes, net: MatcherNet) =

    /// How many entities are projected at once.
    let entitiesAtOnce = 4096

    let options, weights =
        match net with
        | PublishedNet net -> net.Options, net.Weights
        | DualWayNet net -> net.Options, net.Weights

    let queryOf =
        match net with
        | PublishedNet net -> net.Forward.Query
        | DualWayNet net -> net.Forward.Query

    let evaluate () =
        match net with
        | PublishedNet net -> net.Evaluate()
        | DualWayNet net -> net.Evaluate()

    let numbers (tensor: torch.Tensor) =
        tensor.detach().``to``(torch.float32).cpu().contiguous().data<float32>().ToArray()

    let weight name =
        let struct (_, tensor) = weights |> Seq.find (fun struct (found, _) -> found = name)
        numbers tensor

    let single name = Array.head (weight name)

    let lexicalWeights () =
        use _ = torch.NewDisposeScope()

        let factor, inputs =
            if config.Model.Units.Match then
                exp (min (log 100.0f) (max 0.0f (single "matching_scale"))), id
            else
                0.0f, LexicalScoring.withoutCosine (weight "lexical.hidden.bias").Length

        LexicalScoring.weights
            factor
            (inputs (weight "lexical.hidden.weight"))
            (weight "lexical.hidden.bias")
            (weight "lexical.output")

    member internal _.Net = net
    member _.Config = config
    member _.Sizes = sizes
    member _.Device = options.Device

    /// The weights by name, in the order of the recipe. Live handles: a checkpoint is loaded by copying into them.
    member _.Weights = weights

    /// Names and words have a say in its scores.
    member _.HasLexicalUnit = config.Model.Kind.IsDualWay && config.Model.Units.Lexical

    /// The attribute unit reads the scene as one more profile.
    member _.ReadsScene =
        config.Model.Kind.IsDualWay && config.Model.Units.Attribute && config.Model.Units.Scene

    /// The textual unit reads the text's tokens.
    member _.ReadsTokens =
        config.Model.Kind.IsDualWay && config.Model.Units.Textual && config.Model.Units.Tokens

    /// Entities are compared by a projection of their features, not by the features themselves.
    member _.ProjectsEntities = config.Model.Kind.IsDualWay && config.Model.Units.LearnedEntity

    /// Entities are read by their images too: `CompareEntities` and `Trainer` take text and image side by side.
    member matcher.SeesEntityImages =
        matcher.ProjectsEntities && config.Model.Units.EntityImage && sizes.Image > 0

    /// Width of the vectors that are compared.
    member matcher.Compared =
        if matcher.ProjectsEntities then
            config.Model.Hidden
        else
            sizes.Entity

    /// Builds the net of a configuration; its first weights depend on `training.seed` and their names only.
    static member Create(config: RunConfig, sizes: FeatureSizes, device: torch.Device) : Matcher =
        let options =
            { Seed = config.Training.Seed
              Precision = config.Training.Precision
              Device = device }

        let published () : PublishedSizes =
            { Text = sizes.Text
              Image = sizes.Image
              Hidden = config.Model.Hidden
              Entity = sizes.Entity
              Heads = config.Model.Heads
              Dropout = config.Model.Dropout }

        let dualWay () : DualWaySizes =
            { Text = sizes.Text
              Image = sizes.Image
              Hidden = config.Model.Hidden
              Entity = sizes.Entity
              EntityImage =
                if config.Model.Units.LearnedEntity && config.Model.Units.EntityImage then
                    sizes.Image
                else
                    0
              Heads = config.Model.Heads
              Dropout = config.Model.Dropout
              Units = config.Model.Units
              PairFeatures = if config.Model.Units.Lexical then PairFeatures.count else 0 }

        let net =
            match config.Model.Kind with
            | ModelKind.Published -> PublishedNet(Net.build options (Published.recipe (published ())))
            | ModelKind.DualWay -> DualWayNet(Net.build options (DualWay.recipe (dualWay ())))

        new Matcher(config, sizes, net)

    /// The queries of these mentions, not normalised.
    ///
    /// returns : [mentions; compared width] float32 on the CPU, row-major
    member _.Query(table: MentionFeatures, mentions: int64[]) : float32[] =
        use _ = torch.inference_mode ()
        use _ = torch.NewDisposeScope()
        evaluate ()
        numbers (queryOf (MentionFeatures.gather options.Device table mentions))

    /// The entities as they are compared with queries, not normalised.
    ///
    /// entities : [rows; entity width], or with their images [rows; entity width + image width], zeros where there is none
    /// returns  : [rows; compared width] float32 on the CPU, row-major
    member matcher.CompareEntities(entities: torch.Tensor) : float32[] =
        use _ = torch.inference_mode ()
        evaluate ()

        let withImages (chunk: torch.Tensor) =
            if matcher.SeesEntityImages && Shape.size 1 chunk = int64 sizes.Entity then
                torch.cat ([| chunk; torch.zeros (Shape.size 0 chunk, int64 sizes.Image, dtype = chunk.dtype) |], 1L)
            else
                chunk

        let project (chunk: torch.Tensor) =
            match net with
            | PublishedNet _ -> chunk
            | DualWayNet net ->
                net.Forward.Entity((withImages chunk).``to`` (Precision.weightType options.Precision, options.Device))

        let chunk first =
            use _ = torch.NewDisposeScope()
            numbers (project (entities.narrow (0L, first, min (int64 entitiesAtOnce) (entities.shape[0] - first))))

        [| 0L .. int64 entitiesAtOnce .. entities.shape[0] - 1L |] |> Array.collect chunk

    /// Replaces cosines of mentions and entities by final scores, in place.
    ///
    /// first  : number of the first row's mention
    /// rows   : [mentions; width] entity rows, -1 = padding
    /// scores : [mentions; width]
    /// raises : ArgumentException without a lexical unit
    member matcher.Rescore(lexical: LexicalMentions, first: int, width: int, rows: int[], scores: float32[]) : unit =
        if not matcher.HasLexicalUnit then
            invalidArg (nameof matcher) "the model has no lexical unit"

        let weights = lexicalWeights ()

        Array.Parallel.iteri
            (fun at () ->
                let own = at * width

                LexicalScoring.rescore
                    lexical.Lexicon
                    weights
                    lexical.Mentions[first + at]
                    (ReadOnlySpan(rows, own, width))
                    (Span(scores, own, width)))
            (Array.create (rows.Length / width) ())

    /// What of one mention went into its query: gates and attention, over the heads on average.
    ///
    /// mention : its row in the table
    member _.ExplainQuery(table: MentionFeatures, mention: int64) : QueryShares =
        use _ = torch.inference_mode ()
        use _ = torch.NewDisposeScope()
        evaluate ()
        let batch = MentionFeatures.gather options.Device table [| mention |]
        let first (shares: Tensor option) = shares |> Option.map numbers |> Option.defaultValue [||]

        match net with
        | PublishedNet net ->
            { Gates = [||]
              Image = 0.0f
              Parts = first (net.Forward.PartShares batch |> Option.map _.mean([| 1L |]))
              Profiles = [||] }
        | DualWayNet net ->
            let terms = net.Forward.Explain batch
            let seen = first terms.Seen
            let image = if batch.Image.IsSome && seen.Length > 0 then 1 else 0

            { Gates = [| for name, gate in terms.Gates -> struct (name, Array.head (numbers gate)) |]
              Image = if image = 1 then seen[0] else 0.0f
              Parts = seen[image..]
              Profiles = first terms.Profiles }

    /// What the scores of one mention with entities are made of: by entity the mention, the sentence, each thing that a unit
    /// read (`text`, `whole image`, `part 1`, `profile 1`) and each lexical feature, those that are not 0, and `constant`;
    /// together they make the score.
    ///
    ///     cos(q, e) = Σ_u q_u · e / |q|,   with the query's terms q = Σ_u q_u
    ///
    /// mention  : its row in the table, and in `lexical` where the model has a lexical unit
    /// entities : [count; compared width], each of length 1, of the rows asked for
    /// rows     : their rows in the knowledge base
    member matcher.ExplainScores
        (table: MentionFeatures, mention: int64, entities: float32[], lexical: LexicalMentions | null, rows: int[])
        : struct (string * float32)[][] =
        use _ = torch.inference_mode ()
        use _ = torch.NewDisposeScope()
        evaluate ()
        let batch = MentionFeatures.gather options.Device table [| mention |]

        let terms =
            match net with
            | PublishedNet net -> net.Forward.Terms batch
            | DualWayNet net -> (net.Forward.Explain batch).Terms
            |> List.map (fun (name, term) -> name, numbers term)
            // Of what the mention does not have, such as an image where others of its table have one, there is nothing to say.
            |> List.filter (fun (_, term) -> Array.exists (fun value -> value <> 0.0f) term)

        let width = matcher.Compared

        let query = Array.init width (fun at -> terms |> List.sumBy (fun (_, term) -> float term[at]))

        let length = sqrt (query |> Array.sumBy (fun value -> value * value))

        let cosines =
            rows
            |> Array.mapi (fun at _ ->
                [| for name, term in terms do
                       let mutable sum = 0.0

                       for i in 0 .. width - 1 do
                           sum <- sum + float term[i] * float entities[at * width + i]

                       struct (name, float32 (sum / length)) |])

        match lexical with
        | null -> cosines
        | lexical when matcher.HasLexicalUnit ->
            let weights = lexicalWeights ()
            let features = Array.zeroCreate<float32> PairFeatures.count

            Array.map2
                (fun row (shares: struct (string * float32)[]) ->
                    PairFeatures.fill lexical.Lexicon lexical.Mentions[int mention] row (features.AsSpan())
                    let cosine = shares |> Array.sumBy (fun struct (_, share) -> share)
                    let parts = LexicalScoring.parts weights cosine features

                    [| for struct (name, share) in shares do
                           struct (name, parts[0] * share)
                       for at in 0 .. features.Length - 1 do
                           if features[at] <> 0.0f then
                               struct (PairFeatures.names[at], parts[at + 1])
                       struct ("constant", parts[parts.Length - 1]) |])
                rows
                cosines
        | _ -> cosines

    interface IDisposable with
        member _.Dispose() =
            match net with
            | PublishedNet net -> (net :> IDisposable).Dispose()
            | DualWayNet net -> (net :> IDisposable).Dispose()

/// Trains a matcher: one call a step, plain numbers back.
[<Sealed>]
type Trainer
    (
        matcher: Matcher,
        features: MentionFeatures,
        entities: torch.Tensor,
        updates: int64,
        lexical: LexicalMentions | null
    ) =
    let config = matcher.Config
    let optimizer = new Optimizer(config.Optimizer, matcher.Weights)

    let options =
        { Rate = config.Optimizer.LearningRate
          Schedule = Schedule.create config.Schedule updates
          ClipNorm = config.Optimizer.ClipNorm }

    let rows (at: int64[]) = (entities.index_select (0L, torch.tensor (at, dtype = torch.int64))).``to`` matcher.Device

    let entityRows (at: int64[]) = torch.tensor (at, dtype = torch.int64, device = matcher.Device)

    let publishedLoss (net: Published) (batch: TrainingRows) =
        let mentions = MentionFeatures.gather matcher.Device features batch.Mentions

        let sampled =
            if batch.Negatives.Length = 0 then
                None
            else
                Some batch.Negatives

        Total.published
            config.Loss
            (net.Outputs mentions)
            { Mentions = mentions
              Positive = rows batch.Golds
              Negative = sampled |> Option.map (fun negatives -> (rows negatives).unsqueeze 1L)
              NegativeEntity = sampled |> Option.map entityRows
              Entity = entityRows batch.Golds }

    let dualWayLoss (net: DualWay) (batch: TrainingRows) =
        let pairs = CandidatePairs.ofRows batch.Mentions batch.Golds batch.Candidates
        let shape = [| int64 batch.Mentions.Length; int64 pairs.Width |]

        let features' =
            match lexical with
            | null -> None
            | lexical when matcher.HasLexicalUnit ->
                let values = CandidatePairs.features lexical.Lexicon lexical.Mentions pairs
                let shape = [| yield! shape; int64 PairFeatures.count |]

                Some(
                    torch
                        .tensor(values, ReadOnlySpan shape)
                        .``to`` (Precision.weightType config.Training.Precision, matcher.Device)
                )
            | _ -> None

        DualWayTotal.ofBatch
            config.Loss
            net
            { Mentions = MentionFeatures.gather matcher.Device features batch.Mentions
              Entities = rows pairs.Distinct
              Pairs = torch.tensor (pairs.Places, ReadOnlySpan shape, device = matcher.Device)
              Counts = torch.tensor (pairs.Counts, ReadOnlySpan shape, device = matcher.Device)
              Features = features' }

    do
        if matcher.HasLexicalUnit && isNull lexical then
            invalidArg (nameof lexical) "the model has a lexical unit, which needs the training mentions"

    /// For a model without lexical unit.
    new(matcher, features, entities, updates) = new Trainer(matcher, features, entities, updates, null)

    /// The optimiser's memory by weight name: saved and restored with a checkpoint.
    member _.Moments = optimizer.Moments

    /// One update (0-based) from one batch, or from several whose gradients are averaged.
    member _.Step(step: int64, batches: TrainingRows[]) : StepReport =
        match matcher.Net with
        | PublishedNet net -> Step.run net publishedLoss optimizer options step (List.ofArray batches)
        | DualWayNet net -> Step.run net dualWayLoss optimizer options step (List.ofArray batches)

    interface IDisposable with
        member _.Dispose() = (optimizer :> IDisposable).Dispose()

/// In which order training visits its mentions, and how they are divided. See `Seed.derive`.
[<AbstractClass; Sealed>]
type Draw =
    /// A permutation of 0 .. count - 1, decided by seed and epoch.
    static member EpochOrder(seed: int64, epoch: int, count: int) : int[] = EpochOrder.permutation seed epoch count

    /// The part of each mention in a cross-validation, mentions of one group in one part; see `Folds.divide`.
    static member Folds(seed: int64, parts: int, groups: string[]) : int[] = Folds.divide seed parts groups

/// Draws sampled negatives: one entity row for each mention of a batch, never its gold nor another row with the gold's id.
/// What is drawn is decided by seed and batch.
[<Sealed>]
type NegativeDraws private (identities: Identities, sampler: NegativeSampler) =

    /// Makes the sampler when there is something to draw from.
    static member private Make
        (ids: string[], sampler: Identities -> NegativeSampler)
        : Result<NegativeDraws, UserError> =
        let identities = Identities ids

        if identities.Entities < 2 then
            let found = $"{identities.Entities} entities in the knowledge base"

            Error(
                UsageWrong(
                    $"{found}: a negative is another one than the gold",
                    "Give it more, or set loss.negatives=in-batch."
                )
            )
        else
            Ok(NegativeDraws(identities, sampler identities))

    /// Any entity.  ids : the entities' ids by row
    static member Random(ids: string[]) = NegativeDraws.Make(ids, Negatives.uniform)

    /// Entities whose descriptions share telling words with the gold's.  descriptions : by row, "" where there is none
    static member TfIdf(ids: string[], descriptions: string[]) =
        if descriptions |> Array.forall System.String.IsNullOrWhiteSpace then
            Error(
                UsageWrong(
                    "loss.negative_sampler is tf-idf, but no entity has a description",
                    "Set loss.negative_sampler=random."
                )
            )
        else
            let tables = TfIdf.tables (Array.Parallel.map TfIdf.words descriptions)
            NegativeDraws.Make(ids, fun identities -> Negatives.tfIdf identities tables)

    /// Entities of the gold's type.  types : by row, "" where none is stated
    static member SameType(ids: string[], types: string[]) =
        if Array.forall ((=) "") types then
            Error(
                UsageWrong(
                    "loss.negative_sampler is same-type, but no entity states its type",
                    "Set loss.negative_sampler=random."
                )
            )
        else
            NegativeDraws.Make(ids, fun identities -> Negatives.sameType identities types)

    /// Entities listed for each mention: its candidates, or what `Nearest` found.
    static member Listed(ids: string[], lists: int[][]) =
        NegativeDraws.Make(ids, fun identities -> Negatives.listed identities lists)

    /// The rows of the `count` entities nearest to each query, without the golds.
    ///
    /// queries : [mentions; dim] row-major; entities : [rows; dim]
    static member Nearest
        (ids: string[], count: int, queries: float32[], entities: torch.Tensor, golds: int64[])
        : int[][] =
        use flat = torch.tensor (queries, dtype = torch.float32)
        use table = flat.reshape (int64 golds.Length, entities.shape[1])
        Negatives.nearest (Identities ids) count table entities golds

    /// mentions : numbers of the training mentions of the batch; golds : their golds' rows, -1 = none
    member _.Draw(seed: int64, batch: int64, mentions: int[], golds: int64[]) : int64[] =
        Negatives.batch identities sampler seed batch mentions golds

/// Scores and ranks as plain numbers. Rows are normalised first, so that a product is a cosine.
[<AbstractClass; Sealed>]
type Ranks =
    /// Scales every row to length 1, in place.  rows : [count; dim]
    static member Normalize(rows: Memory<float32>, dim: int) : unit = Scoring.normalize rows dim

    /// Scores of listed candidates; see `Scoring.candidates`.
    static member ScoreCandidates
        (dim: int, queries: ReadOnlyMemory<float32>, entities: ReadOnlyMemory<float32>, width: int, candidates: int[])
        : ScoreTable =
        Scoring.candidates dim queries entities width candidates

    /// Ranks of golds among all entities, by entity row; protocol `full-kb`. See `Scoring.rankEverything`.
    static member OfEverything
        (dim: int, queries: Memory<float32>, entities: torch.Tensor, golds: int[])
        : Result<Rank[], UserError> =
        Scoring.rankEverything dim queries entities golds

    /// Ranks of golds that stand among the candidates or were missed; protocol `strict`.
    static member GoldListed(goldColumns: int[], table: ScoreTable) : Result<Rank[], UserError> =
        Ranking.goldListed goldColumns table

    /// Ranks of golds that are scored beside the candidates; protocol `legacy`.
    static member GoldScored(golds: float32[], table: ScoreTable) : Result<Rank[], UserError> =
        Ranking.goldScored golds table

    static member Metrics(tieRule: TieRule, ranks: Rank[]) : Metrics = Metrics.ofRanks tieRule ranks

    /// Rank of one gold among all of its row's scores, which need no padding; see `Ranking.goldListedRow`.
    static member GoldListedRow
        (mention: int, goldColumn: int, scores: ReadOnlyMemory<float32>)
        : Result<Rank, UserError> =
        Ranking.goldListedRow mention goldColumn scores.Span

    /// What a rank counts as under a rule of ties; infinity for a miss.
    static member Value(tieRule: TieRule, rank: Rank) : float = Ranking.value tieRule rank

    /// Share of mentions whose gold is among the first `count` candidates; -1 = not retrieved.
    static member Recall(count: int, goldColumns: int[]) : float = Metrics.candidateRecall count goldColumns

    /// The rows and scores of the best entities of one mention, best first; see `Scoring.bestOf`.
    static member Best(count: int, scores: ReadOnlyMemory<float32>) : struct (int[] * float32[]) =
        Scoring.bestOf count scores.Span

    /// `Best` of each mention among all entities; see `Scoring.bestOfEverything`.
    static member BestOfEverything
        (count: int, dim: int, queries: Memory<float32>, entities: torch.Tensor)
        : struct (int[] * float32[])[] =
        Scoring.bestOfEverything count dim queries entities

/// When a mention has no entity, and how probable an answer is. Thresholds and temperatures are chosen on dev.
[<AbstractClass; Sealed>]
type Confidence =
    /// The best score of each mention, -infinity where it has no candidate; see `Calibration.best`.
    static member Best(table: ScoreTable) : float[] = Calibration.best table

    /// The probability of the best candidate of each mention; see `Calibration.stated`.
    static member Stated(temperature: float, table: ScoreTable) : float[] = Calibration.stated temperature table

    /// The temperature that makes what is stated likeliest; see `Calibration.temperature`. Null where there are no rivals.
    static member Temperature(right: bool[], table: ScoreTable) : Nullable<float> =
        Option.toNullable (Calibration.temperature right table)

    /// The threshold with the highest F1 of `Links`; see `Nil.bestThreshold`.
    static member Threshold(mentions: Judged[]) : float = Nil.bestThreshold mentions

    /// The answers that name an entity; see `Nil.links`.
    static member Links(threshold: float, mentions: Judged[]) : AnswerQuality = Nil.links threshold mentions

    /// The answers that say NIL; see `Nil.nils`.
    static member Nils(threshold: float, mentions: Judged[]) : AnswerQuality = Nil.nils threshold mentions

    /// The chance that a mention with an entity is surer than one without; see `Nil.auroc`. Null where one kind is absent.
    static member Auroc(mentions: Judged[]) : Nullable<float> = Option.toNullable (Nil.auroc mentions)

    /// Bars of a calibration plot; see `Calibration.bins`.
    static member Bins(count: int, stated: float[], right: bool[]) : CalibrationBin[] =
        Calibration.bins count stated right

    /// Expected calibration error; see `Calibration.error`.
    static member CalibrationError(bins: CalibrationBin[]) : float = Calibration.error bins

    /// Mean squared distance of stated probability and truth; see `Calibration.brier`.
    static member Brier(stated: float[], right: bool[]) : float = Calibration.brier stated right

/// Dot products of many rows with many, in tiles of registers; see `Tile`.
[<AbstractClass; Sealed>]
type DotProducts =
    /// Whether this machine has the registers, and the sizes fill tiles.
    static member Fit(dim: int, left: int, right: int) : bool = Tile.fits dim left right

    /// scores[i * count of right + j] = left_i · right_j; each the same bits whatever the other rows.
    ///
    /// left, right : [...; dim] row-major, of sizes that `Fit`
    static member Fill
        (dim: int, left: ReadOnlySpan<float32>, right: ReadOnlySpan<float32>, scores: Span<float32>)
        : unit =
        Tile.fillAll dim left right scores

/// A frozen CLIP model with its weights; not thread-safe.
[<Sealed>]
type ClipModel private (sizes: ClipSizes, frozen: FrozenWeights, net: Net<Clip>) =

    let encode (compute: unit -> torch.Tensor) : float32[] =
        use _ = torch.inference_mode ()
        use _ = torch.NewDisposeScope()
        (compute ()).``to``(torch.float32).cpu().contiguous().data<float32>().ToArray()

    let input (values: torch.Tensor) = values.``to`` net.Options.Device

    member internal _.Net = net
    member _.Sizes = sizes

    /// The weights by OpenAI's names, without values: they are copied in before the first vector is asked for.
    member _.Weights = net.Weights

    static member Create(sizes: ClipSizes, precision: Tensors.Precision, device: torch.Device) : ClipModel =
        let options = { Seed = 0L; Precision = precision; Device = device }

        let frozen = new FrozenWeights(precision)
        new ClipModel(sizes, frozen, Net.build options (Clip.recipe frozen sizes))

    /// Vectors of prepared images, not normalised.
    ///
    /// pixels : [images; 3; resolution; resolution] row-major -> [images; embedding] row-major
    member _.EncodeImages(pixels: Memory<float32>, images: int) : float32[] =
        let side = int64 sizes.Resolution

        encode (fun () ->
            let rows = torch.tensor (pixels, [| int64 images; 3L; side; side |], dtype = torch.float32)
            net.Forward.EncodeImage((input rows).``to`` (Tensors.Precision.weightType net.Options.Precision)))

    /// Vectors of token rows of one length, not normalised.
    ///
    /// ids : [texts; places] row-major -> [texts; embedding] row-major
    member _.EncodeTexts(ids: int64[], texts: int) : float32[] =
        encode (fun () ->
            let rows = (torch.tensor (ids, dtype = torch.int64)).view (int64 texts, -1L)
            net.Forward.EncodeText(input rows))

    /// As `EncodeTexts`, every place on its own: that of a row's end mark is its text's vector.
    ///
    /// ids : [texts; places] row-major -> [texts; places; embedding] row-major
    member _.EncodeTokens(ids: int64[], texts: int) : float32[] =
        encode (fun () ->
            let rows = (torch.tensor (ids, dtype = torch.int64)).view (int64 texts, -1L)
            net.Forward.EncodeTokens(input rows))

    interface IDisposable with
        member _.Dispose() =
            (frozen :> IDisposable).Dispose()
            (net :> IDisposable).Dispose()

/// Pixels as CLIP takes them. See `ClipPixels` and docs/clip.md.
[<AbstractClass; Sealed>]
type ClipImages =
    /// Changes when any image is prepared differently.
    static member Version = "pillow-bicubic-1"

    /// Fills [3; side; side] from [height; width; channels].
    static member Prepare
        (side: int, width: int, height: int, channels: int, pixels: byte[], target: Span<float32>)
        : unit =
        ClipPixels.prepare side width height channels pixels target

/// Turns texts into the rows of ids that CLIP takes.
[<Sealed>]
type ClipTokens private (tokenizer: BpeTokenizer) =

    static member Version = BpeTokenizer.Version

    /// merges : lines `left right`, best first. Error: what is wrong with them.
    static member Create(vocabulary: int, merges: IEnumerable<string>) : Result<ClipTokens, string> =
        BpeTokenizer.Create(vocabulary, merges) |> Result.map ClipTokens

    /// Start mark, ids, end mark: at most `context` of them.
    member _.Row(context: int, text: string) : int[] = tokenizer.Row(context, text)

/// What results say beyond the mentions that they were measured on. Resampled 1,000 times, at 95 %.
[<AbstractClass; Sealed>]
type Evidence =
    static member private Resamples = 1000
    static member Confidence = 0.95

    /// The interval of the mean of one value per mention; see `Statistics.interval`.
    static member Interval(seed: int64, values: float[]) : Interval =
        Statistics.interval seed Evidence.Resamples Evidence.Confidence values

    /// The difference of two systems on the same mentions, right minus left; see `Statistics.paired`.
    static member Difference(seed: int64, left: float[], right: float[]) : Difference =
        Statistics.paired seed (10 * Evidence.Resamples) Evidence.Confidence left right

    /// Over seeds or folds; see `Statistics.meanAndDeviation`.
    static member MeanAndDeviation(values: float[]) : struct (float * Nullable<float>) =
        Statistics.meanAndDeviation values

    /// p-values held against each other, in the order given; see `Statistics.holm`.
    static member Holm(pValues: float[]) : float[] = Statistics.holm pValues
