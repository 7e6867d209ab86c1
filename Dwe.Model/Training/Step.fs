namespace Dwe.Model.Training

open System
open TorchSharp
open Dwe.Model.Layers
open Dwe.Model.Losses
open Dwe.Model.Tensors

type StepOptions =
    {
        /// The base learning rate.
        Rate: float
        Schedule: Schedule
        /// The largest norm of all gradients together.
        ClipNorm: float
    }

/// What one training step did, in plain numbers.
type StepReport =
    {
        /// The learning rate of this update.
        Rate: float
        /// The norm of all gradients together, before clipping.
        GradientNorm: float
        /// Per batch of the step, the loss as it was differentiated: divided by their number.
        Losses: float list
        /// Per batch, the parts of its loss by name, undivided and unweighted.
        Parts: (string * float) list list
        /// False when the norm was not finite: then no weight and no moment was touched.
        Updated: bool
    }

    /// The loss of the step: the mean over its batches.
    member report.Loss = List.sum report.Losses

    /// The parts of the loss by name, averaged over the batches that have them.
    member report.MeanParts =
        report.Parts
        |> List.concat
        |> List.groupBy fst
        |> List.map (fun (name, values) -> struct (name, values |> List.averageBy snd))

[<RequireQualifiedAccess>]
module internal Step =

    /// One update from one or more batches, whose gradients are averaged: forward, loss, backward per batch, then clip,
    /// schedule, update, and no gradients left. `step` (0-based) decides the rate and what dropout drops, so the same
    /// weights, moments, batches and step give the same result. One dispose scope; no tensor comes out of it.
    ///
    /// raises : ArgumentException without batches
    let run
        (net: Net<'Function>)
        (lossOf: 'Function -> 'Batch -> LossParts)
        (optimizer: Optimizer)
        (options: StepOptions)
        (step: int64)
        (batches: 'Batch list)
        : StepReport =
        if batches.IsEmpty then
            invalidArg (nameof batches) "a step needs at least one batch"

        use _ = torch.NewDisposeScope()
        net.Train step
        let share = 1.0 / float batches.Length

        let losses =
            [ for batch in batches do
                  let parts = lossOf net.Forward batch

                  let total =
                      if share = 1.0 then
                          parts.Total
                      else
                          parts.Total * Numbers.scalar share

                  total.backward ()
                  Numbers.value total, [ for name, value in parts.Parts -> name, Numbers.value value ] ]

        let norm =
            Gradients.globalNorm [ for struct (_, _, gradient) in Gradients.present net.Weights -> gradient ]

        let rate = options.Rate * Schedule.factor options.Schedule step
        let finite = Double.IsFinite norm

        if finite then
            optimizer.Update(rate, Gradients.clipFactor options.ClipNorm norm)

        Gradients.clear net.Weights

        { Rate = rate
          GradientNorm = norm
          Losses = List.map fst losses
          Parts = List.map snd losses
          Updated = finite }
