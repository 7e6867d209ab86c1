/// What tests of this project expect beyond Expecto's own; first of all the laws that every loss obeys.
namespace Dwe.Tests.Prelude

open System
open System.Text.RegularExpressions
open Expecto
open FsCheck
open FsCheck.FSharp
open TorchSharp
open Dwe.Model.Domain
open Dwe.Model.Tensors
open Dwe.Model.Losses

/// Plain numbers from which a property makes its tensors: one matrix [batch; dim] per input of a loss.
/// Printed as they are when a property fails.
type Matrices = { Inputs: float[][][] }

[<RequireQualifiedAccess>]
module Matrices =
    let batch (matrices: Matrices) = matrices.Inputs[0].Length

    let private dim (matrices: Matrices) =
        let row = matrices.Inputs[0][0]
        row.Length

    let mapRows change (matrices: Matrices) : Matrices = { Inputs = matrices.Inputs |> Array.map (Array.map change) }

    let tensor (rows: float[][]) : Tensor =
        torch.tensor(Array.concat rows).reshape (int64 rows.Length, int64 rows[0].Length)

    let tensors (matrices: Matrices) : Tensor[] = matrices.Inputs |> Array.map tensor

    /// Batch 1..6, dim 1..8, values within ±3 in steps of 0.01; now and then a zero row, or a row equal in two inputs.
    let generator inputs : Gen<Matrices> =
        gen {
            let! batch = Gen.choose (1, 6)
            let! dim = Gen.choose (1, 8)
            let value = Gen.choose (-300, 300) |> Gen.map (fun step -> float step / 100.0)
            let row = Gen.frequency [ 9, Gen.arrayOfLength dim value; 1, Gen.constant (Array.zeroCreate dim) ]
            let! drawn = Gen.arrayOfLength inputs (Gen.arrayOfLength batch row)
            let! copied = Gen.choose (0, 4)

            if copied = 0 && inputs > 1 then
                drawn[1][0] <- drawn[0][0]

            return { Inputs = drawn }
        }

    /// Fewer rows, fewer columns, rounder numbers.
    let private shrink (matrices: Matrices) : Matrices seq =
        let fewerRows: Matrices =
            { Inputs = matrices.Inputs |> Array.map (fun rows -> Array.truncate (rows.Length - 1) rows) }

        let fewerColumns = matrices |> mapRows (fun row -> Array.truncate (row.Length - 1) row)
        let rounder = matrices |> mapRows (Array.map (fun (value: float) -> Math.Round value))

        List.toSeq
            [ if batch matrices > 1 then
                  fewerRows
              if dim matrices > 1 then
                  fewerColumns
              if rounder <> matrices then
                  rounder ]

    let arbitrary inputs : Arbitrary<Matrices> = Arb.fromGenShrink (generator inputs, shrink)

    /// A property of so many inputs as tensors, in a scope of its own.
    let property (inputs: int) (name: string) (holds: Tensor[] -> unit) : Test =
        testPropertyWithConfig
            { FsCheckConfig.defaultConfig with maxTest = 50 }
            name
            (Prop.forAll (arbitrary inputs) (fun matrices -> Scope.value (fun () -> holds (tensors matrices))))

/// A loss as the laws see it: each input is [batch; dim]. A loss of another form is wrapped into one of this.
type LawfulLoss =
    {
        Inputs: string list
        /// -> [batch]
        PerMention: Tensor[] -> Tensor
        /// As `PerMention` when only those mentions take part whose mask [batch] is true; the values of the others are not
        /// looked at.
        Masked: Tensor -> Tensor[] -> Tensor
        /// The formula once more, in loops over plain numbers.
        Naive: float[][][] -> float[]
        /// Inputs that may have any number of rows.
        FreeRows: string list
        /// Whether [..., dim] is accepted.
        LeadingAxes: bool
    }

[<RequireQualifiedAccess>]
module Expect =

    let values (tensor: Tensor) : float[] = tensor.detach().``to``(torch.float64).contiguous().data<float>().ToArray()

    /// |actual - expected| <= absolute + relative·|expected|, for each value.
    let closeArrays relative absolute (actual: float[]) (expected: float[]) message =
        Expect.equal actual.Length expected.Length $"{message}: count"

        for i in 0 .. expected.Length - 1 do
            if not (abs (actual[i] - expected[i]) <= absolute + relative * abs expected[i]) then
                failtest $"{message}: value {i} is {actual[i]:R}, expected {expected[i]:R}"

    /// A tensor's values, row-major, to 1e-9.
    let close (actual: Tensor) (expected: float list) message =
        closeArrays 1e-9 1e-9 (values actual) (Array.ofList expected) message

    let shape (actual: Tensor) (expected: int64 list) message =
        Expect.equal (List.ofArray actual.shape) expected message

    let finite (tensor: Tensor) message =
        let found = values tensor

        if not (Array.forall Double.IsFinite found) then
            failtest $"{message}: %A{found}"

    /// The gradients of `compute inputs`, one per input; zeros where an input has no part in it.
    let gradients (compute: Tensor[] -> Tensor) (inputs: Tensor[]) : Tensor[] =
        let leaves = inputs |> Array.map (fun input -> input.detach().clone().requires_grad_ true)
        (compute leaves).backward ()

        leaves
        |> Array.map (fun leaf ->
            match leaf.grad with
            | null -> torch.zeros_like leaf
            | found -> found)

    /// The gradient of `compute [| input |]`.
    let gradient compute input = gradients compute [| input |] |> Array.head

    /// The action raises ArgumentException whose message matches.
    let invalid (pattern: string) message (action: unit -> 'Result) =
        let raised =
            try
                action () |> ignore
                "nothing was raised"
            with :? ArgumentException as problem ->
                problem.Message

        if not (Regex.IsMatch(raised, pattern)) then
            failtest $"{message}: {raised}"

    let private select (rows: int list) (tensor: Tensor) =
        tensor.index_select (0L, torch.tensor (rows |> List.map int64 |> Array.ofList))

    let private mean loss inputs = Reduction.mean (loss.PerMention inputs)

    let private reductionsAgree loss matrices =
        let losses = loss.PerMention(Matrices.tensors matrices)
        shape losses [ int64 (Matrices.batch matrices) ] "one value per mention"
        let total = Array.sum (values losses)
        close (Reduction.sum losses) [ total ] "sum"
        close (Reduction.mean losses) [ total / float (Matrices.batch matrices) ] "mean"

    let private maskingIsDeleting loss (matrices: Matrices) =
        let inputs = Matrices.tensors matrices
        let batch = Matrices.batch matrices

        // Every other row, the first row, and all but the first.
        for present in [ (fun row -> row % 2 = 0); (fun row -> row = 0); (fun row -> row > 0 || batch = 1) ] do
            let mask = torch.tensor (Array.init batch present)
            let kept, dropped = List.partition present [ 0 .. batch - 1 ]
            let deleted = inputs |> Array.map (select kept)
            let masked inputs = Reduction.maskedMean mask (loss.Masked mask inputs)
            close (masked inputs) [ Numbers.value (mean loss deleted) ] "value"

            for whole, part in Array.zip (gradients masked inputs) (gradients (mean loss) deleted) do
                closeArrays 1e-8 1e-8 (values (select kept whole)) (values part) "gradient of those that take part"

                if not dropped.IsEmpty then
                    Expect.all (values (select dropped whole)) ((=) 0.0) "no gradient for those that do not"

    let private allMaskedIsZero loss matrices =
        let inputs = Matrices.tensors matrices
        let mask = torch.zeros (int64 (Matrices.batch matrices), dtype = Nullable torch.bool)
        let masked inputs = Reduction.maskedMean mask (loss.Masked mask inputs)
        Expect.equal (Numbers.value (masked inputs)) 0.0 "value"

        for gradient in gradients masked inputs do
            Expect.all (values gradient) ((=) 0.0) "gradient"

    let private leadingAxesChangeNothing loss matrices =
        let inputs = Matrices.tensors matrices
        let folded = inputs |> Array.map (fun input -> torch.stack ([| input; input.sin () |], 0L))
        let flat = folded |> Array.map (fun input -> input.flatten (0L, 1L))
        shape (loss.PerMention folded) [ 2L; int64 (Matrices.batch matrices) ] "shape"
        close (loss.PerMention folded) (List.ofArray (values (loss.PerMention flat))) "values"

    let private permutingPermutes loss matrices =
        let inputs = Matrices.tensors matrices
        let batch = Matrices.batch matrices
        let losses = loss.PerMention inputs

        for order in [ List.rev [ 0 .. batch - 1 ]; [ for row in 0 .. batch - 1 -> (row + 1) % batch ] ] do
            let permuted = loss.PerMention(inputs |> Array.map (select order))
            close permuted (List.ofArray (values (select order losses))) "permuted"

    let private loopsAgree loss (matrices: Matrices) =
        close
            (loss.PerMention(Matrices.tensors matrices))
            (List.ofArray (loss.Naive matrices.Inputs))
            "against the loops"

    /// Along one direction. A sample at a kink says nothing: there the slope ahead differs from that behind by a jump that
    /// stays as the step shrinks, where mere curvature shrinks with it; nor one so curved that the step decides the slope.
    let private gradientIsSlope loss matrices =
        let awayFromZero row =
            if Array.forall ((=) 0.0) row then
                Array.map (fun _ -> 0.5) row
            else
                row

        let inputs = matrices |> Matrices.mapRows awayFromZero |> Matrices.tensors
        let random = SeededRandom 7L

        let direction =
            inputs
            |> Array.map (fun input ->
                torch.tensor(Array.init (int (input.numel ())) (fun _ -> random.NextDouble() - 0.5)).reshape
                    input.shape)

        let step = 1e-6

        let at (distance: float) =
            let moved =
                Array.map2
                    (fun (input: Tensor) (way: Tensor) -> Numbers.plus input (way * Numbers.scalar distance))
                    inputs
                    direction

            Numbers.value (mean loss moved)

        let here = at 0.0

        let slopes step =
            let behind, ahead = (here - at -step) / step, (at step - here) / step
            (ahead + behind) / 2.0, ahead - behind

        let (slope, bend), (coarser, widerBend) = slopes step, slopes (2.0 * step)
        let allowed = 1e-6 * (1.0 + abs slope)

        if abs (2.0 * bend - widerBend) <= 2.0 * allowed && abs (slope - coarser) <= allowed then
            let along =
                Array.map2
                    (fun (gradient: Tensor) (way: Tensor) -> Numbers.value ((gradient * way).sum ()))
                    (gradients (mean loss) inputs)
                    direction

            closeArrays 1e-5 1e-5 [| Array.sum along |] [| slope |] "along the direction"

    let private badPoints inputs : (string * Matrices) list =
        let matrix rows =
            { Inputs = Array.init inputs (fun input -> Array.init 4 (fun row -> Array.init 4 (rows input row))) }

        let ordinary input row column = sin (float (17 * input + 5 * row + 3 * column + 1))
        let first (matrices: Matrices) : Matrices = { Inputs = matrices.Inputs |> Array.map (fun rows -> rows[..0]) }
        let sign input row = if (input + row) % 2 = 0 then 1.0 else -1.0

        [ "all zero", matrix (fun _ _ _ -> 0.0)
          "a zero row", matrix (fun input row column -> if row = 1 then 0.0 else ordinary input row column)
          "a zero input", matrix (fun input row column -> if input = 0 then 0.0 else ordinary input row column)
          "all rows equal", matrix (fun input _ column -> ordinary input 0 column)
          "all inputs equal", matrix (fun _ row column -> ordinary 0 row column)
          "everything equal", matrix (fun _ _ column -> ordinary 0 0 column)
          "a batch of one", first (matrix ordinary)
          "a batch of one zero row", first (matrix (fun _ _ _ -> 0.0))
          "products of ±10,000", matrix (fun input row _ -> 50.0 * sign input row)
          "products of +10,000", matrix (fun _ _ _ -> 50.0)
          "tiny values", matrix (fun input row column -> 1e-12 * ordinary input row column) ]

    let private finiteAtBadPoints loss () =
        for name, matrices in badPoints loss.Inputs.Length do
            for dtype in [ torch.float32; torch.float64 ] do
                Scope.value (fun () ->
                    let inputs = Matrices.tensors matrices |> Array.map (fun (input: Tensor) -> input.``to`` dtype)
                    let kind = $"{name}, {dtype}"
                    finite (loss.PerMention inputs) $"value at {kind}"
                    Expect.equal (loss.PerMention inputs).dtype dtype $"type at {kind}"

                    for gradient in gradients (mean loss) inputs do
                        finite gradient $"gradient at {kind}")

    let private onlyTheResultSurvives loss () =
        Scope.value (fun () ->
            let inputs =
                Matrices.tensors
                    { Inputs = Array.init loss.Inputs.Length (fun _ -> [| [| 1.0; 2.0 |]; [| 3.0; 4.0 |] |]) }

            let before = DisposeScopeManager.Statistics.ThreadTotalLiveCount
            let losses = Scope.run (fun () -> loss.PerMention inputs)
            Expect.equal (DisposeScopeManager.Statistics.ThreadTotalLiveCount - before) 1L "tensors more than before"
            Expect.isFalse losses.IsInvalid "the result is alive"

            for input in inputs do
                Expect.isFalse input.IsInvalid "the inputs are alive")

    let private wrongShapesAreNamed loss () =
        Scope.value (fun () ->
            let inputs = List.map (fun _ -> [ 4L; 8L ]) loss.Inputs

            let refused input (sizes: int64 list) =
                let shapes = inputs |> List.mapi (fun other own -> if other = input then sizes else own)

                let tensors =
                    shapes |> List.map (fun sizes -> torch.ones (Array.ofList sizes, dtype = Nullable torch.float64))

                (fun () -> loss.PerMention(Array.ofList tensors))
                |> invalid @"\[[\d; ]+\].*(\[[_\d; ]+\]|axes)" $"{loss.Inputs[input]} of shape %A{sizes}"

            for input, name in List.indexed loss.Inputs do
                if not (List.contains name loss.FreeRows) then
                    refused input [ 5L; 8L ]

                if inputs.Length > 1 then
                    refused input [ 4L; 7L ]

                refused input [ 4L; 1L; 8L ])

    /// The laws every loss goes through; a new loss cannot do without them.
    let lawfulLoss (name: string) (loss: LawfulLoss) : Test =
        let runs = { FsCheckConfig.defaultConfig with maxTest = 50 }

        let law sentence (holds: LawfulLoss -> Matrices -> unit) =
            testPropertyWithConfig
                runs
                sentence
                (Prop.forAll (Matrices.arbitrary loss.Inputs.Length) (fun matrices ->
                    Scope.value (fun () -> holds loss matrices)))

        testList
            $"{name} is lawful"
            [ law "it gives one value per mention, which sum and mean reduce" reductionsAgree
              law "masking a mention is deleting it" maskingIsDeleting
              law "it is 0 without gradient when all mentions are masked" allMaskedIsZero
              if loss.LeadingAxes then
                  law "leading axes change nothing" leadingAxesChangeNothing
              law "permuting the batch permutes the values" permutingPermutes
              law "it agrees with its formula in loops" loopsAgree
              law "its gradient is its slope" gradientIsSlope
              testCase "value and gradient are finite at the bad points" (finiteAtBadPoints loss)
              testSequenced (testCase "the inputs and one new tensor survive the call" (onlyTheResultSurvives loss))
              testCase "wrong shapes are refused by name" (wrongShapesAreNamed loss) ]
