namespace Dwe.Model.Encoders

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Text

/// CLIP's byte-pair encoding (openai/CLIP clip/simple_tokenizer.py; Sennrich et al. 2016). Ids: 256 bytes, the same at a
/// word's end, the merges in their order, start mark, end mark. Pure and thread-safe.
[<Sealed>]
type internal BpeTokenizer private (merged: Dictionary<struct (int * int), int>, startMark: int) =
    static let byteCount = 256
    static let startText, endText = "<|startoftext|>", "<|endoftext|>"
    static let contractions = [ "'s"; "'t"; "'re"; "'ve"; "'m"; "'ll"; "'d" ]

    /// Bytes in the order of their ids: those that print, then the others.
    static let bytesById =
        let prints (value: int) = (value >= 33 && value <= 126) || (value >= 161 && value <> 173)
        Array.append (Array.filter prints [| 0..255 |]) (Array.filter (prints >> not) [| 0..255 |])

    static let idOfByte =
        let ids = Array.zeroCreate byteCount
        bytesById |> Array.iteri (fun id value -> ids[value] <- id)
        ids

    /// How the vocabulary writes a byte: itself if it prints, else the next free character from U+0100 on.
    static let symbolOf id =
        let value = bytesById[id]

        if id < 188 then
            string (char value)
        else
            string (char (256 + id - 188))

    // A word's ids do not change, and the same words come again and again; bounded, as the words of a corpus are not.
    let known = ConcurrentDictionary<string, int[]>()

    /// Symbols by id; pairs with the least id merge first, all their occurrences at once.
    let merge (word: string) =
        let bytes = Encoding.UTF8.GetBytes word
        let symbols = List<int>(bytes |> Array.map (fun value -> idOfByte[int value]))
        symbols[symbols.Count - 1] <- symbols[symbols.Count - 1] + byteCount

        let best () =
            let mutable least = Int32.MaxValue

            for i in 0 .. symbols.Count - 2 do
                match merged.TryGetValue(struct (symbols[i], symbols[i + 1])) with
                | true, id when id < least -> least <- id
                | _ -> ()

            least

        let mutable next = best ()

        while next < Int32.MaxValue do
            let mutable i = 0

            while i < symbols.Count - 1 do
                match merged.TryGetValue(struct (symbols[i], symbols[i + 1])) with
                | true, id when id = next ->
                    symbols[i] <- id
                    symbols.RemoveAt(i + 1)
                | _ -> ()

                i <- i + 1

            next <- best ()

        symbols.ToArray()

    let idsOf (token: string) =
        if token = startText then
            [| startMark |]
        elif token = endText then
            [| startMark + 1 |]
        else
            match known.TryGetValue token with
            | true, ids -> ids
            | false, _ ->
                let ids = merge token

                if known.Count < 100_000 then
                    known.TryAdd(token, ids) |> ignore

                ids

    /// Marks, contractions, runs of letters, single digits, runs of anything else but white space.
    static let split (text: string) =
        let runes = Array.ofSeq (text.EnumerateRunes())
        // Where each rune starts in the text.
        let places = runes |> Array.scan (fun place rune -> place + rune.Utf16SequenceLength) 0

        let runFrom at (belongs: Rune -> bool) =
            let mutable until = at

            while until < runes.Length && belongs runes[until] do
                until <- until + 1

            until

        let isNumber (rune: Rune) =
            match Rune.GetUnicodeCategory rune with
            | Globalization.UnicodeCategory.DecimalDigitNumber
            | Globalization.UnicodeCategory.LetterNumber
            | Globalization.UnicodeCategory.OtherNumber -> true
            | _ -> false

        let isOther rune = not (Rune.IsWhiteSpace rune || Rune.IsLetter rune || isNumber rune)

        let fixed' at =
            startText :: endText :: contractions
            |> List.tryFind (fun word -> String.CompareOrdinal(text, places[at], word, 0, word.Length) = 0)

        let rec from at found =
            if at = runes.Length then
                List.rev found
            else
                let until =
                    match fixed' at with
                    | Some word -> at + word.Length
                    | None when Rune.IsLetter runes[at] -> runFrom at Rune.IsLetter
                    | None when isNumber runes[at] -> at + 1
                    | None when Rune.IsWhiteSpace runes[at] -> at
                    | None -> runFrom at isOther

                if until = at then
                    from (at + 1) found
                else
                    from until (text.Substring(places[at], places[until] - places[at]) :: found)

        from 0 []

    /// Goes into an encoder's id: raise it when any text gets other ids.
    static member Version = "clip-bpe-1"

    /// Reads the merges of a vocabulary of `size` ids: lines `left right`, best first, of which the first size - 514 count.
    /// Error: the line that is none, or how many are missing.
    static member Create(size: int, merges: string seq) : Result<BpeTokenizer, string> =
        let wanted = size - 2 * byteCount - 2
        let ids = Dictionary<string, int>()

        for id in 0 .. byteCount - 1 do
            ids[symbolOf id] <- id
            ids[symbolOf id + "</w>"] <- id + byteCount

        let merged = Dictionary<struct (int * int), int>()
        let mutable problem = None

        for line in Seq.truncate (max 0 wanted) merges do
            if problem.IsNone then
                match line.Split ' ' with
                | [| left; right |] when ids.ContainsKey left && ids.ContainsKey right ->
                    let id = 2 * byteCount + merged.Count

                    if not (ids.TryAdd(left + right, id) && merged.TryAdd(struct (ids[left], ids[right]), id)) then
                        problem <- Some $"'{line}' twice"
                | _ -> problem <- Some $"'{line}'"

        match problem with
        | Some line -> Error line
        | None when wanted < 0 || merged.Count < wanted -> Error $"{merged.Count} merges for {size} ids"
        | None -> Ok(BpeTokenizer(merged, 2 * byteCount + wanted))

    /// The tokens of a cleaned text, before they are merged from bytes.
    static member Split(cleaned: string) : string list = split cleaned

    /// The ids of a text, without marks.
    member _.Ids(text: string) : int[] = PlainText.clean text |> split |> Seq.collect idsOf |> Array.ofSeq

    /// Start mark, ids, end mark; what does not fit into `context` is cut, the end mark is kept (`truncate=True`).
    member tokenizer.Row(context: int, text: string) : int[] =
        [| yield startMark; yield! Seq.truncate (context - 2) (tokenizer.Ids text); yield startMark + 1 |]
