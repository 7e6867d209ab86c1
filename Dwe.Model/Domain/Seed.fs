namespace Dwe.Model.Domain

/// Seeds derived from one run seed by purpose and index: adding a consumer never shifts the numbers of another, and a
/// resumed run needs no generator state, since whatever is drawn at step k depends on (seed, purpose, k) alone.
[<RequireQualifiedAccess>]
module Seed =

    /// SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection of 64-bit words.
    let mix (word: uint64) =
        let word = (word ^^^ (word >>> 30)) * 0xBF58476D1CE4E5B9UL
        let word = (word ^^^ (word >>> 27)) * 0x94D049BB133111EBUL
        word ^^^ (word >>> 31)

    let private golden = 0x9E3779B97F4A7C15UL

    /// FNV-1a over the UTF-16 units of the text.
    let private hashOf (text: string) =
        let mutable hash = 0xCBF29CE484222325UL

        for unit in text do
            hash <- (hash ^^^ uint64 unit) * 0x100000001B3UL

        hash

    /// A seed for one purpose and index, e.g. `derive seed "dropout" step`. Non-negative, as torch expects.
    let derive (seed: int64) (purpose: string) (index: int64) : int64 =
        let word = mix (uint64 seed + golden) ^^^ hashOf purpose
        let word = mix (word + golden * (uint64 index + 1UL))
        int64 (word >>> 1)

/// A stream of uniform numbers: SplitMix64 from one derived seed. Same seed, same numbers, on every platform.
[<Sealed; AllowNullLiteral>]
type SeededRandom(seed: int64) =
    let mutable state = uint64 seed

    member _.NextUInt64() : uint64 =
        state <- state + 0x9E3779B97F4A7C15UL
        Seed.mix state

    /// Uniform in [0, 1) with 53 bits.
    member this.NextDouble() : float = float (this.NextUInt64() >>> 11) / 9007199254740992.0

    /// Uniform in [0, bound), unbiased (Lemire 2019). Raises ArgumentException when bound < 1.
    member this.Next(bound: int) : int =
        if bound < 1 then
            invalidArg (nameof bound) $"bound is {bound}, expected at least 1"

        let range = uint64 bound
        let threshold = (0UL - range) % range
        let mutable low = 0UL
        let mutable high = System.Math.BigMul(this.NextUInt64(), range, &low)

        while low < threshold do
            high <- System.Math.BigMul(this.NextUInt64(), range, &low)

        int high

    /// Shuffles in place (Fisher-Yates, from the end).
    member this.Shuffle(items: 'Item[]) =
        for last in items.Length - 1 .. -1 .. 1 do
            let other = this.Next(last + 1)
            let kept = items[last]
            items[last] <- items[other]
            items[other] <- kept
