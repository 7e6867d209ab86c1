module Dwe.Tests.Host.Experiments.CrossValidationTests

open System
open System.IO
open System.Text.Json
open Expecto
open TorchSharp
open Dwe.Host.Data
open Dwe.Host.Experiments
open Dwe.Host.Training
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

let private drawn = Path.Combine(SampleRun.sample, "drawn")
let private openDrawn () = RunData.Open(drawn, Path.Combine(drawn, "features"))

let private values (tensor: torch.Tensor) = tensor.contiguous().data<float32>().ToArray()

let private message action =
    try
        action ()
        failtest "accepted"
    with :? UserErrorException as wrong ->
        wrong.Message

[<Tests>]
let tests =
    testList
        "Host.Experiments.CrossValidation"
        [ testCase "every train mention is left out once, and no sentence of a part is in the others"
          <| fun () ->
              use data = openDrawn ()
              let parts = CrossValidation.Divide(data, 1L, 4)
              let whole = [ for mention in data.Mentions Splits.Train -> mention.Key ]

              let left =
                  [ for part in 0..3 do
                        use fold = CrossValidation.Fold(data, parts, part)
                        let train, dev = fold.Mentions Splits.Train, fold.Mentions Splits.Dev
                        Expect.equal (train.Count + dev.Count) whole.Length "both together are train"
                        let sentences = set [ for mention in train -> mention.Sentence ]

                        for mention in dev do
                            Expect.isFalse (sentences.Contains mention.Sentence) mention.Sentence

                        for mention in dev -> mention.Key ]

              Expect.equal (List.sort left) (List.sort whole) "each once"

          testCase "the memory of a fold knows the other parts alone"
          <| fun () ->
              use data = openDrawn ()
              use fold = CrossValidation.Fold(data, CrossValidation.Divide(data, 1L, 4), 2)
              let known = [ for mention in (LexicalMemory.Of fold).Mentions -> mention.Key ]
              Expect.equal known [ for mention in fold.Mentions Splits.Train -> mention.Key ] "the training part"

          testCase "features of a fold are those of its mentions: vectors, images, parts and profiles"
          <| fun () ->
              NativeSetup.report |> ignore
              use data = openDrawn ()
              use fold = CrossValidation.Fold(data, CrossValidation.Divide(data, 1L, 3), 0)
              let whole, own = data.Features(Splits.Train, true), fold.Features(Splits.Dev, true)
              let keys = [ for mention in data.Mentions Splits.Train -> mention.Key ]
              let rows = [ for mention in fold.Mentions Splits.Dev -> List.findIndex ((=) mention.Key) keys ]
              Expect.isGreaterThan rows.Length 50 "a third of 182"

              for at, row in List.indexed rows do
                  Expect.equal (values own.Text[int64 at]) (values whole.Text[int64 row]) "text"
                  Expect.equal (values own.Mention[int64 at]) (values whole.Mention[int64 row]) "mention"

                  for own, whole in [ own.Image, whole.Image; own.Parts, whole.Parts; own.Profile, whole.Profile ] do
                      match own, whole with
                      | Some own, Some whole ->
                          let count = own.Offsets[at + 1] - own.Offsets[at]
                          Expect.equal count (whole.Offsets[row + 1] - whole.Offsets[row]) "as many"

                          if count > 0L then
                              Expect.equal
                                  (values (own.Rows.narrow (0L, own.Offsets[at], count)))
                                  (values (whole.Rows.narrow (0L, whole.Offsets[row], count)))
                                  "the same"
                      | None, None -> ()
                      | _ -> failtest "a kind is gone"

          testCase "each fold is data of its own: neither another fold's result nor dev's is taken for it"
          <| fun () ->
              use data = openDrawn ()

              let hash seed part =
                  use fold = CrossValidation.Fold(data, CrossValidation.Divide(data, seed, 3), part)
                  fold.Dataset.ContentHash

              let hashes = [ data.Dataset.ContentHash; hash 1L 0; hash 1L 1; hash 1L 2; hash 2L 0 ]
              Expect.hasLength (List.distinct hashes) 5 "all different"
              Expect.equal (hash 1L 1) hashes[2] "the same again"

          testCase "nothing is chosen on the part that is left out: one evaluation, at the end"
          <| fun () ->
              let config = CrossValidation.WithoutSelection RunConfig.Defaults
              Expect.equal (config.Training.EvaluateEveryEpochs, config.Training.Patience) (300, 0) "of 300 epochs"

          testCase "more parts than sentences are refused"
          <| fun () ->
              use data = openDrawn ()
              let count = data.Mentions Splits.Train |> Seq.distinctBy _.Sentence |> Seq.length

              Expect.equal
                  (message (fun () -> CrossValidation.Divide(data, 1L, count + 1) |> ignore))
                  $"--folds is {count + 1}, but train has {count} sentences. Name fewer."
                  "the message"

          testCase "lists that lack train mentions are refused, with what makes them"
          <| fun () ->
              use data = openDrawn ()
              let mentions = data.Mentions Splits.Train

              Folder.temporary (fun folder ->
                  let refusal (keys: string list) =
                      let path = Path.Combine(folder, "lists.json")
                      File.WriteAllText(path, JsonSerializer.Serialize(dict [ for key in keys -> key, [| "E1" |] ]))

                      (message (fun () -> CrossValidation.RequireCandidates(data, path, RunConfig.Defaults)))
                          .Replace(path, "lists.json")

                  let expected without =
                      $"folds are evaluated on train mentions, but {without} of {mentions.Count} have no candidates in lists.json. "
                      + "Make them with `dwe candidates --splits train,dev` and name the file with --candidates, or set training.protocol=full-kb."

                  Expect.equal (refusal [ "another" ]) (expected mentions.Count) "none"
                  Expect.equal (refusal [ mentions[0].Key; mentions[1].Key ]) (expected (mentions.Count - 2)) "two"
                  CrossValidation.RequireCandidates(data, null, RunConfig.Defaults)) ]
