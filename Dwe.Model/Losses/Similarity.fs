namespace Dwe.Model.Losses

open TorchSharp
open Dwe.Model.Tensors

/// By what two embeddings are compared, in training and in ranking alike.
[<RequireQualifiedAccess>]
type Similarity =
    | Dot
    /// Dot product of the directions; 0 where one of the two is the zero vector.
    | Cosine

/// Similarities of rows. Nothing broadcasts: every shape is checked, so a wrong one is an error and not a wrong number.
[<RequireQualifiedAccess>]
module internal Similarity =

    /// Squared lengths below this count as this. The square is bounded and not the root: the root's slope at 0 is infinite
    /// and would turn the gradient of a zero vector into NaN. With the bound that gradient is at most 1/√1e-12 = 1e6.
    let squaredFloor = 1e-12

    let private squaredNorm (rows: Tensor) = (rows * rows).sum (-1L, keepdim = true)

    /// x / max(|x|, 1e-6) along the last axis.  [..., dim] -> [..., dim]; the zero vector stays zero.
    let direction (rows: Tensor) : Tensor = rows / (squaredNorm rows).clamp_min(Numbers.scalar squaredFloor).sqrt ()

    let private inverseLength (rows: Tensor) = (squaredNorm rows).clamp_min(Numbers.scalar squaredFloor).rsqrt ()

    let private prepare similarity (rows: Tensor) =
        match similarity with
        | Similarity.Dot -> rows
        | Similarity.Cosine -> direction rows

    /// Row by row.
    ///
    ///     s_i = a_i · b_i, of the directions for Cosine
    ///
    /// left, right : [..., dim], same shape
    /// returns     : [...]
    /// raises      : ArgumentException when the shapes differ
    /// see         : `matrix` (every row with every row), `each` (every row with its own items)
    let pairs similarity (left: Tensor) (right: Tensor) : Tensor =
        Shape.same (nameof right) right (nameof left) left
        (prepare similarity left * prepare similarity right).sum -1L

    /// Every query with every item.
    ///
    ///     s_ij = q_i · e_j, of the directions for Cosine
    ///
    /// query   : [batch; dim]
    /// items   : [count; dim], shared by all queries
    /// returns : [batch; count]; one product of matrices, never a [batch; count; dim] in between
    /// raises  : ArgumentException when an axis is missing or empty, or the dims differ
    let matrix similarity (query: Tensor) (items: Tensor) : Tensor =
        Shape.is [ -1L; -1L ] (nameof query) query
        Shape.is [ -1L; -1L ] (nameof items) items

        if Shape.size -1 query <> Shape.size -1 items then
            invalidArg (nameof items) $"items is {Shape.describe items} but query is {Shape.describe query}"

        let products = torch.matmul (query, items.transpose (0L, 1L))

        match similarity with
        | Similarity.Dot -> products
        // The products are divided and not the rows: fewer passes over [batch; dim], above all backward.
        | Similarity.Cosine -> products * inverseLength query * (inverseLength items).transpose (0L, 1L)

    /// Every query with its own items.
    ///
    ///     s_ij = q_i · e_ij, of the directions for Cosine
    ///
    /// query   : [batch; dim]
    /// items   : [batch; count; dim]
    /// returns : [batch; count], also where batch or count is 1
    /// raises  : ArgumentException when an axis is missing or empty, or batch or dim differ
    let each similarity (query: Tensor) (items: Tensor) : Tensor =
        Shape.is [ -1L; -1L ] (nameof query) query
        Shape.is [ -1L; -1L; -1L ] (nameof items) items

        if Shape.size 0 query <> Shape.size 0 items || Shape.size -1 query <> Shape.size -1 items then
            invalidArg (nameof items) $"items is {Shape.describe items} but query is {Shape.describe query}"

        torch.matmul(prepare similarity items, (prepare similarity query).unsqueeze -1L).squeeze -1L

    /// The published triplet's cosine, which shrinks short vectors.
    ///
    ///     s_i = a_i · b_i / (|a_i| |b_i| + shrink)
    ///
    /// left, right : [..., dim], same shape
    /// returns     : [...]
    /// raises      : ArgumentException when the shapes differ
    /// source      : the published `cos_sim_batch`, shrink = 1e-5; there the gradient of a zero vector is NaN, here finite
    /// see         : `pairs Similarity.Cosine`, whose result does not depend on lengths
    let shrunkCosine (shrink: float) (left: Tensor) (right: Tensor) : Tensor =
        Shape.same (nameof right) right (nameof left) left
        let length (rows: Tensor) = ((rows * rows).sum -1L).clamp_min(Numbers.scalar squaredFloor).sqrt ()
        (left * right).sum -1L / (length left * length right |> Numbers.plusNumber shrink)

    /// The length of a vector, or the distance of two when given their difference.
    ///
    ///     (Σ_d |x_d|^p)^(1/p)
    ///
    /// power, rows : p >= 1; [..., dim]
    /// returns     : [...]; 0 with zero gradient at the zero vector
    /// raises      : ArgumentException when p < 1
    /// see         : `signedPowerRoot`, which is what the published code computes
    let lpNorm (power: float) (rows: Tensor) : Tensor =
        if not (power >= 1.0) then
            invalidArg (nameof power) $"power is {power}, expected at least 1"

        let sum = (rows.abs().pow (Numbers.scalar power)).sum -1L
        let isZero = sum.eq (Numbers.scalar 0.0)
        // The root is taken of 1 where the sum is 0, so that no infinite slope meets the zero of the mask.
        sum
            .masked_fill(isZero, Numbers.scalar 1.0)
            .pow(Numbers.scalar (1.0 / power))
            .masked_fill (isZero, Numbers.scalar 0.0)

    /// The published `lp_distance`, for parity only: without the absolute value, so for odd p a sum of signed powers, and
    /// NaN where p > 1 and that sum is negative.
    ///
    ///     (Σ_d x_d^p)^(1/p)
    ///
    /// power, rows : p >= 1; [..., dim]
    /// returns     : [...]
    let signedPowerRoot (power: int) (rows: Tensor) : Tensor =
        if power < 1 then
            invalidArg (nameof power) $"power is {power}, expected at least 1"

        ((rows.pow (Numbers.scalar (float power))).sum -1L).pow (Numbers.scalar (1.0 / float power))
