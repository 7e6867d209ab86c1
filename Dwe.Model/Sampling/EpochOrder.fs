namespace Dwe.Model.Sampling

open Dwe.Model.Domain

/// In which order an epoch visits the training mentions, and the random negatives of a step.
[<RequireQualifiedAccess>]
module internal EpochOrder =

    /// A permutation of 0 .. count - 1 that depends on the seed and the epoch only, so any epoch can be resumed.
    let permutation (seed: int64) (epoch: int) (count: int) : int[] =
        let order = Array.init count id
        let random = SeededRandom(Seed.derive seed "epoch order" (int64 epoch))
        random.Shuffle order
        order

[<RequireQualifiedAccess>]
module internal RandomNegatives =

    /// One entity row per mention, uniform over all rows but the mention's gold; depends on the seed and the step only.
    ///
    /// golds   : gold row of each mention of the batch, -1 where it has none
    /// raises  : ArgumentException when there are fewer than two entities
    let draw (seed: int64) (step: int64) (entities: int) (golds: int64[]) : int64[] =
        if entities < 2 then
            invalidArg (nameof entities) $"there are {entities} entities, a negative needs at least 2"

        let random = SeededRandom(Seed.derive seed "negatives" step)

        golds
        |> Array.map (fun gold ->
            if gold < 0L then
                int64 (random.Next entities)
            else
                let drawn = int64 (random.Next(entities - 1))
                if drawn >= gold then drawn + 1L else drawn)
