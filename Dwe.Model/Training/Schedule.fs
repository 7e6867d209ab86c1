namespace Dwe.Model.Training

open Dwe.Model.Config

/// How the learning rate goes over the updates of a run. `warmup` and `total` count updates, not batches.
type Schedule =
    | Constant
    /// Up in a straight line over `warmup` updates, then down in a straight line to 0 at `total`: as published.
    | Linear of warmup: int * total: int
    /// Up in a straight line over `warmup` updates, then down along half a cosine to 0 at `total`.
    | Cosine of warmup: int * total: int

[<RequireQualifiedAccess>]
module Schedule =

    /// The schedule of a configuration over a run of so many updates.
    let create (config: ScheduleConfig) (updates: int64) : Schedule =
        match config.Kind with
        | ScheduleKind.Constant -> Constant
        | ScheduleKind.Linear -> Linear(config.WarmupSteps, int updates)
        | ScheduleKind.Cosine -> Cosine(config.WarmupSteps, int updates)

    /// What the base rate is multiplied with at the update of this index (0-based).
    ///
    ///     warm-up : step / max(1, warmup)                       so the very first update has rate 0
    ///     linear  : max(0, (total - step) / max(1, total - warmup))
    ///     cosine  : max(0, (1 + cos(π (step - warmup) / max(1, total - warmup))) / 2), and 0 from `total` on
    ///
    /// raises : ArgumentException when step, warmup or total is negative
    /// source : the linear schedule with warm-up of Hugging Face transformers
    let factor (schedule: Schedule) (step: int64) : float =
        if step < 0L then
            invalidArg (nameof step) $"step is {step}, expected at least 0"

        let warmed warmup total decline =
            if warmup < 0 || total < 0 then
                invalidArg (nameof schedule) $"warm-up {warmup} and total {total} must not be negative"

            if step < int64 warmup then
                float step / float (max 1 warmup)
            elif step >= int64 total then
                0.0
            else
                decline (float (max 1 (total - warmup)))

        match schedule with
        | Constant -> 1.0
        | Linear(warmup, total) -> warmed warmup total (fun span -> float (int64 total - step) / span)
        | Cosine(warmup, total) ->
            warmed warmup total (fun span -> (1.0 + cos (System.Math.PI * float (step - int64 warmup) / span)) / 2.0)
