module Dwe.Tests.Model.Config.CommandLineTests

open System
open System.Text.RegularExpressions
open Expecto
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Model.Tensors

let private parse (words: string list) = CommandLine.Parse(Array.ofList words)

let private isCommand expected words =
    match parse words with
    | Ok command -> Expect.equal command expected "the command"
    | Error error -> failtest (UserError.message error)

let private refused expected words =
    match parse words with
    | Error error -> Expect.equal (UserError.message error) expected "the message"
    | Ok command -> failtest $"understood as {command}"

let private help words =
    match parse words with
    | Ok(Command.Help text) -> text
    | other -> failtest $"no help: {other}"

/// The words of an example line as a shell would split it, without `dwe` and redirections.
let private wordsOf (line: string) =
    let command = (line.Split('>')[0]).Trim()
    let words = [ for word in Regex.Matches(command, "\"([^\"]*)\"|(\\S+)") -> word.Value.Trim '"' ]
    Expect.equal (List.head words) "dwe" line
    List.tail words

let private examplesOf (text: string) =
    text.Substring(text.IndexOf("EXAMPLES:", StringComparison.Ordinal)).Split '\n'
    |> Array.filter _.StartsWith("    ")
    |> List.ofArray

let private verbs =
    [ "train"
      "eval"
      "compare"
      "report"
      "ablate"
      "sweep"
      "kb"
      "demo"
      "enrich"
      "link"
      "features"
      "candidates"
      "index"
      "show"
      "serve"
      "import"
      "data"
      "weights"
      "config"
      "doctor" ]

let private none: ConfigSource = { Preset = null; File = null; Set = [||] }

let private training: TrainOptions =
    { Config = none
      Data = null
      Format = null
      Features = null
      Candidates = null
      Out = null
      Device = "auto"
      LibTorch = null
      Resume = false
      Seeds = [||]
      Folds = 0
      Json = null }

let private evaluation: EvalOptions =
    { Run = "runs/a"
      Baseline = null
      Data = null
      Format = null
      Features = null
      Split = "dev"
      Protocol = Strict
      Candidates = null
      Precision = null
      Device = "auto"
      LibTorch = null
      Again = false
      Json = null }

[<Tests>]
let tests =
    testList
        "command line"
        [ testCase "train, least and most"
          <| fun () ->
              isCommand
                  (Command.Train { training with Config = { none with Preset = "sample" } })
                  [ "train"; "--preset"; "sample" ]

              isCommand
                  (Command.Train { training with Out = "runs/a"; Resume = true })
                  [ "train"; "--out"; "runs/a"; "--resume" ]

              isCommand
                  (Command.Train
                      { Config =
                          { Preset = null
                            File = "c.json"
                            Set = [| "a=1"; "b=x=y"; "training.precision=bf16-mixed" |] }
                        Data = "d"
                        Format = null
                        Features = "f"
                        Candidates = "c"
                        Out = "o"
                        Device = "cuda"
                        LibTorch = "t"
                        Resume = false
                        Seeds = [||]
                        Folds = 0
                        Json = "j" })
                  [ "train"
                    "--config"
                    "c.json"
                    "--set"
                    "a=1"
                    "--set"
                    "b=x=y"
                    "--precision"
                    "bf16-mixed"
                    "--data"
                    "d"
                    "--features"
                    "f"
                    "--candidates"
                    "c"
                    "--out"
                    "o"
                    "--device"
                    "cuda"
                    "--libtorch"
                    "t"
                    "--json"
                    "j" ]

          testCase "eval, least and most"
          <| fun () ->
              isCommand (Command.Eval evaluation) [ "eval"; "--run"; "runs/a" ]

              isCommand
                  (Command.Eval
                      { evaluation with
                          Run = null
                          Baseline = "chance"
                          Data = "d"
                          Format = null
                          Features = "f"
                          Split = "test"
                          Protocol = FullKb
                          Candidates = "c"
                          Precision = "float64"
                          Device = "cpu"
                          LibTorch = "t"
                          Json = "j" })
                  [ "eval"
                    "--baseline"
                    "chance"
                    "--data"
                    "d"
                    "--features"
                    "f"
                    "--split"
                    "test"
                    "--protocol"
                    "full-kb"
                    "--candidates"
                    "c"
                    "--precision"
                    "float64"
                    "--device"
                    "cpu"
                    "--libtorch"
                    "t"
                    "--json"
                    "j" ]

              isCommand
                  (Command.Eval { evaluation with Protocol = Legacy })
                  [ "eval"; "--run"; "runs/a"; "--protocol"; "legacy" ]

          testCase "compare, least and most"
          <| fun () ->
              isCommand
                  (Command.Compare
                      { Results = [| "runs/a"; "b.json" |]
                        Split = "dev"
                        Protocol = Strict
                        Measure = "hits@1"
                        Json = false })
                  [ "compare"; "runs/a"; "b.json" ]

              isCommand
                  (Command.Compare
                      { Results = [| "a"; "b"; "c" |]
                        Split = "test"
                        Protocol = FullKb
                        Measure = "mrr"
                        Json = true })
                  [ "compare"
                    "--split"
                    "test"
                    "--protocol"
                    "full-kb"
                    "--measure"
                    "mrr"
                    "--json"
                    "a"
                    "b"
                    "c" ]

              refused
                  "compare needs at least two runs or result files. See `dwe compare --help`."
                  [ "compare"; "runs/a" ]

              refused
                  "command line: --measure is 'hits@2', expected one of hits@1, hits@3, hits@5, hits@10, hits@20, mrr."
                  [ "compare"; "--measure"; "hits@2"; "a"; "b" ]

          testCase "serve, least and most"
          <| fun () ->
              let least: ServeOptions =
                  { Run = "r"
                    Index = null
                    Port = 8080
                    Host = "127.0.0.1"
                    ApiKeyFrom = null
                    Queue = 64
                    Batch = 16
                    MaxBody = 10_485_760L
                    Timeout = 30.0
                    Candidates = 100
                    Encoder = SentenceEncoder
                    Precision = Float32
                    Device = "auto"
                    LibTorch = null }

              isCommand (Command.Serve least) [ "serve"; "--run"; "r" ]

              isCommand
                  (Command.Serve
                      { Run = "r"
                        Index = "i"
                        Port = 0
                        Host = "0.0.0.0"
                        ApiKeyFrom = "KEY"
                        Queue = 7
                        Batch = 3
                        MaxBody = 2048L
                        Timeout = 2.5
                        Candidates = 0
                        Encoder = ClipEncoder "c.pt"
                        Precision = Bf16Mixed
                        Device = "cpu"
                        LibTorch = "t" })
                  (List.ofSeq (
                      "serve --run r --index i --port 0 --host 0.0.0.0 --api-key-from KEY --queue 7 --batch 3 --max-body 2048 \
                       --timeout 2.5 --candidates 0 --encoder clip:c.pt --precision bf16-mixed --device cpu --libtorch t"
                          .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                  ))

              for option, value, expected in
                  [ "--port", "65536", "0 to 65535"
                    "--queue", "0", "1 to 100000"
                    "--batch", "1025", "1 to 1024"
                    "--max-body", "1023", "1024 to 1073741824"
                    "--timeout", "0", "0.1 to 3600" ] do
                  refused
                      $"command line: {option} is '{value}', expected a number from {expected}."
                      [ "serve"; "--run"; "r"; option; value ]

          testCase "report, least and most"
          <| fun () ->
              let least: ReportOptions =
                  { Runs = [| "runs/a" |]
                    Out = "report.html"
                    Markdown = null
                    Csv = null
                    Examples = 12
                    Images = null
                    LibTorch = null }

              isCommand (Command.Report least) [ "report"; "runs/a" ]

              isCommand
                  (Command.Report
                      { Runs = [| "runs/a"; "ablation" |]
                        Out = "a.html"
                        Markdown = "a.md"
                        Csv = "a.csv"
                        Examples = 0
                        Images = "photos"
                        LibTorch = "lib" })
                  ("report runs/a ablation --out a.html --markdown a.md --csv a.csv --examples 0 --images photos --libtorch lib"
                      .Split
                       ' '
                   |> List.ofArray)

              refused
                  "command line: --examples is '-1', expected a whole number of at least 0."
                  [ "report"; "runs/a"; "--examples"; "-1" ]

          testCase "link, least and most"
          <| fun () ->
              let least: LinkOptions =
                  { Run = "r"
                    Index = null
                    Text = "Does [[Jordan]] play?"
                    Mention = null
                    Image = null
                    Input = null
                    Out = null
                    Top = 10
                    Candidates = 100
                    Explain = false
                    Encoder = SentenceEncoder
                    Precision = Float32
                    Device = "auto"
                    LibTorch = null
                    Json = false }

              isCommand (Command.Link least) [ "link"; "--run"; "r"; "--text"; "Does [[Jordan]] play?" ]

              isCommand
                  (Command.Link
                      { least with
                          Index = "i"
                          Text = null
                          Input = "-"
                          Out = "o.jsonl"
                          Top = 3
                          Candidates = 0
                          Explain = true
                          Encoder = ClipEncoder "c.pt"
                          Precision = Bf16Mixed
                          Device = "cpu" })
                  [ "link"
                    "--run"
                    "r"
                    "--index"
                    "i"
                    "--input"
                    "-"
                    "--out"
                    "o.jsonl"
                    "--top"
                    "3"
                    "--candidates"
                    "0"
                    "--explain"
                    "--encoder"
                    "clip:c.pt"
                    "--precision"
                    "bf16-mixed"
                    "--device"
                    "cpu" ]

              refused
                  "command line: --top is '0', expected a whole number of at least 1."
                  [ "link"; "--run"; "r"; "--text"; "t"; "--top"; "0" ]

              refused
                  "link takes --text or --input, not both. See `dwe link --help`."
                  [ "link"; "--run"; "r"; "--text"; "t"; "--input"; "f" ]

          testCase "features, least and most"
          <| fun () ->
              isCommand
                  (Command.Features
                      { Data = "d"
                        Format = null
                        Out = "o"
                        Preset = null
                        EntityText = null
                        Splits = [||]
                        Reuse = [||]
                        Encoder = SentenceEncoder
                        Precision = Float32
                        Images = null
                        NoImages = false
                        Without = [||]
                        Objects = false
                        Identity = false
                        Tokens = 0
                        Shard = 1
                        Shards = 1
                        Merge = [||] })
                  [ "features"; "--data"; "d"; "--out"; "o" ]

              isCommand
                  (Command.Features
                      { Data = "d"
                        Format = null
                        Out = "o"
                        Preset = "sample"
                        EntityText = "{name}"
                        Splits = [| "train"; "dev" |]
                        Reuse = [| "a"; "b" |]
                        Encoder = ClipEncoder "w.pt"
                        Precision = Bf16Mixed
                        Images = "i"
                        NoImages = false
                        Without = [| "race"; "emotion" |]
                        Objects = true
                        Identity = true
                        Tokens = 16
                        Shard = 1
                        Shards = 1
                        Merge = [| "s1"; "s2" |] })
                  [ "features"
                    "merge"
                    "s1"
                    "s2"
                    "--images"
                    "i"
                    "--without"
                    "race,emotion"
                    "--objects"
                    "--identity"
                    "--tokens"
                    "--max-tokens"
                    "16"
                    "--encoder"
                    "clip:w.pt"
                    "--precision"
                    "bf16-mixed"
                    "--data"
                    "d"
                    "--out"
                    "o"
                    "--preset"
                    "sample"
                    "--entity-text"
                    "{name}"
                    "--splits"
                    "train, dev"
                    "--reuse"
                    "a"
                    "--reuse"
                    "b" ]

          testCase "tokens of mentions are stored where that is said, 32 a mention where no number is"
          <| fun () ->
              let features extra = CommandLine.Parse(Array.ofList ([ "features"; "--data"; "d"; "--out"; "o" ] @ extra))

              match features [ "--tokens" ] with
              | Ok(Command.Features found) -> Expect.equal found.Tokens 32 "where no number is named"
              | other -> failtest $"not understood: {other}"

              let refused extra =
                  match features extra with
                  | Error error -> error
                  | other -> failtest $"understood: {other}"

              Expect.equal
                  (refused [ "--max-tokens"; "8" ])
                  (UsageWrong("--max-tokens goes with --tokens only", "See `dwe features --help`."))
                  "a number without tokens"

              for number in [ "0"; "129" ] do
                  Expect.equal
                      (refused [ "--tokens"; "--max-tokens"; number ])
                      (ValueInvalid("command line", "--max-tokens", number, "a whole number from 1 to 128"))
                      number

          testCase "show takes every option, and one mention at least"
          <| fun () ->
              isCommand
                  (Command.Show
                      { Data = "d"
                        Format = "jsonl"
                        Mention = "10-0"
                        Split = "dev"
                        Images = "i"
                        Candidates = "c.json"
                        Without = [| "race"; "emotion" |]
                        Out = "o.html" })
                  [ "show"
                    "--data"
                    "d"
                    "--format"
                    "jsonl"
                    "--mention"
                    "10-0"
                    "--split"
                    "dev"
                    "--images"
                    "i"
                    "--candidates"
                    "c.json"
                    "--without"
                    "race,emotion"
                    "--out"
                    "o.html" ]

              isCommand
                  (Command.Show
                      { Data = "d"
                        Format = null
                        Mention = "m"
                        Split = null
                        Images = null
                        Candidates = null
                        Without = [||]
                        Out = null })
                  [ "show"; "--data"; "d"; "--mention"; "m" ]

              refused "missing argument '--mention'. See `dwe show --help`." [ "show"; "--data"; "d" ]

              refused
                  "command line: --split is 'valid', expected one of train, dev, test."
                  [ "show"; "--data"; "d"; "--mention"; "m"; "--split"; "valid" ]

          testCase "weights, config, doctor and the version"
          <| fun () ->
              isCommand (Command.Weights false) [ "weights" ]
              isCommand (Command.Weights true) [ "weights"; "--all" ]
              isCommand (Command.ShowConfig(none, false)) [ "config" ]

              isCommand
                  (Command.ShowConfig({ Preset = "sample"; File = null; Set = [| "a=1" |] }, true))
                  [ "config"; "--preset"; "sample"; "--set"; "a=1"; "--json" ]

              isCommand (Command.ShowConfig({ none with File = "c.json" }, false)) [ "config"; "--config"; "c.json" ]
              isCommand (Command.Doctor(false, "auto", null)) [ "doctor" ]
              isCommand (Command.Doctor(true, "cpu", "t")) [ "doctor"; "--json"; "--device"; "cpu"; "--libtorch"; "t" ]
              isCommand Command.Version [ "--version" ]

          testCase "what is wrong is refused with the nearest word"
          <| fun () ->
              refused "unrecognized argument: 'trian'; did you mean train? See `dwe --help`." [ "trian" ]

              refused
                  "unrecognized argument: '--devcie'; did you mean --device? See `dwe train --help`."
                  [ "train"; "--devcie"; "cpu" ]

              refused "command line: --device is 'gpu', expected one of auto, cpu, cuda." [ "train"; "--device"; "gpu" ]

              refused
                  "command line: --protocol is 'stric', expected one of legacy, strict, full-kb."
                  [ "eval"; "--run"; "a"; "--protocol"; "stric" ]

              refused
                  "command line: --split is 'train', expected one of dev, test."
                  [ "eval"; "--run"; "a"; "--split"; "train" ]

              refused
                  "command line: --baseline is 'random', expected one of candidate-order, chance."
                  [ "eval"; "--baseline"; "random" ]

              refused
                  "command line: --precision is 'half', expected one of float32, bf16-mixed, float64."
                  [ "eval"; "--run"; "a"; "--precision"; "half" ]

              refused "eval needs --run RUN or --baseline NAME. See `dwe eval --help`." [ "eval" ]

              refused
                  "eval takes --run or --baseline, not both. See `dwe eval --help`."
                  [ "eval"; "--run"; "a"; "--baseline"; "chance" ]

              refused "argument '--out' must be followed by <RUN>. See `dwe train --help`." [ "train"; "--out" ]

          testCase "every example that help prints is understood"
          <| fun () ->
              for text in help [] :: help [ "--help" ] :: [ for verb in verbs -> help [ verb; "--help" ] ] do
                  let examples = examplesOf text
                  Expect.isNonEmpty examples text

                  for line in examples do
                      match parse (wordsOf line) with
                      | Ok(Command.Help _)
                      | Error _ -> failtest $"not understood:{line}"
                      | Ok _ -> ()

          testCase "help of a verb shows that verb's examples, the program's help one of every verb"
          <| fun () ->
              for verb in verbs do
                  for line in examplesOf (help [ verb; "--help" ]) do
                      Expect.stringStarts line $"    dwe {verb}" verb

              let shown = examplesOf (help []) |> List.map (fun line -> (wordsOf line).Head)
              Expect.equal (List.sort shown) (List.sort verbs) "verbs" ]
