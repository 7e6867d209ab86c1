module Dwe.Tests.Host.Import.PublishedWeightsTests

open System
open System.IO
open System.IO.Compression
open System.Text.Json
open Dwe.Host.Data
open Dwe.Host.Features
open Dwe.Host.Import
open Dwe.Host.Checkpoints
open Dwe.Host.Training
open Dwe.Model
open Dwe.Model.Batches
open Dwe.Model.Linking
open Dwe.Tests.Host.Import.PickleBytes
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.SafetensorsFixture
open Expecto
open TorchSharp

let private heads (count: int) =
    match Configuration.Set(Configuration.Defaults, [ $"model.heads={count}" ]) with
    | Ok config -> config
    | Error error -> failtest $"{error}"

/// A state_dict as torch.save writes it, of these tensors.
let private saveStateDict path (weights: (string * int64 list * float32[]) list) =
    zip
        path
        CompressionLevel.NoCompression
        [ "data.pkl",
          pickle (
              Call(
                  Global("collections", "OrderedDict"),
                  [ List [ for name, shape, _ in weights -> Tuple [ Text name; tensor name shape ] ] ]
              )
          )
          for name, _, values in weights do
              $"data/{name}", floats values ]

/// Shapes of the published model with 6 values per feature, 4 inside, 3 per entity.
let private shapes =
    [ for side in [ "text"; "img"; "split" ] do
          $"{side}_trans.0.weight", [ 4L; 6L ]
          $"{side}_trans.0.bias", [ 4L ]
          $"{side}_trans.2.weight", [ 4L ]
          $"{side}_trans.2.bias", [ 4L ]
      "entity_trans.1.weight", [ 4L; 3L ]
      for side in [ "img"; "text" ] do
          $"{side}_att.in_proj_weight", [ 12L; 4L ]
          $"{side}_att.in_proj_bias", [ 12L ]
          $"{side}_att.out_proj.weight", [ 4L; 4L ]
          $"{side}_att.out_proj.bias", [ 4L ]
      "pedia_out_trans.1.weight", [ 3L; 4L ]
      "pedia_out_trans.1.bias", [ 3L ]
      "clip_loss.logit_scale", []
      "logit_scale", [] ]

let private valued shapes =
    [ for number, (name, shape) in List.indexed shapes ->
          name, shape, Array.init (int (List.fold (*) 1L shape)) (fun i -> float32 (100 * number + i)) ]

let private refused shapes expected =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "nel_model.pkl")
        saveStateDict path (valued shapes)
        let run = Path.Combine(folder, "run")

        (fun () -> PublishedWeights.Import(path, run, heads 2) |> ignore)
        |> Refusal.isSpelled $"checkpoint '{path}' does not fit: {expected}."

        Expect.isFalse (Directory.Exists run) "nothing is written")

let private import =
    testList
        "nel_model.pkl becomes a run"
        [ testCase "with the published weights bit for bit under our names, and the dead ones dropped by name"
          <| fun () ->
              let path = Fixtures.required "fixtures/reference/formats/variants/checkpoint/nel_model.pkl"
              let theirs = PublishedFixture.open' "nel/params_h64.safetensors"

              Folder.temporary (fun folder ->
                  let run = Path.Combine(folder, "run")
                  let imported = PublishedWeights.Import(path, run, heads 4)

                  Expect.equal
                      (List.ofSeq imported.Dropped)
                      [ "entity_trans.1.bias"
                        "entity_trans.1.weight"
                        "entity_trans.2.bias"
                        "entity_trans.2.weight"
                        "img_att.in_proj_bias (its key third)"
                        "logit_scale"
                        "split_trans.0.bias"
                        "split_trans.0.weight"
                        "split_trans.2.bias"
                        "split_trans.2.weight"
                        "text_att.in_proj_bias"
                        "text_att.in_proj_weight"
                        "text_att.out_proj.bias"
                        "text_att.out_proj.weight" ]
                      "dropped"

                  let ours = SafetensorsFixture(Path.Combine(run, "checkpoints", "best", "weights.safetensors"))
                  Expect.equal (Set ours.Names) (Set [ for name, _, _ in PublishedFixture.names -> name ]) "names"

                  for name, published, third in PublishedFixture.names do
                      use whole = theirs.Tensor(published, torch.float32)
                      use expected = PublishedFixture.part third whole
                      Expect.equal (ours.Sizes name) expected.shape $"shape of {name}"
                      Expect.equal (ours.Values name) (PublishedFixture.values expected) name

                  let struct (config, manifest) = RunFolder(run).Open()
                  Expect.equal (config.Model.Hidden, config.Model.Heads) (64, 4) "the net's width is the weights'"

                  Expect.equal
                      (manifest.TextSize, manifest.ImageSize, manifest.EntitySize)
                      (48, 48, 48)
                      "widths of features")

          testCase "the packed projection's thirds are query, key and value"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path, run = Path.Combine(folder, "nel_model.pkl"), Path.Combine(folder, "run")
                  let weights = valued shapes
                  saveStateDict path weights
                  PublishedWeights.Import(path, run, heads 2) |> ignore
                  let ours = SafetensorsFixture(Path.Combine(run, "checkpoints", "best", "weights.safetensors"))

                  let theirs name =
                      weights
                      |> List.pick (fun (known, _, values) ->
                          if known = name then Some(Array.map float values) else None)

                  let weight, bias = theirs "img_att.in_proj_weight", theirs "img_att.in_proj_bias"
                  Expect.equal (ours.Values "attention.query.weight") weight[..15] "query"
                  Expect.equal (ours.Values "attention.key.weight") weight[16..31] "key"
                  Expect.equal (ours.Values "attention.value.weight") weight[32..] "value"
                  Expect.equal (ours.Values "attention.query.bias") bias[..3] "query bias"
                  Expect.equal (ours.Values "attention.value.bias") bias[8..] "value bias")

          testCase "what is missing, unexpected or of another shape is named"
          <| fun () ->
              let without name = List.filter (fun (known, _) -> known <> name) shapes
              refused (without "text_trans.2.bias") "missing text_trans.2.bias"
              refused (("gate.weight", [ 2L ]) :: shapes) "unexpected gate.weight"

              refused
                  (("img_att.out_proj.bias", [ 5L ]) :: without "img_att.out_proj.bias")
                  "img_att.out_proj.bias is [5], expected [4]"

              // The concatenation of WikiDiverse: three times as wide.
              refused
                  (("pedia_out_trans.1.weight", [ 3L; 12L ]) :: without "pedia_out_trans.1.weight")
                  "pedia_out_trans.1.weight is [3; 12], expected [3; 4]"

          testCase "heads that do not divide the width are refused, since weights do not tell how many there are"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "nel_model.pkl")
                  saveStateDict path (valued shapes)

                  (fun () -> PublishedWeights.Import(path, Path.Combine(folder, "run"), heads 8) |> ignore)
                  |> Refusal.isSpelled
                      $"{path}: model.heads is '8', expected a divisor of 4: give it with --set model.heads=....") ]

/// The generated parameters of the reference's evaluate(), as its nel_model.pkl.
let private saveGenerated path =
    let evaluation = (PublishedFixture.json "formats/formats.json").GetProperty "wiki_evaluate"

    saveStateDict
        path
        [ for parameter in evaluation.GetProperty("generated_params").EnumerateObject() do
              use tensor = PublishedFixture.ofSpecification parameter.Value torch.float32
              parameter.Name, List.ofArray tensor.shape, tensor.data<float32>().ToArray() ]

    evaluation

/// As the released code's collate makes batches of four: a mention without parts has one of zeros, and the others' rows are
/// filled up with zeros that are attended to like parts.
let private padded (table: MentionFeatures) =
    let parts = Option.get table.Parts
    let mentions = parts.Offsets.Length - 1
    let count mention = int (parts.Offsets[mention + 1] - parts.Offsets[mention])
    let width = int parts.Rows.shape[1]
    let rows = parts.Rows.data<float32>().ToArray()

    let longest =
        [| for mention in 0 .. mentions - 1 ->
               let batch = mention / 4 * 4
               Seq.max (Seq.append [ 1 ] (Seq.map count [ batch .. min (batch + 3) (mentions - 1) ])) |]

    let values =
        [| for mention in 0 .. mentions - 1 do
               let first = int parts.Offsets[mention] * width
               yield! rows[first .. first + count mention * width - 1]
               yield! Array.zeroCreate ((longest[mention] - count mention) * width) |]

    { table with
        Parts =
            Some
                { Rows = torch.tensor(values).reshape (-1L, int64 width)
                  Offsets = longest |> Array.scan (fun offset count -> offset + int64 count) 0L } }

let private evaluation =
    testList
        "imported weights over imported features"
        [ testCase "give the queries and ranks of the released code's evaluate()"
          <| fun () ->
              let data = Fixtures.required "fixtures/reference/formats/wikipedia"
              let published = PublishedFixture.open' "formats/wikipedia_eval_queries.safetensors"

              Folder.temporary (fun folder ->
                  let weights, store, run =
                      Path.Combine(folder, "w.pkl"), Path.Combine(folder, "store"), Path.Combine(folder, "run")

                  let evaluation = saveGenerated weights
                  PublishedWeights.Import(weights, run, heads 4) |> ignore
                  FeatureImport.Run(FeatureImportOptions(data, store)) |> ignore
                  use data = RunData.Open(data, store)
                  let struct (config, manifest) = RunFolder(run).Open()
                  use matcher = Matcher.Create(config, manifest.Sizes, torch.CPU)
                  Checkpoint.ReadWeights(RunFolder(run).Best, matcher)
                  let entities = data.Entities.data<float32>().ToArray()
                  Ranks.Normalize(entities.AsMemory(), 512)

                  for split in [ "dev"; "test" ] do
                      let mentions = data.Mentions split
                      let all = [| for row in 0 .. mentions.Count - 1 -> int64 row |]
                      let queries = matcher.Query(padded (data.Features(split, false)), all)
                      let expected = published.Values $"{split}.query"
                      PublishedFixture.agree 1e-5 (Array.map float queries) expected $"queries of {split}"

                      // Masked instead of filled up, parts have another say: the numbers above are not reached by chance.
                      let masked = matcher.Query(data.Features(split, false), all)

                      Expect.isGreaterThan
                          (Array.max (Array.map2 (fun left right -> abs (float left - right)) masked expected))
                          1e-2
                          "masked"

                      Ranks.Normalize(queries.AsMemory(), 512)

                      let candidates =
                          CandidateFile.Read(Path.Combine(data.Dataset.Folder, "search_top100.json"), mentions)

                      let rows =
                          [| for mention in mentions do
                                 for id in candidates.Ids[mention.Key] -> data.RowOf id |]

                      let width = rows.Length / mentions.Count
                      let table = Ranks.ScoreCandidates(512, queries, entities, width, rows)
                      let golds = (Ranks.ScoreCandidates(512, queries, entities, 1, data.Golds split)).Scores

                      match Ranks.GoldScored(golds, table) with
                      | Error error -> failtest $"{error}"
                      | Ok ranks ->
                          Expect.equal
                              [ for rank in ranks -> rank.Optimistic ]
                              [ for rank in evaluation.GetProperty(split).GetProperty("ranks").EnumerateArray() ->
                                    float (rank.GetInt32()) ]
                              $"ranks of {split}")

          testCase "are evaluated by `dwe eval` where the data is named, and asked for where it is not"
          <| fun () ->
              let data = Fixtures.required "fixtures/reference/formats/wikipedia"

              Folder.temporary (fun folder ->
                  let weights, store, run =
                      Path.Combine(folder, "w.pkl"), Path.Combine(folder, "store"), Path.Combine(folder, "run")

                  saveGenerated weights |> ignore
                  FeatureImport.Run(FeatureImportOptions(data, store)) |> ignore

                  let imported =
                      DweProcess.run [ "import"; "--weights"; weights; "--set"; "model.heads=4"; "--out"; run ] []

                  Expect.equal imported.ExitCode 0 imported.Errors

                  Expect.stringStarts
                      imported.Output
                      $"{run}: 18 weights of {weights}\ndropped, since nothing reads them: entity_trans.1.bias, "
                      "output"

                  let refused = DweProcess.run [ "eval"; "--run"; run ] []

                  Expect.equal
                      (refused.ExitCode, refused.Errors.Trim())
                      (2, $"dwe: {run} holds imported weights and names no data. Give --data and --features.")
                      "no data"

                  let result = Path.Combine(folder, "result.json")

                  let evaluated =
                      DweProcess.run
                          [ "eval"
                            "--run"
                            run
                            "--data"
                            data
                            "--features"
                            store
                            "--protocol"
                            "legacy"
                            "--json"
                            result ]
                          []

                  Expect.equal evaluated.ExitCode 0 evaluated.Errors
                  use json = JsonDocument.Parse(File.ReadAllText result)
                  // Of the six mentions, masked parts put one among the first five, as the published padding does.
                  Expect.isLessThanOrEqual
                      (json.RootElement.GetProperty("metrics").GetProperty("hits@20").GetDouble())
                      1.0
                      "a share"

                  Expect.equal (json.RootElement.GetProperty("card").GetProperty("mentions").GetInt32()) 6 "mentions") ]

[<Tests>]
let tests = testList "import of weights" [ import; evaluation ]
