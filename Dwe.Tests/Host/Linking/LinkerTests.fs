/// A trained run that links mentions it is given, in this process.
module Dwe.Tests.Host.Linking.LinkerTests

open System
open System.Collections.Generic
open System.IO
open System.Text.Json
open System.Threading
open Expecto
open Dwe.Host.Checkpoints
open Dwe.Host.Linking
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

let private openRun run (candidates: int) : ILinker =
    SharedWeights.withSentenceEncoder () |> ignore
    Linker.Open(LinkerOptions(Run = run, Device = "cpu", Candidates = candidates), ignore, CancellationToken.None)

let private linker = lazy (openRun DualWayRunTests.shared.Value 100)

let private request text mention : LinkRequest = LinkRequest(Text = text, Mention = mention)

/// The dev mentions of the sample as requests with the candidates that evaluation compares, and their golds.
let private dev =
    lazy
        (let read name = SampleRun.json (Path.Combine(SampleRun.sample, name))
         let candidates = read "search_top100.json"

         [ for mention in (read "dev.json").EnumerateObject() do
               let field (name: string) = nonNull (mention.Value.GetProperty(name).GetString())
               let text = field "mentions"

               let found, listed = candidates.TryGetProperty text
               let byKey, ofKey = candidates.TryGetProperty mention.Name

               let ids =
                   if byKey then ofKey
                   elif found then listed
                   else JsonDocument.Parse("[]").RootElement

               mention.Name,
               LinkRequest(
                   Text = field "sentence",
                   Mention = text,
                   Candidates = [| for id in ids.EnumerateArray() -> nonNull (id.GetString()) |],
                   Top = 1000,
                   Explain = true
               ),
               field "answer" ])

let private answers =
    lazy (linker.Value.Link([| for _, request, _ in dev.Value -> request |], CancellationToken.None))

let private json (value: 'Value) = JsonSerializer.Serialize value

[<Tests>]
let tests =
    testList
        "Host.Linking.Linker"
        [ testCase "ranks the gold of every dev mention as evaluation does, given the same candidates"
          <| fun () ->
              let result = Path.Combine(DualWayRunTests.shared.Value, "results", "dev-strict.json")
              let expected = (SampleRun.json result).GetProperty "ranks"
              Expect.isGreaterThan dev.Value.Length 40 "the sample's dev mentions"

              for (key, _, gold), answer in Seq.zip dev.Value answers.Value do
                  let place =
                      answer.Entities
                      |> Seq.tryFindIndex (fun entity -> entity.Id = gold)
                      |> Option.map (fun at -> at + 1)

                  let expected = expected.GetProperty key

                  let rank =
                      if expected.ValueKind = JsonValueKind.Null then
                          None
                      else
                          Some(expected.GetDouble() |> int)

                  Expect.equal place rank key

          testCase "answers alone, bit for bit, what it answers in a batch"
          <| fun () ->
              for (key, request, _), together in Seq.zip dev.Value answers.Value |> Seq.truncate 12 do
                  let alone = linker.Value.Link([| request |], CancellationToken.None)
                  Expect.equal (json alone[0]) (json together) key

          testCase "answers the same whatever the order of the candidates"
          <| fun () ->
              for (key, request, _), first in Seq.zip dev.Value answers.Value |> Seq.truncate 12 do
                  let given = request.Candidates |> Option.ofObj |> Option.defaultValue [||] |> Seq.rev |> Array.ofSeq

                  let turned =
                      LinkRequest(
                          Text = request.Text,
                          Mention = request.Mention,
                          Candidates = given,
                          Top = 1000,
                          Explain = true
                      )

                  let again = linker.Value.Link([| turned |], CancellationToken.None)
                  Expect.equal (json again[0]) (json first) key

          testCase "says what each score is made of: the contributions sum to it (to 1e-4)"
          <| fun () ->
              for answer in answers.Value do
                  for entity in answer.Entities do
                      let parts = entity.Contributions |> Option.ofObj |> Option.defaultValue [||]
                      let sum = parts |> Seq.sumBy _.Amount
                      Expect.isLessThan (abs (sum - entity.Score)) 1e-4 $"{answer.Mention}: {entity.Name}"

          testCase "gives probabilities that sum to 1 over all that it compared"
          <| fun () ->
              for answer in answers.Value |> Seq.filter (fun answer -> answer.Compared > 0) do
                  Expect.equal answer.Entities.Count answer.Compared "all are shown"
                  Expect.floatClose Accuracy.high (answer.Entities |> Seq.sumBy _.Probability) 1.0 answer.Mention

          testCase "finds candidates of its own, and says where each came from"
          <| fun () ->
              let _, known, gold = dev.Value.Head
              let answer = linker.Value.Link([| request known.Text known.Mention |], CancellationToken.None)[0]
              let entity = answer.Entities |> Seq.tryFind (fun entity -> entity.Id = gold)
              Expect.isSome entity "the gold is among them"

              for entity in answer.Entities do
                  Expect.isNonEmpty entity.Sources entity.Name

                  for source in entity.Sources do
                      Expect.contains [ "lexical"; "dense"; "prior" ] source "a source"

          testCase "compares every entity where that is asked for"
          <| fun () ->
              use all = openRun DualWayRunTests.shared.Value 0
              let answer = all.Link([| request "Jordan plays" "Jordan" |], CancellationToken.None)[0]
              Expect.equal answer.Compared all.Card.Entities "every entity"

          testCase "passes over candidates that the knowledge base lacks, and says so"
          <| fun () ->
              let given = LinkRequest(Text = "a", Mention = "a", Candidates = [| "no such id"; "nor this" |])
              let answer = linker.Value.Link([| given |], CancellationToken.None)[0]
              Expect.equal answer.Compared 0 "nothing to compare"
              Expect.isTrue answer.Nil "nothing is left"
              Expect.equal (List.ofSeq answer.Notes) [ "2 of 2 candidates are not in the knowledge base" ] "the note"

          testCase "says NIL below the threshold that was chosen on dev, and of nothing above it"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = Path.Combine(folder, "run")
                  SampleRun.copy DualWayRunTests.shared.Value run

                  let decide (threshold: float) =
                      Decisions.Write(
                          RunFolder run,
                          Decision(
                              Threshold = Nullable threshold,
                              Temperature = Nullable 2.0,
                              Split = "dev",
                              Protocol = "strict",
                              CandidateSource = "a file",
                              DatasetHash = "",
                              Mentions = 1,
                              NilMentions = 1
                          )
                      )

                      use decided = openRun run 100
                      decided.Link([| request "Jordan plays" "Jordan" |], CancellationToken.None)[0]

                  let low, high = decide -1e6, decide 1e6
                  Expect.isFalse low.Nil "above"
                  Expect.isTrue high.Nil "below"
                  Expect.equal high.NilThreshold (Nullable 1e6) "the threshold is stated"

                  let shares scores =
                      let weights = scores |> Seq.map (fun score -> exp (score / 2.0)) |> Array.ofSeq
                      weights |> Array.map (fun weight -> weight / Array.sum weights)

                  let ratio (values: float seq) = Seq.item 0 values / Seq.item 1 values

                  Expect.floatClose
                      Accuracy.medium
                      (low.Entities |> Seq.map _.Probability |> ratio)
                      (low.Entities |> Seq.map _.Score |> shares |> ratio)
                      "softmax at the temperature of dev")

          testCase "does not use an image where the run was trained without, and says so"
          <| fun () ->
              let seen = LinkRequest(Text = "a", Mention = "a", Image = [| 1uy |])
              let answer = linker.Value.Link([| seen |], CancellationToken.None)[0]

              Expect.contains answer.Notes "the image was not used: the run was trained without images" "the note" ]
