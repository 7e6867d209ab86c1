/// How fast mentions get candidates: exactly and by triples of letters, on WikiMEL where it is there and on generated names.
/// Not a test: `dotnet Dwe.Tests.dll bench candidates`.
module Dwe.Tests.Benchmarks.CandidatesBench

open System
open System.Diagnostics
open System.Threading
open System.Threading.Tasks
open Dwe.Host.Data
open Dwe.Host.Retrieval
open Dwe.Model.Domain
open Dwe.Tests.Prelude

/// What a measurement took: seconds, and seconds of processors, which other people's work does not lengthen.
type private Time = { Wall: float; Processors: float }

/// What all cores take for these mentions, and the lists.
let private timed (ranking: ICandidateRanking) (mentions: string[]) =
    let lists: string[][] = Array.zeroCreate mentions.Length
    let mutable next = -1
    let spent () = Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds
    let before, watch = spent (), Stopwatch.StartNew()

    Parallel.For(
        0,
        Environment.ProcessorCount,
        fun _ ->
            let rank = ranking.Ranker 100
            let mutable at = Interlocked.Increment &next

            while at < mentions.Length do
                lists[at] <- rank.Invoke mentions[at]
                at <- Interlocked.Increment &next
    )
    |> ignore

    { Wall = watch.Elapsed.TotalSeconds; Processors = spent () - before }, lists

let private row (what: string) names mentions (time: Time) (note: string) =
    let rate =
        $"{float mentions / time.Wall, 7:F0}/s, {1000.0 * time.Processors / float mentions, 7:F2} ms of processor each"

    printfn $"{what, -10} {names, 9} names {mentions, 6} mentions {time.Wall, 7:F2} s {rate}  {note}"

let private share hits count = $"{100.0 * float hits / float count:F2} %%"

let private wikimel folder =
    let dataset = DatasetReaders.Read folder
    let mentions = dataset.Mentions["dev"]
    let texts = mentions |> Seq.map _.Text |> Seq.distinct |> Array.ofSeq
    let names = FuzzyNames(NameList.Of dataset)

    for ranking in [ ExactRanking names :> ICandidateRanking; TrigramRanking names ] do
        let time, lists = timed ranking texts
        let listOf = Array.zip texts lists |> dict

        let hits =
            mentions
            |> Seq.filter (fun mention ->
                match mention.Gold with
                | Gold.Entity id -> Array.contains id listOf[mention.Text]
                | _ -> false)
            |> Seq.length

        row ranking.Method names.Count texts.Length time $"recall@100 of golds {share hits mentions.Count}"

/// First and last names of one to four syllables; of a million some thousand share a last name.
let generated (random: SeededRandom) count =
    let starts =
        [| "b"
           "br"
           "ch"
           "d"
           "f"
           "g"
           "gr"
           "h"
           "j"
           "k"
           "kl"
           "l"
           "m"
           "n"
           "p"
           "r"
           "s"
           "sch"
           "st"
           "t"
           "v"
           "w"
           "z" |]

    let vowels = [| "a"; "e"; "i"; "o"; "u"; "ai"; "ei"; "ou" |]
    let ends = [| ""; "n"; "r"; "s"; "l"; "t"; "ck"; "m" |]
    let pick (of': string[]) = of'[random.Next of'.Length]
    let word () = String.concat "" [ for _ in 0 .. random.Next 3 -> pick starts + pick vowels + pick ends ]
    let pool size = Array.init size (fun _ -> word ())
    let first, last = pool 4_000, pool 40_000
    Array.init count (fun _ -> $"{pick first} {pick last}")

/// A name with one letter left out, changed or doubled, or its last word alone.
let private noisy (random: SeededRandom) (name: string) =
    let at = random.Next name.Length

    match random.Next 4 with
    | 0 -> name.Remove(at, 1)
    | 1 -> name.Remove(at, 1).Insert(at, "e")
    | 2 -> name.Insert(at, string name[at])
    | _ -> name.Substring(name.IndexOf ' ' + 1)

let private million () =
    let random = SeededRandom 3L
    let all = generated random 1_000_000
    let watch = Stopwatch.StartNew()
    let names = FuzzyNames(NameList.Of(all |> Seq.mapi (fun at name -> struct (name, string at))))
    let golds = Array.init 1_000 (fun _ -> random.Next all.Length)
    let mentions = golds |> Array.map (fun gold -> noisy random all[gold])

    let measure (ranking: ICandidateRanking) what count =
        let time, lists = timed ranking (Array.truncate count mentions)

        let hits =
            Array.zip (Array.truncate count golds) lists
            |> Array.filter (fun (gold, list) -> Array.contains (string gold) list)

        row what names.Count count time $"recall@100 of noisy copies {share hits.Length count}"

    printfn $"{names.Count} names prepared in {watch.Elapsed.TotalSeconds:F1} s"

    for budget in [ TrigramRanking.Budget / 2; TrigramRanking.Budget; TrigramRanking.Budget * 2 ] do
        let watch = Stopwatch.StartNew()
        let ranking = TrigramRanking(names, budget)
        printfn $"index in {watch.Elapsed.TotalSeconds:F1} s"
        measure ranking $"{budget / 1000}k" mentions.Length
        measure ranking $"{budget / 1000}k" 60

    measure (ExactRanking names) "exact" 60

let run () =
    let folder = Fixtures.path "data/wikimel"

    if IO.Directory.Exists folder then
        wikimel folder
    else
        printfn "WikiMEL is not there: left out"

    million ()
