namespace Dwe.Model.Sampling

open System
open System.Collections.Generic
open System.Text

/// Numbered items with whole weights, e.g. the words of a document: one is drawn in proportion to its weight.
[<Struct>]
type internal Weighted =
    {
        /// Ascending.
        Items: int[]
        /// Sums of the weights up to each item, that included.
        Sums: int[]
    }

    member this.Total =
        if this.Sums.Length = 0 then
            0
        else
            this.Sums[this.Sums.Length - 1]

    /// The item at a place in [0, Total), every item standing in a row as often as it weighs.
    member this.At(place: int) =
        let found = Array.BinarySearch(this.Sums, place + 1)
        this.Items[if found >= 0 then found else ~~~found]

    static member OfPairs(pairs: struct (int * int)[]) =
        let pairs = pairs |> Array.filter (fun struct (_, weight) -> weight > 0)

        { Items = pairs |> Array.map (fun struct (item, _) -> item)
          Sums = pairs |> Array.map (fun struct (_, weight) -> weight) |> Array.scan (+) 0 |> Array.tail }

/// Words of entity descriptions with their TF-IDF weights, as the released code's sample_util.py has them by gensim.
type internal TfIdfTables =
    {
        Words: IReadOnlyDictionary<string, int>
        /// By document: its words, weighing int(100 w) where w is the word's TF-IDF in the document, of length 1. Words
        /// that weigh less than 0.01, or are in every document, are left out; nothing may be left.
        WordsOf: Weighted[]
        /// By word: the documents that have it, weighing as often as they have it.
        DocumentsOf: Weighted[]
    }

[<RequireQualifiedAccess>]
module internal TfIdf =

    /// Marks and labels of info boxes that are no words.
    let private stopWords =
        set
            [ ""
              "!"
              "\""
              "'"
              ","
              "."
              "/"
              ":"
              ";"
              "\\"
              "Alma"
              "Birth"
              "Languages"
              "mater"
              "Name"
              "Nick"
              "Occupation"
              "Religion"
              "Sex" ]

    /// The words of a description that count.
    let words (text: string) : string[] = WordTokens.ofText text |> Array.filter (stopWords.Contains >> not)

    /// Order of code points, in which Python sorts.
    let private byCodePoint =
        Comparer<string>.Create(fun left right ->
            let rec compare (left: Rune list) (right: Rune list) =
                match left, right with
                | [], [] -> 0
                | [], _ -> -1
                | _, [] -> 1
                | one :: others, other :: rest ->
                    match one.Value.CompareTo other.Value with
                    | 0 -> compare others rest
                    | order -> order

            let runes (text: string) = [ for rune in text.EnumerateRunes() -> rune ]

            // UTF-16 is in that order but for surrogates.
            if Seq.exists Char.IsSurrogate left || Seq.exists Char.IsSurrogate right then
                compare (runes left) (runes right)
            else
                String.CompareOrdinal(left, right))

    /// Tables of documents given by their words. New words get numbers document by document, in order inside of each.
    let tables (documents: string[][]) : TfIdfTables =
        let numbers = Dictionary<string, int>()

        let counted =
            documents
            |> Array.map (fun words ->
                let counts = words |> Array.countBy id
                let fresh = counts |> Array.map fst |> Array.filter (numbers.ContainsKey >> not)
                Array.Sort(fresh, byCodePoint)

                for word in fresh do
                    numbers[word] <- numbers.Count

                counts |> Array.map (fun (word, count) -> struct (numbers[word], count)) |> Array.sort)

        let holders = Array.init numbers.Count (fun _ -> ResizeArray<struct (int * int)>())

        counted
        |> Array.iteri (fun document words ->
            for struct (word, count) in words do
                holders[word].Add(struct (document, count)))

        let inverse = holders |> Array.map (fun own -> Math.Log2(float documents.Length / float own.Count))

        let weighted (words: struct (int * int)[]) =
            let weights =
                words
                |> Array.map (fun struct (word, count) -> struct (word, float count * inverse[word]))
                |> Array.filter (fun struct (_, weight) -> weight > 1e-12)

            let length = weights |> Array.sumBy (fun struct (_, weight) -> weight * weight) |> sqrt
            weights |> Array.map (fun struct (word, weight) -> struct (word, int (weight / length * 100.0)))

        { Words = numbers
          WordsOf = counted |> Array.map (weighted >> Weighted.OfPairs)
          DocumentsOf = holders |> Array.map (fun own -> Weighted.OfPairs(own.ToArray())) }
