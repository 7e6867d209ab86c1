module Dwe.Tests.Host.Retrieval.FuzzyTests

open System
open System.IO
open System.Text.Json
open Dwe.Host.Data
open Dwe.Host.Retrieval
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

/// The scores once more, in tables and loops over ASCII texts.
module private Slow =

    let lcs (left: string) (right: string) =
        let table = Array2D.zeroCreate (left.Length + 1) (right.Length + 1)

        for i in 1 .. left.Length do
            for j in 1 .. right.Length do
                table[i, j] <-
                    if left[i - 1] = right[j - 1] then
                        table[i - 1, j - 1] + 1
                    else
                        max table[i - 1, j] table[i, j - 1]

        table[left.Length, right.Length]

    let share left right = float (2 * lcs left right) / float (left.Length + right.Length)
    let percent (share: float) = int (Math.Round(100.0 * share, MidpointRounding.ToEven))

    /// 0 where one of the two is empty, 100 where they are equal.
    let guarded measure (left: string) (right: string) =
        if left = right then 100
        elif left = "" || right = "" then 0
        else measure left right

    let ratio = guarded (fun left right -> percent (share left right))

    /// Places of the pairs of equal letters on the path that is walked from the end of the edit table.
    let pairs (rows: string) (columns: string) =
        let mutable prefix = 0

        while prefix < min rows.Length columns.Length && rows[prefix] = columns[prefix] do
            prefix <- prefix + 1

        let left, right = rows.Substring prefix, columns.Substring prefix
        let mutable suffix = 0

        while suffix < min left.Length right.Length
              && left[left.Length - 1 - suffix] = right[right.Length - 1 - suffix] do
            suffix <- suffix + 1

        let left, right = left.Substring(0, left.Length - suffix), right.Substring(0, right.Length - suffix)

        let table =
            Array2D.init (left.Length + 1) (right.Length + 1) (fun i j ->
                if i = 0 then j
                elif j = 0 then i
                else 0)

        for i in 1 .. left.Length do
            for j in 1 .. right.Length do
                table[i, j] <-
                    List.min
                        [ table[i - 1, j] + 1
                          table[i, j - 1] + 1
                          table[i - 1, j - 1] + (if left[i - 1] = right[j - 1] then 0 else 1) ]

        let rec walk i j run found =
            let inserts = j > 0 && table[i, j] = table[i, j - 1] + 1
            let deletes = i > 0 && table[i, j] = table[i - 1, j] + 1

            if i = 0 && j = 0 then
                found
            elif run = 'i' && inserts then
                walk i (j - 1) 'i' found
            elif run = 'd' && deletes then
                walk (i - 1) j 'd' found
            elif i > 0 && j > 0 && left[i - 1] = right[j - 1] then
                walk (i - 1) (j - 1) ' ' ((i - 1 + prefix, j - 1 + prefix) :: found)
            elif i > 0 && j > 0 && table[i, j] = table[i - 1, j - 1] + 1 then
                walk (i - 1) (j - 1) ' ' found
            elif inserts then
                walk i (j - 1) 'i' found
            else
                walk (i - 1) j 'd' found

        [ for at in 0 .. prefix - 1 -> at, at ]
        @ walk left.Length right.Length ' ' []
        @ [ for at in 1..suffix -> rows.Length - at, columns.Length - at ]
        @ [ rows.Length, columns.Length ]

    let partial =
        guarded (fun left right ->
            let shorter, longer =
                if left.Length <= right.Length then
                    left, right
                else
                    right, left

            let shares =
                pairs shorter longer
                |> List.map (fun (x, y) ->
                    let start = max 0 (y - x)
                    share shorter (longer.Substring(start, min shorter.Length (longer.Length - start))))

            if List.exists (fun share -> share > 0.995) shares then
                100
            else
                percent (List.max shares))

    let words (text: string) = text.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray
    let joined (words: string list) = String.Join(" ", words)
    let sorted text = words text |> List.sortWith (fun left right -> String.CompareOrdinal(left, right)) |> joined

    let tokenSet measure left right =
        let left, right = set (words left), set (words right)

        let sorted words =
            words
            |> Set.toList
            |> List.sortWith (fun left right -> String.CompareOrdinal(left, right))
            |> joined

        let shared = sorted (Set.intersect left right)
        let withRest rest = (shared + " " + sorted rest).Trim()
        let one, other = withRest (left - right), withRest (right - left)
        List.max [ measure shared one; measure shared other; measure one other ]

    let weighted (left: string) (right: string) =
        if left = "" || right = "" then
            0
        else
            let longer, shorter = float (max left.Length right.Length), float (min left.Length right.Length)

            let scores =
                if longer / shorter < 1.5 then
                    [ float (ratio left right)
                      float (ratio (sorted left) (sorted right)) * 0.95
                      float (tokenSet ratio left right) * 0.95 ]
                else
                    let scale = if longer / shorter > 8.0 then 0.6 else 0.9

                    [ float (ratio left right)
                      float (partial left right) * scale
                      float (partial (sorted left) (sorted right)) * 0.95 * scale
                      float (tokenSet partial left right) * 0.95 * scale ]

            int (Math.Round(List.max scores, MidpointRounding.ToEven))

let private namesOf (names: string seq) =
    FuzzyNames(NameList.Of(names |> Seq.mapi (fun at name -> struct (name, $"Q{at}"))))

let private scoreOf (mention: string) (name: string) =
    let query = FuzzyQuery(namesOf [ name ])
    query.Set mention
    query.Score(0, 0)

/// Texts of few different letters, so that they have much in common, some of more than 64 letters.
let private text (random: SeededRandom) =
    let word () = String(Array.init (1 + random.Next 7) (fun _ -> "abcde"[random.Next 5]))

    let words =
        if random.Next 8 = 0 then
            14 + random.Next 6
        else
            1 + random.Next 4

    String.Join(" ", [ for _ in 1..words -> word () ])

let private ranked (names: FuzzyNames) top mention = (ExactRanking names).Ranker(top).Invoke mention |> List.ofArray

let private fixture =
    lazy
        use document =
            JsonDocument.Parse(File.ReadAllText(Fixtures.required "fixtures/reference/sampling/fuzzy.json"))

        document.RootElement.Clone()

let private texts (element: JsonElement) = [ for item in element.EnumerateArray() -> string (item.GetString()) ]

[<Tests>]
let tests =
    testList
        "fuzzy names"
        [ testCase "names are compared in lower case, without marks and without Latin-1 letters beyond ASCII"
          <| fun () ->
              let processed text = NameText.TextOf(NameText.Process text)
              Expect.equal (processed "O'Neal, Shaquille!") "o neal  shaquille" "marks become spaces"
              Expect.equal (processed "Zoë Saldaña") "zo saldaa" "Latin-1 letters are dropped"
              Expect.equal (processed "Łódź ½ 中国_1") "łdź  中国_1" "others are kept"
              Expect.equal (processed "ΟΔΟΣ ΣΑΣ") "οδος σας" "a word's last sigma"
              Expect.equal (processed "  !? ") "" "nothing is left"

          testCase "scores follow from the lengths of common subsequences"
          <| fun () ->
              // 2 · 5 / 9 letters: "abcd x" and "abcd" share 4, tokens sorted as well.
              Expect.equal (scoreOf "abcd" "abcd") 100 "equal"
              // Like length: 2 · 4 / 9 = 89.
              Expect.equal (scoreOf "abcd" "abcde") 89 "one letter more"
              // Twice as long: the shorter is found whole, 100 · 0.9.
              Expect.equal (scoreOf "bush" "jeb bush") 90 "a part"
              // Tokens in another order: 100 · 0.95.
              Expect.equal (scoreOf "prince harry" "Harry, Prince") 95 "order"
              // More than eight times as long: 100 · 0.6.
              Expect.equal (scoreOf "ab" "cccccc dddddd ab eeeeee") 60 "a small part"
              Expect.equal (scoreOf "abc" "xyz") 0 "nothing in common"
              Expect.equal (scoreOf "!!" "xyz") 0 "nothing to compare"

          testCase "the dot of a lowered İ is a space in mentions, as fuzzywuzzy has it"
          <| fun () -> Expect.equal (scoreOf "İsmet" "i smet") 100 "score"

          testCase "scores are those of tables and loops"
          <| fun () ->
              let random = SeededRandom 11L

              for _ in 1..2000 do
                  let mention, name = text random, text random
                  Expect.equal (scoreOf mention name) (Slow.weighted mention name) $"'{mention}' and '{name}'"

          testCase "no score is above its bound unless a token is shared"
          <| fun () ->
              let random = SeededRandom 12L
              let names = namesOf [ for _ in 1..400 -> text random ]
              let query = FuzzyQuery names

              for _ in 1..100 do
                  query.Set(text random)
                  let known = set query.KnownTokens

                  for name in 0 .. names.Count - 1 do
                      let shares = Seq.exists known.Contains (names.TokensOf(name).ToArray())

                      if not shares then
                          Expect.isLessThanOrEqual (query.Score(name, 0)) (query.Bound name) $"name {name}"

          testCase "the exact ranking is that of all scores, ties in the order of names"
          <| fun () ->
              let random = SeededRandom 13L
              let names = [| for _ in 1..500 -> text random |]
              let prepared = namesOf names

              for _ in 1..20 do
                  let mention = text random

                  let expected =
                      names
                      |> Array.indexed
                      |> Array.sortBy (fun (at, name) -> -(Slow.weighted mention name), at)
                      |> Array.truncate 20
                      |> Array.map (fun (at, _) -> $"Q{at}")
                      |> List.ofArray

                  Expect.equal (ranked prepared 20 mention) expected mention

          testCase "a mention of which nothing is left gets the first names"
          <| fun () -> Expect.equal (ranked (namesOf [ "b"; "a"; "c" ]) 2 "!!!") [ "Q0"; "Q1" ] "list"

          testCase "an entity found under two names is listed once, at its better place"
          <| fun () ->
              let names =
                  FuzzyNames(
                      NameList.Of
                          [ struct ("Barack Obama", "Q76")
                            struct ("Michelle Obama", "Q13133")
                            struct ("Obama", "Q76")
                            struct ("Obama, Fukui", "Q41773") ]
                  )

              Expect.equal (ranked names 3 "Obama") [ "Q76"; "Q13133"; "Q41773" ] "list"
              Expect.equal (ranked names 2 "Obama") [ "Q76"; "Q13133" ] "a shorter list is its beginning"

          testCase "homonyms are both listed"
          <| fun () ->
              let names =
                  FuzzyNames(
                      NameList.Of [ struct ("Chris Wood", "Q1"); struct ("Chris Wood", "Q2"); struct ("x", "Q3") ]
                  )

              Expect.equal (ranked names 2 "Wood") [ "Q1"; "Q2" ] "list"

          testCase "triples of letters find a name with one letter wrong"
          <| fun () ->
              let names = namesOf [ "Barack Obama"; "Angela Merkel"; "Emmanuel Macron"; "Mariano Rajoy" ]
              let found = (TrigramRanking names).Ranker(2).Invoke "Merkle"
              Expect.equal found[0] "Q1" "first"

          testCase "the lists of 21 mentions are those of fuzzywuzzy with python-Levenshtein, scores and order"
          <| fun () ->
              let root = fixture.Value
              let names = texts (root.GetProperty "names")
              let prepared = namesOf names
              let query = FuzzyQuery prepared
              let mentions = texts (root.GetProperty "mentions")
              Expect.hasLength mentions 21 "mentions"

              for mention in mentions do
                  query.Set mention

                  let expected =
                      [ for entry in
                            root.GetProperty("results").GetProperty("levenshtein").GetProperty(mention).EnumerateArray() ->
                            string (entry[0].GetString()), entry[1].GetInt32() ]

                  let found =
                      ranked prepared expected.Length mention
                      |> List.map (fun id ->
                          let at = int (id.Substring 1)
                          names[at], query.Score(at, 0))

                  Expect.equal found expected mention

          testCase "the scores of eight pairs are those of fuzzywuzzy with python-Levenshtein"
          <| fun () ->
              let pairs =
                  [ for pair in fixture.Value.GetProperty("pair_scores").GetProperty("levenshtein").EnumerateArray() ->
                        pair ]

              Expect.hasLength pairs 8 "pairs"

              for pair in pairs do
                  let left, right =
                      string (pair.GetProperty("a").GetString()), string (pair.GetProperty("b").GetString())

                  Expect.equal (scoreOf left right) (pair.GetProperty("WRatio").GetInt32()) $"{left}, {right}"

          testCase "the lists of 100 mentions of WikiMEL are the published ones"
          <| fun () ->
              let dataset = DatasetReaders.Read(Fixtures.required "data/wikimel")
              let mentions = dataset.Mentions["dev"] |> Seq.take 100 |> Array.ofSeq
              let published = CandidateFile.Read(Fixtures.path "data/wikimel/search_top100.json", mentions)
              let ranker = (ExactRanking(FuzzyNames(NameList.Of dataset))).Ranker 100

              for mention in mentions do
                  Expect.equal (ranker.Invoke mention.Text) published.Ids[mention.Key] mention.Text

          testCase "triples of letters find 97 of 100 golds that the exact ranking finds in WikiMEL"
          <| fun () ->
              let dataset = DatasetReaders.Read(Fixtures.required "data/wikimel")
              let mentions = dataset.Mentions["dev"] |> Seq.truncate 1000 |> Array.ofSeq
              let published = CandidateFile.Read(Fixtures.path "data/wikimel/search_top100.json", mentions)
              let ranker = (TrigramRanking(FuzzyNames(NameList.Of dataset))).Ranker 100

              let found (listOf: Mention -> string[]) =
                  mentions
                  |> Seq.filter (fun mention ->
                      match mention.Gold with
                      | Gold.Entity id -> Array.contains id (listOf mention)
                      | _ -> false)
                  |> Seq.length

              let exact = found (fun mention -> published.Ids[mention.Key])
              let quick = found (fun mention -> ranker.Invoke mention.Text)
              Expect.isGreaterThanOrEqual (float quick) (0.97 * float exact) $"{quick} of {exact}" ]
