namespace Dwe.Model.Layers

open System
open System.Collections.Generic
open TorchSharp
open Dwe.Model.Domain
open Dwe.Model.Tensors

/// How a fresh weight gets its values.
type Init =
    | Constant of float
    /// Uniform in [-bound, bound).
    | Uniform of bound: float
    | Normal of deviation: float
    /// 1 on the diagonal, 0 beside it, of a matrix of any shape.
    | Identity
    /// None: they are copied in from a file before the first use. Memory is not touched until then.
    | Loaded

/// Where and how a net is built. The device is chosen here, once: weights never move.
type BuildOptions = { Seed: int64; Precision: Precision; Device: torch.Device }

/// What all layers of one net share: its weights by full name, whether it is training, and the generator of dropout.
[<Sealed>]
type internal NetState(options: BuildOptions) =
    let weights = List<struct (string * Tensor)>()
    let names = HashSet<string>()

    member val Training = false with get, set
    member val Generator = new torch.Generator(uint64 options.Seed, options.Device)
    member val private Drawn = 0L with get, set
    member val private DropoutSeed = options.Seed with get, set
    member _.Options = options
    member _.Weights = weights

    /// What is dropped from now on depends on this seed alone.
    member this.SeedDropout(seed: int64) =
        this.DropoutSeed <- seed
        this.Drawn <- 0L
        this.Generator.manual_seed seed |> ignore

    /// The seed of the next mask that is drawn without `Generator`.
    member this.NextMaskSeed() =
        this.Drawn <- this.Drawn + 1L
        Seed.derive this.DropoutSeed "mask" this.Drawn

    /// Makes and names a weight. Its first values depend on the run's seed and on its name only.
    member _.Add(name: string, sizes: int64[], init: Init) : Tensor =
        if not (names.Add name) then
            invalidArg (nameof name) $"the weight '{name}' is registered twice"

        let dtype = Precision.weightType options.Precision

        let drawn (draw: torch.Generator -> Tensor -> Tensor) =
            use generator = new torch.Generator(uint64 (Seed.derive options.Seed name 0L), torch.CPU)
            use fresh = torch.empty (sizes, dtype = Nullable torch.float64)
            draw generator fresh |> ignore
            fresh.``to``(dtype, options.Device, copy = true).requires_grad_ true

        let weight =
            match init with
            | Constant value -> drawn (fun _ fresh -> fresh.fill_ (Numbers.scalar value))
            | Uniform bound -> drawn (fun generator fresh -> fresh.uniform_ (-bound, bound, generator))
            | Normal deviation -> drawn (fun generator fresh -> fresh.normal_ (0.0, deviation, generator))
            | Identity -> drawn (fun _ fresh -> fresh.copy_ (torch.eye (sizes[0], sizes[1], dtype = fresh.dtype)))
            | Loaded -> torch.empty (sizes, dtype = Nullable dtype, device = options.Device)

        weight.DetachFromDisposeScope() |> ignore
        weights.Add(struct (name, weight))
        weight

/// The only way a layer obtains weights, so asking for a weight and naming it are one act.
[<Sealed>]
type Registry internal (state: NetState, prefix: string) =
    /// A registry whose weights' names start with `prefix.name.`.
    member _.Nest(name: string) = Registry(state, prefix + name + ".")
    member _.Parameter(name: string, sizes: int64 list, init: Init) = state.Add(prefix + name, Array.ofList sizes, init)
    member _.Precision = state.Options.Precision
    member _.Training = state.Training
    member internal _.Generator = state.Generator
    member internal _.NextMaskSeed() = state.NextMaskSeed()

/// A layer is a recipe: given a registry it registers its weights and returns a plain function of tensors.
type Layer<'Function> = Registry -> 'Function

/// `layer { let! hidden = Layer.linear "hidden" 512 512; return hidden >> relu }`
type LayerBuilder() =
    member _.Bind(recipe: Layer<'First>, next: 'First -> Layer<'Second>) : Layer<'Second> =
        fun registry -> next (recipe registry) registry

    member _.Return(value: 'Value) : Layer<'Value> = fun _ -> value
    member _.ReturnFrom(recipe: Layer<'Value>) : Layer<'Value> = recipe

[<AutoOpen>]
module LayerSyntax =
    let layer = LayerBuilder()

/// A built recipe with its weights. `Forward` is whatever the recipe returned; it opens no scope of its own.
[<Sealed>]
type Net<'Function> internal (state: NetState, forward: 'Function) =
    member _.Forward = forward
    member _.Options = state.Options

    /// The weights by name, in the order in which the recipe asked for them.
    member _.Weights: IReadOnlyList<struct (string * Tensor)> = state.Weights

    /// Sets training mode and seeds dropout: what step k drops depends on the seed and on k alone.
    member _.Train(step: int64) =
        state.Training <- true
        state.SeedDropout(Seed.derive state.Options.Seed "dropout" step)

    member _.Evaluate() = state.Training <- false

    interface IDisposable with
        member _.Dispose() =
            for struct (_, weight) in state.Weights do
                weight.Dispose()

            state.Generator.Dispose()

[<RequireQualifiedAccess>]
module Net =

    /// Runs a recipe: registers its weights and returns the net, in evaluation mode.
    let build (options: BuildOptions) (recipe: Layer<'Function>) : Net<'Function> =
        let state = NetState options
        new Net<'Function>(state, recipe (Registry(state, "")))
