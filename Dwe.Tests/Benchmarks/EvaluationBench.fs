/// How fast mentions are evaluated: the whole way from features to metrics, and ranking alone.
module Dwe.Tests.Benchmarks.EvaluationBench

open System
open TorchSharp
open Dwe.Model
open Dwe.Model.Batches
open Dwe.Model.Config
open Dwe.Model.Linking
open Dwe.Tests.Benchmarks.Timing

let private dim = 512
let private mentions, parts, listed, listedFrom = 2000, 4, 100, 20_000

let private features =
    lazy
        let tensor seed count = torch.tensor(rows seed count dim).view (int64 count, int64 dim)

        { MentionFeatures.Mention = tensor 1 mentions
          Text = tensor 2 mentions
          Image = None
          Parts =
            Some
                { Rows = tensor 3 (mentions * parts)
                  Offsets = Array.init (mentions + 1) (fun mention -> int64 (mention * parts)) }
          Profile = None
          Tokens = None }

let private ranksOf ranks =
    match ranks with
    | Ok ranks -> Ranks.Metrics(TieRule.Realistic, ranks) |> ignore
    | Error error -> invalidOp $"{error}"

/// Forward, scores of the listed candidates, ranks and metrics, as `dwe eval` does them.
let private evaluate precision =
    let config = { RunConfig.Defaults with Training.Precision = precision }
    let sizes = { Text = dim; Image = dim; Entity = dim }
    use matcher = Matcher.Create(config, sizes, torch.CPU)
    let entities = rows 4 listedFrom dim
    let random = Random 5
    let candidates = Array.init (mentions * listed) (fun _ -> random.Next listedFrom)
    let golds = Array.zeroCreate mentions
    let everyMention = Array.init mentions int64

    let seconds =
        median 2 9 (fun () ->
            let queries =
                everyMention
                |> Array.chunkBySize 256
                |> Array.collect (fun chunk -> matcher.Query(features.Value, chunk))

            Ranks.Normalize(queries.AsMemory(), dim)
            let table = Ranks.ScoreCandidates(dim, queries.AsMemory(), entities.AsMemory(), listed, candidates)
            ranksOf (Ranks.GoldListed(golds, table)))

    let rate = float mentions / seconds

    printfn
        $"  evaluate, {listed} candidates, {parts} parts, {precision, -10}: %8.0f{rate} mentions/s, %4.0f{rate / 516.0} x 516"

/// Ranks of 2,000 queries among 100,000 entities.
let private rankAll () =
    let count, all = 2000, 100_000
    let queries = rows 6 count dim
    use entities = torch.tensor(rows 7 all dim).view (int64 all, int64 dim)
    let golds = Array.init count id

    let seconds =
        median 1 5 (fun () -> ranksOf (Ranks.OfEverything(dim, queries.AsMemory(), entities, golds)))

    let rate = float count / seconds
    let gflops = rate * 2.0 * float all * float dim / 1e9
    let limit = productRate torch.float32

    printfn
        $"  full knowledge base, {all:N0} x {dim}: %6.0f{rate} queries/s, %.2f{rate / 2160.0} x 2,160; %4.0f{gflops} GFLOP/s = %.0f{100.0 * gflops / limit} %% of a float32 product"

let run () =
    evaluate Tensors.Float32
    evaluate Tensors.Bf16Mixed
    rankAll ()
    printfn $"  peak memory so far %.0f{peakMegabytes ()} MB"
