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

/// Seconds that all cores take for these mentions, and the lists.
let private timed (ranking: ICandidateRanking) (mentions: string[]) =
    let lists: string[][] = Array.zeroCreate mentions.Length
    let mutable next = -1
    let watch = Stopwatch.StartNew()

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

    watch.Elapsed.TotalSeconds, lists

let private row (what: string) names mentions (seconds: float) (note: string) =
    printfn
        $"{what, -10} {names, 9} names {mentions, 6} mentions {seconds, 7:F2} s {float mentions / seconds, 7:F0}/s  {note}"

let private share hits count = $"{100.0 * float hits / float count:F2} %%"

let private wikimel folder =
    let dataset = DatasetReaders.Read folder
    let mentions = dataset.Mentions["dev"]
    let texts = mentions |> Seq.map _.Text |> Seq.distinct |> Array.ofSeq
    let names = FuzzyNames(NameList.Of dataset)

    for ranking in [ ExactRanking names :> ICandidateRanking; TrigramRanking names ] do
        let seconds, lists = timed ranking texts
        let listOf = Array.zip texts lists |> dict

        let hits =
            mentions
            |> Seq.filter (fun mention ->
                match mention.Gold with
                | Gold.Entity id -> Array.contains id listOf[mention.Text]
                | _ -> false)
            |> Seq.length

        row ranking.Method names.Count texts.Length seconds $"recall@100 of golds {share hits mentions.Count}"

/// First and last names of one to four syllables; of a million some thousand share a last name.
let private generated (random: SeededRandom) count =
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
    let ranking = TrigramRanking names
    printfn $"index of 1,000,000 names: {watch.Elapsed.TotalSeconds:F1} s"
    let golds = Array.init 1_000 (fun _ -> random.Next all.Length)
    let seconds, lists = timed ranking (golds |> Array.map (fun gold -> noisy random all[gold]))
    let hits = Array.zip golds lists |> Array.filter (fun (gold, list) -> Array.contains (string gold) list)
    row ranking.Method names.Count golds.Length seconds $"recall@100 of noisy copies {share hits.Length golds.Length}"
    let some = golds |> Array.truncate 20 |> Array.map (fun gold -> noisy random all[gold])
    let seconds, exact = timed (ExactRanking names) some
    let _, quick = timed ranking some

    let common =
        Array.map2 (fun left right -> Set.intersect (set left) (set right) |> Set.count) exact quick
        |> Array.sum

    let listed = exact |> Array.sumBy Array.length
    row "exact" names.Count some.Length seconds $"of its lists, triples of letters have {share common listed}"

let run () =
    let folder = Fixtures.path "data/wikimel"

    if IO.Directory.Exists folder then
        wikimel folder
    else
        printfn "WikiMEL is not there: left out"

    million ()
