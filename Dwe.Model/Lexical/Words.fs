namespace Dwe.Model.Lexical

open System
open System.Globalization
open System.Text

/// A word of a text as it stands there.
[<Struct>]
type internal Word =
    {
        /// Folded: see `Words.fold`.
        Text: string
        /// Where it begins and ends in the text, in UTF-16 units.
        Start: int
        End: int
        /// It begins with a capital letter.
        Capital: bool
    }

/// Words by which texts are compared: runs of letters and digits, in lower case, without marks on letters.
[<RequireQualifiedAccess>]
module internal Words =

    /// Letters that decompose into no base letter.
    let private spelled =
        dict [ 'ł', "l"; 'ø', "o"; 'đ', "d"; 'ð', "d"; 'þ', "th"; 'ß', "ss"; 'æ', "ae"; 'œ', "oe"; 'ı', "i" ]

    /// In lower case, without the marks of letters: `Škrtel` is `skrtel`, `Łódź` is `lodz`.
    let fold (text: string) : string =
        if Ascii.IsValid(text.AsSpan()) then
            text.ToLowerInvariant()
        else
            let folded = StringBuilder text.Length

            // Parted before it is lowered: İ has no lower case of its own.
            for letter in (text.Normalize NormalizationForm.FormD).ToLowerInvariant() do
                match spelled.TryGetValue letter with
                | true, spelling -> folded.Append spelling |> ignore
                | _ when CharUnicodeInfo.GetUnicodeCategory letter = UnicodeCategory.NonSpacingMark -> ()
                | _ -> folded.Append letter |> ignore

            folded.ToString().Normalize NormalizationForm.FormC

    // Surrogates are halves of letters of rare scripts.
    let private inWord (letter: char) =
        Char.IsLetterOrDigit letter
        || Char.IsSurrogate letter
        || CharUnicodeInfo.GetUnicodeCategory letter = UnicodeCategory.NonSpacingMark

    /// The words of a text, in its order.
    let ofText (text: string) : Word[] =
        let words = ResizeArray<Word>()
        let mutable at = 0

        while at < text.Length do
            if inWord text[at] then
                let start = at

                while at < text.Length && inWord text[at] do
                    at <- at + 1

                words.Add
                    { Text = fold (text.Substring(start, at - start))
                      Start = start
                      End = at
                      Capital = Char.IsUpper text[start] }
            else
                at <- at + 1

        words.ToArray()

    let textsOf (text: string) : string[] = ofText text |> Array.map _.Text

    /// Years a sentence may speak of: the words of four digits from 1000 to 2100.
    let years (words: string seq) : int[] =
        words
        |> Seq.choose (fun word ->
            if word.Length = 4 && Seq.forall Char.IsAsciiDigit word then
                Some(Int32.Parse(word, CultureInfo.InvariantCulture))
            else
                None)
        |> Seq.filter (fun year -> year >= 1000 && year <= 2100)
        |> Array.ofSeq
