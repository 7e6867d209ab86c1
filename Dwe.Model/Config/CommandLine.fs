namespace Dwe.Model.Config

open System
open System.Text.RegularExpressions
open Argu
open Dwe.Model.Domain
open Dwe.Model.Tensors

/// A configuration as the command line names it: a preset or a file, then changes.
type ConfigSource = { Preset: string | null; File: string | null; Set: string[] }

type TrainOptions =
    {
        Config: ConfigSource
        Data: string | null
        Format: string | null
        Features: string | null
        Candidates: string | null
        Out: string | null
        Device: string
        LibTorch: string | null
        Resume: bool
        /// Empty for one run with the configuration's own.
        Seeds: int64[]
        /// 0 for no cross-validation.
        Folds: int
        Json: string | null
    }

type EvalOptions =
    { Run: string | null
      Baseline: string | null
      Data: string | null
      Format: string | null
      Features: string | null
      Split: string
      Protocol: Protocol
      Candidates: string | null
      Precision: string | null
      Device: string
      LibTorch: string | null
      Again: bool
      Json: string | null }

type ComparisonOptions =
    { Results: string[]
      Split: string
      Protocol: Protocol
      Measure: string
      Json: bool }

/// Where an experiment of several runs finds its data.
type ExperimentData =
    {
        /// Null for the sample of the preset.
        Data: string | null
        Format: string | null
        Features: string | null
        Candidates: string | null
        Device: string
        LibTorch: string | null
    }

type AblationOptions =
    {
        Grid: string
        Source: ExperimentData
        Out: string
        /// Empty for the configuration's own.
        Seeds: int64[]
        Json: string | null
    }

type SweepOptions = { Space: string; Source: ExperimentData; Out: string; Json: string | null }

type ReportOptions =
    {
        /// Folders of runs and of ablations.
        Runs: string[]
        Out: string
        Markdown: string | null
        Csv: string | null
        /// Of each run, at most.
        Examples: int
        Images: string | null
        LibTorch: string | null
    }

/// What turns texts into vectors.
type TextEncoderChoice =
    /// The embedded sentence encoder.
    | SentenceEncoder
    /// The text tower of the CLIP model in this file.
    | ClipEncoder of weights: string

type FeaturesOptions =
    {
        Data: string
        Format: string | null
        Out: string
        Preset: string | null
        EntityText: string | null
        Splits: string[]
        Reuse: string[]
        Encoder: TextEncoderChoice
        Precision: Precision
        Images: string | null
        NoImages: bool
        /// Guesses about faces that are left out.
        Without: string[]
        Objects: bool
        Identity: bool
        /// How many tokens of its text are stored a mention; 0 for none.
        Tokens: int
        /// The number of the share, from 1.
        Shard: int
        /// How many shares there are; 1 for the whole work.
        Shards: int
        Merge: string[]
    }

type CandidatesOptions =
    { Data: string
      Out: string
      Top: int
      Method: string
      Splits: string[]
      From: string | null
      Seed: int64 }

/// Either `Text` or `Input` is there.
type LinkOptions =
    {
        Run: string
        /// Null for the run's own data set.
        Index: string | null
        Text: string | null
        /// Null where it is marked in the text.
        Mention: string | null
        Image: string | null
        /// JSON Lines; "-" for standard input.
        Input: string | null
        /// Null for standard output.
        Out: string | null
        Top: int
        /// 0 = every entity.
        Candidates: int
        Explain: bool
        Encoder: TextEncoderChoice
        Precision: Precision
        Device: string
        LibTorch: string | null
        Json: bool
    }

type IndexOptions =
    {
        /// Null for the entities of the data set.
        KnowledgeBase: string | null
        Data: string | null
        Format: string | null
        Features: string | null
        Run: string
        Out: string
        /// float32, float16 or int8.
        Dtype: string
        /// Whether recall is measured.
        Dev: bool
        Device: string
        LibTorch: string | null
        Json: bool
    }

/// Either `Kb` or `Data` is there.
type EnrichOptions =
    {
        /// A JSON Lines or CSV file of entities, or the folder of a knowledge base.
        Kb: string | null
        Data: string | null
        Out: string
        Endpoint: string
        Model: string
        /// Null for the one that comes with the program.
        Prompt: string | null
        /// Requests a minute, at most.
        Rate: int
        Concurrency: int
        /// The name of the description field that the answers become.
        Field: string
        /// The environment variable that holds the key.
        KeyFrom: string | null
        DryRun: bool
        Json: bool
    }

type ShowOptions =
    {
        Data: string
        Format: string | null
        Mention: string
        /// Null for whichever has the mention.
        Split: string | null
        Images: string | null
        Candidates: string | null
        /// Guesses about faces that are left out.
        Without: string[]
        Out: string | null
    }

type ServeOptions =
    {
        Run: string
        /// Null for the run's own data set.
        Index: string | null
        Port: int
        Host: string
        /// The environment variable that holds the key; null for none.
        ApiKeyFrom: string | null
        Queue: int
        Batch: int
        MaxBody: int64
        /// Seconds.
        Timeout: float
        /// From each source; 0 = every entity.
        Candidates: int
        Encoder: TextEncoderChoice
        Precision: Precision
        Device: string
        LibTorch: string | null
    }

/// The drawn sample's run, and where to serve it.
type DemoOptions =
    { Run: string
      Port: int
      Device: string
      LibTorch: string | null }

    /// What trains it, or goes on with a training that was stopped.
    member demo.Training(resume: bool) : TrainOptions =
        { Config = { Preset = (if resume then null else "drawn-dwe"); File = null; Set = [||] }
          Data = null
          Format = null
          Features = null
          Candidates = null
          Out = demo.Run
          Device = demo.Device
          LibTorch = demo.LibTorch
          Resume = resume
          Seeds = [||]
          Folds = 0
          Json = null }

    member demo.Serving: ServeOptions =
        { Run = demo.Run
          Index = null
          Port = demo.Port
          Host = "127.0.0.1"
          ApiKeyFrom = null
          Queue = 64
          Batch = 16
          MaxBody = 10L <<< 20
          Timeout = 30.0
          Candidates = 100
          Encoder = SentenceEncoder
          Precision = Float32
          Device = demo.Device
          LibTorch = demo.LibTorch }

/// Either `Data` or `Weights` is there.
type ImportOptions =
    { Data: string | null
      Weights: string | null
      Out: string
      Format: string | null
      Entities: string | null
      Set: string[] }

type DataCheckOptions =
    { Data: string
      Format: string | null
      Images: string | null
      Json: bool
      Strict: bool }

type DataConvertOptions = { Data: string; Format: string | null; To: string; Out: string }

/// What is taken of a dump of Wikidata.
type WikidataChoice =
    {
        /// The first that an item has a label in is its name.
        Languages: string[]
        /// What an item is to be an instance of, as ids; none for everything.
        Classes: string[]
        /// Subclasses of the classes too.
        Subclasses: bool
        /// Properties whose values become text, each with its heading or with "".
        Properties: (string * string)[]
        SkipBroken: bool
    }

/// How a knowledge base's texts are encoded: by a run's encoder and template, by a store's, or by those that are named.
type EntityEncoding =
    { Run: string | null
      Features: string | null
      EntityText: string | null
      Encoder: TextEncoderChoice
      Precision: Precision }

/// Either `Source` or `Data` is there.
type KbBuildOptions =
    { Out: string
      Source: string | null
      Data: string | null
      Format: string | null
      Images: string | null
      Encoding: EntityEncoding
      Wikidata: WikidataChoice }

type KbAddOptions =
    { Kb: string
      Source: string
      Images: string | null
      Encoder: TextEncoderChoice
      Precision: Precision
      Wikidata: WikidataChoice }

/// Either `Ids` or `Source` is there.
type KbRemoveOptions = { Kb: string; Ids: string[]; Source: string | null }

type KbShowOptions = { Kb: string; Entity: string | null; Json: bool }

/// What the words of the command line ask for.
type Command =
    | Train of TrainOptions
    | Eval of EvalOptions
    | Compare of ComparisonOptions
    | Ablate of AblationOptions
    | Sweep of SweepOptions
    | Report of ReportOptions
    | Link of LinkOptions
    | Features of FeaturesOptions
    | Candidates of CandidatesOptions
    | Index of IndexOptions
    | ShowIndex of index: string * json: bool
    | Enrich of EnrichOptions
    | Show of ShowOptions
    | Serve of ServeOptions
    | Demo of DemoOptions
    | Import of ImportOptions
    | DataCheck of DataCheckOptions
    | DataConvert of DataConvertOptions
    | KbBuild of KbBuildOptions
    | KbAdd of KbAddOptions
    | KbRemove of KbRemoveOptions
    | KbShow of KbShowOptions
    | Weights of all: bool
    | ShowConfig of source: ConfigSource * json: bool
    | Doctor of json: bool * device: string * libTorch: (string | null)
    | Version
    /// Help that was asked for: printed, exit code 0.
    | Help of text: string

/// Turns words into a command. Loads neither libtorch nor any file.
[<RequireQualifiedAccess>]
module internal CommandLine =

    let private examples =
        Map
            [ "train",
              [ "dwe train --preset sample"
                "dwe train --preset wikimel --data wikimel --features wikimel.store --out runs/wikimel"
                "dwe train --preset wikimel --data wikimel --features wikimel.store --set optimizer.learning_rate=1e-4"
                "dwe train --out runs/wikimel --resume"
                "dwe train --preset sample --seeds 1,2,3 --out runs/seeds"
                "dwe train --preset sample-dwe --folds 5 --out runs/folds" ]
              "eval",
              [ "dwe eval --run runs/sample"
                "dwe eval --run runs/wikimel --split dev --protocol full-kb --json result.json"
                "dwe eval --baseline candidate-order --data wikimel" ]
              "compare",
              [ "dwe compare runs/text runs/images"
                "dwe compare runs/one runs/two runs/three --protocol full-kb --measure mrr --json" ]
              "ablate",
              [ "dwe ablate --grid data/grids/drawn.json --out runs/ablation --seeds 1,2,3"
                "dwe ablate --grid data/grids/wikimel.json --data wikimel --features wikimel.store --candidates lists.json --out runs/ablation --seeds 1,2,3" ]
              "sweep",
              [ "dwe sweep --space data/grids/drawn-sweep.json --out runs/sweep"
                "dwe sweep --space mine.json --data wikimel --features wikimel.store --candidates lists.json --out runs/sweep" ]
              "link",
              [ "dwe link --run runs/sample --text \"Does [[Jordan]] still play?\""
                "dwe link --run runs/mine --index mine.index --mention Jordan --text \"Does Jordan still play?\" --image game.jpg --explain"
                "dwe link --run runs/mine --index mine.index --input mentions.jsonl --out links.jsonl" ]
              "report",
              [ "dwe report runs/wikimel"
                "dwe report runs/text runs/images --out both.html --markdown both.md --csv both.csv"
                "dwe report runs/wikimel --images wikimel/images --examples 30" ]
              "features",
              [ "dwe features --data wikimel --out wikimel.store"
                "dwe features --data wikimel --out named.store --entity-text \"{name} [SEP] {property}\" --reuse wikimel.store"
                "dwe features --data mine --out pooled.store --entity-text \"{name} [SEP] {brief|property} || {name}\""
                "dwe features --data mine --images photos --without race,emotion --out mine.store"
                "dwe features --data wikimel --tokens --max-tokens 16 --reuse wikimel.store --out tokens.store"
                "dwe features --data wikimel --shard 1/2 --out part1"
                "dwe features merge part1 part2 --data wikimel --out wikimel.store"
                "dwe features --data wikimel --out clip.store --encoder clip:ViT-B-32.pt --precision bf16-mixed" ]
              "candidates",
              [ "dwe candidates --data wikimel --out wikimel.candidates.json"
                "dwe candidates --data wikimel --out all.json --method trigram --splits train,dev --top 100"
                "dwe candidates --data wikidiverse --out oracle.json --method oracle-type --seed 1" ]
              "index",
              [ "dwe index --run runs/wikimel --out wikimel.index --dev"
                "dwe index --kb people.kb --run runs/wikimel --out people.index --dtype int8"
                "dwe index --show people.index" ]
              "enrich",
              [ "dwe enrich --kb entities.jsonl --endpoint http://localhost:11434/v1 --model llama3.2 --out enriched.jsonl"
                "dwe enrich --data wikimel --endpoint https://llm.example/v1 --model small --key-from LLM_KEY --rate 120 --out enriched.jsonl"
                "dwe enrich --kb entities.csv --endpoint http://localhost:8000/v1 --model mine --field history --prompt mine.txt --out enriched.jsonl --dry-run" ]
              "show",
              [ "dwe show --data wikimel --mention 10-0 --split dev --out 10-0.html"
                "dwe show --data mine --images photos --mention 17 --without gender,race,emotion" ]
              "serve",
              [ "dwe serve --run runs/sample"
                "dwe serve --run runs/wikimel --index wikimel.index --port 8000"
                "dwe serve --run runs/wikimel --index wikimel.index --host 0.0.0.0 --port 80 --api-key-from DWE_KEY"
                "dwe serve --run runs/wikimel --index wikimel.index --queue 256 --timeout 10" ]
              "demo", [ "dwe demo"; "dwe demo --port 9000" ]
              "import",
              [ "dwe import --data wikimel --out wikimel.store"
                "dwe import --data wikimel --entities wikimel/gt_feats_brief.h5 --out brief.store"
                "dwe import --weights nel_model.pkl --set model.heads=8 --out runs/theirs" ]
              "data",
              [ "dwe data check wikimel"
                "dwe data check mine --format jsonl --images photos --json --strict"
                "dwe data convert wikidiverse --to jsonl --out wikidiverse.jsonl" ]
              "kb",
              [ "dwe kb build --data wikimel --features wikimel.store --out wikimel.kb"
                "dwe kb build --source entities.jsonl --run runs/wikimel --images photos --out mine.kb"
                "dwe kb build --source latest-all.json.bz2 --classes Q5 --languages en,de --entity-text \"{property|description}\" --out people.kb"
                "dwe kb add --kb mine.kb --source new.jsonl"
                "dwe kb remove --kb mine.kb --ids Q1,Q2"
                "dwe kb show --kb mine.kb --entity Q42" ]
              "weights", [ "dwe weights" ]
              "config", [ "dwe config --preset wikimel"; "dwe config --preset wikimel --json > mine.json" ]
              "doctor", [ "dwe doctor"; "dwe doctor --json" ] ]

    let private parser () = ArgumentParser.Create<DweArguments>(programName = "dwe", checkStructure = false)

    let private withExamples (verb: string) (usage: string) =
        let lines =
            match Map.tryFind verb examples with
            | Some own -> own
            | None -> examples |> Map.toList |> List.map (snd >> List.head)

        let indented = lines |> List.map (fun line -> "    " + line)
        usage.TrimEnd() + "\n\nEXAMPLES:\n\n" + String.Join("\n", indented) + "\n"

    let private orNull (value: 'Value option) = Option.toObj value
    let private deviceNames = [ "auto"; "cpu"; "cuda" ]

    let private oneOf option (known: string list) (value: string) =
        if List.contains value known then
            Ok value
        else
            Error(ValueInvalid("command line", option, value, "one of " + String.Join(", ", known)))

    let private protocolOf (name: string option) =
        match name with
        | None -> Ok Protocol.Strict
        | Some name ->
            match List.tryFind (fun (known, _) -> known = name) Fields.protocols with
            | Some(_, protocol) -> Ok protocol
            | None -> oneOf "--protocol" (List.map fst Fields.protocols) name |> Result.map (fun _ -> Protocol.Strict)

    let private precisionSetting (precision: string option) =
        precision |> Option.map (fun name -> $"training.precision={name}") |> Option.toList

    /// Whole numbers of at least 0, none twice; none at all where nothing is said.
    let private seedsOf (text: string option) =
        let words =
            (Option.defaultValue "" text).Split(',', StringSplitOptions.TrimEntries)
            |> Array.filter (fun word -> text.IsSome || word <> "")

        let seeds =
            words
            |> Array.map (fun word ->
                match
                    Int64.TryParse(word, Globalization.NumberStyles.None, Globalization.CultureInfo.InvariantCulture)
                with
                | true, seed -> Some seed
                | _ -> None)

        if Array.contains None seeds || (Array.distinct seeds).Length < seeds.Length then
            Error(
                ValueInvalid(
                    "command line",
                    "--seeds",
                    Option.defaultValue "" text,
                    "different whole numbers of at least 0, separated by commas"
                )
            )
        else
            Ok(Array.choose id seeds)

    let private train (found: ParseResults<TrainArguments>) =
        let folds = found.TryGetResult TrainArguments.Folds

        let several =
            [ if found.Contains TrainArguments.Seeds then
                  "--seeds"
              if folds.IsSome then
                  "--folds" ]

        let sensible =
            match several, folds with
            | [ _; _ ], _ -> Error(UsageWrong("train takes --seeds or --folds, not both", "See `dwe train --help`."))
            | [ option ], _ when found.Contains TrainArguments.Resume ->
                Error(UsageWrong($"{option} goes on by itself", "Give the same command again, without --resume."))
            | _, Some count when count < 2 || count > 1000 ->
                Error(ValueInvalid("command line", "--folds", string count, "a whole number from 2 to 1000"))
            | _ -> Ok()

        sensible
        |> Result.bind (fun () -> oneOf "--device" deviceNames (found.GetResult(TrainArguments.Device, "auto")))
        |> Result.bind (fun device ->
            seedsOf (found.TryGetResult TrainArguments.Seeds)
            |> Result.map (fun seeds ->
                Train
                    { Config =
                        { Preset = orNull (found.TryGetResult TrainArguments.Preset)
                          File = orNull (found.TryGetResult TrainArguments.Config)
                          Set =
                            Array.ofList (
                                found.GetResults TrainArguments.Set
                                @ precisionSetting (found.TryGetResult TrainArguments.Precision)
                            ) }
                      Data = orNull (found.TryGetResult TrainArguments.Data)
                      Format = orNull (found.TryGetResult TrainArguments.Format)
                      Features = orNull (found.TryGetResult TrainArguments.Features)
                      Candidates = orNull (found.TryGetResult TrainArguments.Candidates)
                      Out = orNull (found.TryGetResult TrainArguments.Out)
                      Device = device
                      LibTorch = orNull (found.TryGetResult TrainArguments.LibTorch)
                      Resume = found.Contains TrainArguments.Resume
                      Seeds = seeds
                      Folds = Option.defaultValue 0 folds
                      Json = orNull (found.TryGetResult TrainArguments.Json) }))

    let private eval (found: ParseResults<EvalArguments>) =
        let run, baseline = found.TryGetResult EvalArguments.Run, found.TryGetResult EvalArguments.Baseline

        let scorer =
            match run, baseline with
            | None, None -> Error(UsageWrong("eval needs --run RUN or --baseline NAME", "See `dwe eval --help`."))
            | Some _, Some _ -> Error(UsageWrong("eval takes --run or --baseline, not both", "See `dwe eval --help`."))
            | None, Some name -> oneOf "--baseline" [ "candidate-order"; "chance" ] name |> Result.map ignore
            | Some _, None -> Ok()

        let precision =
            match found.TryGetResult EvalArguments.Precision with
            | None -> Ok()
            | Some name -> oneOf "--precision" (List.map fst Fields.precisions) name |> Result.map ignore

        scorer
        |> Result.bind (fun () -> precision)
        |> Result.bind (fun () -> protocolOf (found.TryGetResult EvalArguments.Protocol))
        |> Result.bind (fun protocol ->
            oneOf "--device" deviceNames (found.GetResult(EvalArguments.Device, "auto"))
            |> Result.bind (fun device ->
                oneOf "--split" [ "dev"; "test" ] (found.GetResult(EvalArguments.Split, "dev"))
                |> Result.map (fun split ->
                    Eval
                        { Run = orNull run
                          Baseline = orNull baseline
                          Data = orNull (found.TryGetResult EvalArguments.Data)
                          Format = orNull (found.TryGetResult EvalArguments.Format)
                          Features = orNull (found.TryGetResult EvalArguments.Features)
                          Split = split
                          Protocol = protocol
                          Candidates = orNull (found.TryGetResult EvalArguments.Candidates)
                          Precision = orNull (found.TryGetResult EvalArguments.Precision)
                          Device = device
                          LibTorch = orNull (found.TryGetResult EvalArguments.LibTorch)
                          Again = found.Contains EvalArguments.Again
                          Json = orNull (found.TryGetResult EvalArguments.Json) })))

    let private compare (found: ParseResults<CompareArguments>) =
        let results = Array.ofList (found.GetResult CompareArguments.Results)

        if results.Length < 2 then
            Error(UsageWrong("compare needs at least two runs or result files", "See `dwe compare --help`."))
        else
            protocolOf (found.TryGetResult CompareArguments.Protocol)
            |> Result.bind (fun protocol ->
                oneOf "--split" [ "dev"; "test" ] (found.GetResult(CompareArguments.Split, "dev"))
                |> Result.bind (fun split ->
                    oneOf "--measure" Fields.measures (found.GetResult(CompareArguments.Measure, "hits@1"))
                    |> Result.map (fun measure ->
                        Compare
                            { Results = results
                              Split = split
                              Protocol = protocol
                              Measure = measure
                              Json = found.Contains CompareArguments.Json })))

    let private ablate (found: ParseResults<AblateArguments>) =
        oneOf "--device" deviceNames (found.GetResult(AblateArguments.Device, "auto"))
        |> Result.bind (fun device ->
            seedsOf (found.TryGetResult AblateArguments.Seeds)
            |> Result.map (fun seeds ->
                Ablate
                    { Grid = found.GetResult AblateArguments.Grid
                      Source =
                        { Data = orNull (found.TryGetResult AblateArguments.Data)
                          Format = orNull (found.TryGetResult AblateArguments.Format)
                          Features = orNull (found.TryGetResult AblateArguments.Features)
                          Candidates = orNull (found.TryGetResult AblateArguments.Candidates)
                          Device = device
                          LibTorch = orNull (found.TryGetResult AblateArguments.LibTorch) }
                      Out = found.GetResult AblateArguments.Out
                      Seeds = seeds
                      Json = orNull (found.TryGetResult AblateArguments.Json) }))

    let private sweep (found: ParseResults<SweepArguments>) =
        oneOf "--device" deviceNames (found.GetResult(SweepArguments.Device, "auto"))
        |> Result.map (fun device ->
            Sweep
                { Space = found.GetResult SweepArguments.Space
                  Source =
                    { Data = orNull (found.TryGetResult SweepArguments.Data)
                      Format = orNull (found.TryGetResult SweepArguments.Format)
                      Features = orNull (found.TryGetResult SweepArguments.Features)
                      Candidates = orNull (found.TryGetResult SweepArguments.Candidates)
                      Device = device
                      LibTorch = orNull (found.TryGetResult SweepArguments.LibTorch) }
                  Out = found.GetResult SweepArguments.Out
                  Json = orNull (found.TryGetResult SweepArguments.Json) })

    let private report (found: ParseResults<ReportArguments>) =
        let examples = found.GetResult(ReportArguments.Examples, 12)

        if examples < 0 then
            Error(ValueInvalid("command line", "--examples", string examples, "a whole number of at least 0"))
        else
            Ok(
                Report
                    { Runs = Array.ofList (found.GetResult ReportArguments.Runs)
                      Out = found.GetResult(ReportArguments.Out, "report.html")
                      Markdown = orNull (found.TryGetResult ReportArguments.Markdown)
                      Csv = orNull (found.TryGetResult ReportArguments.Csv)
                      Examples = examples
                      Images = orNull (found.TryGetResult ReportArguments.Images)
                      LibTorch = orNull (found.TryGetResult ReportArguments.LibTorch) }
            )

    let private splitsOf (names: string) =
        let splits = names.Split(',', StringSplitOptions.TrimEntries ||| StringSplitOptions.RemoveEmptyEntries)

        match splits |> Array.tryFind (fun split -> not (List.contains split [ "train"; "dev"; "test" ])) with
        | Some split ->
            Error(ValueInvalid("command line", "--splits", split, "train, dev or test, separated by commas"))
        | None -> Ok splits

    let private textEncoderOf (name: string option) =
        match name with
        | None
        | Some "use" -> Ok SentenceEncoder
        | Some name when name.StartsWith("clip:", StringComparison.Ordinal) && name.Length > 5 ->
            Ok(ClipEncoder(name.Substring 5))
        | Some name -> Error(ValueInvalid("command line", "--encoder", name, "use, or clip:FILE"))

    /// How an encoder computes; the sentence encoder leaves no choice.
    let private encoderPrecision encoder (name: string option) =
        match encoder, name with
        | _, None -> Ok Float32
        | SentenceEncoder, Some _ ->
            Error(UsageWrong("--precision goes with --encoder clip:FILE only", "See `dwe features --help`."))
        | ClipEncoder _, Some name ->
            match List.tryFind (fun (known, _) -> known = name) Fields.precisions with
            | Some(_, precision) -> Ok precision
            | None -> oneOf "--precision" (List.map fst Fields.precisions) name |> Result.map (fun _ -> Float32)

    let private guessesOf (names: string) =
        let guesses = names.Split(',', StringSplitOptions.TrimEntries ||| StringSplitOptions.RemoveEmptyEntries)

        match guesses |> Array.tryFind (fun guess -> not (List.contains guess [ "gender"; "race"; "emotion" ])) with
        | Some guess ->
            Error(ValueInvalid("command line", "--without", guess, "gender, race or emotion, separated by commas"))
        | None -> Ok guesses

    let private shardOf (text: string option) =
        match text with
        | None -> Ok(1, 1)
        | Some text ->
            let share = Regex.Match(text, @"^([0-9]{1,6})/([0-9]{1,6})$")

            let number (group: int) = if share.Success then int share.Groups[group].Value else 0

            if number 1 >= 1 && number 1 <= number 2 then
                Ok(number 1, number 2)
            else
                Error(ValueInvalid("command line", "--shard", text, "I/N with I from 1 to N, e.g. 1/4"))

    /// How many tokens are stored a mention: the sentence encoder reads no more than the greatest.
    let private tokensOf (wanted: bool) (most: int option) =
        match wanted, most with
        | false, None -> Ok 0
        | false, Some _ -> Error(UsageWrong("--max-tokens goes with --tokens only", "See `dwe features --help`."))
        | true, None -> Ok 32
        | true, Some most when most >= 1 && most <= 128 -> Ok most
        | true, Some most ->
            Error(ValueInvalid("command line", "--max-tokens", string most, "a whole number from 1 to 128"))

    let private features (found: ParseResults<FeaturesArguments>) =
        let alone = found.Contains FeaturesArguments.Shard && found.Contains FeaturesArguments.Merge
        let textOnly = found.Contains FeaturesArguments.No_Images

        let ofImages =
            [ if found.Contains FeaturesArguments.Images then
                  "--images"
              if found.Contains FeaturesArguments.Without then
                  "--without"
              if found.Contains FeaturesArguments.Objects then
                  "--objects"
              if found.Contains FeaturesArguments.Identity then
                  "--identity" ]

        let sensible =
            match ofImages with
            | option :: _ when textOnly ->
                Error(UsageWrong($"{option} does not go with --no-images", "See `dwe features --help`."))
            | _ when alone -> Error(UsageWrong("--shard does not go with merge", "See `dwe features --help`."))
            | _ -> Ok()

        sensible
        |> Result.bind (fun () -> guessesOf (found.GetResult(FeaturesArguments.Without, "")))
        |> Result.bind (fun without ->
            shardOf (found.TryGetResult FeaturesArguments.Shard) |> Result.map (fun share -> without, share))
        |> Result.bind (fun (without, share) ->
            splitsOf (found.GetResult(FeaturesArguments.Splits, ""))
            |> Result.map (fun splits -> splits, without, share))
        |> Result.bind (fun (splits, without, share) ->
            textEncoderOf (found.TryGetResult FeaturesArguments.Encoder)
            |> Result.bind (fun encoder ->
                encoderPrecision encoder (found.TryGetResult FeaturesArguments.Precision)
                |> Result.map (fun precision -> splits, without, share, encoder, precision)))
        |> Result.bind (fun others ->
            tokensOf (found.Contains FeaturesArguments.Tokens) (found.TryGetResult FeaturesArguments.Max_Tokens)
            |> Result.map (fun tokens -> others, tokens))
        |> Result.map (fun ((splits, without, share, encoder, precision), tokens) ->
            Features
                { Data = found.GetResult FeaturesArguments.Data
                  Format = orNull (found.TryGetResult FeaturesArguments.Format)
                  Out = found.GetResult FeaturesArguments.Out
                  Preset = orNull (found.TryGetResult FeaturesArguments.Preset)
                  EntityText = orNull (found.TryGetResult FeaturesArguments.Entity_Text)
                  Splits = splits
                  Reuse = Array.ofList (found.GetResults FeaturesArguments.Reuse)
                  Encoder = encoder
                  Precision = precision
                  Images = orNull (found.TryGetResult FeaturesArguments.Images)
                  NoImages = textOnly
                  Without = without
                  Objects = found.Contains FeaturesArguments.Objects
                  Identity = found.Contains FeaturesArguments.Identity
                  Tokens = tokens
                  Shard = fst share
                  Shards = snd share
                  Merge = Array.ofList (found.GetResult(FeaturesArguments.Merge, [])) })

    let private atLeast least option (value: int) =
        if value >= least then
            Ok value
        else
            Error(ValueInvalid("command line", option, string value, $"a whole number of at least {least}"))

    let private link (found: ParseResults<LinkArguments>) =
        let text, input = found.TryGetResult LinkArguments.Text, found.TryGetResult LinkArguments.Input
        let wrong problem = Error(UsageWrong(problem, "See `dwe link --help`."))

        let one =
            [ if found.Contains LinkArguments.Mention then
                  "--mention"
              if found.Contains LinkArguments.Image then
                  "--image"
              if found.Contains LinkArguments.Json then
                  "--json" ]

        let source =
            match text, input with
            | None, None -> wrong "link needs --text SENTENCE or --input FILE"
            | Some _, Some _ -> wrong "link takes --text or --input, not both"
            | None, Some _ when not (List.isEmpty one) -> wrong $"{one.Head} goes with --text, not with --input"
            | Some _, None when found.Contains LinkArguments.Out -> wrong "--out goes with --input"
            | _ -> Ok()

        source
        |> Result.bind (fun () -> atLeast 1 "--top" (found.GetResult(LinkArguments.Top, 10)))
        |> Result.bind (fun top ->
            atLeast 0 "--candidates" (found.GetResult(LinkArguments.Candidates, 100))
            |> Result.map (fun candidates -> top, candidates))
        |> Result.bind (fun (top, candidates) ->
            textEncoderOf (found.TryGetResult LinkArguments.Encoder)
            |> Result.bind (fun encoder ->
                encoderPrecision encoder (found.TryGetResult LinkArguments.Precision)
                |> Result.bind (fun precision ->
                    oneOf "--device" deviceNames (found.GetResult(LinkArguments.Device, "auto"))
                    |> Result.map (fun device ->
                        Link
                            { Run = found.GetResult LinkArguments.Run
                              Index = orNull (found.TryGetResult LinkArguments.Index)
                              Text = orNull text
                              Mention = orNull (found.TryGetResult LinkArguments.Mention)
                              Image = orNull (found.TryGetResult LinkArguments.Image)
                              Input = orNull input
                              Out = orNull (found.TryGetResult LinkArguments.Out)
                              Top = top
                              Candidates = candidates
                              Explain = found.Contains LinkArguments.Explain
                              Encoder = encoder
                              Precision = precision
                              Device = device
                              LibTorch = orNull (found.TryGetResult LinkArguments.LibTorch)
                              Json = found.Contains LinkArguments.Json }))))

    let private candidates (found: ParseResults<CandidatesArguments>) =
        let top = found.GetResult(CandidatesArguments.Top, 100)
        let oracle = found.GetResult(CandidatesArguments.Method, "exact") = "oracle-type"

        let drawn =
            [ if found.Contains CandidatesArguments.From then
                  "--from"
              if found.Contains CandidatesArguments.Seed then
                  "--seed" ]

        if top < 1 then
            Error(ValueInvalid("command line", "--top", string top, "a whole number of at least 1"))
        elif not oracle && not (List.isEmpty drawn) then
            Error(UsageWrong($"{drawn.Head} goes with --method oracle-type only", "See `dwe candidates --help`."))
        else
            oneOf
                "--method"
                [ "exact"; "trigram"; "oracle-type" ]
                (found.GetResult(CandidatesArguments.Method, "exact"))
            |> Result.bind (fun kind ->
                splitsOf (found.GetResult(CandidatesArguments.Splits, ""))
                |> Result.map (fun splits ->
                    Candidates
                        { Data = found.GetResult CandidatesArguments.Data
                          Out = found.GetResult CandidatesArguments.Out
                          Top = top
                          Method = kind
                          Splits = splits
                          From = orNull (found.TryGetResult CandidatesArguments.From)
                          Seed = found.GetResult(CandidatesArguments.Seed, RunConfig.Defaults.Training.Seed) }))

    let private index (found: ParseResults<IndexArguments>) =
        let wrong problem = Error(UsageWrong(problem, "See `dwe index --help`."))
        let run, out = found.TryGetResult IndexArguments.Run, found.TryGetResult IndexArguments.Out

        match found.TryGetResult IndexArguments.Show, run, out with
        | Some shown, None, None -> Ok(ShowIndex(shown, found.Contains IndexArguments.Json))
        | Some _, _, _ -> wrong "--show does not go with building"
        | None, Some run, Some out ->
            oneOf "--dtype" [ "float32"; "float16"; "int8" ] (found.GetResult(IndexArguments.Dtype, "float16"))
            |> Result.bind (fun dtype ->
                oneOf "--device" deviceNames (found.GetResult(IndexArguments.Device, "auto"))
                |> Result.map (fun device ->
                    Index
                        { KnowledgeBase = orNull (found.TryGetResult IndexArguments.Kb)
                          Data = orNull (found.TryGetResult IndexArguments.Data)
                          Format = orNull (found.TryGetResult IndexArguments.Format)
                          Features = orNull (found.TryGetResult IndexArguments.Features)
                          Run = run
                          Out = out
                          Dtype = dtype
                          Dev = found.Contains IndexArguments.Dev
                          Device = device
                          LibTorch = orNull (found.TryGetResult IndexArguments.LibTorch)
                          Json = found.Contains IndexArguments.Json }))
        | None, _, _ -> wrong "index needs --run RUN and --out INDEX, or --show INDEX"

    let private enrich (found: ParseResults<EnrichArguments>) =
        let kb, data = found.TryGetResult EnrichArguments.Kb, found.TryGetResult EnrichArguments.Data

        let source =
            match kb, data with
            | None, None -> Error(UsageWrong("enrich needs --kb FILE or --data DIR", "See `dwe enrich --help`."))
            | Some _, Some _ -> Error(UsageWrong("enrich takes --kb or --data, not both", "See `dwe enrich --help`."))
            | _ -> Ok()

        source
        |> Result.bind (fun () -> atLeast 1 "--rate" (found.GetResult(EnrichArguments.Rate, 60)))
        |> Result.bind (fun rate ->
            atLeast 1 "--concurrency" (found.GetResult(EnrichArguments.Concurrency, 4))
            |> Result.map (fun concurrency ->
                Enrich
                    { Kb = orNull kb
                      Data = orNull data
                      Out = found.GetResult EnrichArguments.Out
                      Endpoint = found.GetResult EnrichArguments.Endpoint
                      Model = found.GetResult EnrichArguments.Model
                      Prompt = orNull (found.TryGetResult EnrichArguments.Prompt)
                      Rate = rate
                      Concurrency = concurrency
                      Field = found.GetResult(EnrichArguments.Field, "enriched")
                      KeyFrom = orNull (found.TryGetResult EnrichArguments.Key_From)
                      DryRun = found.Contains EnrichArguments.Dry_Run
                      Json = found.Contains EnrichArguments.Json }))

    let private show (found: ParseResults<ShowArguments>) =
        let split =
            match found.TryGetResult ShowArguments.Split with
            | None -> Ok None
            | Some name -> oneOf "--split" [ "train"; "dev"; "test" ] name |> Result.map Some

        split
        |> Result.bind (fun split ->
            guessesOf (found.GetResult(ShowArguments.Without, ""))
            |> Result.map (fun without ->
                Show
                    { Data = found.GetResult ShowArguments.Data
                      Format = orNull (found.TryGetResult ShowArguments.Format)
                      Mention = found.GetResult ShowArguments.Mention
                      Split = orNull split
                      Images = orNull (found.TryGetResult ShowArguments.Images)
                      Candidates = orNull (found.TryGetResult ShowArguments.Candidates)
                      Without = without
                      Out = orNull (found.TryGetResult ShowArguments.Out) }))

    let private within option least most (value: 'Number) =
        if value >= least && value <= most then
            Ok value
        else
            Error(ValueInvalid("command line", option, string value, $"a number from {least} to {most}"))

    let private serve (found: ParseResults<ServeArguments>) =
        within "--port" 0 65_535 (found.GetResult(ServeArguments.Port, 8080))
        |> Result.bind (fun port ->
            within "--queue" 1 100_000 (found.GetResult(ServeArguments.Queue, 64))
            |> Result.bind (fun queue ->
                within "--batch" 1 1_024 (found.GetResult(ServeArguments.Batch, 16))
                |> Result.map (fun batch -> port, queue, batch)))
        |> Result.bind (fun (port, queue, batch) ->
            within "--max-body" 1_024L (1L <<< 30) (found.GetResult(ServeArguments.Max_Body, 10L <<< 20))
            |> Result.bind (fun maxBody ->
                within "--timeout" 0.1 3600.0 (found.GetResult(ServeArguments.Timeout, 30.0))
                |> Result.map (fun timeout -> port, queue, batch, maxBody, timeout)))
        |> Result.bind (fun (port, queue, batch, maxBody, timeout) ->
            textEncoderOf (found.TryGetResult ServeArguments.Encoder)
            |> Result.bind (fun encoder ->
                encoderPrecision encoder (found.TryGetResult ServeArguments.Precision)
                |> Result.bind (fun precision ->
                    oneOf "--device" deviceNames (found.GetResult(ServeArguments.Device, "auto"))
                    |> Result.bind (fun device ->
                        atLeast 0 "--candidates" (found.GetResult(ServeArguments.Candidates, 100))
                        |> Result.map (fun candidates ->
                            Serve
                                { Run = found.GetResult ServeArguments.Run
                                  Index = orNull (found.TryGetResult ServeArguments.Index)
                                  Port = port
                                  Host = found.GetResult(ServeArguments.Host, "127.0.0.1")
                                  ApiKeyFrom = orNull (found.TryGetResult ServeArguments.Api_Key_From)
                                  Queue = queue
                                  Batch = batch
                                  MaxBody = maxBody
                                  Timeout = timeout
                                  Candidates = candidates
                                  Encoder = encoder
                                  Precision = precision
                                  Device = device
                                  LibTorch = orNull (found.TryGetResult ServeArguments.LibTorch) })))))

    let private demo (found: ParseResults<DemoArguments>) =
        within "--port" 0 65_535 (found.GetResult(DemoArguments.Port, 8080))
        |> Result.bind (fun port ->
            oneOf "--device" deviceNames (found.GetResult(DemoArguments.Device, "auto"))
            |> Result.map (fun device ->
                Demo
                    { Run = found.GetResult(DemoArguments.Out, "runs/demo")
                      Port = port
                      Device = device
                      LibTorch = orNull (found.TryGetResult DemoArguments.LibTorch) }))

    let private import (found: ParseResults<ImportArguments>) =
        let options =
            { Data = orNull (found.TryGetResult ImportArguments.Data)
              Weights = orNull (found.TryGetResult ImportArguments.Weights)
              Out = found.GetResult ImportArguments.Out
              Format = orNull (found.TryGetResult ImportArguments.Format)
              Entities = orNull (found.TryGetResult ImportArguments.Entities)
              Set = Array.ofList (found.GetResults ImportArguments.Set) }

        let wrong problem = Error(UsageWrong(problem, "See `dwe import --help`."))

        match options.Data, options.Weights with
        | null, null -> wrong "import needs --data DIR or --weights FILE"
        | null, _ when options.Format <> null || options.Entities <> null ->
            wrong "--format and --entities go with --data, not with --weights"
        | null, _ -> Ok(Import options)
        | _, null when options.Set.Length > 0 -> wrong "--set goes with --weights"
        | _, null ->
            match options.Format with
            | null -> Ok(Import options)
            | format ->
                oneOf "--format" [ "wiki"; "rich"; "diverse"; "person" ] format
                |> Result.map (fun _ -> Import options)
        | _ -> wrong "import takes --data or --weights, not both"

    let private dataCheck (found: ParseResults<DataCheckArguments>) =
        Ok(
            DataCheck
                { Data = found.GetResult DataCheckArguments.Data
                  Format = orNull (found.TryGetResult DataCheckArguments.Format)
                  Images = orNull (found.TryGetResult DataCheckArguments.Images)
                  Json = found.Contains DataCheckArguments.Json
                  Strict = found.Contains DataCheckArguments.Strict }
        )

    let private dataConvert (found: ParseResults<DataConvertArguments>) =
        oneOf "--to" [ "wikimel"; "mimic"; "jsonl" ] (found.GetResult DataConvertArguments.To)
        |> Result.map (fun layout ->
            DataConvert
                { Data = found.GetResult DataConvertArguments.Data
                  Format = orNull (found.TryGetResult DataConvertArguments.Format)
                  To = layout
                  Out = found.GetResult DataConvertArguments.Out })

    let private data (found: ParseResults<DataArguments>) =
        match found.TryGetSubCommand() with
        | Some(DataArguments.Check own) -> dataCheck own
        | Some(DataArguments.Convert own) -> dataConvert own
        | None -> Error(UsageWrong("data needs a verb: check or convert", "See `dwe data --help`."))

    let private listOf (text: string) =
        text.Split(',', StringSplitOptions.TrimEntries ||| StringSplitOptions.RemoveEmptyEntries)

    let private idsOf option (letter: string) (ids: string[]) =
        match ids |> Array.tryFind (fun id -> not (Regex.IsMatch(id, $"^{letter}[1-9][0-9]{{0,9}}$"))) with
        | Some id -> Error(ValueInvalid("command line", option, id, $"ids like {letter}5, separated by commas"))
        | None -> Ok ids

    /// What the descriptions of WikiMEL say, in their order and under their headings; headings that are alike are one.
    let private wikiMelProperties =
        [| "P21", "Sex"
           "P569", "Birth"
           "P19", "Birth"
           "P570", "Death"
           "P20", "Death"
           "P140", "Religion"
           "P106", "Occupation"
           "P2031", "Work starts"
           "P26", "Spouse"
           "P1412", "Languages"
           "P69", "Alma mater"
           "P1449", "Nick name" |]

    /// `P21` or `P21=Sex`.
    let private propertiesOf (text: string option) =
        let pairs =
            text
            |> Option.map (
                listOf
                >> Array.map (fun one ->
                    match one.Split('=', 2, StringSplitOptions.TrimEntries) with
                    | [| id; heading |] -> id, heading
                    | _ -> one, "")
            )
            |> Option.defaultValue wikiMelProperties

        idsOf "--properties" "P" (Array.map fst pairs) |> Result.map (fun _ -> pairs)

    /// Options that only a dump has a use for.
    let private wikidataOf languages classes subclasses properties skipBroken =
        let classes = classes |> Option.map listOf |> Option.defaultValue [||]

        if subclasses && Array.isEmpty classes then
            Error(UsageWrong("--subclasses goes with --classes", "See `dwe kb --help`."))
        else
            idsOf "--classes" "Q" classes
            |> Result.bind (fun classes ->
                propertiesOf properties
                |> Result.map (fun properties ->
                    { Languages = listOf (Option.defaultValue "en" languages)
                      Classes = classes
                      Subclasses = subclasses
                      Properties = properties
                      SkipBroken = skipBroken }))

    let private kbWrong problem = Error(UsageWrong(problem, "See `dwe kb --help`."))

    let private encoderOf name precision =
        textEncoderOf name
        |> Result.bind (fun encoder ->
            encoderPrecision encoder precision |> Result.map (fun precision -> encoder, precision))

    let private kbBuild (found: ParseResults<KbBuildArguments>) =
        let source, data = found.TryGetResult KbBuildArguments.Source, found.TryGetResult KbBuildArguments.Data

        let sensible =
            match source, data with
            | None, None -> kbWrong "kb build needs --source FILE or --data DIR"
            | Some _, Some _ -> kbWrong "kb build takes --source or --data, not both"
            | Some _, None when found.Contains KbBuildArguments.Format -> kbWrong "--format goes with --data"
            | _ when found.Contains KbBuildArguments.Run && found.Contains KbBuildArguments.Entity_Text ->
                kbWrong "--entity-text does not go with --run, whose template is taken"
            | _ -> Ok()

        sensible
        |> Result.bind (fun () ->
            encoderOf (found.TryGetResult KbBuildArguments.Encoder) (found.TryGetResult KbBuildArguments.Precision))
        |> Result.bind (fun (encoder, precision) ->
            wikidataOf
                (found.TryGetResult KbBuildArguments.Languages)
                (found.TryGetResult KbBuildArguments.Classes)
                (found.Contains KbBuildArguments.Subclasses)
                (found.TryGetResult KbBuildArguments.Properties)
                (found.Contains KbBuildArguments.Skip_Broken)
            |> Result.map (fun wikidata ->
                KbBuild
                    { Out = found.GetResult KbBuildArguments.Out
                      Source = orNull source
                      Data = orNull data
                      Format = orNull (found.TryGetResult KbBuildArguments.Format)
                      Images = orNull (found.TryGetResult KbBuildArguments.Images)
                      Encoding =
                        { Run = orNull (found.TryGetResult KbBuildArguments.Run)
                          Features = orNull (found.TryGetResult KbBuildArguments.Features)
                          EntityText = orNull (found.TryGetResult KbBuildArguments.Entity_Text)
                          Encoder = encoder
                          Precision = precision }
                      Wikidata = wikidata }))

    let private kbAdd (found: ParseResults<KbAddArguments>) =
        encoderOf (found.TryGetResult KbAddArguments.Encoder) (found.TryGetResult KbAddArguments.Precision)
        |> Result.bind (fun (encoder, precision) ->
            wikidataOf
                (found.TryGetResult KbAddArguments.Languages)
                (found.TryGetResult KbAddArguments.Classes)
                (found.Contains KbAddArguments.Subclasses)
                (found.TryGetResult KbAddArguments.Properties)
                (found.Contains KbAddArguments.Skip_Broken)
            |> Result.map (fun wikidata ->
                KbAdd
                    { Kb = found.GetResult KbAddArguments.Kb
                      Source = found.GetResult KbAddArguments.Source
                      Images = orNull (found.TryGetResult KbAddArguments.Images)
                      Encoder = encoder
                      Precision = precision
                      Wikidata = wikidata }))

    let private kbRemove (found: ParseResults<KbRemoveArguments>) =
        match found.TryGetResult KbRemoveArguments.Ids, found.TryGetResult KbRemoveArguments.Source with
        | None, None -> kbWrong "kb remove needs --ids ID,ID or --source FILE"
        | Some _, Some _ -> kbWrong "kb remove takes --ids or --source, not both"
        | ids, source ->
            Ok(
                KbRemove
                    { Kb = found.GetResult KbRemoveArguments.Kb
                      Ids = ids |> Option.map listOf |> Option.defaultValue [||]
                      Source = orNull source }
            )

    let private kb (found: ParseResults<KbArguments>) =
        match found.TryGetSubCommand() with
        | Some(KbArguments.Build own) -> kbBuild own
        | Some(KbArguments.Add own) -> kbAdd own
        | Some(KbArguments.Remove own) -> kbRemove own
        | Some(KbArguments.Show own) ->
            Ok(
                KbShow
                    { Kb = own.GetResult KbShowArguments.Kb
                      Entity = orNull (own.TryGetResult KbShowArguments.Entity)
                      Json = own.Contains KbShowArguments.Json }
            )
        | None -> kbWrong "kb needs a verb: build, add, remove or show"

    let private showConfig (found: ParseResults<ConfigArguments>) =
        let source =
            { Preset = orNull (found.TryGetResult ConfigArguments.Preset)
              File = orNull (found.TryGetResult ConfigArguments.Config)
              Set = Array.ofList (found.GetResults ConfigArguments.Set) }

        Ok(ShowConfig(source, found.Contains ConfigArguments.Json))

    let private doctor (found: ParseResults<DoctorArguments>) =
        oneOf "--device" deviceNames (found.GetResult(DoctorArguments.Device, "auto"))
        |> Result.map (fun device ->
            Doctor(found.Contains DoctorArguments.Json, device, orNull (found.TryGetResult DoctorArguments.LibTorch)))

    let private interpret (found: ParseResults<DweArguments>) =
        if found.Contains DweArguments.Version then
            Ok Version
        else
            match found.TryGetSubCommand() with
            | Some(DweArguments.Train own) -> train own
            | Some(DweArguments.Eval own) -> eval own
            | Some(DweArguments.Compare own) -> compare own
            | Some(DweArguments.Ablate own) -> ablate own
            | Some(DweArguments.Sweep own) -> sweep own
            | Some(DweArguments.Report own) -> report own
            | Some(DweArguments.Link own) -> link own
            | Some(DweArguments.Features own) -> features own
            | Some(DweArguments.Candidates own) -> candidates own
            | Some(DweArguments.Index own) -> index own
            | Some(DweArguments.Enrich own) -> enrich own
            | Some(DweArguments.Show own) -> show own
            | Some(DweArguments.Serve own) -> serve own
            | Some(DweArguments.Demo own) -> demo own
            | Some(DweArguments.Import own) -> import own
            | Some(DweArguments.Data own) -> data own
            | Some(DweArguments.Kb own) -> kb own
            | Some(DweArguments.Weights own) -> Ok(Weights(own.Contains WeightsArguments.All))
            | Some(DweArguments.Config own) -> showConfig own
            | Some(DweArguments.Doctor own) -> doctor own
            | Some DweArguments.Version
            | None -> Error(UsageWrong("no command given", "See `dwe --help`."))

    /// Argu's first line, without its `ERROR:`; for a word that it does not know, the nearest that its usage names.
    let private wrongUse (verb: string) (message: string) =
        let lines = message.Split('\n', 2)
        let problem = lines[0].Replace("ERROR: ", "").Trim().TrimEnd('.')
        let usage = if lines.Length > 1 then lines[1] else ""
        let unknown = Regex.Match(problem, "unrecognized argument: '([^']*)'")

        let nearest =
            if not unknown.Success then
                []
            else
                Regex.Matches(usage, @"--[a-z][a-z-]*|^    [a-z]+", RegexOptions.Multiline)
                |> Seq.map (fun word -> word.Value.Trim())
                |> Seq.distinct
                |> NearestName.suggest unknown.Groups[1].Value

        let help =
            if verb = "" then
                "See `dwe --help`."
            else
                $"See `dwe {verb} --help`."

        match nearest with
        | [] -> UsageWrong(problem, help)
        | names ->
            let names = String.Join(" or ", names)
            UsageWrong($"{problem}; did you mean {names}?", help)

    /// Reads the words. Argu speaks through exceptions; this is where they become a `Result`.
    let parse (words: string[]) : Result<Command, UserError> =
        let parser = parser ()

        let verb =
            words
            |> Array.tryHead
            |> Option.filter (fun word -> not (word.StartsWith '-'))
            |> Option.defaultValue ""

        if words.Length = 0 then
            Ok(Help(withExamples "" (parser.PrintUsage())))
        else
            try
                parser.ParseCommandLine(words, raiseOnUsage = true) |> interpret
            with :? ArguParseException as stop ->
                let verb = if Map.containsKey verb examples then verb else ""

                match stop.ErrorCode with
                | ErrorCode.HelpText -> Ok(Help(withExamples verb stop.Message))
                | _ -> Error(wrongUse verb stop.Message)
