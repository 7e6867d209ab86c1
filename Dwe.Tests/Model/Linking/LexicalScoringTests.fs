module Dwe.Tests.Model.Linking.LexicalScoringTests

open System
open System.Collections.Generic
open Expecto
open FsCheck
open FsCheck.FSharp
open TorchSharp
open Dwe.Model
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Model.Layers
open Dwe.Model.Lexical
open Dwe.Model.Tensors
open Dwe.Tests.Prelude

let private entityCount = 12

let private names =
    [| "Ann Smith"; "Ann Brown"; "Bo Smith"; "Carl (judge)"; "Carl (singer)"; "Dora Lee" |]

let private entities: Entity[] =
    Array.init entityCount (fun row ->
        { Id = $"Q{row}"
          Name = names[row % names.Length]
          Aliases = [||]
          Type = ""
          Fields = Dictionary()
          Images = [||] })

let private mentions: Mention[] =
    [| "Smith", "Smith sang in 1990"
       "Carl", "the judge Carl and his wife"
       "Dora", "Dora Lee at home"
       "", "" |]
    |> Array.map (fun (text, sentence) ->
        { Key = text
          Text = text
          Sentence = sentence
          Images = [||]
          Type = ""
          Gold = Unlabelled
          Box = null })

let private lexical =
    lazy
        (let descriptions = Array.init entityCount (fun row -> $"Birth: {1900 + 10 * row}. Occupation: singer.")
         let remembered = [| { Key = "a"; Mention = "Smith"; Sentence = "Smith sang"; Entity = "Q0" } |]
         (LexicalUnit.Create(entities, descriptions, remembered)).Prepare(mentions, [| -1; -1; -1; -1 |]))

let private config =
    { RunConfig.Defaults with
        Model.Kind = ModelKind.DualWay
        Model.Hidden = 8
        Model.Heads = 2
        Model.Units.Residual = true
        // No whole number of vectors.
        Model.Units.LexicalHidden = 21 }

let private matcherOf config = Matcher.Create(config, { Text = 6; Image = 0; Entity = 6 }, torch.CPU)
let private matcher () = matcherOf config

/// The lexical unit alone.
let private withoutMatch = { config with Model.Units.Match = false }

/// Random candidates, some absent, with random cosines.
let private table seed width =
    let random = SeededRandom seed
    let rows = Array.init (mentions.Length * width) (fun _ -> random.Next(entityCount + 1) - 1)
    rows, rows |> Array.map (fun _ -> float32 (random.NextDouble() * 2.0 - 1.0))

let private rescored (matcher: Matcher) width rows (cosines: float32[]) =
    let scores = Array.copy cosines
    matcher.Rescore(lexical.Value, 0, width, rows, scores)
    scores

let private property name (holds: int64 -> int -> unit) =
    let sizes = Gen.zip (Gen.choose (0, 1000000)) (Gen.choose (1, 9)) |> Arb.fromGen

    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 20 } name
    <| Prop.forAll sizes (fun (seed, width) -> holds (int64 seed) width)

[<Tests>]
let tests =
    testList
        "Model.Linking.LexicalScoring"
        [ property "the score in ranking is the score in training (to 1e-4), with the match and without"
          <| fun seed width ->
              use matcher = matcherOf (if seed % 2L = 0L then config else withoutMatch)
              let rows, cosines = table seed width
              let found = rescored matcher width rows cosines

              let net =
                  match matcher.Net with
                  | DualWayNet net -> net
                  | PublishedNet _ -> failtest "the published net"

              let features = Array.zeroCreate<float32> (rows.Length * PairFeatures.count)

              for at in 0 .. rows.Length - 1 do
                  if rows[at] >= 0 then
                      let target = Span(features, at * PairFeatures.count, PairFeatures.count)
                      PairFeatures.fill lexical.Value.Lexicon lexical.Value.Mentions[at / width] rows[at] target

              Scope.value (fun () ->
                  let shape = [| int64 mentions.Length; int64 width |]
                  let cosines' = torch.tensor(cosines).reshape shape
                  let features = torch.tensor(features).reshape [| yield! shape; int64 PairFeatures.count |]
                  let expected = (net.Forward.Score cosines' features).detach().reshape(-1L).data<float32>().ToArray()

                  for at in 0 .. rows.Length - 1 do
                      if rows[at] >= 0 then
                          Expect.isLessThan (abs (found[at] - expected[at])) 1e-4f "score"
                      else
                          Expect.equal found[at] cosines[at] "padding is left as it is")

          property "what a score is made of sums to the score (to 1e-4)"
          <| fun seed width ->
              use matcher = matcher ()
              let random = SeededRandom seed
              let numbers count = Array.init count (fun _ -> float32 (random.NextDouble() * 2.0 - 1.0))

              Scope.value (fun () ->
                  let mentionRows () = torch.tensor(numbers (mentions.Length * 6)).reshape (int64 mentions.Length, 6L)

                  let features: MentionFeatures =
                      { Mention = mentionRows ()
                        Text = mentionRows ()
                        Image = None
                        Parts = None
                        Profile = None
                        Tokens = None }

                  let rows = Array.init width (fun _ -> random.Next entityCount)
                  let entities = numbers (width * 8)
                  Ranks.Normalize(entities, 8)

                  for mention in 0 .. mentions.Length - 1 do
                      let query = matcher.Query(features, [| int64 mention |])
                      Ranks.Normalize(query, 8)

                      let scores =
                          Array.init width (fun at -> Seq.init 8 (fun i -> query[i] * entities[at * 8 + i]) |> Seq.sum)

                      matcher.Rescore(lexical.Value, mention, width, rows, scores)
                      let found = matcher.ExplainScores(features, int64 mention, entities, lexical.Value, rows)

                      for at in 0 .. width - 1 do
                          let sum = found[at] |> Array.sumBy (fun struct (_, amount) -> amount)
                          Expect.isLessThan (abs (sum - scores[at])) 1e-4f $"mention {mention}, entity {at}"
                          let named = found[at] |> Array.map (fun struct (name, _) -> name)
                          // An untrained residual model is its sentence alone: what is 0 is not said.
                          Expect.equal named[0] "sentence" "the query's terms first"
                          Expect.isFalse (Array.contains "mention" named) "nothing yet of the mention"
                          Expect.equal (Array.last named) "constant" "what is left last")

          property "has the same bits in any order and beside whatever else"
          <| fun seed width ->
              use matcher = matcher ()
              let rows, cosines = table seed width
              let together = rescored matcher width rows cosines

              for at in 0 .. rows.Length - 1 do
                  let alone = [| cosines[at] |]
                  // One candidate of one mention.
                  matcher.Rescore(lexical.Value, at / width, 1, [| rows[at] |], alone)
                  Expect.equal alone[0] together[at] "alone"

          property "without the match cosines have no say, and are no part of what a score is made of"
          <| fun seed width ->
              use matcher = matcherOf withoutMatch
              let rows, cosines = table seed width
              let found = rescored matcher width rows cosines
              let others = rescored matcher width rows (cosines |> Array.map (fun cosine -> 0.5f - cosine))

              let listed =
                  [ for at in 0 .. rows.Length - 1 do
                        if rows[at] >= 0 then
                            at ]

              Expect.equal
                  [ for at in listed -> found[at] ]
                  [ for at in listed -> others[at] ]
                  "whatever the cosines are"

              use whole = matcherOf config
              let matched = rescored whole width rows cosines

              if not listed.IsEmpty then
                  Expect.notEqual
                      [ for at in listed -> found[at] ]
                      [ for at in listed -> matched[at] ]
                      "with them others"

          testCase "is refused where the model has no lexical unit"
          <| fun () ->
              let plain = { config with Model.Units.Lexical = false }
              use matcher = Matcher.Create(plain, { Text = 6; Image = 0; Entity = 6 }, torch.CPU)

              Expect.throwsT<ArgumentException>
                  (fun () -> rescored matcher 1 [| 0; 0; 0; 0 |] (Array.zeroCreate 4) |> ignore)
                  "none"

          testCase "entities are compared by their projection, in chunks as at once"
          <| fun () ->
              use matcher = matcher ()
              let rows = 5000L
              use table = torch.linspace(-1.0, 1.0, rows * 6L).reshape (rows, 6L)
              let all = matcher.CompareEntities table
              Expect.equal all.Length (5000 * 8) "of the hidden width"
              use last = table.narrow(0L, 4990L, 10L).contiguous ()
              let alone = matcher.CompareEntities last

              for at in 0..79 do
                  Expect.isLessThan (abs (alone[at] - all[4990 * 8 + at])) 1e-6f "the same" ]
