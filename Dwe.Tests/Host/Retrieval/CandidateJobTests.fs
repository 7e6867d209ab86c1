module Dwe.Tests.Host.Retrieval.CandidateJobTests

open System
open System.Collections.Generic
open System.IO
open System.Text.RegularExpressions
open System.Threading
open Dwe.Host.Commands
open Dwe.Host.Data
open Dwe.Host.Evaluation
open Dwe.Host.Retrieval
open Dwe.Host.Training
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Host.Features
open Dwe.Tests.Prelude
open Expecto
open Spectre.Console

let private ranking dataset = ExactRanking(FuzzyNames(NameList.Of(dataset: Dataset)))

let private runWith stop workers (report: int -> int -> unit) path (dataset: Dataset) =
    CandidateJob.Run(dataset, [| "train"; "dev" |], ranking dataset, 5, path, workers, Action<int, int>(report), stop)

let private run workers path dataset = runWith CancellationToken.None workers (fun _ _ -> ()) path dataset

let private withData test =
    Folder.temporary (fun folder ->
        let data = Path.Combine(folder, "data")
        FeatureJobTests.writeDataset data 60 20
        test (Path.Combine(folder, "lists.json")) data)

let private bytes (path: string) = File.ReadAllBytes path, File.ReadAllBytes(path + ".card.json")

let private journal (path: string) =
    Path.Combine(string (Path.GetDirectoryName path), "." + Path.GetFileName path + ".journal")

/// Exit code and lines of `dwe candidates` with these options.
let private command (options: string list) =
    match CommandLine.Parse(Array.ofList ("candidates" :: options)) with
    | Ok(Command.Candidates request) ->
        let output = new StringWriter()
        let console = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput output))
        let exitCode = CandidatesCommand.Run(console, request, CancellationToken.None)
        exitCode, output.ToString().TrimEnd().Split('\n') |> List.ofArray
    | other -> failtest $"not understood: {other}"

let private refused options expected =
    match CommandLine.Parse(Array.ofList ("candidates" :: options)) with
    | Error error -> Expect.equal (UserError.message error) expected "message"
    | Ok command -> failtest $"understood as {command}"

/// The data set, its mentions changed.
let private changed (change: Mention -> Mention) (dataset: Dataset) =
    let mentions = Dictionary<string, IReadOnlyList<Mention>>()

    for split in dataset.Mentions do
        mentions[split.Key] <- split.Value |> Seq.map change |> Array.ofSeq

    Dataset(
        Folder = dataset.Folder,
        Format = dataset.Format,
        Mentions = mentions,
        Entities = dataset.Entities,
        CandidatePath = dataset.CandidatePath,
        ContentHash = dataset.ContentHash,
        GoldMissing = dataset.GoldMissing
    )

let private protocolRefused path data protocol =
    use run = RunData.OpenWithoutFeatures data
    let lists = CandidateLists.Read(path, run, "dev")
    lists.RequireFor protocol

[<Tests>]
let tests =
    testList
        "dwe candidates"
        [ testCase "lists are best first, one line a mention, in the order of the mentions"
          <| fun () ->
              withData (fun path data ->
                  let result = run 2 path (DatasetReaders.Read data)
                  let lines = File.ReadAllLines path
                  Expect.equal lines[0] "{" "begin"
                  Expect.equal lines[1] "\"Person 0\": [\"Q0\", \"Q10\", \"Q1\", \"Q2\", \"Q4\"]," "first"
                  Expect.stringStarts lines[2] "\"Person 1\": [\"Q1\", " "second"
                  Expect.equal lines[lines.Length - 1] "}" "end"
                  // 60 training and 15 dev mentions, two of a text.
                  Expect.equal
                      (lines.Length - 2, result.Computed, result.Continued, result.Reused)
                      (38, 38, 0, 0)
                      "counts")

          testCase "the number of workers does not change a byte, nor do other golds"
          <| fun () ->
              withData (fun path data ->
                  let dataset = DatasetReaders.Read data
                  run 1 path dataset |> ignore
                  let one = bytes path

                  for other, what in
                      [ dataset, "workers"
                        changed (fun mention -> { mention with Gold = Gold.Entity "Q7" }) dataset, "golds"
                        changed (fun mention -> { mention with Gold = Gold.Nil }) dataset, "NIL" ] do
                      File.Delete path
                      run 4 path other |> ignore
                      Expect.equal (bytes path) one what)

          testCase "a job that was stopped goes on, and a torn last line does no harm"
          <| fun () ->
              withData (fun path data ->
                  let dataset = DatasetReaders.Read data
                  run 1 path dataset |> ignore
                  let whole = bytes path
                  File.Delete path
                  use stop = new CancellationTokenSource()

                  Expect.throwsT<OperationCanceledException>
                      (fun () ->
                          runWith
                              stop.Token
                              1
                              (fun done' _ ->
                                  if done' = 10 then
                                      stop.Cancel())
                              path
                              dataset
                          |> ignore)
                      "stopped"

                  Expect.isFalse (File.Exists path) "no half file"
                  File.AppendAllText(journal path, "{\"mention\":\"Person 30\",\"ids\":[\"Q9")
                  let result = run 2 path dataset
                  Expect.equal (result.Continued, result.Computed) (10, 28) "continued, computed"
                  Expect.equal (bytes path) whole "bytes"
                  Expect.isFalse (File.Exists(journal path)) "journal")

          testCase "a journal of other lists is not gone on with"
          <| fun () ->
              withData (fun path data ->
                  let dataset = DatasetReaders.Read data
                  File.WriteAllText(journal path, "{\"format\":\"dwe-candidates-1\",\"method\":\"other\"}\n")
                  let result = run 2 path dataset
                  Expect.equal (result.Continued, result.Computed) (0, 38) "continued, computed")

          testCase "lists of other mentions are added to the file that is there"
          <| fun () ->
              withData (fun path data ->
                  let dataset = DatasetReaders.Read data
                  let fresh = ranking dataset

                  let run splits =
                      CandidateJob.Run(dataset, splits, fresh, 5, path, 2, (fun _ _ -> ()), CancellationToken.None)

                  Expect.equal (run [| "dev" |]).Computed 8 "dev"
                  let all = run [| "train"; "dev" |]
                  Expect.equal (all.Reused, all.Computed) (8, 30) "all"
                  let none = run [| "train"; "dev" |]
                  Expect.equal (none.Reused, none.Computed) (38, 0) "again")

          testCase "the command says what it did and which golds are found"
          <| fun () ->
              withData (fun path data ->
                  for kind in [ "exact"; "trigram" ] do
                      let exitCode, lines =
                          command [ "--data"; data; "--out"; path; "--splits"; "dev"; "--method"; kind ]

                      Expect.equal exitCode 0 "exit code"

                      Expect.equal
                          (Regex.Replace(lines[0], @"in [\d.]+ s \(\d+/s\)", "in 0 s"))
                          $"{path}: 8 mention texts, of which 8 ranked in 0 s, 0 from an unfinished run, 0 used again"
                          "first line"

                      // All 20 entities are listed under exact, so every gold is.
                      if kind = "exact" then
                          Expect.stringEnds lines[1] "recall@100 100.00 %" "recall")

          testCase "options that are wrong are refused with the way to the right ones"
          <| fun () ->
              let data = [ "--data"; "a"; "--out"; "b" ]
              refused [ "--data"; "a" ] "missing argument '--out'. See `dwe candidates --help`."

              refused
                  (data @ [ "--method"; "fuzzy" ])
                  "command line: --method is 'fuzzy', expected one of exact, trigram, oracle-type."

              refused (data @ [ "--top"; "0" ]) "command line: --top is '0', expected a whole number of at least 1."

              refused
                  (data @ [ "--seed"; "1" ])
                  "--seed goes with --method oracle-type only. See `dwe candidates --help`."

          testCase "oracle-type lists are filled by the gold's type, and strict evaluation refuses them"
          <| fun () ->
              withData (fun path data ->
                  // Even entities are persons, odd ones places.
                  let typeOf (mention: Mention) =
                      match mention.Gold with
                      | Gold.Entity id when int (id.Substring 1) % 2 = 0 -> "person"
                      | _ -> "place"

                  let dataset =
                      DatasetReaders.Read data |> changed (fun mention -> { mention with Type = typeOf mention })

                  let write seed =
                      OracleTypeLists.Write(
                          dataset,
                          [| "dev" |],
                          (fun _ -> [| "Q1"; "Q2" |]),
                          NameList.Of dataset,
                          8,
                          seed,
                          path
                      )
                      |> ignore

                      bytes path

                  let first = write 1L
                  Expect.equal (write 1L) first "the same seed"
                  Expect.notEqual (write 2L) first "another seed"
                  let mentions = dataset.Mentions["dev"]
                  let lists = CandidateFile.Read(path, mentions)
                  Expect.equal lists.KeyedBy CandidateKey.RecordKey "keyed by"

                  for mention in mentions do
                      let ids = lists.Ids[mention.Key]
                      Expect.equal (ids.Length, Array.distinct ids) (8, ids) "eight different ones"
                      Expect.equal ids[..1] [| "Q1"; "Q2" |] "candidates first"

                      for id in ids[2..] do
                          Expect.equal
                              (typeOf { mention with Gold = Gold.Entity id })
                              mention.Type
                              "of the gold's type"

                  protocolRefused path data Protocol.Legacy

                  (fun () -> protocolRefused path data Protocol.Strict)
                  |> Refusal.isSpelled
                      "lists.json: candidates that were chosen by the gold's type, expected under --protocol strict lists that know nothing of the gold. Make such with `dwe candidates`, or use --protocol legacy.")

          testCase "a baseline under strict refuses oracle-type lists as well"
          <| fun () ->
              withData (fun path data ->
                  File.WriteAllText(path, "{\"@source\": [\"oracle-type\"], \"60\": [\"Q0\"]}")
                  use run = RunData.OpenWithoutFeatures data
                  use evaluator = new Evaluator(run, "dev", CandidateLists.Read(path, run, "dev"))
                  let system = EvaluatedSystem(Name = "b", CodeVersion = "0")

                  Expect.stringStarts
                      (Refusal.messageOf (fun () -> evaluator.RunCandidateOrder(Protocol.Strict, system) |> ignore))
                      "lists.json: candidates that were chosen by the gold's type"
                      "message") ]
