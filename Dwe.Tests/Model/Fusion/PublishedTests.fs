module Dwe.Tests.Model.Fusion.PublishedTests

open System
open System.Collections.Generic
open System.Text.Json
open Expecto
open FsCheck
open FsCheck.FSharp
open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Fusion
open Dwe.Model.Layers
open Dwe.Model.Losses
open Dwe.Model.Tensors
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.PublishedFixture

let private dtype precision = Precision.weightType precision
let private tolerance precision = if precision = Float64 then 1e-10 else 1e-5
let private gradientTolerance precision = if precision = Float64 then 1e-8 else 1e-4

/// A published case: its net, its batch, and where its numbers are.
let private caseOf (name: string) precision =
    let file = open' "nel/nel.safetensors"

    let description =
        (json "nel/nel.json").GetProperty("cases").EnumerateArray()
        |> Seq.find (fun case -> case.GetProperty("name").GetString() = name)

    let generated = description.TryGetProperty "generated_params" |> fst

    let specified (group: string) name =
        ofSpecification (description.GetProperty(group).GetProperty(name: string)) (dtype precision)

    let weight, input, sizes =
        if generated then
            let sizes =
                { Text = 512
                  Image = 512
                  Hidden = 512
                  Entity = 512
                  Heads = 8
                  Dropout = 0.0 }

            specified "generated_params", specified "generated_inputs", sizes
        else
            let weights = open' "nel/params_h64.safetensors"

            (fun theirs -> weights.Tensor(theirs, dtype precision)),
            (fun input -> file.Tensor($"{name}/in.{input}", dtype precision)),
            sizes64

    let leaves = Dictionary<string, Tensor>()

    let leaf name =
        if not (leaves.ContainsKey name) then
            leaves[name] <- (input name).requires_grad_ true

        leaves[name]

    let net = Net.build (options precision) (Published.recipe sizes)
    load weight net
    let batch = unmasked leaf "mention" "text" "total" "segement" "pos_feats" "neg_feats"
    let arguments = description.GetProperty "args"
    let number (name: string) = arguments.GetProperty(name).GetDouble()

    let factors =
        { RunConfig.Defaults.Loss with
            MatchingWeight = number "lambda_t"
            CoarseWeight = number "lambda_c" }

    file, description, net, batch, factors, leaves

let private agrees name precision =
    Scope.value (fun () ->
        let file, description, net, batch, factors, leaves = caseOf name precision
        use _ = net :> IDisposable
        let outputs = net.Forward.Outputs batch.Mentions
        let loss = Total.published factors outputs batch
        let relative = tolerance precision
        let same (actual: Tensor) key = agree relative (values actual) (file.Values $"{name}/{key}") key
        same outputs.Query "out64.query"
        same loss.Total "out64.loss"
        same (net.Forward.Query batch.Mentions) "out64.query"

        if file.Has $"{name}/mid64.coarse_loss" then
            let parts = Map loss.Parts
            same parts["coarse"] "mid64.coarse_loss"
            same parts["fine"] "mid64.fine_loss"
            same (parts["matching"] + parts["length"]) "mid64.npair_loss"
            same outputs.Text "mid64.text_trans"
            same (Option.get outputs.Image).Values "mid64.total_trans"
            same outputs.TextAttention "mid64.text_att"
            same (Option.get outputs.VisionAttention).Values "mid64.vision_att"
            let shares = (net.Forward.PartShares batch.Mentions |> Option.get).mean [| 1L |]
            same shares "mid64.vision_att_weights"
            let terms = net.Forward.Terms batch.Mentions
            Expect.equal (List.map fst terms) [ "mention"; "text"; "vision" ] "the query's terms"
            same (terms |> List.map snd |> List.reduce Numbers.plus) "out64.query"

        loss.Total.backward ()
        let relative = gradientTolerance precision
        let gradients = Map [ for struct (name, weight) in net.Weights -> name, weight.grad ]
        let statistics = description.GetProperty "grad_stats"

        for ours, theirs, third in names do
            let gradient = gradients[ours] |> Option.ofObj |> Option.get
            let key = $"{name}/grad64.param.{theirs}"

            if file.Has key then
                let expected = part third (file.Tensor(key, torch.float64))
                agree relative (values gradient) (values expected) $"gradient of {ours}"

            // Where only slices are stored: the ends of the flattened tensor, and numbers about all of it.
            for ending, first in [ "first64", true; "last64", false ] do
                let key = $"{name}/grad64.param_{ending}.{theirs}"
                let isOurs = third.IsNone || third = Some(if first then 0L else 2L)

                if file.Has key && isOurs then
                    let all = values gradient
                    let some = if first then all[..63] else all[all.Length - 64 ..]
                    let largest = statistics.GetProperty(theirs).GetProperty("absmax").GetDouble()
                    // The largest value of all sets the scale, so it goes along.
                    agree relative (Array.append some [| largest |]) (Array.append (file.Values key) [| largest |]) key

            if third.IsNone && statistics.TryGetProperty theirs |> fst then
                let statistic (name: string) = statistics.GetProperty(theirs).GetProperty(name).GetDouble()
                let all = values gradient
                let length = sqrt (Array.sumBy (fun value -> value * value) all)
                agree relative [| length |] [| statistic "l2" |] $"length of the gradient of {ours}"
                agree relative [| Array.max (Array.map abs all) |] [| statistic "absmax" |] $"largest of {ours}"

        for leaf in leaves do
            let gradient = leaf.Value.grad |> Option.ofObj |> Option.get
            let whole, row = $"{name}/grad64.in.{leaf.Key}", $"{name}/grad64.in_row0.{leaf.Key}"

            if file.Has whole then
                agree relative (values gradient) (file.Values whole) whole
            elif file.Has row then
                agree relative (values gradient[0L]) (file.Values row) row)

let private parity =
    testList
        "the published model agrees with the published code"
        [ for name in
              [ "wiki_h64_b8_r3"
                "rich_h64_b4_r1"
                "wiki_h64_b5_r2_neg3"
                "wiki_h64_b1"
                "wiki_h64_lambda"
                "wiki_h512_b8_r4" ] do
              for precision in [ Float32; Float64 ] do
                  testCase $"{name} in {precision}: query, losses, gradients" <| fun () -> agrees name precision

          testCase "the slice where the published loss overflows stays finite, and so do its gradients"
          <| fun () ->
              Scope.value (fun () ->
                  let file, _, net, batch, factors, _ = caseOf "wiki_h64_overflow" Float32
                  use _ = net :> IDisposable
                  let outputs = net.Forward.Outputs batch.Mentions
                  let loss = Total.published factors outputs batch
                  agree 1e-4 (values outputs.Query) (file.Values "wiki_h64_overflow/out.query") "query"
                  loss.Total.backward ()
                  Expect.isTrue (Double.IsFinite(Numbers.value loss.Total)) "loss"

                  for struct (name, weight) in net.Weights do
                      let gradient = weight.grad |> Option.ofObj |> Option.get
                      Expect.isTrue (Numbers.value (gradient.isfinite().all ()) = 1.0) $"gradient of {name}")

          for precision in [ Float32; Float64 ] do
              testCase $"the concatenated query of WikiDiverse in {precision}"
              <| fun () ->
                  Scope.value (fun () ->
                      let name = "diverse_h64_b4"
                      let file = open' "nel/nel.safetensors"
                      let weights = open' "nel/params_h64.safetensors"
                      use net = Net.build (options precision) (Published.concatenation sizes64)

                      net
                      |> load (fun theirs ->
                          let own = $"{name}/param.{theirs}"
                          let source, key = if file.Has own then file, own else weights, theirs
                          source.Tensor(key, dtype precision))

                      let row input = file.Tensor($"{name}/in.{input}", dtype precision).squeeze 1L

                      let batch =
                          { Mentions =
                              { Mention = row "mention"
                                Text = row "text"
                                Image =
                                  Some { Values = row "total"; Present = torch.ones (4L, dtype = Nullable torch.bool) }
                                Parts = None
                                Profile = None
                                Tokens = None }
                            Positive = row "pos_feats"
                            Negative = Some((row "neg_feats").unsqueeze 1L)
                            NegativeEntity = None
                            Entity = torch.arange 4L }

                      let query = net.Forward batch.Mentions
                      let loss = Total.matching RunConfig.Defaults.Loss query batch
                      agree (tolerance precision) (values query) (file.Values $"{name}/out64.query") "query"
                      agree (tolerance precision) (values loss.Total) (file.Values $"{name}/out64.npair_loss") "loss") ]

/// A batch of random features [rows; 6] with up to `parts` parts each; every mask is random.
let private randomBatch (seed: int) rows parts =
    let random = Random seed

    let tensor (sizes: int64 list) =
        let count = sizes |> List.fold (fun product size -> product * int size) 1
        torch.tensor(Array.init count (fun _ -> random.NextDouble() * 4.0 - 2.0)).reshape (Array.ofList sizes)

    let mask (sizes: int64 list) =
        let count = sizes |> List.fold (fun product size -> product * int size) 1
        torch.tensor(Array.init count (fun _ -> random.Next 2 = 1)).reshape (Array.ofList sizes)

    let rows, parts = int64 rows, int64 parts

    { Mentions =
        { Mention = tensor [ rows; 6L ]
          Text = tensor [ rows; 6L ]
          Image = Some { Values = tensor [ rows; 5L ]; Present = mask [ rows ] }
          Parts = Some { Values = tensor [ rows; parts; 5L ]; Present = mask [ rows; parts ] }
          Profile = None
          Tokens = None }
      Positive = tensor [ rows; 7L ]
      Negative = Some(tensor [ rows; 1L; 7L ])
      NegativeEntity = None
      Entity = torch.arange rows }

let private small = { Text = 6; Image = 5; Hidden = 8; Entity = 7; Heads = 2; Dropout = 0.0 }
let private smallNet () = Net.build (options Float64) (Published.recipe small)

/// Picks rows of a batch of mentions.
let private rowsOf (rows: int64 list) (mentions: MentionBatch) =
    let pick (tensor: Tensor) = tensor.index_select (0L, torch.tensor (Array.ofList rows))
    let pickMasked (masked: Masked) = { Values = pick masked.Values; Present = pick masked.Present }

    { Mention = pick mentions.Mention
      Text = pick mentions.Text
      Image = Option.map pickMasked mentions.Image
      Parts = Option.map pickMasked mentions.Parts
      Profile = Option.map pickMasked mentions.Profile
      Tokens = Option.map pickMasked mentions.Tokens }

let private property name (holds: int -> int -> int -> unit) =
    let sizes = Gen.zip3 (Gen.choose (0, 1000000)) (Gen.choose (1, 5)) (Gen.choose (1, 4)) |> Arb.fromGen

    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 40 } name
    <| Prop.forAll sizes (fun (seed, rows, parts) -> Scope.value (fun () -> holds seed rows parts))

let private masks =
    testList
        "a mention's query depends on the mention alone"
        [ property "whatever stands beside it in the batch (to 1e-12 in 64-bit floats)"
          <| fun seed rows parts ->
              use net = smallNet ()
              let mentions = (randomBatch seed rows parts).Mentions
              let together = net.Forward.Query mentions

              for row in 0 .. rows - 1 do
                  let alone = net.Forward.Query(rowsOf [ int64 row ] mentions)
                  agree 1e-12 (values alone) (values together[int64 row]) "alone"

          property "however far its parts are padded, with whatever (to 1e-12 in 64-bit floats)"
          <| fun seed rows parts ->
              use net = smallNet ()
              let mentions = (randomBatch seed rows parts).Mentions
              let known = Option.get mentions.Parts
              let sizes = [| int64 rows; 3L; 5L |]
              let padding = torch.full (sizes, 1e6.ToScalar(), dtype = Nullable torch.float64)
              let absent = torch.zeros (sizes[..1], dtype = Nullable torch.bool)

              let padded =
                  { Values = torch.cat ([| known.Values; padding |], 1L)
                    Present = torch.cat ([| known.Present; absent |], 1L) }

              let query = net.Forward.Query { mentions with Parts = Some padded }
              agree 1e-12 (values query) (values (net.Forward.Query mentions)) "padded"

          property "and is the same without parts as with parts of which none is real"
          <| fun seed rows parts ->
              use net = smallNet ()
              let mentions = (randomBatch seed rows parts).Mentions
              let known = Option.get mentions.Parts
              let none = { known with Present = torch.zeros_like known.Present }
              let query = net.Forward.Query { mentions with Parts = Some none }
              agree 0.0 (values query) (values (net.Forward.Query { mentions with Parts = None })) "no parts"

          property "masking a mention's image and parts out of the losses is leaving the mention out of them"
          <| fun seed rows parts ->
              use net = smallNet ()
              let batch = randomBatch seed rows parts

              let contrasts (batch: TrainingBatch) =
                  let loss = Total.published RunConfig.Defaults.Loss (net.Forward.Outputs batch.Mentions) batch
                  Map loss.Parts

              let whole = contrasts batch

              for name, present in
                  [ "coarse", (Option.get batch.Mentions.Image).Present
                    "fine", (Option.get batch.Mentions.Parts).Present.any 1L ] do
                  let kept =
                      [ for row in 0 .. rows - 1 do
                            if Numbers.value present[int64 row] = 1.0 then
                                int64 row ]

                  if kept.IsEmpty then
                      Expect.equal (Numbers.value whole[name]) 0.0 "nothing takes part"
                  else
                      let pick (tensor: Tensor) = tensor.index_select (0L, torch.tensor (Array.ofList kept))

                      let fewer =
                          { Mentions = rowsOf kept batch.Mentions
                            Positive = pick batch.Positive
                            Negative = Option.map pick batch.Negative
                            NegativeEntity = None
                            Entity = pick batch.Entity }

                      agree 1e-10 [| Numbers.value whole[name] |] [| (contrasts fewer)[name] |> Numbers.value |] name ]

let private laws =
    testList
        "the published model's weights"
        [ testCase "are these, and every one gets a gradient"
          <| fun () ->
              Scope.value (fun () ->
                  use net = smallNet ()
                  let batch = randomBatch 3 5 3
                  let loss = Total.published RunConfig.Defaults.Loss (net.Forward.Outputs batch.Mentions) batch
                  loss.Total.backward ()

                  Expect.sequenceEqual
                      [ for struct (name, _) in net.Weights -> name ]
                      [ "text.linear.weight"
                        "text.linear.bias"
                        "text.norm.weight"
                        "text.norm.bias"
                        "image.linear.weight"
                        "image.linear.bias"
                        "image.norm.weight"
                        "image.norm.bias"
                        "attention.query.weight"
                        "attention.query.bias"
                        "attention.key.weight"
                        "attention.value.weight"
                        "attention.value.bias"
                        "attention.output.weight"
                        "attention.output.bias"
                        "output.weight"
                        "output.bias"
                        "logit_scale" ]
                      "names"

                  for struct (name, weight) in net.Weights do
                      match weight.grad with
                      | null -> failtest $"{name} has no gradient"
                      | gradient ->
                          Expect.isGreaterThan (Numbers.value (gradient.abs().max ())) 1e-9 $"gradient of {name}")

          testCase "are all there is: a net of another seed with copied weights computes the same, bit for bit"
          <| fun () ->
              Scope.value (fun () ->
                  use first = smallNet ()
                  use second = Net.build { options Float64 with Seed = 2L } (Published.recipe small)
                  let mentions = (randomBatch 5 4 3).Mentions
                  let expected = first.Forward.Query mentions
                  Expect.notEqual (values (second.Forward.Query mentions)) (values expected) "another seed"
                  use _ = torch.no_grad ()

                  for struct (_, source), struct (_, target) in Seq.zip first.Weights second.Weights do
                      target.copy_ source |> ignore

                  Expect.sequenceEqual (values (second.Forward.Query mentions)) (values expected) "copied weights")

          testCase "the mixed-precision query is the float32 query to a few hundredths"
          <| fun () ->
              Scope.value (fun () ->
                  let _, _, exact, batch, _, _ = caseOf "wiki_h64_b8_r3" Float32
                  use mixed = Net.build (options Bf16Mixed) (Published.recipe sizes64)
                  use _ = torch.no_grad ()

                  for struct (_, source), struct (_, target) in Seq.zip exact.Weights mixed.Weights do
                      target.copy_ source |> ignore

                  let expected = values (exact.Forward.Query batch.Mentions)
                  agree 0.03 (values (mixed.Forward.Query batch.Mentions)) expected "query") ]

[<Tests>]
let tests = testList "Model.Fusion.Published" [ parity; masks; laws ]
