namespace Dwe.Model.Training

open System
open System.Collections.Generic
open TorchSharp
open Dwe.Model.Config
open Dwe.Model.Tensors

/// The memory of one weight. Both tensors have the weight's shape and dtype.
type Moments =
    {
        /// Moving average of the gradient.
        First: Tensor
        /// Moving average of its square.
        Second: Tensor
        /// How often this weight was updated; a weight without gradient is not updated.
        mutable Updates: int64
    }

[<RequireQualifiedAccess>]
module internal DecayRule =

    /// Whether a weight of this name and shape decays.
    let decays (rule: DecayRule) (name: string) (weight: Tensor) =
        match rule with
        | AllButBiases -> not (name.EndsWith("bias", StringComparison.Ordinal))
        | MatricesOnly -> weight.dim () >= 2L

/// AdamW over named weights. Updates in place, so the weights' handles stay valid; owns the moments, not the weights.
[<Sealed>]
type Optimizer(options: OptimizerConfig, weights: IReadOnlyList<struct (string * Tensor)>) =
    let zerosLike (weight: Tensor) = (torch.zeros_like (weight, requires_grad = false)).DetachFromDisposeScope()

    let moments =
        let all = Dictionary<string, Moments>()

        for struct (name, weight) in weights do
            all[name] <- { First = zerosLike weight; Second = zerosLike weight; Updates = 0L }

        all

    /// Weights that share a decay and a count of updates: one call of the kernel.
    let updateGroup
        (rate: float)
        (scale: float)
        (decays: bool)
        (updates: int64)
        (group: struct (string * Tensor * Tensor) list)
        =
        let decay = if decays then options.WeightDecay else 0.0
        let bias2 = 1.0 - Math.Pow(options.Beta2, float updates)

        // The kernel computes the decoupled form. Decaying afterwards shrinks the update as well, and ε beside the
        // uncorrected root is ε / √c₂ beside the corrected one.
        let rate, decay, epsilon =
            match options.Kind with
            | AdamW -> rate, decay, options.Epsilon
            | HfAdamW ->
                let kept = 1.0 - rate * decay
                rate * kept, decay / kept, options.Epsilon / sqrt bias2

        let each choose = [| for entry in group -> choose entry |]
        let counter = torch.tensor (float32 updates)

        Kernels.unit.Value.invoke (
            "update",
            each (fun struct (_, weight, _) -> weight),
            each (fun struct (_, _, gradient) -> gradient),
            each (fun struct (name, _, _) -> moments[name].First),
            each (fun struct (name, _, _) -> moments[name].Second),
            each (fun _ -> counter),
            torch.tensor [| scale; rate; decay; options.Beta1; options.Beta2; epsilon |]
        )
        |> ignore

    member _.Options = options

    /// The moments by weight name, for checkpoints: restored by copying into them.
    member _.Moments: IReadOnlyDictionary<string, Moments> = moments

    /// One update of every weight that has a gradient g, which counts as g · scale:
    ///
    ///     m = β₁ m + (1 - β₁) g,   v = β₂ v + (1 - β₂) g²,   c_i = 1 - β_iᵗ
    ///     hf-adamw : w -= rate √c₂ / c₁ · m / (√v + ε),  then  w -= rate · decay · w
    ///     adamw    : w -= rate · decay · w,  then  w -= rate / c₁ · m / (√(v / c₂) + ε)
    ///
    /// A weight without gradient is neither updated nor decayed, and its t stands still. To be called in a dispose scope.
    /// The gradients are used up: what they hold afterwards is not defined.
    member _.Update(rate: float, scale: float) =
        use _ = torch.no_grad ()

        let present = Gradients.present weights

        for struct (name, _, _) in present do
            moments[name].Updates <- moments[name].Updates + 1L

        let groups =
            present
            |> List.groupBy (fun struct (name, weight, _) ->
                struct (DecayRule.decays options.Decay name weight, moments[name].Updates))

        for struct (decays, updates), group in groups do
            updateGroup rate scale decays updates group

    interface IDisposable with
        member _.Dispose() =
            for each in moments.Values do
                each.First.Dispose()
                each.Second.Dispose()
