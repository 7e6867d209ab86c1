module Dwe.Tests.Model.Config.ConfigTests

open System
open System.Globalization
open System.IO
open System.Text.Json
open Expecto
open FsCheck.FSharp
open Dwe.Host.Commands
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Prelude

let private ok result =
    match result with
    | Ok value -> value
    | Error error -> failtest (UserError.message error)

let private set assignments = Configuration.Set(Configuration.Defaults, assignments)

let private refused expected result =
    match result with
    | Error error -> Expect.equal (UserError.message error) expected "the message"
    | Ok(_: RunConfig) -> failtest $"accepted, expected: {expected}"

let private overlay (text: string) =
    use json = JsonDocument.Parse text
    Configuration.Overlay(Configuration.Defaults, "mine.json", json.RootElement)

let private again config = overlay (Configuration.Write config) |> ok

/// For every key a value that is not the default.
let private others =
    [ "model.kind", "dwe"
      "model.hidden", "1024"
      "model.heads", "4"
      "model.dropout", "0.25"
      "model.textual_unit", "false"
      "model.tokens", "true"
      "model.vision_unit", "false"
      "model.attribute_unit", "false"
      "model.scene", "false"
      "model.learned_entity", "false"
      "model.match", "false"
      "model.residual", "true"
      "model.entity_image", "true"
      "model.lexical_unit", "false"
      "model.lexical_memory", "false"
      "model.lexical_hidden", "17"
      "model.lexical_dropout", "0.7"
      "model.temperature", "0.5"
      "loss.matching", "circle"
      "loss.margin", "0.125"
      "loss.scale", "64"
      "loss.linking_weight", "0"
      "loss.candidates", "5"
      "loss.matching_weight", "1.5"
      "loss.coarse_weight", "0"
      "loss.fine_weight", "1e-3"
      "loss.l2_weight", "0.1"
      "loss.negatives", "both"
      "loss.negative_sampler", "nearest"
      "loss.nearest_pool", "17"
      "optimizer.kind", "adamw"
      "optimizer.learning_rate", "1.7e-05"
      "optimizer.weight_decay", "0.123456789012345"
      "optimizer.decay", "matrices-only"
      "optimizer.beta1", "0.8"
      "optimizer.beta2", "0.95"
      "optimizer.epsilon", "1e-300"
      "optimizer.clip_norm", "0"
      "schedule.kind", "cosine"
      "schedule.warmup_steps", "0"
      "training.seed", "9223372036854775807"
      "training.precision", "bf16-mixed"
      "training.threads", "3"
      "training.epochs", "1"
      "training.batch_size", "7"
      "training.accumulation", "2"
      "training.evaluate_every_epochs", "3"
      "training.patience", "0"
      "training.protocol", "full-kb"
      "training.select_by", "mrr"
      "features.entity_text", "{name} [SEP] \"{property}\" \\ ä" ]

/// Keys of numbers with the least and the greatest value; whole numbers reach the greatest, real ones stay below it.
let private whole =
    [ "model.hidden", 1L, 65536L
      "model.lexical_hidden", 1L, 65536L
      "loss.candidates", 0L, 1000L
      "model.heads", 1L, 1024L
      "schedule.warmup_steps", 0L, int64 Int32.MaxValue
      "training.seed", 0L, Int64.MaxValue
      "training.threads", 0L, 4096L
      "training.epochs", 1L, 1_000_000L
      "training.batch_size", 1L, 65536L
      "training.accumulation", 1L, 4096L
      "training.evaluate_every_epochs", 1L, 1_000_000L
      "training.patience", 0L, 1_000_000L ]

let private real =
    [ "model.dropout", 1.0
      "model.lexical_dropout", 1.0
      "loss.linking_weight", infinity
      "loss.margin", 2.0
      "loss.matching_weight", infinity
      "loss.coarse_weight", infinity
      "loss.fine_weight", infinity
      "loss.l2_weight", infinity
      "optimizer.learning_rate", 1e3
      "optimizer.weight_decay", 1e3
      "optimizer.beta1", 1.0
      "optimizer.beta2", 1.0
      "optimizer.epsilon", 1.0
      "optimizer.clip_norm", infinity ]

let private property name gen holds =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 300 } name (Prop.forAll (Arb.fromGen gen) holds)

let private text (number: IFormattable) = number.ToString(null, CultureInfo.InvariantCulture)

let private anyFloat = ArbMap.defaults |> ArbMap.generate<float>
let private anyInt = ArbMap.defaults |> ArbMap.generate<int64>

/// Of model.heads and model.hidden, one must divide the other; published has one matching loss.
let private fitting key value =
    match key with
    | "model.heads" -> [ $"model.hidden={value}"; $"model.heads={value}" ]
    | "model.hidden" -> [ "model.heads=1"; $"model.hidden={value}" ]
    | "loss.matching" -> [ "model.kind=dwe"; $"loss.matching={value}" ]
    | _ -> [ $"{key}={value}" ]

[<Tests>]
let tests =
    testList
        "configuration"
        [ testCase "every key has a value here that is not its default, and what is written is read back"
          <| fun () ->
              Expect.equal (others |> List.map fst) Fields.keys "the keys, in the order of the file"
              let defaults = Configuration.Write Configuration.Defaults

              for key, value in others do
                  let changed = set (fitting key value) |> ok
                  Expect.notEqual (Configuration.Write changed) defaults $"{key} is written"
                  Expect.notEqual changed Configuration.Defaults $"{key} is set"
                  Expect.equal (again changed) changed $"{key} is read back"

              // Without the lexical unit there must be a match.
              let all =
                  set
                      [ for key, value in others do
                            if key <> "model.match" then
                                $"{key}={value}" ]
                  |> ok

              Expect.equal (again all) all "all at once"

          testCase "the file's first lines, spelled"
          <| fun () ->
              Expect.stringStarts
                  (Configuration.Write Configuration.Defaults)
                  "{\n  \"model\": {\n    \"kind\": \"published\",\n    \"hidden\": 512,\n    \"heads\": 8,\n    \"dropout\": 0.4,\n    \"textual_unit\": true,\n    \"tokens\": false,\n"
                  "the model"

          property
              "a whole number is taken exactly where it is in range, and read back"
              (Gen.zip3 (Gen.elements whole) anyInt (Gen.choose (-3, 3)))
              (fun ((key, low, high), anywhere, offset) ->
                  // Anywhere, and close to both ends.
                  let beside (bound: int64) =
                      if offset > 0 && bound = Int64.MaxValue then
                          bound
                      else
                          bound + int64 offset

                  for number in [ anywhere; beside low; beside high ] do
                      if number < low || number > high then
                          match set [ $"{key}={number}" ] with
                          | Error error ->
                              Expect.stringStarts
                                  (UserError.message error)
                                  $"--set: {key} is '{number}', expected a whole number "
                                  "the key and the value"
                          | Ok _ -> failtest $"{key}={number} is out of range"
                      else
                          let config = set (fitting key (text number)) |> ok
                          Expect.equal (again config) config $"{key}={number}"
                          Expect.stringContains (Configuration.Write config) $": {number}" "written in digits")

          property
              "a real number is taken exactly where it is in range, and read back with all its bits"
              (Gen.zip (Gen.elements real) anyFloat)
              (fun ((key, high), number) ->
                  for number in [ number; abs number; (if Double.IsFinite number then abs number % 1.0 else 0.5) ] do
                      let result = set [ $"{key}={text number}" ]

                      if number >= 0.0 && number < high then
                          let config = ok result
                          Expect.equal (again config) config $"{key}={number}"
                      else
                          match result with
                          | Error error ->
                              Expect.stringStarts
                                  (UserError.message error)
                                  $"--set: {key} is '{text number}', expected a number "
                                  "the key and the value"
                          | Ok _ -> failtest $"{key}={number} is out of range")

          testCase "what is no number, no name or no key is refused, each spelled"
          <| fun () ->
              refused "--set: unknown key 'droput'; did you mean model.dropout?" (set [ "droput=0.3" ])

              refused
                  "--set: model.dropout is '0,3', expected a number from 0 up to 1, with a point."
                  (set [ "model.dropout=0,3" ])

              refused
                  "--set: model.dropout is 'NaN', expected a number from 0 up to 1, with a point."
                  (set [ "model.dropout=NaN" ])

              refused
                  "--set: model.dropout is '', expected a number from 0 up to 1, with a point."
                  (set [ "model.dropout=" ])

              refused
                  "--set: loss.fine_weight is '-1', expected a number of at least 0, with a point."
                  (set [ "loss.fine_weight=-1" ])

              refused
                  "--set: training.epochs is '1.0', expected a whole number from 1 to 1000000."
                  (set [ "training.epochs=1.0" ])

              refused
                  "--set: training.seed is '-1', expected a whole number of at least 0."
                  (set [ "training.seed=-1" ])

              refused
                  "--set: training.precision is 'float16', expected one of float32, bf16-mixed, float64."
                  (set [ "training.precision=float16" ])

              refused "--set: argument is 'model.dropout', expected key=value." (set [ "model.dropout" ])

              refused "--set: model.heads is '8', expected a divisor of model.hidden (12)." (set [ "model.hidden=12" ])

          testCase "a later assignment wins, and only both together are judged"
          <| fun () ->
              let config = set [ "model.hidden=12"; "model.heads=5"; " model.heads = 3 " ] |> ok
              Expect.equal (config.Model.Hidden, config.Model.Heads) (12, 3) "the last ones"

          testCase "a file names its wrong key, value or shape"
          <| fun () ->
              refused
                  "mine.json: unknown key 'model.droput'; did you mean model.dropout?"
                  (overlay """{"model": {"droput": 0.3}}""")

              refused
                  "mine.json: model.dropout is '[0.3]', expected a number from 0 up to 1, with a point."
                  (overlay """{"model": {"dropout": [0.3]}}""")

              refused "mine.json: top level: found Array, expected a JSON object of configuration keys." (overlay "[]")

              Expect.equal (overlay "{}" |> ok) Configuration.Defaults "nothing said, nothing changed"

          testCase "parts of the dwe model that contradict each other are refused, with what would do"
          <| fun () ->
              refused
                  "--set: model.lexical_unit is 'true', expected false, or loss.candidates and loss.linking_weight above 0, by which it learns."
                  (set [ "model.kind=dwe"; "loss.candidates=0"; "loss.negatives=in-batch" ])

              refused
                  "--set: loss.candidates is '0', expected at least 1, since loss.negatives is sampled."
                  (set [ "model.kind=dwe"; "model.lexical_unit=false"; "loss.candidates=0" ])

              refused
                  "--set: loss.matching is 'not n-pair', expected n-pair, or model.kind dwe."
                  (set [ "loss.matching=triplet" ])

              refused
                  "--set: model.match is 'false', expected true, or model.lexical_unit true: nothing else makes a score."
                  (set [ "model.kind=dwe"; "model.match=false"; "model.lexical_unit=false"; "loss.candidates=8" ])

              refused "--set: model.vision_unit is 'yes', expected true or false." (set [ "model.vision_unit=yes" ])

          testCase "every preset of the checkout parses, and none says only what is the default"
          <| fun () ->
              let folder = Path.Combine(Fixtures.repository, "data", "presets")

              let presets =
                  Directory.GetFiles(folder, "*.json")
                  |> Array.map (Path.GetFileNameWithoutExtension >> string)
                  |> Array.sort

              Expect.contains presets "sample" "the sample's"
              Expect.contains presets "wikimel" "the published one"

              for preset in presets do
                  let config = ConfigSources.Read { Preset = preset; File = null; Set = [||] }
                  Expect.equal (again config) config preset

              let wikimel = ConfigSources.Read { Preset = "wikimel"; File = null; Set = [||] }
              Expect.equal wikimel Configuration.Defaults "the published values are the defaults"

          testCase "dwe config describes every key, with its expectation"
          <| fun () ->
              let described = Configuration.Describe Configuration.Defaults
              Expect.equal [ for struct (key, _, _, _) in described -> key ] Fields.keys "keys"

              for struct (key, value, meaning, expected) in described do
                  Expect.isFalse (value = "" || meaning = "" || expected = "") key ]
