namespace Dwe.Model.Config

open System
open Dwe.Model.Tensors

/// Every configuration key, in the order in which files are written.
[<RequireQualifiedAccess>]
module internal Fields =

    let protocols = [ "legacy", Legacy; "strict", Strict; "full-kb", FullKb ]
    let precisions = [ "float32", Float32; "bf16-mixed", Bf16Mixed; "float64", Float64 ]

    /// What results are ranked and compared by.
    let measures = [ "hits@1"; "hits@3"; "hits@5"; "hits@10"; "hits@20"; "mrr" ]

    let private model =
        let set change config = { config with RunConfig.Model = change config.Model }

        [ Field.choice
              "model.kind"
              "the net that turns a mention into a query"
              [ "published", Published; "dwe", DualWay ]
              _.Model.Kind
              (fun value -> set (fun model -> { model with Kind = value }))
          Field.int "model.hidden" "width of the net" (1, 65536) _.Model.Hidden (fun value ->
              set (fun model -> { model with Hidden = value }))
          Field.int "model.heads" "attention heads; divides model.hidden" (1, 1024) _.Model.Heads (fun value ->
              set (fun model -> { model with Heads = value }))
          Field.real "model.dropout" "share of activations dropped in training" (0.0, 1.0) _.Model.Dropout (fun value ->
              set (fun model -> { model with Dropout = value })) ]

    /// Parts of the `dwe` model; `published` has none of them.
    let private units =
        let set change config = { config with RunConfig.Model.Units = change config.Model.Units }

        [ Field.flag "model.textual_unit" "dwe: attention over the text" _.Model.Units.Textual (fun value ->
              set (fun units -> { units with Textual = value }))
          Field.flag
              "model.tokens"
              "dwe: the textual unit reads the text's tokens too, of a store made with `dwe features --tokens`"
              _.Model.Units.Tokens
              (fun value -> set (fun units -> { units with Tokens = value }))
          Field.flag "model.vision_unit" "dwe: attention over image and parts" _.Model.Units.Vision (fun value ->
              set (fun units -> { units with Vision = value }))
          Field.flag
              "model.attribute_unit"
              "dwe: attention over attribute profiles"
              _.Model.Units.Attribute
              (fun value -> set (fun units -> { units with Attribute = value }))
          Field.flag
              "model.scene"
              "dwe: the attribute unit reads the scene beside the profiles"
              _.Model.Units.Scene
              (fun value -> set (fun units -> { units with Scene = value }))
          Field.flag
              "model.learned_entity"
              "dwe: project entities by learned weights; false compares their features as they are"
              _.Model.Units.LearnedEntity
              (fun value -> set (fun units -> { units with LearnedEntity = value }))
          Field.flag
              "model.match"
              "dwe: the cosine of query and entity in the score; false leaves the lexical unit alone"
              _.Model.Units.Match
              (fun value -> set (fun units -> { units with Match = value }))
          Field.flag
              "model.residual"
              "dwe: learned parts are added to the encoder's own vectors of text and entity"
              _.Model.Units.Residual
              (fun value -> set (fun units -> { units with Residual = value }))
          Field.flag
              "model.entity_image"
              "dwe: the learned projection of entities reads their images, where they have some"
              _.Model.Units.EntityImage
              (fun value -> set (fun units -> { units with EntityImage = value }))
          Field.flag
              "model.lexical_unit"
              "dwe: names, words and priors in the score"
              _.Model.Units.Lexical
              (fun value -> set (fun units -> { units with Lexical = value }))
          Field.flag
              "model.lexical_memory"
              "dwe: the lexical unit remembers what training mentions meant: its prior and memory features"
              _.Model.Units.LexicalMemory
              (fun value -> set (fun units -> { units with LexicalMemory = value }))
          Field.int
              "model.lexical_hidden"
              "dwe: width of the lexical unit's net"
              (1, 65536)
              _.Model.Units.LexicalHidden
              (fun value -> set (fun units -> { units with LexicalHidden = value }))
          Field.real
              "model.lexical_dropout"
              "dwe: share of the lexical unit's activations dropped in training"
              (0.0, 1.0)
              _.Model.Units.LexicalDropout
              (fun value -> set (fun units -> { units with LexicalDropout = value }))
          Field.real
              "model.temperature"
              "dwe: what cosines are divided by at first; learned from there, within 0.01 to 1"
              (0.01, 1.0)
              _.Model.Units.Temperature
              (fun value -> set (fun units -> { units with Temperature = value })) ]

    let private loss =
        let set change config = { config with RunConfig.Loss = change config.Loss }
        let weight = (0.0, Double.PositiveInfinity)

        let kinds =
            [ "random", RandomEntity
              "tf-idf", SharedWords
              "nearest", NearestEntity
              "same-type", SameType
              "candidates", ListedCandidate ]

        let sources = [ "sampled", Sampled; "in-batch", InBatch; "both", SampledAndInBatch ]

        let matchings =
            [ "n-pair", NPairLoss; "triplet", TripletLoss; "circle", CircleLoss; "info-nce", InfoNceLoss ]

        [ Field.choice
              "loss.matching"
              "dwe: which matching loss; published has n-pair"
              matchings
              _.Loss.Matching
              (fun value -> set (fun loss -> { loss with Matching = value }))
          Field.real "loss.margin" "dwe: margin of triplet and circle" (0.0, 2.0) _.Loss.Margin (fun value ->
              set (fun loss -> { loss with Margin = value }))
          Field.real "loss.scale" "dwe: factor of circle" (1e-3, 1e4) _.Loss.Scale (fun value ->
              set (fun loss -> { loss with Scale = value }))
          Field.real
              "loss.linking_weight"
              "dwe: weight of the gold's share among the candidates by the final score"
              weight
              _.Loss.LinkingWeight
              (fun value -> set (fun loss -> { loss with LinkingWeight = value }))
          Field.int
              "loss.candidates"
              "dwe: how many of a mention's candidates a step compares it with; 0 = none"
              (0, 1000)
              _.Loss.Candidates
              (fun value -> set (fun loss -> { loss with Candidates = value }))
          Field.real
              "loss.matching_weight"
              "lambda_t: weight of the matching loss"
              weight
              _.Loss.MatchingWeight
              (fun value -> set (fun loss -> { loss with MatchingWeight = value }))
          Field.real
              "loss.coarse_weight"
              "lambda_c: weight of image against text"
              weight
              _.Loss.CoarseWeight
              (fun value -> set (fun loss -> { loss with CoarseWeight = value }))
          Field.real
              "loss.fine_weight"
              "weight of attended parts against attended text"
              weight
              _.Loss.FineWeight
              (fun value -> set (fun loss -> { loss with FineWeight = value }))
          Field.real
              "loss.l2_weight"
              "weight of the embeddings' size in the N-pair loss"
              weight
              _.Loss.L2Weight
              (fun value -> set (fun loss -> { loss with L2Weight = value }))
          Field.choice "loss.negatives" "where negatives come from" sources _.Loss.Negatives (fun value ->
              set (fun loss -> { loss with Negatives = value }))
          Field.choice
              "loss.negative_sampler"
              "which entities are drawn as sampled negatives"
              kinds
              _.Loss.NegativeSampler
              (fun value -> set (fun loss -> { loss with NegativeSampler = value }))
          Field.int
              "loss.nearest_pool"
              "of how many nearest entities one is drawn, with loss.negative_sampler nearest"
              (1, 100_000)
              _.Loss.NearestPool
              (fun value -> set (fun loss -> { loss with NearestPool = value })) ]

    let private optimizer =
        let set change config = { config with RunConfig.Optimizer = change config.Optimizer }
        let rules = [ "all-but-biases", AllButBiases; "matrices-only", MatricesOnly ]

        [ Field.choice
              "optimizer.kind"
              "hf-adamw as published, or decoupled adamw"
              [ "hf-adamw", HfAdamW; "adamw", AdamW ]
              _.Optimizer.Kind
              (fun value -> set (fun optimizer -> { optimizer with Kind = value }))
          Field.real
              "optimizer.learning_rate"
              "the highest learning rate"
              (0.0, 1e3)
              _.Optimizer.LearningRate
              (fun value -> set (fun optimizer -> { optimizer with LearningRate = value }))
          Field.real
              "optimizer.weight_decay"
              "decay per step, times the learning rate"
              (0.0, 1e3)
              _.Optimizer.WeightDecay
              (fun value -> set (fun optimizer -> { optimizer with WeightDecay = value }))
          Field.choice "optimizer.decay" "which weights decay" rules _.Optimizer.Decay (fun value ->
              set (fun optimizer -> { optimizer with Decay = value }))
          Field.real "optimizer.beta1" "memory of the gradient's mean" (0.0, 1.0) _.Optimizer.Beta1 (fun value ->
              set (fun optimizer -> { optimizer with Beta1 = value }))
          Field.real "optimizer.beta2" "memory of the gradient's square" (0.0, 1.0) _.Optimizer.Beta2 (fun value ->
              set (fun optimizer -> { optimizer with Beta2 = value }))
          Field.real
              "optimizer.epsilon"
              "added to the root of the second moment"
              (0.0, 1.0)
              _.Optimizer.Epsilon
              (fun value -> set (fun optimizer -> { optimizer with Epsilon = value }))
          Field.real
              "optimizer.clip_norm"
              "largest gradient norm; 0 clips nothing"
              (0.0, Double.PositiveInfinity)
              _.Optimizer.ClipNorm
              (fun value -> set (fun optimizer -> { optimizer with ClipNorm = value })) ]

    let private schedule =
        let set change config = { config with RunConfig.Schedule = change config.Schedule }

        [ Field.choice
              "schedule.kind"
              "how the rate falls after the warm-up"
              [ "linear", Linear; "cosine", Cosine; "constant", Constant ]
              _.Schedule.Kind
              (fun value -> set (fun schedule -> { schedule with ScheduleConfig.Kind = value }))
          Field.int
              "schedule.warmup_steps"
              "steps over which the rate rises from 0"
              (0, Int32.MaxValue)
              _.Schedule.WarmupSteps
              (fun value -> set (fun schedule -> { schedule with WarmupSteps = value })) ]

    let private training =
        let set change config = { config with RunConfig.Training = change config.Training }

        let measures = [ for name in measures -> name, name ]

        [ Field.integer
              "training.seed"
              "decides every random number of the run"
              (0L, Int64.MaxValue)
              _.Training.Seed
              (fun value -> set (fun training -> { training with Seed = value }))
          Field.choice
              "training.precision"
              "in which numbers the net computes"
              precisions
              _.Training.Precision
              (fun value -> set (fun training -> { training with Precision = value }))
          Field.int
              "training.threads"
              "threads that torch computes with, which decides the last bits of a run; 0: as many as there are cores, written down when a run begins"
              (0, 4096)
              _.Training.Threads
              (fun value -> set (fun training -> { training with Threads = value }))
          Field.int "training.epochs" "passes over the training mentions" (1, 1_000_000) _.Training.Epochs (fun value ->
              set (fun training -> { training with Epochs = value }))
          Field.int "training.batch_size" "mentions per step" (1, 65536) _.Training.BatchSize (fun value ->
              set (fun training -> { training with BatchSize = value }))
          Field.int
              "training.accumulation"
              "steps whose gradients are added before an update"
              (1, 4096)
              _.Training.Accumulation
              (fun value -> set (fun training -> { training with Accumulation = value }))
          Field.int
              "training.evaluate_every_epochs"
              "epochs between two evaluations on dev"
              (1, 1_000_000)
              _.Training.EvaluateEveryEpochs
              (fun value -> set (fun training -> { training with EvaluateEveryEpochs = value }))
          Field.int
              "training.patience"
              "evaluations without a better one before stopping; 0 never stops early"
              (0, 1_000_000)
              _.Training.Patience
              (fun value -> set (fun training -> { training with Patience = value }))
          Field.choice
              "training.protocol"
              "the protocol of the evaluations on dev"
              protocols
              _.Training.Protocol
              (fun value -> set (fun training -> { training with TrainingConfig.Protocol = value }))
          Field.choice
              "training.select_by"
              "the dev measure that decides which checkpoint is best"
              measures
              _.Training.SelectBy
              (fun value -> set (fun training -> { training with SelectBy = value })) ]

    let private features =
        [ Field.text
              "features.entity_text"
              "template of the text that stands for an entity, e.g. {name} [SEP] {property}"
              _.Features.EntityText
              (fun value config -> { config with Features = { EntityText = value } }) ]

    let all: Field list = List.concat [ model; units; loss; optimizer; schedule; training; features ]
    let keys = all |> List.map _.Key
