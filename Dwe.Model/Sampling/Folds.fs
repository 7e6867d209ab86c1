namespace Dwe.Model.Sampling

open System.Collections.Generic
open Dwe.Model.Domain

/// How training mentions are divided for cross-validation.
[<RequireQualifiedAccess>]
module internal Folds =

    /// The part of each item, 0 .. parts - 1: items of one group are in one part, groups are dealt out in an order that the
    /// seed decides, each to the part that has the fewest items then.
    ///
    /// groups : [items], what must not be divided, e.g. the sentence
    /// raises : ArgumentException when parts < 2 or there are fewer groups than parts
    let divide (seed: int64) (parts: int) (groups: string[]) : int[] =
        let sizes = groups |> Array.countBy id

        if parts < 2 then
            invalidArg (nameof parts) $"parts is {parts}, expected at least 2"

        if sizes.Length < parts then
            invalidArg (nameof groups) $"{sizes.Length} groups, expected at least one for each of {parts} parts"

        (SeededRandom(Seed.derive seed "folds" 0L)).Shuffle sizes
        let filled = Array.zeroCreate<int> parts
        let partOf = Dictionary<string, int>()

        for group, size in sizes do
            let least = filled |> Array.indexed |> Array.minBy snd |> fst
            partOf[group] <- least
            filled[least] <- filled[least] + size

        groups |> Array.map (fun group -> partOf[group])
