namespace Dwe.Model.Config

open Dwe.Model.Tensors

/// Which net turns a mention into a query.
type ModelKind =
    /// What the released code computes (nel_model/nel.py), minus its accidents.
    | Published
    /// The paper's method, whole: gated units, an entity side, and names and priors in the score.
    | DualWay

/// Which matching loss the `dwe` model minimises.
type MatchingKind =
    /// Softmax over dot products, with the penalty on length (as published).
    | NPairLoss
    /// Hinge on cosines.
    | TripletLoss
    /// Circle on cosines.
    | CircleLoss
    /// Softmax over cosines with a learned temperature.
    | InfoNceLoss

/// Whose positives and negatives a mention is pushed away from.
type NegativeSource =
    /// One sampled entity per mention; every sampled entity of the batch serves every mention (as published).
    | Sampled
    /// The positives of the other mentions of the batch.
    | InBatch
    /// Both of the above.
    | SampledAndInBatch

/// Which entities are drawn where negatives are sampled.
type NegativeKind =
    /// Any entity but the gold.
    | RandomEntity
    /// Entities whose descriptions share telling words with the gold's (as published).
    | SharedWords
    /// One of the entities nearest to the mention's query, found anew at the beginning of every epoch.
    | NearestEntity
    /// Entities of the gold's type.
    | SameType
    /// The mention's candidates but the gold.
    | ListedCandidate

type OptimizerKind =
    /// transformers' AdamW: the bias-corrected step first, then decay of the moved weight (as published).
    | HfAdamW
    /// Decoupled AdamW (Loshchilov, Hutter 2019) as torch.optim.AdamW computes it.
    | AdamW

/// Which weights decay.
type DecayRule =
    /// All but biases: layer-norm weights and the logit scale decay, as in the released code.
    | AllButBiases
    /// Matrices only: biases, layer-norm weights and the logit scale keep their size.
    | MatricesOnly

type ScheduleKind =
    | Linear
    | Cosine
    | Constant

/// How candidates and golds are treated when ranks are counted (docs/protocols.md).
type Protocol =
    | Legacy
    | Strict
    | FullKb

/// The parts of the `dwe` model.
type UnitsConfig =
    {
        Textual: bool
        /// The textual unit reads the text's tokens, beside the text as a whole.
        Tokens: bool
        Vision: bool
        Attribute: bool
        /// The attribute unit reads what the scene is, beside the profiles.
        Scene: bool
        /// The entity side is a learned projection; else the features as they are.
        LearnedEntity: bool
        /// The cosine of query and entity enters the score.
        Match: bool
        /// Queries start as the encoded texts and entities as theirs: what is learned is added to what the encoder knows.
        Residual: bool
        /// The learned projection reads the entities' images too.
        EntityImage: bool
        Lexical: bool
        /// The lexical unit remembers what training mentions meant.
        LexicalMemory: bool
        LexicalHidden: int
        LexicalDropout: float
        /// What the cosines of queries and entities are divided by at first.
        Temperature: float
    }

type ModelConfig =
    { Kind: ModelKind; Hidden: int; Heads: int; Dropout: float; Units: UnitsConfig }

type LossConfig =
    { Matching: MatchingKind
      Margin: float
      Scale: float
      MatchingWeight: float
      CoarseWeight: float
      FineWeight: float
      LinkingWeight: float
      Candidates: int
      L2Weight: float
      Negatives: NegativeSource
      NegativeSampler: NegativeKind
      NearestPool: int }

type OptimizerConfig =
    { Kind: OptimizerKind
      LearningRate: float
      WeightDecay: float
      Decay: DecayRule
      Beta1: float
      Beta2: float
      Epsilon: float
      ClipNorm: float }

type ScheduleConfig = { Kind: ScheduleKind; WarmupSteps: int }

type TrainingConfig =
    { Seed: int64
      Precision: Precision
      Threads: int
      Epochs: int
      BatchSize: int
      Accumulation: int
      EvaluateEveryEpochs: int
      Patience: int
      Protocol: Protocol
      SelectBy: string }

type FeaturesConfig = { EntityText: string }

/// Everything that decides what a run computes, but its data. Saved with every run, printed when one starts.
type RunConfig =
    { Model: ModelConfig
      Loss: LossConfig
      Optimizer: OptimizerConfig
      Schedule: ScheduleConfig
      Training: TrainingConfig
      Features: FeaturesConfig }

    /// The released code's values (script/wikimel.sh, args.py), with early stop after 30 evaluations without a better one.
    static member Defaults =
        { Model =
            { Kind = Published
              Hidden = 512
              Heads = 8
              Dropout = 0.4
              Units =
                { Textual = true
                  Tokens = false
                  Vision = true
                  Attribute = true
                  Scene = true
                  LearnedEntity = true
                  Match = true
                  Residual = false
                  EntityImage = false
                  Lexical = true
                  LexicalMemory = true
                  LexicalHidden = 64
                  LexicalDropout = 0.1
                  Temperature = 0.07 } }
          Loss =
            { Matching = NPairLoss
              Margin = 0.25
              Scale = 32.0
              MatchingWeight = 10.0
              CoarseWeight = 1.0
              FineWeight = 1.0
              LinkingWeight = 1.0
              Candidates = 24
              L2Weight = 0.02
              Negatives = Sampled
              NegativeSampler = SharedWords
              NearestPool = 10 }
          Optimizer =
            { Kind = HfAdamW
              LearningRate = 5e-5
              WeightDecay = 1e-3
              Decay = AllButBiases
              Beta1 = 0.9
              Beta2 = 0.999
              Epsilon = 1e-8
              ClipNorm = 1.0 }
          Schedule = { Kind = Linear; WarmupSteps = 100 }
          Training =
            { Seed = 114514L
              Precision = Float32
              Threads = 0
              Epochs = 300
              BatchSize = 128
              Accumulation = 1
              EvaluateEveryEpochs = 1
              Patience = 30
              Protocol = Strict
              SelectBy = "hits@1" }
          Features = { EntityText = "{property}" } }
