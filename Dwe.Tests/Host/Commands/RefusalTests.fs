module Dwe.Tests.Host.Commands.RefusalTests

open System
open System.IO
open System.Text
open System.Text.Json.Nodes
open Expecto
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

/// The command ends with exit code 2 and this one line on standard error; nothing is left where it would have written.
let private refused arguments (out: string) expected =
    let run = DweProcess.run arguments []
    Expect.equal run.Errors ("dwe: " + expected + "\n") "the one line"
    Expect.equal run.ExitCode 2 "the exit code"
    Expect.equal run.Output "" "no result"
    Expect.isFalse (Directory.Exists out || File.Exists out) "nothing is left"

let private refusedTraining name extra (expected: string -> string) =
    testCase name (fun () ->
        Folder.temporary (fun folder ->
            let out = Path.Combine(folder, "run")
            refused ([ "train"; "--out"; out ] @ extra folder) out (expected folder)))

let private edit (path: string) (before: string) (after: string) =
    let text = File.ReadAllText path
    Expect.isTrue (text.Contains before) $"{path} has '{before}'"
    File.WriteAllText(path, text.Replace(before, after))

let private truncate (path: string) bytes =
    use stream = new FileStream(path, FileMode.Open)
    stream.SetLength(stream.Length - int64 bytes)

/// A copy of the sample, changed; the words that name it.
let private changed change folder =
    let data = Path.Combine(folder, "data")
    SampleRun.copy SampleRun.sample data
    change data
    [ "--data"; data; "--features"; Path.Combine(data, "features") ]

let private again = "Write the store again with `dwe features`."

[<Tests>]
let configurations =
    testList
        "a training that cannot begin: configuration"
        [ refusedTraining "an unknown key" (fun _ -> [ "--preset"; "sample"; "--set"; "droput=0.3" ]) (fun _ ->
              "--set: unknown key 'droput'; did you mean model.dropout?")
          refusedTraining
              "a comma for a point"
              (fun _ -> [ "--preset"; "sample"; "--set"; "model.dropout=0,3" ])
              (fun _ -> "--set: model.dropout is '0,3', expected a number from 0 up to 1, with a point.")
          refusedTraining "an unknown preset" (fun _ -> [ "--preset"; "sampel" ]) (fun _ ->
              "--preset: unknown key 'sampel'; did you mean sample?")
          refusedTraining "an unknown precision" (fun _ -> [ "--preset"; "sample"; "--precision"; "float16" ]) (fun _ ->
              "--set: training.precision is 'float16', expected one of float32, bf16-mixed, float64.")
          refusedTraining "an unknown device" (fun _ -> [ "--preset"; "sample"; "--device"; "gpu" ]) (fun _ ->
              "command line: --device is 'gpu', expected one of auto, cpu, cuda.")
          refusedTraining "an unknown option" (fun _ -> [ "--preset"; "sample"; "--fetures"; "x" ]) (fun _ ->
              "unrecognized argument: '--fetures'; did you mean --features? See `dwe train --help`.")
          refusedTraining "a preset and a file" (fun folder -> [ "--preset"; "sample"; "--config"; folder ]) (fun _ ->
              "--preset and --config exclude each other. Name one of them and change keys with --set.")
          refusedTraining "no data" (fun _ -> [ "--preset"; "wikimel" ]) (fun _ ->
              "--data is missing: it names the folder of the data set. See `dwe train --help`.")
          refusedTraining
              "a configuration file that is not there"
              (fun folder -> [ "--config"; Path.Combine(folder, "mine.json") ])
              (fun folder ->
                  $"{folder}/mine.json: not found; expected a configuration file. `dwe config --json` prints one to start from.")
          refusedTraining
              "a configuration file with an unknown key"
              (fun folder ->
                  let path = Path.Combine(folder, "mine.json")
                  File.WriteAllText(path, """{"training": {"epoch": 3}}""")
                  [ "--config"; path ])
              (fun folder -> $"{folder}/mine.json: unknown key 'training.epoch'; did you mean training.epochs?")
          refusedTraining
              "a configuration file that is no JSON"
              (fun folder ->
                  let path = Path.Combine(folder, "mine.json")
                  File.WriteAllText(path, "{\n  \"model\": {,\n")
                  [ "--config"; path ])
              (fun folder -> $"{folder}/mine.json: line 2, byte 13: found broken JSON, expected a JSON object.") ]

[<Tests>]
let data =
    testList
        "a training that cannot begin: data and features"
        [ refusedTraining
              "a data set that is not there"
              (fun folder -> [ "--data"; Path.Combine(folder, "none"); "--features"; "x" ])
              (fun folder ->
                  $"{folder}/none: not found; expected the folder of a data set. Check --data.")
          refusedTraining
              "a split that is not there"
              (changed (fun data -> File.Delete(Path.Combine(data, "dev.json"))))
              (fun folder ->
                  $"{folder}/data/dev.json: not found; expected the dev split. A WikiMEL folder holds train.json, dev.json, qids_ordered.json, property.json or brief.json; check --data.")
          refusedTraining
              "a broken line of JSON"
              (changed (fun data ->
                  edit (Path.Combine(data, "train.json")) "\"2-0\": {\n  \"id\": \"2\"," "\"2-0\": {\n  \"id\" \"2\","))
              (fun folder -> $"{folder}/data/train.json: line 10, byte 8: found text that is no JSON, expected JSON.")
          refusedTraining
              "a record without a mention"
              (changed (fun data ->
                  edit (Path.Combine(data, "train.json")) "\"mentions\": \"Theodore Velmar\"" "\"mention\": \"x\""))
              (fun folder ->
                  $"{folder}/data/train.json: line 2, key '1': found a record without 'mentions', expected the mention's text.")
          refusedTraining
              "candidates that are not there"
              (fun folder -> [ "--preset"; "sample"; "--candidates"; Path.Combine(folder, "none.json") ])
              (fun folder ->
                  $"{folder}/none.json: not found; expected candidates: an object of id lists. Name a file of candidates, or leave the option out.")
          refusedTraining
              "a store that is not there"
              (fun folder -> [ "--preset"; "sample"; "--features"; Path.Combine(folder, "none") ])
              (fun folder ->
                  $"{folder}/none/manifest.json: not found; expected a finished feature store. Write it with `dwe features`; an unfinished one is continued.")
          refusedTraining
              "a store whose file was cut"
              (changed (fun data -> truncate (Path.Combine(data, "features", "dev", "text.safetensors")) 100))
              (fun folder ->
                  $"{folder}/data/features/dev/text.safetensors: tensor 'text': found data_offsets [2432, 313728], expected a range within the 313628 bytes of data.")
          refusedTraining
              "a store of another width than it says"
              (changed (fun data ->
                  edit (Path.Combine(data, "features", "manifest.json")) "\"dim\": 512" "\"dim\": 256"))
              (fun folder ->
                  $"{folder}/data/features/dev/mention.safetensors: mention F32 [152, 512], expected mention F32 [152, 256] as the manifest says. {again}")
          refusedTraining
              "a store of another number of rows than it says"
              (changed (fun data ->
                  edit (Path.Combine(data, "features", "manifest.json")) "\"rows\": 192" "\"rows\": 191"))
              (fun folder ->
                  $"{folder}/data/features/entities/rows.json: 192 rows, expected 191 as the manifest says. {again}")
          refusedTraining
              "the store of another data set"
              (changed (fun data -> edit (Path.Combine(data, "dev.json")) "puck" "ball"))
              (fun folder ->
                  let hash = (Dwe.Host.Data.DatasetReaders.Read(Path.Combine(folder, "data"))).ContentHash

                  $"{folder}/data/features: features of a data set with hash 6233b68c5f2e, expected those of {folder}/data, {hash[..11]}. Run `dwe features` again; what has not changed is not encoded again.")
          refusedTraining
              "a feature that is not a number, by its mention"
              (changed (fun data ->
                  let path = Path.Combine(data, "features", "train", "mention.safetensors")
                  let bytes = File.ReadAllBytes path
                  // The vectors are last in the file; the last row is the last mention's.
                  BitConverter.TryWriteBytes(Span(bytes, bytes.Length - 4, 4), nanf) |> ignore
                  File.WriteAllBytes(path, bytes)))
              (fun folder ->
                  let rows = SampleRun.json (Path.Combine(folder, "data", "features", "train", "rows.json"))
                  let last = rows[rows.GetArrayLength() - 1].GetString()
                  $"{folder}/data/features/train/mention.safetensors: row '{last}': found NaN, expected finite numbers.") ]

/// A copy of the shared run; the copy is changed and evaluated.
let private refusedRun name change (arguments: string -> string list) (expected: string -> string) =
    testCase name (fun () ->
        SampleRun.withCopy (fun run ->
            let out = run + ".json"
            change run
            refused (arguments run @ [ "--json"; out ]) out (expected run)))

let private refusedEval name change expected = refusedRun name change (fun run -> [ "eval"; "--run"; run ]) expected

let private weights run = Path.Combine(run, "checkpoints", "best", "weights.safetensors")

/// Changes the header of a safetensors file, and what follows it.
let private reheader (change: JsonObject -> byte[] -> byte[]) path =
    let bytes = File.ReadAllBytes path
    let start = 8 + int (BitConverter.ToInt64(bytes, 0))

    match JsonNode.Parse(Encoding.UTF8.GetString(bytes, 8, start - 8)) with
    | null -> failtest "no header"
    | node ->
        let header = node.AsObject()
        let data = change header bytes[start..]
        let text = header.ToJsonString()
        let text = text.PadRight((text.Length + 7) / 8 * 8)

        File.WriteAllBytes(
            path,
            Array.concat [ BitConverter.GetBytes(int64 text.Length); Encoding.UTF8.GetBytes text; data ]
        )

let private rename (before: string) (after: string) =
    reheader (fun header data ->
        let entry = header[before]
        header.Remove before |> ignore
        header[after] <- entry
        data)

let private reshape (name: string) (shape: int list) =
    reheader (fun header data ->
        match header[name] with
        | null -> failtest name
        | entry -> entry["shape"] <- JsonArray [| for size in shape -> JsonValue.Create size :> JsonNode |]

        data)

/// Leaves out the last weight of the file, `logit_scale`.
let private dropLast =
    reheader (fun header data ->
        header.Remove "logit_scale" |> ignore
        data[.. data.Length - 5])

[<Tests>]
let checkpoints =
    testList
        "a run that cannot be read"
        [ refusedEval "a folder that is no run" (fun run -> Directory.Delete(run, true)) (fun run ->
              $"{run}/manifest.json: not found; expected a run made by `dwe train`. Check the folder's name.")
          refusedEval "weights that were cut" (fun run -> truncate (weights run) 10) (fun run ->
              $"{weights run}: tensor 'output.bias': found data_offsets [148224, 150272], expected a range within the 150266 bytes of data.")
          refusedEval
              "a weight of another name"
              (fun run -> rename "text.norm.bias" "text.norm.bais" (weights run))
              (fun run ->
                  $"checkpoint '{weights run}' does not fit: missing text.norm.bias; unexpected text.norm.bais.")
          refusedEval
              "a weight of another shape"
              (fun run -> reshape "text.linear.weight" [ 512; 32 ] (weights run))
              (fun run ->
                  $"checkpoint '{weights run}' does not fit: text.linear.weight is [512; 32], expected [32; 512].")
          refusedEval "a weight that is missing" (fun run -> dropLast (weights run)) (fun run ->
              $"checkpoint '{weights run}' does not fit: missing logit_scale.")
          refusedEval
              "a weight that is not a number, by the first mention that it spoils"
              (fun run ->
                  let bytes = File.ReadAllBytes(weights run)
                  // The last weight but logit_scale is the output's bias: every query's last number.
                  BitConverter.TryWriteBytes(Span(bytes, bytes.Length - 8, 4), nanf) |> ignore
                  File.WriteAllBytes(weights run, bytes))
              (fun _ ->
                  let first =
                      Seq.head ((SampleRun.json (Path.Combine(SampleRun.sample, "dev.json"))).EnumerateObject())

                  let text = first.Value.GetProperty("mentions").GetString()

                  $"dev, mention '{first.Name}' ('{text}'): its query is 'not a finite number', expected finite numbers; the model's weights have grown out of bounds.")
          refusedEval
              "a configuration with an unknown key"
              (fun run -> edit (Path.Combine(run, "config.json")) "dropout" "droput")
              (fun run -> $"{run}/config.json: unknown key 'model.droput'; did you mean model.dropout?")
          refusedRun
              "optimizer's moments that do not fit, on resuming"
              (fun run ->
                  rename
                      "first.logit_scale"
                      "first.logit_scales"
                      (Path.Combine(run, "checkpoints", "last", "optimizer.safetensors")))
              (fun run -> [ "train"; "--out"; run; "--resume" ])
              (fun run ->
                  $"checkpoint '{run}/checkpoints/last/optimizer.safetensors' does not fit: missing first.logit_scale; unexpected first.logit_scales.")
          refusedRun "a folder that holds a run, on training" ignore (fun run -> SampleRun.words run []) (fun run ->
              $"command line: --out is '{run}', expected a folder without a run in it; go on with --resume, or name another folder.")
          refusedRun
              "a folder that holds a feature store, on training"
              (fun run ->
                  Directory.Delete(run, true)
                  SampleRun.copy (Path.Combine(SampleRun.sample, "features")) run)
              (fun run -> SampleRun.words run [])
              (fun run ->
                  $"command line: --out is '{run}', expected a folder for the run alone; the manifest.json in this one is no run's.")
          refusedRun
              "a run without checkpoints, on resuming"
              (fun run -> Directory.Delete(Path.Combine(run, "checkpoints"), true))
              (fun run -> [ "train"; "--out"; run; "--resume" ])
              (fun run ->
                  $"{run}/checkpoints/last: not found; expected a checkpoint. The run was stopped before its first one: train it again, without --resume.")
          refusedEval
              "a run that was stopped before its first evaluation"
              (fun run -> Directory.Delete(Path.Combine(run, "checkpoints", "best"), true))
              (fun run ->
                  $"{run}/checkpoints/best: not found; expected a checkpoint. The run was stopped before its first evaluation: go on with `dwe train --out {run} --resume`.")
          refusedRun
              "a candidate file that is none"
              ignore
              (fun run -> [ "eval"; "--run"; run; "--candidates"; Path.Combine(run, "config.json") ])
              (fun run -> $"{run}/config.json: line 2, key 'model': found an object, expected a list of texts.")
          refusedRun
              "what the system says of a file"
              (fun run ->
                  File.Delete(Path.Combine(run, "results", "dev-strict.json"))
                  Directory.CreateDirectory(Path.Combine(run, "results", "dev-strict.json")) |> ignore)
              (fun run -> [ "eval"; "--run"; run ])
              (fun run -> $"Is a directory : '{run}/results/dev-strict.json'") ]
