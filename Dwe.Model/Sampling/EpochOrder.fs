namespace Dwe.Model.Sampling

open Dwe.Model.Domain

/// In which order an epoch visits the training mentions.
[<RequireQualifiedAccess>]
module internal EpochOrder =

    /// A permutation of 0 .. count - 1 that depends on the seed and the epoch only, so any epoch can be resumed.
    let permutation (seed: int64) (epoch: int) (count: int) : int[] =
        let order = Array.init count id
        let random = SeededRandom(Seed.derive seed "epoch order" (int64 epoch))
        random.Shuffle order
        order
