namespace Dwe.Model.Lexical

open System
open System.Collections.Generic
open System.Numerics

/// A short text prepared for comparison with many others: where each letter stands in it, as bits. Of a longer text the
/// first 64 letters count.
[<Sealed>]
type internal LetterPattern(text: string) =
    let length = min 64 text.Length
    let ascii = Array.zeroCreate<uint64> 128
    let other = Dictionary<char, uint64>()

    do
        for at in 0 .. length - 1 do
            let letter, bit = text[at], 1UL <<< at

            if letter < '\128' then
                ascii[int letter] <- ascii[int letter] ||| bit
            else
                other[letter] <- other.GetValueOrDefault(letter, 0UL) ||| bit

    member _.Length = length

    /// Length of the longest common subsequence with another text's first 64 letters.
    ///
    /// source : Hyyrö 2004, one addition a letter
    member _.Common(text: string) : int =
        let mutable row = UInt64.MaxValue

        for at in 0 .. min 64 text.Length - 1 do
            let letter = text[at]

            let found =
                if letter < '\128' then
                    ascii[int letter]
                else
                    other.GetValueOrDefault(letter, 0UL)

            let matched = row &&& found
            row <- (row + matched) ||| (row - matched)

        BitOperations.PopCount(~~~row)

    /// 2 · common / (both lengths): 1 for equal texts, 0 where no letter is shared or both are empty.
    member pattern.Ratio(text: string) : float32 =
        let lengths = length + min 64 text.Length

        if lengths = 0 then
            0.0f
        else
            2.0f * float32 (pattern.Common text) / float32 lengths
