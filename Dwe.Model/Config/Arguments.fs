namespace Dwe.Model.Config

open Argu

/// The command line as types: one union a verb, one case an option. A record stands between these and the program.
[<RequireQualifiedAccess>]
module internal Wording =

    [<Literal>]
    let Format =
        "format of the data set, where its folder does not show it: wikimel, richpediamel, wikidiverse, wikiperson, \
         mimic, melbench, wikidiverse-upstream, jsonl, csv"

    [<Literal>]
    let EntityText =
        "template of the text that stands for an entity, e.g. \"{name} [SEP] {property}\"; of several, with \" || \" between \
         them, the vectors are averaged"

    [<Literal>]
    let TrainAndDevCandidates =
        "candidates of the train and dev mentions, {mention: [ids]} or {record key: [ids]}"

    [<Literal>]
    let Source =
        "file of entities: .jsonl or .csv with id, name, aliases, type, image and descriptions, or a dump of Wikidata \
         (.json, .json.gz, .json.bz2)"

    [<Literal>]
    let Languages =
        "of a dump: languages of labels and descriptions, the first that is there is taken (default: en)"

    [<Literal>]
    let Classes = "of a dump: only items that are instances (P31) of these, e.g. Q5,Q43229 (default: all)"

    [<Literal>]
    let Subclasses = "of a dump: instances of subclasses (P279) too, for which the dump is read once more"

    [<Literal>]
    let Properties =
        "of a dump: properties that become the description \"property\", perhaps with headings, e.g. P106,P108=Employer \
         (default: those of WikiMEL, from Sex to Nick name)"

    [<Literal>]
    let SkipBroken = "of a dump: pass over lines that cannot be read, and count them"

type internal FeaturesArguments =
    | [<Mandatory; Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Mandatory; Unique>] Out of STORE: string
    | [<Unique>] Preset of NAME: string
    | [<Unique>] Entity_Text of TEMPLATE: string
    | [<Unique>] Splits of NAMES: string
    | Reuse of STORE: string
    | [<Unique>] Images of DIR: string
    | [<Unique>] No_Images
    | [<Unique>] Without of GUESSES: string
    | [<Unique>] Objects
    | [<Unique>] Identity
    | [<Unique>] Tokens
    | [<Unique>] Max_Tokens of COUNT: int
    | [<Unique>] Shard of ``I/N``: string
    | [<CliPrefix(CliPrefix.None); Unique>] Merge of SHARD: string list
    | [<Unique>] Encoder of NAME: string
    | [<Unique>] Precision of NAME: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Encoder _ -> "what encodes texts: use (default), or clip:FILE with the weights of a CLIP model"
            | Precision _ -> "float32 (default), bf16-mixed or float64: how clip:FILE computes"
            | Data _ -> "folder of the data set"
            | Format _ -> Wording.Format
            | Out _ -> "folder of the feature store; one that is there is brought up to date"
            | Preset _ -> "take features.entity_text from this preset"
            | Entity_Text _ -> Wording.EntityText
            | Splits _ -> "splits to encode, e.g. train,dev (default: all that the data set has)"
            | Reuse _ -> "another store whose vectors may be taken over; may be repeated"
            | Images _ -> "folder in which to look for images first (default: where the data set's format has them)"
            | No_Images -> "texts alone"
            | Without _ -> "model guesses about faces to leave out: gender, race, emotion, separated by commas"
            | Objects -> "things that were detected are parts too, beside persons"
            | Identity -> "store an identity vector for every face"
            | Tokens -> "store vectors of the tokens next to each mention too, for model.tokens (much space)"
            | Max_Tokens _ -> "with --tokens: how many a mention, 1 to 128 (default: 32)"
            | Shard _ -> "do one of N equal shares and leave it unfinished, e.g. 1/4"
            | Merge _ -> "put the folders that shards have left together into --out; with the shards' options"

type internal TrainArguments =
    | [<Unique>] Preset of NAME: string
    | [<Unique>] Config of FILE: string
    | [<Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Features of STORE: string
    | [<Unique>] Candidates of FILE: string
    | [<Unique>] Out of RUN: string
    | Set of ``KEY=VALUE``: string
    | [<Unique>] Precision of NAME: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string
    | [<Unique>] Resume
    | [<Unique>] Seeds of NUMBERS: string
    | [<Unique>] Folds of COUNT: int
    | [<Unique>] Json of FILE: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Seeds _ -> "a run OUT/seed-N for each of these seeds, e.g. 1,2,3, and a table with mean and deviation"
            | Folds _ ->
                "cross-validation: train is divided into COUNT parts by sentence, OUT/fold-N is trained on the others and evaluated on part N"
            | Preset _ ->
                "start from a preset: small (for a little data of your own), sample, drawn, wikimel, richpediamel, wikidiverse, wikiperson; NAME-dwe trains the dwe model"
            | Config _ -> "start from a configuration file (JSON; keys that it leaves out keep their defaults)"
            | Data _ -> "folder of the data set"
            | Format _ -> Wording.Format
            | Features _ -> "feature store made by `dwe features`"
            | Candidates _ -> "candidates of the dev mentions, {mention: [ids]} or {record key: [ids]}"
            | Out _ -> "folder of the run (default: runs/PRESET)"
            | Set _ -> "change one configuration key; may be repeated"
            | Precision _ -> "float32, bf16-mixed or float64: short for --set training.precision=..."
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"
            | Resume -> "go on from the run's last checkpoint"
            | Json _ -> "also write the final result to this file"

type internal EvalArguments =
    | [<Unique>] Run of RUN: string
    | [<Unique>] Baseline of NAME: string
    | [<Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Features of STORE: string
    | [<Unique>] Split of NAME: string
    | [<Unique>] Protocol of NAME: string
    | [<Unique>] Candidates of FILE: string
    | [<Unique>] Precision of NAME: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string
    | [<Unique>] Again
    | [<Unique>] Json of FILE: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Again -> "look at the test split though the run was evaluated on it before; the result counts the looks"
            | Run _ -> "folder of a trained run; its best checkpoint is evaluated"
            | Baseline _ -> "instead of a run: candidate-order (candidates as they are listed) or chance"
            | Data _ -> "folder of the data set (default: the one the run was trained on)"
            | Format _ -> Wording.Format
            | Features _ -> "feature store (default: the one the run was trained on)"
            | Split _ -> "dev or test (default: dev)"
            | Protocol _ -> "legacy, strict or full-kb (default: strict)"
            | Candidates _ ->
                "candidate lists, {mention: [ids]} or {record key: [ids]} (default: search_top100.json of the data)"
            | Precision _ -> "float32, bf16-mixed or float64 (default: the run's)"
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"
            | Json _ -> "also write the result to this file"

type internal CompareArguments =
    | [<MainCommand; ExactlyOnce>] Results of RUN: string list
    | [<Unique>] Split of NAME: string
    | [<Unique>] Protocol of NAME: string
    | [<Unique>] Measure of NAME: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Results _ -> "runs, or result files of `--json`; the first is what the others are compared with"
            | Split _ -> "whose results of a run: dev or test (default: dev)"
            | Protocol _ -> "legacy, strict or full-kb (default: strict)"
            | Measure _ -> "hits@1, hits@3, hits@5, hits@10, hits@20 or mrr (default: hits@1)"
            | Json -> "print JSON instead of a table"

type internal AblateArguments =
    | [<Mandatory; Unique>] Grid of FILE: string
    | [<Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Features of STORE: string
    | [<Unique>] Candidates of FILE: string
    | [<Mandatory; Unique>] Out of FOLDER: string
    | [<Unique>] Seeds of NUMBERS: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string
    | [<Unique>] Json of FILE: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Grid _ ->
                "the variants: {\"preset\": NAME, \"base\": {KEY: VALUE}, \"variants\": {NAME: {KEY: VALUE}}}; the first is what the others are compared with"
            | Data _ -> "folder of the data set (default: the sample's, where the preset is a sample's)"
            | Format _ -> Wording.Format
            | Features _ -> "feature store made by `dwe features`"
            | Candidates _ -> Wording.TrainAndDevCandidates
            | Out _ -> "folder of the runs; what is finished there is not trained again"
            | Seeds _ -> "a run of every variant for each of these seeds, e.g. 1,2,3 (default: the configuration's)"
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"
            | Json _ -> "also write the table as JSON to this file"

type internal SweepArguments =
    | [<Mandatory; Unique>] Space of FILE: string
    | [<Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Features of STORE: string
    | [<Unique>] Candidates of FILE: string
    | [<Mandatory; Unique>] Out of FOLDER: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string
    | [<Unique>] Json of FILE: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Space _ ->
                "what to try: {\"preset\": NAME, \"base\": {KEY: VALUE}, \"space\": {KEY: [VALUES] or {\"from\", \"to\", \"scale\": \"log\"}}, \"method\": \"random\" or \"grid\", \"trials\": COUNT, \"seed\": NUMBER}"
            | Data _ -> "folder of the data set (default: the sample's, where the preset is a sample's)"
            | Format _ -> Wording.Format
            | Features _ -> "feature store made by `dwe features`"
            | Candidates _ -> Wording.TrainAndDevCandidates
            | Out _ -> "folder of the runs; what is finished there is not trained again"
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"
            | Json _ -> "also write the table as JSON to this file"

type internal LinkArguments =
    | [<Mandatory; Unique>] Run of RUN: string
    | [<Unique>] Index of INDEX: string
    | [<Unique>] Text of SENTENCE: string
    | [<Unique>] Mention of WORDS: string
    | [<Unique>] Image of FILE: string
    | [<Unique>] Input of FILE: string
    | [<Unique>] Out of FILE: string
    | [<Unique>] Top of COUNT: int
    | [<Unique>] Candidates of COUNT: int
    | [<Unique>] Explain
    | [<Unique>] Encoder of NAME: string
    | [<Unique>] Precision of NAME: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Run _ -> "folder of a trained run"
            | Index _ -> "an index made by `dwe index` (default: the data set that the run was trained on)"
            | Text _ -> "the sentence; its mention may be marked in it: \"Does [[Jordan]] still play?\""
            | Mention _ -> "the mention as it stands in the sentence, where it is not marked"
            | Image _ -> "image that goes with the sentence"
            | Input _ ->
                "mentions as JSON Lines, - for standard input: {\"text\", \"mention\", \"image\": file name, \"candidates\": [ids]}"
            | Out _ -> "answers as JSON Lines, one a line of --input (default: standard output)"
            | Top _ -> "entities to show (default: 10)"
            | Candidates _ ->
                "candidates compared, of those alike by name, near by vector and meant in training; 0 = every entity (default: 100)"
            | Explain -> "say which unit, image part, attribute or lexical feature carried each score"
            | Encoder _ -> "the encoder of the run's features, where they were made with clip:FILE"
            | Precision _ -> "float32 (default), bf16-mixed or float64: how clip:FILE computes"
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"
            | Json -> "print the answer as JSON"

type internal ReportArguments =
    | [<MainCommand; ExactlyOnce>] Runs of RUN: string list
    | [<Unique>] Out of FILE: string
    | [<Unique>] Markdown of FILE: string
    | [<Unique>] Csv of FILE: string
    | [<Unique>] Examples of COUNT: int
    | [<Unique>] Images of DIR: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Runs _ -> "folders of runs; also folders of ablations, which hold ablation.json"
            | Out _ -> "the page, one HTML file that needs nothing else (default: report.html)"
            | Markdown _ -> "also write the tables as Markdown"
            | Csv _ -> "also write every number of every result, one a line"
            | Examples _ -> "wrongly linked dev mentions to show of each run, at most; 0 = none (default: 12)"
            | Images _ -> "folder of images, looked into before those of the data set"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"

type internal CandidatesArguments =
    | [<Mandatory; Unique>] Data of DIR: string
    | [<Mandatory; Unique>] Out of FILE: string
    | [<Unique>] Top of COUNT: int
    | [<Unique>] Method of NAME: string
    | [<Unique>] Splits of NAMES: string
    | [<Unique>] From of FILE: string
    | [<Unique>] Seed of NUMBER: int64

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Data _ -> "folder of the data set"
            | Out _ -> "file of the lists; lists that were made alike are taken over from it"
            | Top _ -> "candidates a mention, at most (default: 100)"
            | Method _ ->
                "exact (every name), trigram (names with common triples of letters; for large knowledge bases) or "
                + "oracle-type (filled by the gold's type, as published for WikiDiverse; refused by strict evaluation) "
                + "(default: exact)"
            | Splits _ -> "splits whose mentions get lists, e.g. train,dev (default: all that the data set has)"
            | From _ ->
                "with oracle-type: the lists to fill (default: those of the records, else the exact ranking's first 10)"
            | Seed _ -> "with oracle-type: decides what lists are filled with (default: 114514)"

type internal EnrichArguments =
    | [<Unique>] Kb of FILE: string
    | [<Unique>] Data of DIR: string
    | [<Mandatory; Unique>] Out of FILE: string
    | [<Mandatory; Unique>] Endpoint of URL: string
    | [<Mandatory; Unique>] Model of NAME: string
    | [<Unique>] Prompt of FILE: string
    | [<Unique>] Rate of COUNT: int
    | [<Unique>] Concurrency of COUNT: int
    | [<Unique>] Field of NAME: string
    | [<Unique>] Key_From of VARIABLE: string
    | [<Unique>] Dry_Run
    | [<Unique>] Json

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Kb _ -> "entities as JSON Lines or CSV, or the folder of a knowledge base"
            | Data _ -> "instead: folder of a data set, whose entities are described"
            | Out _ -> "JSON Lines file of all entities with the new field; FILE.card.json beside it says who wrote it"
            | Endpoint _ -> "address of an OpenAI-compatible service, up to and with its /v1"
            | Model _ -> "model that the service is asked for, by the name that it has there; results say it"
            | Prompt _ ->
                "template of the question, with {name}, {type}, {aliases} and description fields in braces (default: data/prompts/entity.txt of the program)"
            | Rate _ -> "requests a minute, at most (default: 60)"
            | Concurrency _ -> "requests at a time, at most (default: 4)"
            | Field _ -> "name of the description field that the answers become (default: enriched)"
            | Key_From _ -> "environment variable that holds the service's key (default: no key is sent)"
            | Dry_Run -> "print the first prompt and the number of requests, and ask nothing"
            | Json -> "print the counts as JSON"

type internal ShowArguments =
    | [<Mandatory; Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Mandatory; Unique>] Mention of KEY: string
    | [<Unique>] Split of NAME: string
    | [<Unique>] Images of DIR: string
    | [<Unique>] Candidates of FILE: string
    | [<Unique>] Without of GUESSES: string
    | [<Unique>] Out of FILE: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Data _ -> "folder of the data set"
            | Format _ -> Wording.Format
            | Mention _ -> "key of the mention, as the data set has it"
            | Split _ -> "train, dev or test (default: the one that has the mention)"
            | Images _ -> "folder in which to look for images first (default: where the data set's format has them)"
            | Candidates _ ->
                "candidate lists, {mention: [ids]} or {record key: [ids]} (default: those that come with the data)"
            | Without _ -> "model guesses about faces to leave out: gender, race, emotion, separated by commas"
            | Out _ -> "the page (default: KEY.html)"

type internal ServeArguments =
    | [<Mandatory; Unique>] Run of RUN: string
    | [<Unique>] Index of INDEX: string
    | [<Unique>] Port of NUMBER: int
    | [<Unique>] Host of ADDRESS: string
    | [<Unique>] Api_Key_From of VARIABLE: string
    | [<Unique>] Queue of COUNT: int
    | [<Unique>] Batch of COUNT: int
    | [<Unique>] Max_Body of BYTES: int64
    | [<Unique>] Timeout of SECONDS: float
    | [<Unique>] Candidates of COUNT: int
    | [<Unique>] Encoder of NAME: string
    | [<Unique>] Precision of NAME: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Run _ -> "folder of a trained run; its best checkpoint links"
            | Index _ -> "an index made by `dwe index` (default: the data set that the run was trained on)"
            | Port _ -> "port to listen on; 0 takes a free one (default: 8080)"
            | Host _ -> "address to listen on; 0.0.0.0 for every one of this machine (default: 127.0.0.1)"
            | Api_Key_From _ -> "environment variable that holds the key which clients send as a bearer token"
            | Queue _ -> "mentions that may wait; more are refused with 429 (default: 64)"
            | Batch _ -> "mentions linked together, at most (default: 16)"
            | Max_Body _ -> "bytes of a request's body, at most (default: 10485760)"
            | Timeout _ -> "seconds from a request to its answer, at most (default: 30)"
            | Candidates _ ->
                "candidates compared, of those alike by name, near by vector and meant in training; 0 = every entity (default: 100)"
            | Encoder _ -> "the encoder of the run's features, where they were made with clip:FILE"
            | Precision _ -> "float32 (default), bf16-mixed or float64: how clip:FILE computes"
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"

type internal DemoArguments =
    | [<Unique>] Port of NUMBER: int
    | [<Unique>] Out of RUN: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Port _ -> "port to listen on, of this machine alone; 0 takes a free one (default: 8080)"
            | Out _ -> "folder of the run that is trained first, if it is not there (default: runs/demo)"
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"

type internal ImportArguments =
    | [<Unique>] Data of DIR: string
    | [<Unique>] Weights of FILE: string
    | [<Mandatory; Unique>] Out of FOLDER: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Entities of FILE: string
    | Set of ``KEY=VALUE``: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Data _ ->
                "folder of the data set, with DWE's cached_{train,dev,test}_{wiki,rich,diverse,person}_clip and *.h5"
            | Weights _ -> "instead of features: the weights of a trained model, DWE's nel_model.pkl"
            | Out _ -> "folder of the feature store, or with --weights of the run, that is written"
            | Format _ -> "wiki, rich, diverse or person (default: the one whose files are there)"
            | Entities _ -> "HDF5 file of the entities (default: gt_feats_*.h5 or text_entity.h5 of the data set)"
            | Set _ -> "with --weights: a configuration key that weights do not tell, e.g. model.heads; may be repeated"

type internal DataCheckArguments =
    | [<MainCommand; ExactlyOnce>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Images of DIR: string
    | [<Unique>] Json
    | [<Unique>] Strict

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Data _ -> "folder of the data set"
            | Format _ -> Wording.Format
            | Images _ -> "folder of the images (default: where the format has them)"
            | Json -> "print JSON instead of tables"
            | Strict -> "exit code 1 where training on this data would be unsound"

type internal DataConvertArguments =
    | [<MainCommand; ExactlyOnce>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Mandatory; Unique>] To of LAYOUT: string
    | [<Mandatory; Unique>] Out of DIR: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Data _ -> "folder of the data set"
            | Format _ -> Wording.Format
            | To _ -> "layout to write: wikimel, mimic or jsonl"
            | Out _ -> "folder to write; must be new or empty"

type internal DataArguments =
    | [<CliPrefix(CliPrefix.None)>] Check of ParseResults<DataCheckArguments>
    | [<CliPrefix(CliPrefix.None)>] Convert of ParseResults<DataConvertArguments>

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Check _ -> "count what a data set holds, and find what is wrong with it"
            | Convert _ -> "write a data set in another layout"

type internal KbBuildArguments =
    | [<Mandatory; Unique>] Out of KB: string
    | [<Unique>] Source of FILE: string
    | [<Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Features of STORE: string
    | [<Unique>] Run of RUN: string
    | [<Unique>] Entity_Text of TEMPLATE: string
    | [<Unique>] Encoder of NAME: string
    | [<Unique>] Precision of NAME: string
    | [<Unique>] Images of DIR: string
    | [<Unique>] Languages of CODES: string
    | [<Unique>] Classes of IDS: string
    | [<Unique>] Subclasses
    | [<Unique>] Properties of IDS: string
    | [<Unique>] Skip_Broken

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Out _ -> "folder of the knowledge base, a new one"
            | Source _ -> Wording.Source
            | Data _ -> "instead of --source: the entities of a data set"
            | Format _ -> Wording.Format
            | Features _ ->
                "take the vectors of this feature store, and its template, instead of encoding its texts again"
            | Run _ -> "encode as the features of this run were encoded, so that it can link to the knowledge base"
            | Entity_Text _ -> Wording.EntityText
            | Encoder _ -> "what encodes texts: use (default), or clip:FILE with the weights of a CLIP model"
            | Precision _ -> "float32 (default), bf16-mixed or float64: how clip:FILE computes"
            | Images _ -> "folder of the images that entities name"
            | Languages _ -> Wording.Languages
            | Classes _ -> Wording.Classes
            | Subclasses -> Wording.Subclasses
            | Properties _ -> Wording.Properties
            | Skip_Broken -> Wording.SkipBroken

type internal KbAddArguments =
    | [<Mandatory; Unique>] Kb of KB: string
    | [<Mandatory; Unique>] Source of FILE: string
    | [<Unique>] Encoder of NAME: string
    | [<Unique>] Precision of NAME: string
    | [<Unique>] Images of DIR: string
    | [<Unique>] Languages of CODES: string
    | [<Unique>] Classes of IDS: string
    | [<Unique>] Subclasses
    | [<Unique>] Properties of IDS: string
    | [<Unique>] Skip_Broken

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Kb _ -> "folder of the knowledge base"
            | Source _ -> Wording.Source
            | Encoder _ -> "the knowledge base's encoder, where it was built with clip:FILE"
            | Precision _ -> "float32 (default), bf16-mixed or float64: how clip:FILE computes"
            | Images _ -> "folder of the images that entities name"
            | Languages _ -> Wording.Languages
            | Classes _ -> Wording.Classes
            | Subclasses -> Wording.Subclasses
            | Properties _ -> Wording.Properties
            | Skip_Broken -> Wording.SkipBroken

type internal KbRemoveArguments =
    | [<Mandatory; Unique>] Kb of KB: string
    | [<Unique>] Ids of IDS: string
    | [<Unique>] Source of FILE: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Kb _ -> "folder of the knowledge base"
            | Ids _ -> "ids, separated by commas"
            | Source _ -> "file of ids, one a line; or .jsonl or .csv, whose ids are taken"

type internal KbShowArguments =
    | [<Mandatory; Unique>] Kb of KB: string
    | [<Unique>] Entity of ID: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Kb _ -> "folder of the knowledge base"
            | Entity _ -> "show this entity and the text that stands for it"
            | Json -> "print JSON"

type internal KbArguments =
    | [<CliPrefix(CliPrefix.None)>] Build of ParseResults<KbBuildArguments>
    | [<CliPrefix(CliPrefix.None)>] Add of ParseResults<KbAddArguments>
    | [<CliPrefix(CliPrefix.None)>] Remove of ParseResults<KbRemoveArguments>
    | [<CliPrefix(CliPrefix.None)>] Show of ParseResults<KbShowArguments>

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Build _ -> "make a knowledge base of a file, a dump of Wikidata or a data set"
            | Add _ -> "add entities, or change them: of one id the last counts; only texts that changed are encoded"
            | Remove _ -> "remove entities by their ids"
            | Show _ -> "say what a knowledge base holds"

type internal WeightsArguments =
    | [<Unique>] All

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | All -> "every model of the catalogue, not only those that text needs"

type internal DoctorArguments =
    | [<Unique>] Json
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Json -> "print JSON"
            | Device _ -> "auto, cpu or cuda: try this one"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"

type internal ConfigArguments =
    | [<Unique>] Preset of NAME: string
    | [<Unique>] Config of FILE: string
    | Set of ``KEY=VALUE``: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Preset _ -> "start from a preset"
            | Config _ -> "start from a configuration file"
            | Set _ -> "change one key; may be repeated"
            | Json -> "print the configuration file instead of the table"

type internal IndexArguments =
    | [<Unique>] Kb of FOLDER: string
    | [<Unique>] Data of DIR: string
    | [<Unique>] Format of NAME: string
    | [<Unique>] Features of STORE: string
    | [<Unique>] Run of RUN: string
    | [<Unique>] Out of INDEX: string
    | [<Unique>] Dtype of NAME: string
    | [<Unique>] Dev
    | [<Unique>] Show of INDEX: string
    | [<Unique>] Device of NAME: string
    | [<Unique; CustomCommandLine "--libtorch">] LibTorch of DIR: string
    | [<Unique>] Json

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Kb _ -> "knowledge base made by `dwe kb build` (default: the entities of the data set)"
            | Data _ -> "folder of the data set (default: the one the run was trained on)"
            | Format _ -> Wording.Format
            | Features _ -> "feature store (default: the one the run was trained on)"
            | Run _ -> "folder of a trained run, whose queries will be compared with the index"
            | Out _ -> "folder of the index; one that is there is brought up to date"
            | Dtype _ -> "how vectors are kept: float32, float16 or int8 (default: float16)"
            | Dev -> "measure on the data set's dev split which candidates the index finds"
            | Show _ -> "instead of building: say what an index holds"
            | Device _ -> "auto, cpu or cuda"
            | LibTorch _ -> "folder of another libtorch 2.10 (also: environment variable DWE_LIBTORCH)"
            | Json -> "print JSON instead of tables"

type internal DweArguments =
    | [<CliPrefix(CliPrefix.None)>] Train of ParseResults<TrainArguments>
    | [<CliPrefix(CliPrefix.None)>] Eval of ParseResults<EvalArguments>
    | [<CliPrefix(CliPrefix.None)>] Compare of ParseResults<CompareArguments>
    | [<CliPrefix(CliPrefix.None)>] Ablate of ParseResults<AblateArguments>
    | [<CliPrefix(CliPrefix.None)>] Sweep of ParseResults<SweepArguments>
    | [<CliPrefix(CliPrefix.None)>] Report of ParseResults<ReportArguments>
    | [<CliPrefix(CliPrefix.None)>] Link of ParseResults<LinkArguments>
    | [<CliPrefix(CliPrefix.None)>] Features of ParseResults<FeaturesArguments>
    | [<CliPrefix(CliPrefix.None)>] Candidates of ParseResults<CandidatesArguments>
    | [<CliPrefix(CliPrefix.None)>] Index of ParseResults<IndexArguments>
    | [<CliPrefix(CliPrefix.None)>] Enrich of ParseResults<EnrichArguments>
    | [<CliPrefix(CliPrefix.None)>] Show of ParseResults<ShowArguments>
    | [<CliPrefix(CliPrefix.None)>] Serve of ParseResults<ServeArguments>
    | [<CliPrefix(CliPrefix.None)>] Demo of ParseResults<DemoArguments>
    | [<CliPrefix(CliPrefix.None)>] Import of ParseResults<ImportArguments>
    | [<CliPrefix(CliPrefix.None)>] Data of ParseResults<DataArguments>
    | [<CliPrefix(CliPrefix.None)>] Kb of ParseResults<KbArguments>
    | [<CliPrefix(CliPrefix.None)>] Weights of ParseResults<WeightsArguments>
    | [<CliPrefix(CliPrefix.None)>] Config of ParseResults<ConfigArguments>
    | [<CliPrefix(CliPrefix.None)>] Doctor of ParseResults<DoctorArguments>
    | [<Unique>] Version

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Train _ -> "train a model and evaluate it on dev"
            | Eval _ -> "evaluate a run, or a baseline, under a named protocol"
            | Compare _ -> "say which of several results differ by more than chance"
            | Ablate _ -> "train variants of one configuration and say what each part of the model is worth"
            | Sweep _ -> "train configurations of a space and rank them by what they reach on dev"
            | Report _ -> "write a page about runs: curves, results, comparison, what went wrong and why"
            | Link _ -> "link mentions of your own to the entities of a knowledge base"
            | Features _ -> "encode a data set's mentions and entities into a feature store"
            | Candidates _ -> "propose entities for the mentions of a data set by their names"
            | Index _ -> "index entities for a run, by vector and by name"
            | Enrich _ -> "ask a language model for a short description of each entity"
            | Show _ -> "write a page about one mention: image, sentence, candidates"
            | Serve _ -> "link mentions over HTTP, with a page to try it"
            | Demo _ -> "train on the drawn sample, and serve it with a page to try it"
            | Import _ -> "take over features or weights that DWE's own code has computed"
            | Data _ -> "check a data set, or write it in another layout"
            | Kb _ -> "build and change a knowledge base of your own"
            | Weights _ -> "fetch the pretrained weights that `features` uses"
            | Config _ -> "show every configuration key, its value and its meaning"
            | Doctor _ -> "say what this machine offers, what was loaded and what is wrong"
            | Version -> "print the version"
