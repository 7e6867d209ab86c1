namespace Dwe.Model.Encoders

open System
open System.Text

/// Undoes the commonest damage of text: UTF-8 that was read as Latin-1 or Windows-1252, once or several times. The purpose
/// and the order of attempts are those of ftfy 6 (`fix_encoding`); the test for damage is our own: what reads as one or more
/// well-formed UTF-8 sequences and, of the sequences of two, looks like no writing. Other code pages are left alone.
[<RequireQualifiedAccess>]
module internal Mojibake =

    /// Windows-1252's characters of the bytes 0x80 to 0x9f; the five that it leaves open stay control characters.
    let private windows =
        "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f"
        + "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178"

    /// The byte that a character was, or -1.
    let private byteOf (character: char) =
        if character <= '\u00ff' then
            int character
        else
            match windows.IndexOf character with
            | -1 -> -1
            | place -> 0x80 + place

    /// A lone C1 control character means the Windows-1252 character of that byte.
    let fixControls (text: string) =
        String.map
            (fun character ->
                if character >= '\u0080' && character <= '\u009f' then
                    windows[int character - 0x80]
                else
                    character)
            text

    let private strict = UTF8Encoding(false, true)

    let private tryDecode (bytes: byte[]) =
        try
            Some(strict.GetString bytes)
        with :? DecoderFallbackException ->
            None

    /// The length of the sequence that a first byte announces; 0 where it announces none.
    let private announced lead =
        if lead >= 0xc2 && lead <= 0xdf then 2
        elif lead >= 0xe0 && lead <= 0xef then 3
        elif lead >= 0xf0 && lead <= 0xf4 then 4
        else 0

    /// The length of the UTF-8 sequence that these characters' bytes form from `at` on; 0 where they form none.
    let private sequence (bytes: int[]) (at: int) =
        let length = announced bytes[at]

        if length = 0 || at + length > bytes.Length then
            0
        else
            let part = bytes[at .. at + length - 1]
            let continues = part |> Array.skip 1 |> Array.forall (fun value -> value >= 0x80 && value <= 0xbf)

            if continues && (tryDecode (Array.map byte part)).IsSome then
                length
            else
                0

    /// Continuations that no writing puts behind an accented capital letter: fractions, superscripts, bare accents.
    let private oddBehind =
        set
            [ 0x83
              0x86
              0x87
              0x88
              0x89
              0x98
              0xa4
              0xa6
              0xa8
              0xac
              0xaf
              0xb1
              0xb2
              0xb3
              0xb5
              0xb8
              0xb9
              0xaa
              0xba
              0xbc
              0xbd
              0xbe ]

    /// A sequence of two is believed to be damage when it starts as Latin letters do in UTF-8 (Â, Ã), holds a control
    /// character, a sign that stands alone elsewhere, or stands between letters or beside its like.
    let private isDamage (text: string) (bytes: int[]) at length =
        let lead, second = bytes[at], bytes[at + 1]
        let isLetter place = place >= 0 && place < text.Length && Char.IsLetterOrDigit text[place]
        let besideLike = at + 3 < bytes.Length && sequence bytes (at + 2) > 0
        let lower = at > 0 && Char.IsLower text[at - 1]

        length > 2
        || lead = 0xc2
        || lead = 0xc3
        || Char.IsControl text[at + 1]
        || oddBehind.Contains second
        || besideLike
        || (lower && isLetter (at + 2))

    /// Where the sequences are, as (place, length).
    let private sequences (bytes: int[]) =
        let rec from at found =
            if at >= bytes.Length then
                List.rev found
            else
                match (if bytes[at] < 0xc2 then 0 else sequence bytes at) with
                | 0 -> from (at + 1) found
                | length -> from (at + length) ((at, length) :: found)

        from 0 []

    let private decodeRuns (text: string) (bytes: int[]) found =
        let target = StringBuilder()
        let mutable next = 0

        for at, length in found do
            target.Append(text, next, at - next) |> ignore
            target.Append(strict.GetString(Array.map byte bytes[at .. at + length - 1])) |> ignore
            next <- at + length

        target.Append(text, next, text.Length - next).ToString()

    /// One layer of damage taken off; the text itself where there is none.
    let private once (text: string) =
        let bytes = Array.map byteOf (text.ToCharArray())
        let found = sequences bytes

        if not (found |> List.exists (fun (at, length) -> isDamage text bytes at length)) then
            text
        else
            // The whole text if it reads as UTF-8, else the runs that do.
            let whole =
                if Array.contains -1 bytes then
                    None
                else
                    tryDecode (Array.map byte bytes)

            whole |> Option.defaultWith (fun () -> decodeRuns text bytes found)

    /// The text without the damage.
    let rec fix (text: string) : string =
        if String.forall Char.IsAscii text then
            text
        else
            let fixed' = once text
            if fixed' = text then text else fix fixed'
