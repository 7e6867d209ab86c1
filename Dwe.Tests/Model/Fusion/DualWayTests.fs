module Dwe.Tests.Model.Fusion.DualWayTests

open System
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

let private units = RunConfig.Defaults.Model.Units
let private features = 3

let private sizes: DualWaySizes =
    { Text = 6
      Image = 5
      Hidden = 8
      Entity = 7
      EntityImage = 0
      Heads = 2
      Dropout = 0.0
      Units =
        { units with
            Residual = true
            Tokens = true
            LexicalHidden = 4
            LexicalDropout = 0.0 }
      PairFeatures = features }

let private netOf (sizes: DualWaySizes) = Net.build (options Float64) (DualWay.recipe sizes)
let private netWith change = netOf { sizes with Units = change sizes.Units }

/// Random features; every mask is random. Four candidates a mention, of six entities.
let private randomBatch (seed: int) rows parts : LinkingBatch =
    let random = Random seed

    let tensor (sizes: int64 list) =
        let count = sizes |> List.fold (fun product size -> product * int size) 1
        torch.tensor(Array.init count (fun _ -> random.NextDouble() * 4.0 - 2.0)).reshape (Array.ofList sizes)

    let mask (sizes: int64 list) =
        let count = sizes |> List.fold (fun product size -> product * int size) 1
        torch.tensor(Array.init count (fun _ -> random.Next 2 = 1)).reshape (Array.ofList sizes)

    let places =
        [| for _ in 1..rows do
               let order = Array.init 6 int64
               random.Shuffle order
               order[..3] |]

    let counts = [| for _ in 1..rows -> [| true; random.Next 2 = 1; random.Next 2 = 1; true |] |]

    let rows, parts = int64 rows, int64 parts

    { Mentions =
        { Mention = tensor [ rows; 6L ]
          Text = tensor [ rows; 6L ]
          Image = Some { Values = tensor [ rows; 5L ]; Present = mask [ rows ] }
          Parts = Some { Values = tensor [ rows; parts; 5L ]; Present = mask [ rows; parts ] }
          Profile = Some { Values = tensor [ rows; parts; 6L ]; Present = mask [ rows; parts ] }
          Tokens =
            Some
                { Values = tensor [ rows; parts + 1L; 6L ]
                  Present = mask [ rows; parts + 1L ] } }
      Entities = tensor [ 6L; 7L ]
      Pairs = torch.tensor (array2D places)
      Counts = torch.tensor (array2D counts)
      Features = Some(tensor [ rows; 4L; int64 features ]) }

let private pick (rows: int64 list) (tensor: Tensor) = tensor.index_select (0L, torch.tensor (Array.ofList rows))

let private rowsOf (rows: int64 list) (mentions: MentionBatch) =
    let masked (masked: Masked) = { Values = pick rows masked.Values; Present = pick rows masked.Present }

    { Mention = pick rows mentions.Mention
      Text = pick rows mentions.Text
      Image = Option.map masked mentions.Image
      Parts = Option.map masked mentions.Parts
      Profile = Option.map masked mentions.Profile
      Tokens = Option.map masked mentions.Tokens }

let private property name (holds: int -> int -> int -> unit) =
    let sizes = Gen.zip3 (Gen.choose (0, 1000000)) (Gen.choose (1, 5)) (Gen.choose (1, 4)) |> Arb.fromGen

    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 30 } name
    <| Prop.forAll sizes (fun (seed, rows, parts) -> Scope.value (fun () -> holds seed rows parts))

let private padded (masked: Masked) =
    let count = Shape.size 0 masked.Values

    let padding =
        torch.full ([| count; 3L; Shape.size -1 masked.Values |], 1e6.ToScalar(), dtype = Nullable torch.float64)

    let absent = torch.zeros ([| count; 3L |], dtype = Nullable torch.bool)

    { Values = torch.cat ([| masked.Values; padding |], 1L)
      Present = torch.cat ([| masked.Present; absent |], 1L) }

let private none (masked: Masked) = { masked with Present = torch.zeros_like masked.Present }

let private names (net: Net<DualWay>) : string list = [ for struct (name, _) in net.Weights -> name ]

let private masks =
    testList
        "a mention's query depends on the mention alone"
        [ property "whatever stands beside it in the batch (to 1e-12 in 64-bit floats)"
          <| fun seed rows parts ->
              use net = netOf sizes
              let mentions = (randomBatch seed rows parts).Mentions
              let together = net.Forward.Query mentions

              for row in 0 .. rows - 1 do
                  let alone = net.Forward.Query(rowsOf [ int64 row ] mentions)
                  agree 1e-12 (values alone) (values together[int64 row]) "alone"

          property "however far its tokens, parts and profiles are padded, with whatever (to 1e-12 in 64-bit floats)"
          <| fun seed rows parts ->
              use net = netOf sizes
              let mentions = (randomBatch seed rows parts).Mentions

              let query =
                  net.Forward.Query
                      { mentions with
                          Parts = Option.map padded mentions.Parts
                          Profile = Option.map padded mentions.Profile
                          Tokens = Option.map padded mentions.Tokens }

              agree 1e-12 (values query) (values (net.Forward.Query mentions)) "padded"

          property "and is the same without tokens, images and profiles as with such of which none is real"
          <| fun seed rows parts ->
              use net = netOf sizes
              let mentions = (randomBatch seed rows parts).Mentions

              let unreal =
                  { mentions with
                      Image = Option.map none mentions.Image
                      Parts = Option.map none mentions.Parts
                      Profile = Option.map none mentions.Profile
                      Tokens = Option.map none mentions.Tokens }

              let without = { mentions with Image = None; Parts = None; Profile = None; Tokens = None }
              agree 1e-12 (values (net.Forward.Query unreal)) (values (net.Forward.Query without)) "nothing to see"

          testCase "and its text unit reads tokens where the model is told so: by its attention, no weight more"
          <| fun () ->
              Scope.value (fun () ->
                  use reading = netOf sizes
                  use not' = netWith (fun units -> { units with Tokens = false })
                  let mentions = (randomBatch 11 4 3).Mentions
                  let unit (net: Net<DualWay>) batch = (net.Forward.Outputs batch).TextUnit |> Option.get |> values
                  let everywhere = torch.ones ([| 4L; 4L |], dtype = Nullable torch.bool)
                  let present = { Option.get mentions.Tokens with Present = everywhere }
                  let all = { mentions with Tokens = Some present }
                  let without = unit reading { mentions with Tokens = None }
                  let moved = Array.map2 (fun a b -> abs (a - b)) (unit reading all) without |> Array.max
                  Expect.isGreaterThan moved 1e-3 "tokens count"
                  Expect.equal (unit not' all) without "switched off they do not"

                  let absent = { present with Present = torch.zeros_like present.Present }
                  agree 1e-12 (unit reading { mentions with Tokens = Some absent }) without "masked they do not"
                  Expect.sequenceEqual (names not') (names reading) "the weights"

                  // Tokens that are all the mention itself say no more than the mention does, however often.
                  let alone = { mentions with Text = mentions.Mention; Tokens = None }
                  let again = mentions.Mention.unsqueeze(1L).expand (-1L, 4L, -1L)

                  agree
                      1e-12
                      (unit reading { alone with Tokens = Some { present with Values = again } })
                      (unit reading alone)
                      "equal keys are one key")

          property "and its gates are shares of what it has: they sum to 1, and are 0 for what it lacks"
          <| fun seed rows parts ->
              use net = netOf sizes
              let mentions = (randomBatch seed rows parts).Mentions
              let gates = net.Forward.Gates mentions |> Option.get
              let any (masked: Masked option) = (Option.get masked).Present.any 1L
              let seen = (any mentions.Parts).logical_or (Option.get mentions.Image).Present

              for row in 0L .. int64 rows - 1L do
                  Expect.floatClose Accuracy.high (Numbers.value (gates[row].sum ())) 1.0 "the sum"
                  let profiles = any mentions.Profile

                  for unit, present in [ 1L, seen; 2L, profiles ] do
                      if Numbers.value present[row] = 0.0 then
                          Expect.equal (Numbers.value gates[row, unit]) 0.0 $"unit {unit} is closed"

          property "and it is the sum of its terms: the mention's and each unit's (to 1e-12 in 64-bit floats)"
          <| fun seed rows parts ->
              use net = netOf sizes
              let mentions = (randomBatch seed rows parts).Mentions
              let explained = net.Forward.Explain mentions
              let sum = explained.Terms |> List.map snd |> List.reduce Numbers.plus

              Expect.equal
                  (List.map fst explained.Terms)
                  [ yield! [ "mention"; "sentence"; "text"; "whole image" ]
                    for part in 1..parts -> $"part {part}"
                    for profile in 1 .. int (Option.get mentions.Profile).Values.shape[1] -> $"profile {profile}" ]
                  "the terms"

              agree 1e-12 (values sum) (values (net.Forward.Query mentions)) "the sum"

          property "and what it reads of its image and parts are shares that sum to 1, or to 0 where it has none"
          <| fun seed rows parts ->
              use net = netOf sizes
              let mentions = (randomBatch seed rows parts).Mentions
              let explained = net.Forward.Explain mentions
              let whole, parts = Option.get mentions.Image, Option.get mentions.Parts
              let present = torch.cat ([| whole.Present.unsqueeze 1L; parts.Present |], 1L)
              let seen = Option.get explained.Seen
              Expect.equal seen.shape present.shape "the image, then the parts"
              let sums = values (seen.sum 1L)
              let expected = (present.any 1L).``to`` (torch.float64) |> values
              agree 1e-12 (torch.tensor sums |> values) expected "the sum"
              let unread = seen.masked_select(present.logical_not ()).abs().sum () |> Numbers.value
              Expect.equal unread 0.0 "what is absent is not read"

          testCase "a mention for which no unit has anything has no gate open"
          <| fun () ->
              Scope.value (fun () ->
                  use net = netWith (fun units -> { units with Textual = false })
                  let mentions = (randomBatch 1 3 2).Mentions

                  let unreal =
                      { mentions with
                          Image = Option.map none mentions.Image
                          Parts = Option.map none mentions.Parts
                          Profile = Option.map none mentions.Profile }

                  let gates = net.Forward.Gates unreal |> Option.get
                  Expect.equal (values gates) (Array.zeroCreate 6) "closed"
                  Expect.all (values (net.Forward.Query unreal)) Double.IsFinite "finite") ]

let private refined name =
    [ for part in [ "linear"; "norm" ] do
          for kind in [ "weight"; "bias" ] -> $"{name}.{part}.{kind}" ]

let private attention name =
    [ for part in
          [ "query.weight"
            "query.bias"
            "key.weight"
            "value.weight"
            "value.bias"
            "output.weight"
            "output.bias" ] -> $"{name}.{part}" ]

let private everything =
    [ yield! refined "text"
      yield! refined "image"
      yield! refined "profile"
      yield! attention "textual"
      yield! attention "vision"
      yield! attention "attribute"
      "gate.weight"
      "output.weight"
      "output.bias"
      "skip.weight"
      "skip.bias"
      "entity.weight"
      "entity.bias"
      "contrast_scale"
      "matching_scale"
      "lexical.hidden.weight"
      "lexical.hidden.bias"
      "lexical.output" ]

let private loss =
    { RunConfig.Defaults.Loss with
        Matching = InfoNceLoss
        Negatives = SampledAndInBatch }

/// Moves the weights away from where they start: the learned parts start at 0, behind which nothing gets a gradient.
let private moved (net: Net<DualWay>) =
    use _ = torch.no_grad ()
    use generator = new torch.Generator(1UL, torch.CPU)

    for struct (_, weight) in net.Weights do
        use noise = torch.rand (weight.shape, dtype = weight.dtype, generator = generator)
        weight.add_ (noise.sub (0.5.ToScalar())) |> ignore

    net

let private laws =
    testList
        "the dwe model's weights"
        [ testCase "are these, and every one gets a gradient"
          <| fun () ->
              Scope.value (fun () ->
                  use net = moved (netOf sizes)
                  Expect.sequenceEqual (names net) everything "names"
                  (DualWayTotal.ofBatch loss net.Forward (randomBatch 3 5 3)).Total.backward ()

                  for struct (name, weight) in net.Weights do
                      let largest =
                          match weight.grad with
                          | null -> 0.0
                          | gradient -> Numbers.value (gradient.abs().max ())

                      Expect.isGreaterThan largest 1e-9 $"gradient of {name}")

          for name, change, gone in
              [ "textual", (fun (units: UnitsConfig) -> { units with Textual = false }), [ "textual." ]
                "vision", (fun units -> { units with Vision = false }), [ "vision." ]
                "attribute", (fun units -> { units with Attribute = false }), [ "attribute."; "profile." ]
                "residual", (fun units -> { units with Residual = false }), [ "skip." ]
                "entity side", (fun units -> { units with LearnedEntity = false }), [ "entity." ] ] do
              testCase $"are without those of the {name} where it is switched off, and the net still learns"
              <| fun () ->
                  Scope.value (fun () ->
                      use net = netWith change

                      let left =
                          everything
                          |> List.filter (fun weight ->
                              not (List.exists (fun (prefix: string) -> weight.StartsWith prefix) gone))

                      Expect.sequenceEqual (names net) left "names"
                      (DualWayTotal.ofBatch loss net.Forward (randomBatch 3 5 3)).Total.backward ()
                      let struct (_, output) = net.Weights |> Seq.find (fun struct (name, _) -> name = "output.weight")
                      let gradient = output.grad |> Option.ofObj |> Option.get
                      Expect.isGreaterThan (Numbers.value (gradient.abs().max ())) 1e-9 "gradient of output.weight")

          testCase "start as the encoder's own similarity of text and description, where the inner width holds them"
          <| fun () ->
              Scope.value (fun () ->
                  use net = netOf { sizes with Entity = 6 }
                  let batch = randomBatch 7 4 2
                  let entities = batch.Entities.narrow (1L, 0L, 6L)
                  let cosines left right = Similarity.matrix Similarity.Cosine left right |> values
                  let learned = cosines (net.Forward.Query batch.Mentions) (net.Forward.Entity entities)
                  agree 1e-12 learned (cosines batch.Mentions.Text entities) "the first cosines")

          testCase "read an entity's image by its direction alone, and nothing of one that has none"
          <| fun () ->
              Scope.value (fun () ->
                  use net = moved (netOf { sizes with EntityImage = 5 })
                  let batch = randomBatch 7 4 2
                  let image = (Option.get batch.Mentions.Image).Values.narrow (0L, 0L, 4L)
                  let text = batch.Entities.narrow (0L, 0L, 4L)
                  let entity (image: Tensor) = net.Forward.Entity(torch.cat ([| text; image |], 1L)) |> values
                  agree 1e-12 (entity image) (entity (image * Numbers.scalar 3.0)) "three times as long"
                  let none = entity (torch.zeros_like image)

                  Expect.isGreaterThan
                      (Array.map2 (-) (entity image) none |> Array.map abs |> Array.max)
                      1e-3
                      "it counts"

                  let struct (_, weight) = net.Weights |> Seq.find (fun struct (name, _) -> name = "entity.weight")
                  let struct (_, bias) = net.Weights |> Seq.find (fun struct (name, _) -> name = "entity.bias")
                  let ofText = Numbers.plus (text.matmul (weight.narrow(1L, 0L, 7L).t ())) bias
                  agree 1e-12 none (values ofText) "text alone")

          testCase "are without the lexical ones where there is none: then the score is the cosine"
          <| fun () ->
              Scope.value (fun () ->
                  use net = netOf { sizes with PairFeatures = 0 }

                  Expect.sequenceEqual
                      (names net)
                      (everything |> List.filter (fun name -> not (name.StartsWith "lexical.")))
                      "names"

                  let cosines = torch.tensor (array2D [ [ 0.5; -0.25 ] ])
                  Expect.equal (values (net.Forward.Score cosines (torch.empty_like cosines))) [| 0.5; -0.25 |] "score")

          testCase "are without any of images where the data has none"
          <| fun () ->
              Scope.value (fun () ->
                  use net = netOf { sizes with Image = 0 }
                  let seen = [ "image."; "profile."; "vision."; "attribute." ]

                  Expect.sequenceEqual
                      (names net)
                      (everything
                       |> List.filter (fun name ->
                           not (List.exists (fun (prefix: string) -> name.StartsWith prefix) seen)))
                      "names")

          testCase "are all there is: a net of another seed with copied weights computes the same, bit for bit"
          <| fun () ->
              Scope.value (fun () ->
                  use first = netOf sizes
                  use second = Net.build { options Float64 with Seed = 2L } (DualWay.recipe sizes)
                  let batch = randomBatch 5 4 3
                  let score (net: Net<DualWay>) = Numbers.value (DualWayTotal.ofBatch loss net.Forward batch).Total
                  let expected = score first
                  Expect.notEqual (score second) expected "another seed"
                  use _ = torch.no_grad ()

                  for struct (_, source), struct (_, target) in Seq.zip first.Weights second.Weights do
                      target.copy_ source |> ignore

                  Expect.equal (score second) expected "copied weights") ]

let private lossWith change =
    change
        { loss with
            CoarseWeight = 0.0
            FineWeight = 0.0
            LinkingWeight = 0.0
            MatchingWeight = 1.0 }

let private partsOf (loss: LossConfig) (batch: LinkingBatch) =
    use net = netOf sizes
    Map [ for name, value in (DualWayTotal.ofBatch loss net.Forward batch).Parts -> name, Numbers.value value ]

let private losses =
    testList
        "the dwe model's loss"
        [ for kind in [ NPairLoss; TripletLoss; CircleLoss; InfoNceLoss ] do
              for source in [ NegativeSource.Sampled; NegativeSource.InBatch; NegativeSource.SampledAndInBatch ] do
                  property $"{kind} with {source}: padding among the candidates changes nothing"
                  <| fun seed rows parts ->
                      let loss =
                          lossWith (fun loss -> { loss with Matching = kind; Negatives = source; LinkingWeight = 1.0 })

                      let batch = randomBatch seed rows parts
                      let width = int64 rows
                      let more (tensor: Tensor) (value: Tensor) = torch.cat ([| tensor; value |], 1L)
                      let places = torch.full ([| width; 2L |], (3L).ToScalar(), dtype = Nullable torch.int64)
                      let absent = torch.zeros ([| width; 2L |], dtype = Nullable torch.bool)

                      let features' =
                          torch.full ([| width; 2L; int64 features |], (9.0).ToScalar(), dtype = Nullable torch.float64)

                      let padded =
                          { batch with
                              Pairs = more batch.Pairs places
                              Counts = more batch.Counts absent
                              Features = batch.Features |> Option.map (fun known -> more known features') }

                      let plain, padded = partsOf loss batch, partsOf loss padded

                      for name in [ "matching"; "linking" ] do
                          Expect.floatClose Accuracy.high padded[name] plain[name] name

          property "the order of the candidates changes nothing"
          <| fun seed rows parts ->
              let loss = lossWith (fun loss -> { loss with LinkingWeight = 1.0 })
              let batch = randomBatch seed rows parts
              let turned (tensor: Tensor) = tensor.index_select (1L, torch.tensor [| 0L; 3L; 2L; 1L |])

              let other =
                  { batch with
                      Pairs = turned batch.Pairs
                      Counts = turned batch.Counts
                      Features = Option.map turned batch.Features }

              let first, second = partsOf loss batch, partsOf loss other
              Expect.floatClose Accuracy.high second["linking"] first["linking"] "linking"
              Expect.floatClose Accuracy.high second["matching"] first["matching"] "matching"

          testCase "two mentions of one entity are no negatives of each other"
          <| fun () ->
              Scope.value (fun () ->
                  let loss = lossWith (fun loss -> { loss with Negatives = NegativeSource.InBatch })
                  let batch = randomBatch 2 3 2
                  // All three mean entity 0: nothing is left to be compared with.
                  batch.Pairs.select(1L, 0L).fill_ (0L.ToScalar()) |> ignore
                  Expect.equal (partsOf loss batch |> Map.find "matching") 0.0 "no negative")

          testCase "a gold alone has nothing to lose to: the linking loss of k equal scores is log k"
          <| fun () ->
              Scope.value (fun () ->
                  use net = netOf { sizes with PairFeatures = 0 }
                  let batch = { randomBatch 4 2 2 with Features = None }
                  // The same entity everywhere: equal cosines. Of the second mention only gold and one more count.
                  let batch = { batch with Pairs = torch.ones_like batch.Pairs }
                  let counts = array2D [ [ true; true; true; true ]; [ true; false; false; true ] ]
                  let batch = { batch with Counts = torch.tensor counts }
                  let loss = lossWith (fun loss -> { loss with LinkingWeight = 1.0; MatchingWeight = 0.0 })
                  let found = Numbers.value (DualWayTotal.ofBatch loss net.Forward batch).Total
                  Expect.floatClose Accuracy.high found ((log 4.0 + log 2.0) / 2.0) "mean of log 4 and log 2")

          testCase "with every weight 0 is refused"
          <| fun () ->
              Scope.value (fun () ->
                  Expect.throwsT<ArgumentException>
                      (fun () ->
                          partsOf (lossWith (fun loss -> { loss with MatchingWeight = 0.0 })) (randomBatch 1 2 2)
                          |> ignore)
                      "nothing to minimise") ]

[<Tests>]
let tests = testList "Model.Fusion.DualWay" [ masks; laws; losses ]
