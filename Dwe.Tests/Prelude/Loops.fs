/// Formulas in loops over plain numbers, with which tensor code is compared.
module Dwe.Tests.Prelude.Loops

let dot (left: float[]) (right: float[]) = Array.fold2 (fun sum a b -> sum + a * b) 0.0 left right

let length (row: float[]) = sqrt (dot row row)

/// 0 where one of the two is the zero vector.
let cosine (left: float[]) (right: float[]) =
    if length left = 0.0 || length right = 0.0 then
        0.0
    else
        dot left right / length left / length right

/// log Σ exp, without overflow.
let logSumExp (terms: float list) =
    let most = List.max terms
    most + log (terms |> List.sumBy (fun term -> exp (term - most)))

/// log(1 + exp x), without overflow.
let softplus x = logSumExp [ 0.0; x ]

/// The scores of all rows but the i-th.
let others (score: float[] -> float) (i: int) (rows: float[][]) =
    rows
    |> Array.indexed
    |> Array.filter (fun (j, _) -> j <> i)
    |> Array.map (snd >> score)
    |> List.ofArray
