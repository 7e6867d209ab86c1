module Dwe.Tests.Model.Domain.UserErrorTests

open Expecto
open Dwe.Model.Domain

let private spelled name error expected =
    testCase name (fun () -> Expect.equal (UserError.message error) expected "the message")

[<Tests>]
let names =
    testList
        "NearestName"
        [ testCase "the distance counts insertions, deletions and substitutions, whatever the case"
          <| fun () ->
              for left, right, distance in
                  [ "", "", 0
                    "", "abc", 3
                    "kitten", "sitting", 3
                    "flaw", "lawn", 2
                    "Dropout", "dropout", 0
                    "droput", "dropout", 1
                    "ab", "ba", 2 ] do
                  Expect.equal (NearestName.distance left right) distance $"{left} and {right}"
                  Expect.equal (NearestName.distance right left) distance $"{right} and {left}"

          testCase "a last segment finds the whole key, the nearest first, three at the most"
          <| fun () ->
              let known = [ "model.dropout"; "model.heads"; "loss.l2_weight"; "a.headz"; "b.headsx"; "c.heads" ]
              Expect.equal (NearestName.suggest "droput" known) [ "model.dropout" ] "one letter is missing"
              Expect.equal (NearestName.suggest "heads" known) [ "c.heads"; "model.heads"; "a.headz" ] "same, then near"

          testCase "nothing is suggested that shares little"
          <| fun () ->
              Expect.isEmpty (NearestName.suggest "epochs" [ "model.dropout"; "heads" ]) "far from all"
              Expect.isEmpty (NearestName.suggest "x" []) "nothing is known" ]

[<Tests>]
let wording =
    testList
        "UserError"
        [ spelled
              "a missing file"
              (FileMissing("a.json", "a list", "Write it."))
              "a.json: not found; expected a list. Write it."
          spelled
              "a broken file"
              (FileBroken("a.json", "line 3", "a number", "a text"))
              "a.json: line 3: found a number, expected a text."
          spelled
              "an unknown key with near ones"
              (KeyUnknown("a.json", "droput", [ "model.dropout"; "model.heads" ]))
              "a.json: unknown key 'droput'; did you mean model.dropout?"
          spelled
              "an unknown key with none near"
              (KeyUnknown("a.json", "zebra", [ "model.dropout"; "model.heads" ]))
              "a.json: unknown key 'zebra'; known keys: model.dropout, model.heads."
          spelled
              "an invalid value"
              (ValueInvalid("--set", "model.dropout", "0,3", "a number"))
              "--set: model.dropout is '0,3', expected a number."
          spelled
              "a checkpoint that does not fit"
              (CheckpointMismatch("w.safetensors", [ "missing a"; "unexpected b" ]))
              "checkpoint 'w.safetensors' does not fit: missing a; unexpected b."
          spelled
              "a store that does not fit"
              (StoreMismatch("store", "3 rows", "4", "Write it again."))
              "store: 3 rows, expected 4. Write it again."
          spelled "an outside failure" (ExternalFailed("libtorch", "no file", "See.")) "libtorch: no file. See."
          spelled
              "wrong use"
              (UsageWrong("no command given", "See `dwe --help`."))
              "no command given. See `dwe --help`."
          spelled "a question is left one" (UsageWrong("did you mean x?", "See.")) "did you mean x? See." ]
