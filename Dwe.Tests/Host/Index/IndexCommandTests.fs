/// `dwe index` in processes of its own, over runs that were trained on the sample.
module Dwe.Tests.Host.Index.IndexCommandTests

open System.IO
open System.Text.Json
open Expecto
open Dwe.Host.Index
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

let private features = Path.Combine(SampleRun.sample, "features")

let private recall (manifest: JsonElement) (source: string) (depth: int) =
    manifest.GetProperty("recall").GetProperty("sources").GetProperty(source).GetProperty($"recall@{depth}").GetDouble()

let private buildKnowledgeBase folder =
    let path = Path.Combine(folder, "sample.kb")

    SampleRun.succeed [ "kb"; "build"; "--out"; path; "--data"; SampleRun.sample; "--features"; features ] []
    |> ignore

    path

let private manifestOf index = SampleRun.json (Path.Combine(index, "manifest.json"))

[<Tests>]
let tests =
    testList
        "dwe index"
        [ testCase "finds among float32 vectors what full-kb evaluation ranks, and says so in the manifest"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = fst SampleRun.shared.Value
                  let index, result = Path.Combine(folder, "index"), Path.Combine(folder, "full.json")
                  let words = [ "index"; "--run"; run; "--out"; index; "--dtype"; "float32"; "--dev" ]
                  let built = SampleRun.succeed words []
                  Expect.stringContains built.Output "recall@100" "the table"

                  // An evaluation is kept in its run, and the shared one is only read.
                  SampleRun.withCopy (fun run ->
                      SampleRun.succeed [ "eval"; "--run"; run; "--protocol"; "full-kb"; "--json"; result ] []
                      |> ignore)

                  let hits (depth: int) =
                      (SampleRun.json result).GetProperty("metrics").GetProperty($"hits@{depth}").GetDouble()

                  let manifest = manifestOf index

                  for depth in [ 1; 10 ] do
                      Expect.floatClose Accuracy.high (recall manifest "dense" depth) (hits depth) $"recall@{depth}"

                  for source in [ "dense"; "lexical"; "fused" ] do
                      let shares = [ for depth in [ 1; 10; 50; 100 ] -> recall manifest source depth ]
                      Expect.equal shares (List.sort shares) $"{source}: more candidates, more golds"

                  let sources = manifest.GetProperty("recall").GetProperty "sources"
                  Expect.isFalse (sources.TryGetProperty "prior" |> fst) "this run remembers nothing of names"

                  let shown = SampleRun.succeed [ "index"; "--show"; index; "--json" ] []
                  Expect.equal (JsonDocument.Parse(shown.Output).RootElement.ToString()) (manifest.ToString()) "--show"
                  let again = SampleRun.succeed words []
                  Expect.stringContains again.Errors $"{index}: up to date" "the second time")

          testCase "of a knowledge base finds what it finds of the data set that was put into it"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = DualWayRunTests.shared.Value
                  let ofData, ofKb = Path.Combine(folder, "data.index"), Path.Combine(folder, "kb.index")
                  let knowledge = buildKnowledgeBase folder
                  SampleRun.succeed [ "index"; "--run"; run; "--out"; ofData; "--dev" ] [] |> ignore
                  SampleRun.succeed [ "index"; "--kb"; knowledge; "--run"; run; "--out"; ofKb; "--dev" ] [] |> ignore

                  let sources index = (manifestOf index).GetProperty("recall").GetProperty("sources").ToString()
                  Expect.equal (sources ofKb) (sources ofData) "recall of all sources"
                  Expect.stringContains (sources ofKb) "prior" "with what the run remembers"
                  use one = SegmentIndex.Open ofData
                  use other = SegmentIndex.Open ofKb
                  Expect.equal other.Count one.Count "entities"
                  let vector, same = Array.zeroCreate one.Dimension, Array.zeroCreate one.Dimension

                  for row in 0 .. one.Count - 1 do
                      Expect.equal (other.Entity row).Id (one.Entity row).Id "entity"
                      Expect.equal (other.Description row) (one.Description row) "description"
                      one.CopyVector(row, System.Span vector)
                      other.CopyVector(row, System.Span same)
                      Expect.equal same vector "vector")

          testCase "refuses a knowledge base whose texts are made otherwise than the run's"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let run = fst SampleRun.shared.Value
                  let knowledge = buildKnowledgeBase folder
                  let manifest = Path.Combine(knowledge, "manifest.json")

                  let template =
                      (SampleRun.json (Path.Combine(run, "manifest.json"))).GetProperty("entity_text").GetString()

                  File.WriteAllText(manifest, (File.ReadAllText manifest).Replace($"\"{template}\"", "\"{name}\""))
                  let index = Path.Combine(folder, "index")
                  let refused = DweProcess.run [ "index"; "--kb"; knowledge; "--run"; run; "--out"; index ] []
                  Expect.equal refused.ExitCode 2 "the exit code"

                  Expect.equal
                      refused.Errors
                      $"dwe: {knowledge}: entity texts made as '{{name}}', expected '{template}', as those of {run}. Encode the knowledge base for the run: dwe kb build --run {run}\n"
                      "what to do"

                  Expect.isFalse (Directory.Exists index) "nothing was written")

          testCase "says what it needs"
          <| fun () ->
              for words, expected in
                  [ [ "index" ], "index needs --run RUN and --out INDEX, or --show INDEX. See `dwe index --help`."
                    [ "index"; "--show"; "i"; "--run"; "r" ],
                    "--show does not go with building. See `dwe index --help`."
                    [ "index"; "--run"; "r"; "--out"; "i"; "--dtype"; "int4" ],
                    "command line: --dtype is 'int4', expected one of float32, float16, int8." ] do
                  match Dwe.Model.CommandLine.Parse(Array.ofList words) with
                  | Error error -> Expect.equal (Dwe.Model.Domain.UserError.message error) expected "the message"
                  | Ok command -> failtest $"understood as {command}" ]
