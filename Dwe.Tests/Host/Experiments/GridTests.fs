module Dwe.Tests.Host.Experiments.GridTests

open System
open System.IO
open Expecto
open Dwe.Host.Experiments
open Dwe.Model.Domain
open Dwe.Tests.Prelude

/// Reads a file of this text; `FILE` in an expected message stands for its path.
let private reading (read: string -> 'Value) (text: string) : Result<'Value, string> =
    let result = ref (Error "not read")

    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "file.json")
        File.WriteAllText(path, text)

        result.Value <-
            try
                Ok(read path)
            with :? UserErrorException as wrong ->
                Error(wrong.Message.Replace(path, "FILE")))

    result.Value

let private grid = reading Grid.Read
let private space = reading SweepSpace.Read

let private refused name read (text: string) message =
    testCase name
    <| fun () ->
        match read text with
        | Error found -> Expect.equal found message "the message"
        | Ok _ -> failtest "accepted"

let private ok result =
    match result with
    | Ok value -> value
    | Error message -> failtest message

[<Tests>]
let grids =
    testList
        "Host.Experiments.Grid"
        [ testCase "lays preset, base and a variant's own changes over each other, a run for every variant and seed"
          <| fun () ->
              let found =
                  grid
                      """{ // comments are read over
                      "preset": "sample-dwe", "base": {"training.epochs": 3, "model.dropout": 0.2},
                      "variants": {"Whole model": {}, "No text (m, t)": {"model.textual_unit": false, "model": {"dropout": 0}}}}"""
                  |> ok

              let configs = [ for variant in found.Variants -> variant.Config ]
              Expect.equal [ for config in configs -> config.Training.Epochs ] [ 3; 3 ] "base"
              Expect.equal [ for config in configs -> config.Model.Dropout ] [ 0.2; 0.0 ] "a change of a change"
              Expect.equal [ for config in configs -> config.Model.Units.Textual ] [ true; false ] "flat and nested"
              Expect.equal [ for config in configs -> config.Model.Hidden ] [ 256; 256 ] "the preset"
              let plan = found.Plan("out", [| 5L; 7L |])

              Expect.equal
                  [ for run in plan -> run.Name, run.Folder.Path, run.Config.Training.Seed ]
                  [ for variant, slug in [ "Whole model", "whole-model"; "No text (m, t)", "no-text-m-t" ] do
                        for seed in [ 5L; 7L ] do
                            $"{variant}, seed {seed}", Path.Combine("out", slug, $"seed-{seed}"), seed ]
                  "the runs"

          refused
              "an unknown key is named with the nearest and its variant"
              grid
              """{"preset": "sample-dwe", "variants": {"a": {}, "b": {"model.lexical_unti": false}}}"""
              "FILE, variant 'b': unknown key 'model.lexical_unti'; did you mean model.lexical_unit?"

          refused
              "a value out of range is named with its variant"
              grid
              """{"preset": "sample-dwe", "variants": {"a": {"model.dropout": 1.5}}}"""
              "FILE, variant 'a': model.dropout is '1.5', expected a number from 0 up to 1, with a point."

          refused
              "a grid without variants"
              grid
              """{"preset": "sample-dwe", "variants": {}}"""
              "FILE: variants: found none, expected an object {name: {key: value}} of at least one variant."

          refused
              "twice the same name"
              grid
              """{"variants": {"a": {}, "a": {"model.dropout": 0.1}}}"""
              "FILE: the name of a variant is 'a', expected another name than 'a', whose folder is a too."

          refused
              "two names of one folder"
              grid
              """{"variants": {"no text": {}, "No-Text": {"model.dropout": 0.1}}}"""
              "FILE: the name of a variant is 'No-Text', expected another name than 'no text', whose folder is no-text too."

          refused
              "a name that makes no folder"
              grid
              """{"variants": {"+": {}}}"""
              "FILE: the name of a variant is '+', expected a name with a letter or digit of ASCII."

          refused
              "another protocol than the first variant's: their results would not be comparable"
              grid
              """{"variants": {"a": {}, "b": {"training.protocol": "legacy"}}}"""
              "FILE, variant 'b': training.protocol is 'legacy', expected strict as 'a' has it."

          refused
              "a seed of one variant's own"
              grid
              """{"base": {"training.seed": 4}, "variants": {"a": {}, "b": {"training.seed": 5}}}"""
              "FILE, variant 'b': training.seed is '5', expected the seed of every other variant; --seeds names several."

          refused
              "an unknown member"
              grid
              """{"presets": "sample", "variants": {"a": {}}}"""
              "FILE: unknown key 'presets'; did you mean preset?"

          refused
              "an unknown preset"
              grid
              """{"preset": "smaple-dwe", "variants": {"a": {}}}"""
              "--preset: unknown key 'smaple-dwe'; did you mean sample-dwe?" ]

let private values (found: SweepSpace) key = [ for trial in found.Trials -> trial.Values[key] ]

let private random seed trials =
    $$$"""{"preset": "sample-dwe", "seed": {{{seed}}}, "trials": {{{trials}}}, "space": {
        "optimizer.learning_rate": [1e-4, 3e-4],
        "model.dropout": {"from": 0.1, "to": 0.5},
        "model.lexical_hidden": {"from": 3, "to": 5},
        "optimizer.weight_decay": {"from": 1e-6, "to": 1e-2, "scale": "log"} } }"""

[<Tests>]
let spaces =
    testList
        "Host.Experiments.SweepSpace"
        [ testCase "a grid is every combination"
          <| fun () ->
              let found =
                  space
                      """{"method": "grid", "space": {"model.dropout": [0, 0.5], "schedule.kind": ["linear", "cosine", "constant"]}}"""
                  |> ok

              Expect.equal
                  [ for trial in found.Trials ->
                        trial.Name, trial.Values["model.dropout"], trial.Values["schedule.kind"] ]
                  [ "trial-0001", "0", "linear"
                    "trial-0002", "0", "cosine"
                    "trial-0003", "0", "constant"
                    "trial-0004", "0.5", "linear"
                    "trial-0005", "0.5", "cosine"
                    "trial-0006", "0.5", "constant" ]
                  "trials"

              Expect.equal
                  [ for trial in found.Trials -> trial.Config.Model.Dropout ]
                  [ 0.0; 0.0; 0.0; 0.5; 0.5; 0.5 ]
                  "configured"

          testCase
              "what is drawn is decided by the seed: again the same, more trials go on, another seed is another sweep"
          <| fun () ->
              let twenty, fifty, other = ok (space (random 1 20)), ok (space (random 1 50)), ok (space (random 2 20))
              let all (found: SweepSpace) = [ for key in found.Keys -> values found key ]
              Expect.equal (all (ok (space (random 1 20)))) (all twenty) "again"
              Expect.equal [ for key in fifty.Keys -> List.truncate 20 (values fifty key) ] (all twenty) "more"

              for one, two in List.zip (all twenty) (all other) do
                  Expect.notEqual one two "another seed"

          testCase "what is drawn lies in its range: numbers, whole numbers with both bounds, orders of magnitude alike"
          <| fun () ->
              let found = ok (space (random 1 400))
              let number (text: string) = Double.Parse(text, Globalization.CultureInfo.InvariantCulture)

              let rates, dropouts =
                  values found "optimizer.learning_rate", values found "model.dropout" |> List.map number

              Expect.equal (rates |> List.distinct |> List.sort) [ "1e-4"; "3e-4" ] "choices as they are written"
              Expect.isTrue (dropouts |> List.forall (fun value -> value >= 0.1 && value < 0.5)) "a range"
              Expect.equal (values found "model.lexical_hidden" |> List.distinct |> List.sort) [ "3"; "4"; "5" ] "whole"
              let decays = values found "optimizer.weight_decay" |> List.map number
              Expect.isTrue (decays |> List.forall (fun value -> value >= 1e-6 && value <= 1e-2)) "a range"

              // Four orders of magnitude, of 400 draws 100 each: 5 deviations are 43.
              for order in [ 1e-6; 1e-5; 1e-4; 1e-3 ] do
                  let own = decays |> List.filter (fun value -> value >= order && value < 10.0 * order)
                  Expect.isTrue (abs (own.Length - 100) < 44) $"{own.Length} from {order}"

          refused
              "an unknown key is named with the nearest"
              space
              """{"trials": 1, "space": {"model.droput": [0.1]}}"""
              "FILE, space: unknown key 'model.droput'; did you mean model.dropout?"

          refused
              "a value out of range is named with its trial, before anything is trained"
              space
              """{"method": "grid", "space": {"model.dropout": [0.5, 1.5]}}"""
              "FILE, trial-0002: model.dropout is '1.5', expected a number from 0 up to 1, with a point."

          refused
              "a range in a grid"
              space
              """{"method": "grid", "space": {"model.dropout": {"from": 0.1, "to": 0.5}}}"""
              "FILE: space, model.dropout is 'a range', expected a list of values, or method random."

          refused
              "no number of trials"
              space
              """{"space": {"model.dropout": [0.5]}}"""
              "FILE: trials is 'nothing', expected how many points to draw with method random."

          refused
              "a logarithm of 0"
              space
              """{"trials": 2, "space": {"model.dropout": {"from": 0, "to": 0.5, "scale": "log"}}}"""
              "FILE, space, model.dropout: from is '0', expected more than 0, since scale is log."

          refused
              "bounds that are no range"
              space
              """{"trials": 2, "space": {"model.dropout": {"from": 0.5, "to": 0.5}}}"""
              "FILE, space, model.dropout: to is '0.5', expected more than from, 0.5."

          refused
              "a key that decides how trials are measured"
              space
              """{"method": "grid", "space": {"training.protocol": ["strict", "legacy"]}}"""
              "FILE: space is 'training.protocol', expected a key that does not decide how trials are measured."

          refused
              "an empty space"
              space
              """{"trials": 1, "space": {}}"""
              "FILE: space: found none, expected an object {key: [values] or {from, to, scale}} of at least one key." ]
