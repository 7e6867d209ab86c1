namespace Dwe.Model.Encoders

open System
open System.Globalization
open System.Net
open System.Text
open System.Text.RegularExpressions

/// Text as CLIP's tokenizer reads it (openai/CLIP clip/simple_tokenizer.py: `basic_clean`, `whitespace_clean`, lower case):
/// mended as ftfy 6 mends it by default, HTML characters resolved twice, white space collapsed, lower case.
[<RequireQualifiedAccess>]
module internal PlainText =

    let private regex pattern = Regex(pattern, RegexOptions.CultureInvariant ||| RegexOptions.Compiled)

    // --- characters written as HTML ---

    let private entity = regex @"&(#[0-9]{1,9};?|#[xX][0-9a-fA-F]{1,8};?|[A-Za-z][A-Za-z0-9]{1,31};?)"

    /// HTML reads the numbers 128 to 159 as Windows-1252.
    let private ofNumber (number: int64) =
        if number = 0L || (number >= 0xd800L && number <= 0xdfffL) || number > 0x10ffffL then
            "\ufffd"
        elif number >= 0x80L && number <= 0x9fL then
            Mojibake.fixControls (string (char number))
        elif number < 0x20L && number <> 9L && number <> 10L && number <> 12L && number <> 13L then
            ""
        elif number = 0x7fL || (number &&& 0xfffeL) = 0xfffeL then
            ""
        else
            Char.ConvertFromUtf32(int number)

    /// The character of a name of HTML 4, or nothing.
    let private ofName (name: string) =
        let whole = $"&{name};"
        let decoded = nonNull (WebUtility.HtmlDecode whole)
        if decoded = whole then None else Some decoded

    /// Names that HTML knows without a semicolon too: those of Latin-1, and & < > and the quotation mark.
    let private ofOldName (name: string) =
        match name with
        | "AMP"
        | "LT"
        | "GT"
        | "QUOT"
        | "COPY"
        | "REG" -> ofName (name.ToLowerInvariant())
        | "apos" -> None
        | _ -> ofName name |> Option.filter (fun decoded -> decoded.Length = 1 && decoded[0] <= '\u00ff')

    let private numbered (body: string) =
        if body.StartsWith("#x", StringComparison.OrdinalIgnoreCase) then
            ofNumber (Int64.Parse(body.Substring 2, NumberStyles.HexNumber, CultureInfo.InvariantCulture))
        else
            ofNumber (Int64.Parse(body.Substring 1, CultureInfo.InvariantCulture))

    /// A whole name, else the longest beginning that is an old one.
    let private named (found: string) =
        let name = found.Substring(1).TrimEnd ';'
        let whole = if found.EndsWith ';' then ofName name else None

        let beginning () =
            [ for length in name.Length .. -1 .. 2 -> name.Substring(0, length) ]
            |> List.tryPick (fun part ->
                ofOldName part |> Option.map (fun text -> text + found.Substring(part.Length + 1)))

        // A semicolon behind an old name belongs to it.
        let old () = if found.EndsWith ';' then ofOldName name else None

        whole |> Option.orElseWith old |> Option.orElseWith beginning |> Option.defaultValue found

    let private replaced (resolve: string -> string) (text: string) =
        if text.Contains '&' then
            entity.Replace(text, MatchEvaluator(fun found -> resolve found.Value))
        else
            text

    /// `&amp;`, `&amp`, `&#38;`, `&#x26;`: the names of HTML 4 and all numbers, once, as Python's `html.unescape`.
    let unescape (text: string) =
        replaced
            (fun found ->
                if found[1] = '#' then
                    numbered (found.Substring(1).TrimEnd ';')
                else
                    named found)
            text

    /// Only what ends in a semicolon, and names in capitals too (`&EACUTE;`), as ftfy.
    let private unescapeClosed (text: string) =
        let closed (found: string) =
            let body = found.Substring(1).TrimEnd ';'

            if not (found.EndsWith ';') then
                found
            elif body[0] = '#' then
                numbered body
            else
                let capital () =
                    if body = body.ToUpperInvariant() then
                        ofName (body.ToLowerInvariant()) |> Option.map _.ToUpperInvariant()
                    else
                        None

                ofName body |> Option.orElseWith capital |> Option.defaultValue found

        replaced closed text

    // --- what ftfy mends ---

    let private terminalEscape = regex "\u001b\\[[0-9;]*[a-zA-Z]"
    let private lineBreak = regex "\r\n|[\r\u0085\u2028\u2029]"
    let private control = regex "[\u0000-\u0008\u000b\u000e-\u001f\u007f\u206a-\u206f\ufeff\ufff9-\ufffc]"
    let private singleQuote = regex "[\u02bc\u2018-\u201b]"
    let private doubleQuote = regex "[\u201c-\u201f]"
    let private joined = regex "[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06]"
    let private wide = regex "[\u3000\uff01-\uffef]"

    /// The letters that a ligature joins. Compatibility decomposition, but composed: Ǆ is D and Ž.
    let private apart (found: Match) = found.Value.Normalize NormalizationForm.FormKC

    /// Half surrogate pairs are no characters.
    let private wellFormed (text: string) =
        if String.exists Char.IsSurrogate text then
            String.Concat(text.EnumerateRunes())
        else
            text

    let private mendOnce (unescaping: bool) (text: string) =
        let text = if unescaping then unescapeClosed text else text
        let text = text |> Mojibake.fix |> Mojibake.fixControls
        let text = joined.Replace(text, MatchEvaluator apart)
        let text = wide.Replace(text, MatchEvaluator apart)
        let text = singleQuote.Replace(text, "'")
        let text = doubleQuote.Replace(text, "\"")
        let text = lineBreak.Replace(text, "\n")
        let text = terminalEscape.Replace(wellFormed text, "")
        control.Replace(text, "").Normalize NormalizationForm.FormC

    let rec private mendLine unescaping text =
        let mended = mendOnce unescaping text
        if mended = text then text else mendLine unescaping mended

    /// Line by line, until nothing changes. From the first line with a `<` on, HTML characters are left as they are.
    let mend (text: string) =
        let mutable unescaping = true

        [ for line in text.Split '\n' do
              if line.Contains '<' then
                  unescaping <- false

              mendLine unescaping (wellFormed line) ]
        |> String.concat "\n"

    // --- lower case ---

    let private cased = @"\p{Lu}\p{Ll}\p{Lt}"
    let private ignorable = @"[\p{Mn}\p{Me}\p{Cf}\p{Lm}\p{Sk}'.:\u00b7\u2019]*"

    /// A capital sigma that ends a word.
    let private finalSigma = regex $@"(?<=[{cased}]{ignorable})\u03a3(?!{ignorable}[{cased}])"

    /// Unicode's full lower case: as `ToLowerInvariant`, but a sigma at a word's end is ς and İ keeps its dot.
    let private lower (text: string) =
        let text =
            if text.Contains '\u03a3' then
                finalSigma.Replace(text, "\u03c2")
            else
                text

        text.Replace("\u0130", "i\u0307").ToLowerInvariant()

    let private whiteSpace = regex @"[\s\u001c-\u001f]+"

    /// The text that is cut into tokens.
    let clean (text: string) : string =
        let plain = text |> mend |> unescape |> unescape
        whiteSpace.Replace(plain, " ").Trim ' ' |> lower
