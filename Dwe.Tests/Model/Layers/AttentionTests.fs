module Dwe.Tests.Model.Layers.AttentionTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open TorchSharp
open Dwe.Model.Batches
open Dwe.Model.Layers
open Dwe.Model.Tensors
open Dwe.Tests.Prelude.PublishedFixture

/// The textbook form in loops over plain numbers, with a key bias that must not matter.
let private naive (weights: Map<string, float[]>) size heads (query: float[]) (keys: float[][]) (present: bool[]) =
    let width = size / heads

    let through name bias (input: float[]) =
        Array.init size (fun row ->
            bias row + Array.sum (Array.init size (fun i -> weights[name][row * size + i] * input[i])))

    let biased name = through $"{name}.weight" (fun row -> weights[$"{name}.bias"][row])
    let asked = biased "query" query
    let keyed = keys |> Array.map (through "key.weight" (fun row -> 0.3 * float row))
    let valued = keys |> Array.map (biased "value")

    if Array.contains true present then
        let read =
            Array.init size (fun i ->
                let head = i / width

                let score (key: float[]) =
                    Seq.sum (seq { for j in head * width .. (head + 1) * width - 1 -> asked[j] * key[j] })

                let exponents = keyed |> Array.map (fun key -> exp (score key / sqrt (float width)))
                let shares = Array.map2 (fun real exponent -> if real then exponent else 0.0) present exponents

                Array.sum (Array.map2 (fun share (value: float[]) -> share * value[i]) shares valued)
                / Array.sum shares)

        biased "output" read
    else
        Array.zeroCreate size

[<Tests>]
let tests =
    testList
        "Model.Layers.Attention"
        [ let cases =
              Gen.zip3
                  (Gen.choose (0, 1000000))
                  (Gen.zip (Gen.choose (1, 4)) (Gen.choose (1, 5)))
                  (Gen.elements [ 1; 2; 4 ])

          testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 60 }
              "the cheap form equals the textbook loops"
          <| Prop.forAll (Arb.fromGen cases) (fun (seed, (rows, keys), heads) ->
              Scope.value (fun () ->
                  let size = 8
                  let random = Random seed
                  let number _ = random.NextDouble() * 2.0 - 1.0
                  use net = Net.build (options Float64) (Attention.multiHead size heads)
                  use _ = torch.no_grad ()

                  for struct (_, weight) in net.Weights do
                      weight.copy_ (torch.tensor(Array.init (int (weight.numel ())) number).reshape (weight.shape))
                      |> ignore

                  let weights = Map [ for struct (name, weight) in net.Weights -> name, values weight ]
                  let queries = Array.init rows (fun _ -> Array.init size number)
                  let items = Array.init rows (fun _ -> Array.init keys (fun _ -> Array.init size number))
                  let present = Array.init rows (fun _ -> Array.init keys (fun _ -> random.Next 3 > 0))
                  let rows, keys, size' = int64 rows, int64 keys, int64 size
                  let asking = torch.tensor(Array.concat queries).reshape (rows, size')

                  let masked =
                      { Values = torch.tensor(Array.concat (Array.concat items)).reshape (rows, keys, size')
                        Present = torch.tensor(Array.concat present).reshape (rows, keys) }

                  let over = net.Forward.Over asking masked
                  let expected = Array.map3 (naive weights size heads) queries items present |> Array.concat
                  agree 1e-12 (values over) expected "over"
                  let first = masked.Values.select (1L, 0L)

                  let one =
                      Array.map2
                          (fun query (keys: float[][]) -> naive weights size heads query keys[..0] [| true |])
                          queries
                          items

                  agree 1e-12 (values (net.Forward.OverOne first)) (Array.concat one) "over one"
                  let sums = (net.Forward.Weights asking masked).sum -1L
                  let any = masked.Present.any(1L, keepdim = true).``to``(torch.float64).expand (sums.shape)
                  agree 1e-12 (values sums) (values any) "shares sum to one, or to nothing"
                  let each = net.Forward.Each asking masked
                  agree 1e-12 (values (each.sum 1L)) expected "what each key brings sums to all"
                  let absent = each.masked_select (masked.Present.logical_not().unsqueeze -1L)
                  Expect.all (values absent) ((=) 0.0) "an absent key brings nothing"))

          testCase "a row without keys is zero with zero gradient, and no NaN"
          <| fun () ->
              Scope.value (fun () ->
                  use net = Net.build (options Float64) (Attention.multiHead 4 2)
                  let asking = torch.ones(2L, 4L, dtype = Nullable torch.float64).requires_grad_ true
                  let present = torch.tensor (array2D [ [ false; false ]; [ true; false ] ])

                  let keys =
                      { Values = torch.rand (2L, 2L, 4L, dtype = Nullable torch.float64)
                        Present = present }

                  let over = net.Forward.Over asking keys
                  Expect.all (values over[0L]) ((=) 0.0) "closed gate"
                  (over * over).sum().backward ()
                  let gradient = asking.grad |> Option.ofObj |> Option.get
                  Expect.all (values gradient) Double.IsFinite "finite"
                  Expect.all (values gradient[0L]) ((=) 0.0) "no gradient through a closed gate")

          testCase "wrong shapes are refused, and both shapes named"
          <| fun () ->
              Scope.value (fun () ->
                  use net = Net.build (options Float64) (Attention.multiHead 4 2)

                  let keys =
                      { Values = torch.zeros (3L, 2L, 4L)
                        Present = torch.ones (3L, 2L, dtype = Nullable torch.bool) }

                  Expect.throwsT<ArgumentException>
                      (fun () -> net.Forward.Over (torch.zeros (2L, 4L)) keys |> ignore)
                      "rows"

                  Expect.throwsT<ArgumentException> (fun () -> Attention.multiHead 6 4 |> ignore) "heads") ]
