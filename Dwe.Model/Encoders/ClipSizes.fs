namespace Dwe.Model.Encoders

open System
open System.Collections.Generic

/// What stands between the two products of a transformer's MLP.
type ClipActivation =
    /// x · sigmoid(1.702 x): OpenAI's releases.
    | QuickGelu
    /// x · Φ(x), with the error function: most of open_clip's own models.
    | Gelu

/// A stack of attention blocks.
type TransformerSizes = { Layers: int; Width: int; Heads: int; Activation: ClipActivation }

/// What turns an image into one vector.
type ClipImageSizes =
    /// Patches of `patch` pixels; `grid` of them a side.
    | VisionTransformer of blocks: TransformerSizes * patch: int * grid: int
    /// Four stages of so many bottlenecks; `grid` places a side are pooled at the end.
    | ModifiedResNet of stages: int list * width: int * heads: int * grid: int

/// The extents of one CLIP model.
type ClipSizes =
    {
        Image: ClipImageSizes
        Text: TransformerSizes
        /// Tokens that a text may have, its two marks included.
        Context: int
        Vocabulary: int
        /// Values of a vector.
        Embedding: int
    }

    /// Pixels a side of the image that goes in.
    member sizes.Resolution =
        match sizes.Image with
        | VisionTransformer(_, patch, grid) -> patch * grid
        | ModifiedResNet(_, _, _, grid) -> 32 * grid

    /// The architecture in a word, e.g. `vit-768x12-p32` or `rn-3-4-6-3-w64`.
    member sizes.Name =
        match sizes.Image with
        | VisionTransformer(blocks, patch, _) -> $"vit-{blocks.Width}x{blocks.Layers}-p{patch}"
        | ModifiedResNet(stages, width, _, _) -> let counts = String.Join('-', stages) in $"rn-{counts}-w{width}"

/// What weights do not tell: the nonlinearity, and how wide an attention head is.
type ClipSettings =
    { Activation: ClipActivation
      ImageHeadWidth: int
      TextHeadWidth: int }

    /// OpenAI's releases: quick GELU, heads of 64.
    static member OpenAI = { Activation = QuickGelu; ImageHeadWidth = 64; TextHeadWidth = 64 }

[<RequireQualifiedAccess>]
module ClipSizes =

    /// How many different texts stand at `place` in the dotted names that start with `prefix`.
    let private count (names: string seq) (prefix: string) =
        names
        |> Seq.filter (fun name -> name.StartsWith(prefix, StringComparison.Ordinal))
        |> Seq.map (fun name -> name.Substring(prefix.Length).Split('.')[0])
        |> Seq.distinct
        |> Seq.length

    let private textNames =
        [ "text_projection"; "positional_embedding"; "token_embedding.weight"; "ln_final.weight" ]

    let private vitNames = [ "visual.conv1.weight"; "visual.positional_embedding"; "visual.proj" ]
    let private resNetNames = [ "visual.layer1.0.conv1.weight"; "visual.attnpool.positional_embedding" ]

    /// The extents that the shapes of weights (by OpenAI's names) imply, as `build_model` of openai/CLIP (clip/model.py,
    /// d05afc4) infers them; heads are as wide as `settings` say. Error: what cannot be inferred, weight by weight.
    let infer (settings: ClipSettings) (shapes: IReadOnlyDictionary<string, int64[]>) : Result<ClipSizes, string list> =
        let isResNet = shapes.ContainsKey "visual.layer1.0.conv1.weight"
        let wanted = textNames @ (if isResNet then resNetNames else vitNames)

        let rankOf (name: string) =
            match name with
            | "visual.conv1.weight"
            | "visual.layer1.0.conv1.weight" -> 4
            | "ln_final.weight" -> 1
            | _ -> 2

        let problems =
            wanted
            |> List.choose (fun name ->
                match shapes.TryGetValue name with
                | false, _ -> Some $"missing {name}"
                | true, shape when shape.Length <> rankOf name || Array.exists (fun size -> size < 1L) shape ->
                    let sizes = String.Join("; ", shape)
                    Some $"{name} is [{sizes}], expected {rankOf name} axes"
                | true, _ -> None)

        let size (name: string) (axis: int) = int (shapes[name].[axis])
        let blocks prefix = count shapes.Keys (prefix + "transformer.resblocks.")

        let transformer prefix width headWidth =
            { Layers = blocks prefix
              Width = width
              Heads = max 1 (width / headWidth)
              Activation = settings.Activation }

        let side name = int (round (sqrt (float (size name 0 - 1))))

        let image () =
            if isResNet then
                let width = size "visual.layer1.0.conv1.weight" 0
                let stages = [ for stage in 1..4 -> count shapes.Keys $"visual.layer{stage}." ]
                ModifiedResNet(stages, width, max 1 (width / 2), side "visual.attnpool.positional_embedding")
            else
                let width, patch = size "visual.conv1.weight" 0, size "visual.conv1.weight" 3
                let grid = side "visual.positional_embedding"
                VisionTransformer(transformer "visual." width settings.ImageHeadWidth, patch, grid)

        let heads (sizes: ClipSizes) =
            let divides name (blocks: TransformerSizes) =
                if blocks.Width % blocks.Heads = 0 then
                    []
                else
                    [ $"{blocks.Heads} heads do not divide the {name} width {blocks.Width}" ]

            divides "text" sizes.Text
            @ match sizes.Image with
              | VisionTransformer(blocks, _, _) -> divides "image" blocks
              | ModifiedResNet _ -> []

        match problems with
        | [] ->
            let sizes =
                { Image = image ()
                  Text = transformer "" (size "ln_final.weight" 0) settings.TextHeadWidth
                  Context = size "positional_embedding" 0
                  Vocabulary = size "token_embedding.weight" 0
                  Embedding = size "text_projection" 1 }

            match heads sizes with
            | [] -> Ok sizes
            | problems -> Error problems
        | problems -> Error problems
