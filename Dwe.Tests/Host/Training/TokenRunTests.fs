/// A run that reads tokens: its store, its training, and linking with it.
module Dwe.Tests.Host.Training.TokenRunTests

open System
open System.IO
open System.Text.Json
open System.Threading
open Expecto
open Dwe.Host.Linking
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude

let private small =
    [ for setting in
          [ "model.tokens=true"
            "model.hidden=32"
            "model.heads=4"
            "model.lexical_hidden=16"
            "loss.candidates=8"
            "training.epochs=2"
            "optimizer.learning_rate=3e-3" ] do
          "--set"
          setting ]

let private train out features = [ "train"; "--preset"; "sample-dwe"; "--out"; out; "--features"; features ] @ small

/// A run over a store with four tokens a mention, trained once for all tests, which only read it.
let private shared =
    lazy
        (SharedWeights.withSentenceEncoder () |> ignore
         let folder = Directory.CreateTempSubdirectory("dwe-tokens-").FullName
         AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(folder, true))
         let run, store = Path.Combine(folder, "run"), Path.Combine(folder, "store")
         let sample = SampleRun.sample

         SampleRun.succeed
             [ "features"
               "--data"
               sample
               "--preset"
               "sample-dwe"
               "--reuse"
               Path.Combine(sample, "features")
               "--no-images"
               "--tokens"
               "--max-tokens"
               "4"
               "--out"
               store ]
             []
         |> ignore

         SampleRun.succeed (train run store) [] |> ignore
         run)

let private linker =
    lazy
        (let options = LinkerOptions(Run = shared.Value, Device = "cpu", Candidates = 100)
         Linker.Open(options, ignore, CancellationToken.None) :> ILinker)

let private field (value: JsonElement) (name: string) = nonNull (value.GetProperty(name).GetString())

/// The dev mentions with the candidates that evaluation compares.
let private dev =
    lazy
        (let read name = SampleRun.json (Path.Combine(SampleRun.sample, name))
         let candidates = read "search_top100.json"

         [ for mention in (read "dev.json").EnumerateObject() do
               let listed =
                   [ mention.Name; field mention.Value "mentions" ]
                   |> List.tryPick (fun key ->
                       match candidates.TryGetProperty key with
                       | true, found -> Some found
                       | _ -> None)

               let ids =
                   [| for ids in Option.toList listed do
                          for id in ids.EnumerateArray() -> nonNull (id.GetString()) |]

               mention.Name,
               field mention.Value "answer",
               LinkRequest(
                   Text = field mention.Value "sentence",
                   Mention = field mention.Value "mentions",
                   Candidates = ids,
                   Top = 1000,
                   Explain = true
               ) ])

let private answers =
    lazy (linker.Value.Link([| for _, _, request in dev.Value -> request |], CancellationToken.None))

[<Tests>]
let tests =
    testList
        "a run that reads tokens"
        [ testCase "says in its manifest what gave them"
          <| fun () ->
              let encoders = (SampleRun.json (Path.Combine(shared.Value, "manifest.json"))).GetProperty "encoders"
              let expected = field encoders "text" + "/tokens-1/nearest-4"
              Expect.equal (field encoders "tokens") expected "encoder and number"

          testCase "links as evaluation does, given the same candidates"
          <| fun () ->
              let result = SampleRun.json (Path.Combine(shared.Value, "results", "dev-strict.json"))
              let ranks = result.GetProperty "ranks"
              Expect.isGreaterThan dev.Value.Length 40 "the sample's dev mentions"

              for (key, gold, _), answer in Seq.zip dev.Value answers.Value do
                  let place = answer.Entities |> Seq.tryFindIndex (fun entity -> entity.Id = gold)
                  let rank = ranks.GetProperty key

                  let expected =
                      if rank.ValueKind = JsonValueKind.Null then
                          None
                      else
                          Some(int (rank.GetDouble()) - 1)

                  Expect.equal place expected key

          testCase "answers alone, bit for bit, what it answers in a batch"
          <| fun () ->
              for (key, _, request), together in Seq.zip dev.Value answers.Value |> Seq.truncate 12 do
                  let alone = linker.Value.Link([| request |], CancellationToken.None)
                  Expect.equal (JsonSerializer.Serialize alone[0]) (JsonSerializer.Serialize together) key

          testCase "says what each score is made of: the contributions sum to it (to 1e-4)"
          <| fun () ->
              for answer in answers.Value do
                  for entity in answer.Entities do
                      let parts = entity.Contributions |> Option.ofObj |> Option.defaultValue [||]
                      let sum = parts |> Seq.sumBy _.Amount
                      Expect.isLessThan (abs (sum - entity.Score)) 1e-4 $"{answer.Mention}: {entity.Name}"

          testCase "is refused over a store without them, and leaves no folder behind"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run, features = Path.Combine(folder, "run"), Path.Combine(SampleRun.sample, "features")
                  let refused = DweProcess.run (train run features) []
                  Expect.equal refused.ExitCode 2 "the exit code"
                  Expect.stringContains refused.Errors "a kind 'tokens' as well, which model.tokens reads" "what lacks"

                  Expect.stringContains
                      refused.Errors
                      "`dwe features --tokens`, or set model.tokens=false"
                      "what to do"

                  Expect.isFalse (Directory.Exists run) "nothing is left")

          testCase "is refused by evaluation over a store without them"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = Path.Combine(folder, "run")
                  SampleRun.copy shared.Value run
                  let features = Path.Combine(SampleRun.sample, "features")
                  let refused = DweProcess.run [ "eval"; "--run"; run; "--features"; features; "--again" ] []
                  Expect.equal refused.ExitCode 2 "the exit code"
                  Expect.stringContains refused.Errors "which model.tokens reads" "what lacks") ]
