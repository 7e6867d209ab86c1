namespace Dwe.Model.Layers

open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Tensors

/// Multi-head attention in which every row asks one query. The functions share their weights.
type internal Attention =
    {
        /// query [batch; d], keys [batch; r; d] -> [batch; d]; the zero vector where no key is present.
        Over: Tensor -> Masked -> Tensor
        /// The same over one key that is always present: key [batch; d] -> [batch; d]. The query cannot matter.
        OverOne: Tensor -> Tensor
        /// `Over` the keys and `OverOne` of a single key at once, which sends both through the output weights in one
        /// product: query [batch; d], keys [batch; r; d], single [batch; d].
        Both: Tensor -> Masked -> Tensor -> Tensor * Tensor
        /// query [batch; d], keys [batch; r; d] -> [batch; heads; r]: how much of each key is read; a row without
        /// keys reads nothing.
        Weights: Tensor -> Masked -> Tensor
        /// query [batch; d], keys [batch; r; d] -> [batch; r; d]: what each key brings; they sum to `Over`, an absent one
        /// brings 0. Costs a product a key.
        Each: Tensor -> Masked -> Tensor
    }

[<RequireQualifiedAccess>]
module internal Attention =

    /// Multi-head attention, one query per row, h heads of size c = d / h:
    ///
    ///     p_hr = softmax_r((W_Q,h q + b_Q,h) · W_K,h k_r / √c)   over the present r
    ///     out  = W_O concat_h(W_V,h Σ_r p_hr k_r + b_V,h) + b_O   or 0 when nothing is present
    ///
    /// No key or value is projected: the query goes through the key weights and the sum through the value weights, which
    /// costs 8 d² per row where the textbook form costs (4 + 4 r) d². A key bias would add the same number to all scores
    /// of a head, which the softmax cancels; so there is none. The value bias is added once as the weights sum to 1.
    ///
    /// raises : ArgumentException when `heads` does not divide `size`, or shapes do not fit
    /// see    : the loop implementation in AttentionTests
    let multiHead (size: int) (heads: int) : Layer<Attention> =
        if heads < 1 || size % heads <> 0 then
            invalidArg (nameof heads) $"{heads} heads do not divide {size}"

        fun registry ->
            let width = int64 (size / heads)
            let heads, size = int64 heads, int64 size
            // As torch.nn.MultiheadAttention starts: Glorot over the three input projections together, biases 0.
            let glorot = Uniform(sqrt (6.0 / float (4L * size)))
            let weight name = registry.Nest(name).Parameter("weight", [ size; size ], glorot)
            let bias name = registry.Nest(name).Parameter("bias", [ size ], Constant 0.0)
            let query, queryBias = weight "query", bias "query"
            let key = weight "key"
            let value, valueBias = weight "value", bias "value"
            let outputBound = Uniform(1.0 / sqrt (float size))
            let output = registry.Nest("output").Parameter("weight", [ size; size ], outputBound)
            let outputBias = bias "output"
            let operand = Precision.operand registry.Precision
            let result = Precision.result registry.Precision

            let through (weight: Tensor) (bias: Tensor) (input: Tensor) =
                torch.nn.functional.linear (operand input, operand weight, operand bias)

            let check asking (keys: Masked) =
                Shape.is [ -1L; size ] (nameof asking) asking
                let rows = Shape.size 0 asking
                Shape.is [ rows; -1L; size ] (nameof keys) keys.Values
                Shape.is [ rows; Shape.size 1 keys.Values ] "keys present" keys.Present

            // [batch; heads; r] and the keys as operand of a product.
            let weights (asking: Tensor) (keys: Masked) =
                check asking keys
                let rows = Shape.size 0 asking
                let keyed = operand keys.Values
                let perHead = (through query queryBias asking).view(rows, heads, width).transpose (0L, 1L)
                // Contiguous, here and in `read`: products of transposed views cost 0.2 and 0.6 ms more, mostly backward.
                let perKeyHead = torch.bmm (perHead, (operand key).view (heads, width, size))
                let throughKeys = perKeyHead.transpose(0L, 1L).contiguous ()
                let scores = result (torch.matmul (throughKeys, keyed.transpose (1L, 2L)))
                let absent = keys.Present.logical_not().unsqueeze 1L
                let scaled = scores * Numbers.scalar (1.0 / sqrt (float width))
                // A finite fill: a row without keys stays free of NaN, and its gate is closed below.
                let shares = scaled.masked_fill(absent, Numbers.scalar -1e30).softmax -1L
                shares.masked_fill (absent, Numbers.scalar 0.0), keyed

            // What is read of the keys, and 1 where there was one, both before the output weights.
            let read (valueWeight: Tensor) asking keys =
                let shares, keyed = weights asking keys
                let rows = Shape.size 0 asking
                let summed = torch.matmul(operand shares, keyed).transpose(0L, 1L).contiguous ()
                let perHead = valueWeight.view(heads, width, size).transpose (1L, 2L)
                let values = torch.bmm(summed, perHead).transpose(0L, 1L).reshape (rows, size)
                Numbers.plus values (operand valueBias), keys.Present.any (1L, keepdim = true)

            let readOne (valueWeight: Tensor) (single: Tensor) =
                Shape.is [ -1L; size ] (nameof single) single
                torch.nn.functional.linear (operand single, valueWeight, operand valueBias)

            let gated (gate: Tensor) (rows: Tensor) = rows * gate.``to`` rows.dtype
            let out read = result (through output outputBias read)

            let over asking keys =
                let values, gate = read (operand value) asking keys
                gated gate (out values)

            let both asking keys single =
                let valueWeight = operand value
                let values, gate = read valueWeight asking keys
                let outs = (out (torch.cat ([| values; readOne valueWeight single |], 0L))).chunk (2L, 0L)
                gated gate outs[0], outs[1]

            // The weights of a head sum to 1, so its biases are shared out by them.
            let each asking (keys: Masked) =
                let shares, keyed = weights asking keys
                let rows, count = Shape.size 0 asking, Shape.size 1 keys.Values
                let perHead = (result (through value valueBias keyed)).view (rows, count, heads, width)
                let read = (perHead * shares.transpose(1L, 2L).unsqueeze -1L).reshape (rows, count, size)
                let brought = result (torch.nn.functional.linear (operand read, operand output))
                Numbers.plus brought (shares.mean([| 1L |]).unsqueeze -1L * outputBias)

            { Over = over
              OverOne = fun single -> out (readOne (operand value) single)
              Both = both
              Weights = fun asking keys -> fst (weights asking keys)
              Each = each }
