namespace Dwe.Model.Sampling

open System
open System.Text

/// Words and marks of an English text after the conventions of the Penn Treebank, as nltk's `word_tokenize` gives them:
/// sentences first, since only a sentence's last full stop is a word of its own, then the words. Case is kept.
///
/// Where a sentence ends nltk asks a trained model. Here a word with a full stop ends one unless it is a known
/// abbreviation, an initial, or initials with stops in between (`U.S.`).
[<RequireQualifiedAccess>]
module internal WordTokens =

    let private abbreviations =
        set
            [ "mr"
              "mrs"
              "ms"
              "dr"
              "st"
              "prof"
              "gen"
              "col"
              "lt"
              "sen"
              "rep"
              "gov"
              "capt"
              "sgt"
              "jr"
              "sr"
              "inc"
              "corp"
              "co"
              "ltd"
              "vs"
              "jan"
              "feb"
              "aug"
              "sept"
              "oct"
              "nov"
              "dec" ]

    let private closers = "\"')]}»”’"
    let private brackets = "()[]{}<>"
    let private alone = ";@#$%&?!«“‘„»”’"

    /// Contractions that end a word, and words that are two: how many letters belong to the first.
    let private endings = [ "'s"; "'m"; "'d"; "'ll"; "'re"; "'ve"; "n't" ]

    let private fused =
        Map
            [ "cannot", 3
              "gimme", 3
              "gonna", 3
              "gotta", 3
              "lemme", 3
              "wanna", 3
              "d'ye", 1
              "more'n", 4
              "'tis", 2
              "'twas", 2 ]

    let private isInitials (word: string) =
        word <> "e.g"
        && word.Split '.' |> Array.forall (fun part -> part.Length = 1 && Char.IsLetter part[0])

    /// Whether a sentence ends after this word, which another follows.
    let private endsSentence (word: string) (next: string) =
        let core = word.TrimEnd(closers.ToCharArray())

        if core.EndsWith '?' || core.EndsWith '!' then
            true
        elif core.EndsWith("...", StringComparison.Ordinal) then
            Char.IsUpper next[0]
        elif core.EndsWith '.' then
            let word = core.Substring(0, core.Length - 1).TrimStart('(', '"', '\'', '[', '{').ToLowerInvariant()
            not (abbreviations.Contains word || isInitials word)
        else
            false

    /// The stretches of a word between marks that stand alone, and those marks, in order.
    let private pieces (word: string) (isLast: bool) : string list =
        let found = ResizeArray<string>()
        let open' = StringBuilder()

        let close () =
            if open'.Length > 0 then
                found.Add(open'.ToString())
                open'.Clear() |> ignore

        let mark (text: string) =
            close ()
            found.Add text

        // The sentence's last full stop, with nothing but closing marks after it; of several in a row none is the last.
        let lastStop =
            let core = word.TrimEnd(closers.ToCharArray())

            if
                isLast
                && core.EndsWith '.'
                && not (core.EndsWith("..", StringComparison.Ordinal))
                && core.Length > 1
            then
                core.Length - 1
            else
                -1

        let runOf (symbol: char) at =
            let mutable stop = at

            while stop < word.Length && word[stop] = symbol do
                stop <- stop + 1

            stop - at

        let mutable at = 0

        while at < word.Length do
            let symbol = word[at]
            let run = runOf symbol at

            let taken =
                if at = lastStop then
                    mark "."
                    1
                elif (symbol = '.' && run > 1) || symbol = '`' then
                    mark (word.Substring(at, run))
                    run
                elif symbol = '-' && run > 1 then
                    mark "--"
                    2
                elif symbol = '"' then
                    mark (
                        if at = 0 || "([{<".Contains word[at - 1] then
                            "``"
                        else
                            "''"
                    )

                    1
                elif symbol = '\'' && run > 1 then
                    mark "''"
                    2
                elif brackets.Contains symbol || alone.Contains symbol then
                    mark (string symbol)
                    1
                elif (symbol = ':' || symbol = ',') && not (at + 1 < word.Length && Char.IsDigit word[at + 1]) then
                    mark (string symbol)
                    1
                else
                    open'.Append symbol |> ignore
                    1

            at <- at + taken

        close ()
        List.ofSeq found

    /// `isn't` is two words, `'single'` has a mark at its end, `cannot` is two words.
    let rec private contracted (piece: string) : string list =
        let lower = piece.ToLowerInvariant()

        match Map.tryFind lower fused with
        | Some first -> [ piece.Substring(0, first); piece.Substring first ]
        | None ->
            match
                endings
                |> List.tryFind (fun ending ->
                    lower.EndsWith(ending, StringComparison.Ordinal) && piece.Length > ending.Length)
            with
            | Some ending ->
                [ piece.Substring(0, piece.Length - ending.Length); piece.Substring(piece.Length - ending.Length) ]
            | None when piece.Length > 1 && piece.EndsWith '\'' && piece[piece.Length - 2] <> '\'' ->
                contracted (piece.Substring(0, piece.Length - 1)) @ [ "'" ]
            | None -> [ piece ]

    /// The tokens of a text, in order.
    let ofText (text: string) : string[] =
        let words = text.Split(Array.empty<char>, StringSplitOptions.RemoveEmptyEntries)

        [| for at in 0 .. words.Length - 1 do
               let isLast = at = words.Length - 1 || endsSentence words[at] words[at + 1]

               for piece in pieces words[at] isLast do
                   yield! contracted piece |]
