namespace Dwe.Model.Linking

open System
open System.Numerics
open System.Runtime.InteropServices
open Dwe.Model.Lexical

/// The lexical unit's weights as plain numbers: the same bits for a pair whatever else is scored, in whatever order, on
/// however many threads.
type internal LexicalWeights =
    {
        /// exp of the matching scale.
        CosineFactor: float32
        /// [inputs; Width]: the hidden layer's weight, transposed and padded with zeros; input 0 is the cosine.
        Hidden: float32[]
        /// [Width]
        HiddenBias: float32[]
        /// [Width]
        Output: float32[]
        /// Hidden units, rounded up to whole vectors.
        Width: int
    }

[<RequireQualifiedAccess>]
module internal LexicalScoring =

    /// Weights from those of `DualWay`.
    ///
    /// hidden : [units; inputs] row-major, as a linear layer has them
    let weights (cosineFactor: float32) (hidden: float32[]) (bias: float32[]) (output: float32[]) =
        let units = bias.Length
        let inputs = hidden.Length / units
        let lanes = Vector<float32>.Count
        let width = (units + lanes - 1) / lanes * lanes
        let padded (values: float32[]) = Array.append values (Array.zeroCreate (width - units))

        { CosineFactor = cosineFactor
          Hidden =
            Array.init (inputs * width) (fun at ->
                let input, unit = at / width, at % width
                if unit < units then hidden[unit * inputs + input] else 0.0f)
          HiddenBias = padded bias
          Output = padded output
          Width = width }

    /// A hidden layer that takes no notice of the cosine: input 0 of every unit weighs nothing.
    ///
    /// hidden : [units; inputs] row-major
    let withoutCosine (units: int) (hidden: float32[]) =
        let inputs = hidden.Length / units
        hidden |> Array.mapi (fun at weight -> if at % inputs = 0 then 0.0f else weight)

    /// factor · cos + MLP([cos; features]).
    ///
    /// sums : [Width] to be written over
    let private score
        (weights: LexicalWeights)
        (cosine: float32)
        (features: ReadOnlySpan<float32>)
        (sums: Span<float32>)
        =
        weights.HiddenBias.AsSpan().CopyTo sums
        let sums = MemoryMarshal.Cast<float32, Vector<float32>> sums
        let rows = MemoryMarshal.Cast<float32, Vector<float32>>(weights.Hidden.AsSpan())
        let outputs = MemoryMarshal.Cast<float32, Vector<float32>>(weights.Output.AsSpan())
        let blocks = sums.Length

        for input in 0 .. features.Length do
            let value = if input = 0 then cosine else features[input - 1]

            if value <> 0.0f then
                let factor = Vector<float32> value

                for block in 0 .. blocks - 1 do
                    sums[block] <- Vector.FusedMultiplyAdd(factor, rows[input * blocks + block], sums[block])

        let mutable total = Vector<float32>.Zero

        for block in 0 .. blocks - 1 do
            total <- Vector.FusedMultiplyAdd(Vector.Max(sums[block], Vector<float32>.Zero), outputs[block], total)

        weights.CosineFactor * cosine + Vector.Sum total

    /// What a score is made of. A hidden unit at work is linear in its inputs, so the parts sum to the score:
    ///
    ///     score = (factor + Σ_h o_h w_h0) cos + Σ_j (Σ_h o_h w_hj) x_j + Σ_h o_h b_h,   over the h with w_h x + b_h > 0
    ///
    /// returns : [1 + features + 1] the factor on the cosine; what each feature adds; what is left
    let parts (weights: LexicalWeights) (cosine: float32) (features: float32[]) : float32[] =
        let inputs = Array.append [| cosine |] features
        let weight input unit = weights.Hidden[input * weights.Width + unit]

        let active =
            Array.init weights.Width (fun unit ->
                let sum = inputs |> Array.mapi (fun input value -> value * weight input unit) |> Array.sum

                if sum + weights.HiddenBias[unit] > 0.0f then
                    weights.Output[unit]
                else
                    0.0f)

        let slope input = active |> Array.mapi (fun unit output -> output * weight input unit) |> Array.sum

        [| for input in 0 .. inputs.Length - 1 do
               if input = 0 then
                   weights.CosineFactor + slope input
               else
                   slope input * inputs[input]
           Array.map2 (*) active weights.HiddenBias |> Array.sum |]

    /// Replaces the cosines of one mention with its entities by final scores.
    ///
    /// rows   : entity rows, -1 = padding, whose score is left as it is
    /// scores : the cosines, in the order of `rows`
    let rescore
        (lexicon: Lexicon)
        (weights: LexicalWeights)
        (mention: MentionWords)
        (rows: ReadOnlySpan<int>)
        (scores: Span<float32>)
        =
        let features = Array.zeroCreate<float32> PairFeatures.count
        let sums = Array.zeroCreate<float32> weights.Width

        for at in 0 .. rows.Length - 1 do
            if rows[at] >= 0 then
                PairFeatures.fill lexicon mention rows[at] (features.AsSpan())
                scores[at] <- score weights scores[at] (Span<float32>.op_Implicit (features.AsSpan())) (sums.AsSpan())
