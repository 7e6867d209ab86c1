/// Every object of the published formats' fixtures against the contents that their generator noted down.
module Dwe.Tests.Host.Import.AgreementTests

open System
open System.IO
open System.Text.Json
open Dwe.Host.Import
open Dwe.Host.Import.Pickle
open Dwe.Tests.Prelude
open Expecto

let private folder = "fixtures/reference/formats"
let private expected () = (PublishedFixture.json "formats/formats.json").GetProperty "expected"
let private path relative = Fixtures.required $"{folder}/{relative}"
let private number (value: JsonElement) = value.GetDouble()

/// Elements bit for bit where they are listed; the sum and the length to the noise of their own order of summation.
let private agrees (tensor: TorchTensor) (expected: JsonElement) name =
    let values = tensor.ToSingles()
    let list (key: string) = [ for value in expected.GetProperty(key).EnumerateArray() -> float32 (number value) ]

    let dtype =
        if expected.GetProperty("dtype").GetString() = "torch.float16" then
            "F16"
        else
            "F32"

    Expect.equal (string tensor.Dtype) dtype $"{name}: type"

    Expect.equal
        (List.ofSeq tensor.Shape)
        [ for size in expected.GetProperty("shape").EnumerateArray() -> size.GetInt64() ]
        $"{name}: shape"

    Expect.equal (List.ofArray values[..3]) (list "first4") $"{name}: first values"
    Expect.equal (List.ofArray values[values.Length - 2 ..]) (list "last2") $"{name}: last values"
    let tolerance = if dtype = "F16" then 1e-4 else 1e-9

    let near (key: string) (actual: float) =
        Expect.isLessThanOrEqual
            (abs (actual - number (expected.GetProperty key)))
            (tolerance * (1.0 + abs actual))
            $"{name}: {key}"

    near "sum" (values |> Array.sumBy float)
    near "l2" (sqrt (values |> Array.sumBy (fun value -> float value * float value)))

let private fieldAgrees (actual: obj | null) (expected: JsonElement) name =
    let rec same (actual: obj | null) (expected: JsonElement) =
        match actual with
        | :? TorchTensor as tensor -> agrees tensor expected name
        | :? PickleTuple as tuple ->
            let items = [ for item in expected.GetProperty("tuple").EnumerateArray() -> item ]
            Expect.equal tuple.Items.Length items.Length $"{name}: items"
            Seq.iter2 same tuple.Items items
        | :? int64 as value -> Expect.equal value (expected.GetInt64()) name
        | :? string as value -> Expect.equal value (string expected) name
        | other -> failtest $"{name} is {other}"

    same actual expected

let private cacheAgrees (relative: string) =
    let expected = (expected ()).GetProperty relative
    use file = TorchFile.Open(path relative, TorchObjects.DweCache)
    let records = (PickleBytes.the<PickleList> file.Root).Items
    let items = [ for item in expected.GetProperty("items").EnumerateArray() -> item ]
    Expect.equal records.Count items.Length "records"

    for place, (record, item) in Seq.indexed (Seq.zip records items) do
        let record = PickleBytes.the<PickleObject> record

        match expected.TryGetProperty "pickled_class" with
        | true, name -> Expect.equal record.ClassName (string name) "class"
        | false, _ -> ()

        let fields = [ for field in item.EnumerateObject() -> field.Name, field.Value ]
        Expect.equal [ for entry in record.Attributes.Entries -> string entry.Key ] (List.map fst fields) "fields"

        for name, value in fields do
            let mutable actual = null
            Expect.isTrue (record.Attributes.TryGet(name, &actual)) name
            fieldAgrees actual value $"{relative} record {place}, {name}"

let private tensorsOf relative =
    use file = TorchFile.Open(path relative, TorchObjects.DweCache)
    [ for struct (name, tensor) in file.Tensors() -> name, List.ofSeq tensor.Shape, tensor.ToSingles() ]

let private caches =
    testList
        "caches agree with what was saved"
        [ for relative in
              [ "wikipedia/cached_train_wiki_clip"
                "wikipedia/cached_dev_wiki_clip"
                "wikipedia/cached_test_wiki_clip"
                "richpedia/cached_train_rich_clip"
                "richpedia/cached_dev_rich_clip"
                "wikidiverse/cached_train_diverse_clip"
                "wikidiverse/cached_dev_diverse_clip"
                "wikiperson/cached_train_person_clip"
                "wikiperson/cached_dev_person_clip"
                "variants/cached_dev_wiki_clip_cuda_fp16"
                "variants/cached_dev_wiki_clip_legacy" ] do
              testCase relative <| fun () -> cacheAgrees relative

          testCase "the old format holds the same bits as the archive, of its two records"
          <| fun () ->
              let old = tensorsOf "variants/cached_dev_wiki_clip_legacy"
              Expect.equal old.Length 10 "tensors"
              Expect.isTrue (old = List.truncate 10 (tensorsOf "wikipedia/cached_dev_wiki_clip")) "every value"

          testCase "float16 is the float32 of the same features, rounded once and widened exactly"
          <| fun () ->
              let half = tensorsOf "variants/cached_dev_wiki_clip_cuda_fp16"
              Expect.equal half.Length 15 "tensors of three records"
              let rounded (value: float32) = float32 (Half.op_Explicit value: Half)

              let expected =
                  [ for name, shape, values in List.truncate 15 (tensorsOf "wikipedia/cached_dev_wiki_clip") ->
                        name, shape, Array.map rounded values ]

              Expect.isTrue (half = expected) "every value" ]

let private matrices =
    testList
        "HDF5 matrices"
        [ for relative in
              [ "wikipedia/gt_feats_brief.h5"
                "wikidiverse/gt_feats_brief.h5"
                "wikiperson/text_entity.h5"
                "wikiperson/profile.h5" ] do
              testCase $"{relative} agrees with what was written"
              <| fun () ->
                  let expected = (expected ()).GetProperty relative
                  let features = Hdf5Features.Read(path relative)

                  let numbers (key: string) =
                      [ for value in expected.GetProperty(key).EnumerateArray() -> number value ]

                  Expect.equal [ float features.Rows; float features.Dim ] (numbers "shape") "shape"
                  let row = features.Row(0).ToArray()
                  Expect.equal (List.ofArray row[..3]) (numbers "row0_first4" |> List.map float32) "first values"

                  for row, sum in List.indexed (numbers "row_sums") do
                      let actual = features.Row(row).ToArray() |> Array.sumBy float
                      Expect.isLessThanOrEqual (abs (actual - sum)) (1e-9 * (1.0 + abs sum)) $"sum of row {row}"

          testCase "are the bytes of the file"
          <| fun () ->
              // Contiguous and uncompressed: the matrix is the end of the file.
              let path = path "wikipedia/gt_feats_brief.h5"
              let features = Hdf5Features.Read path
              let bytes = File.ReadAllBytes path
              let matrix = bytes[bytes.Length - features.Rows * features.Dim * 4 ..]
              let values = Array.concat [ for row in 0 .. features.Rows - 1 -> features.Row(row).ToArray() ]
              Expect.equal (PickleBytes.floats values) matrix "bytes"

          testCase "that are no HDF5, lack the data set, or hold something else are refused by file"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "x.h5")
                  let message () = Refusal.messageOf (fun () -> Hdf5Features.Read path |> ignore)
                  Expect.stringStarts (message ()) $"{path}: not found; expected an HDF5 file of features." "none"
                  File.WriteAllText(path, "no HDF5, but long enough to hold its signature")
                  Expect.stringStarts (message ()) $"{path}: file: found 46 bytes, expected an HDF5 file." "no HDF5"

                  let write (features: obj) (name: string) =
                      let file = PureHDF.H5File()
                      file[name] <- features
                      file.Write path

                  write (Array2D.create 2 3 1.5f) "other"
                  Expect.stringStarts (message ()) $"{path}: data set 'features': found " "another data set"
                  write (Array2D.create 2 3 1.5) "features"

                  Expect.equal
                      (message ())
                      $"{path}: data set 'features': found elements of FloatingPoint, 8 bytes, expected float32."
                      "float64"

                  write [| 1f; 2f |] "features"

                  Expect.equal
                      (message ())
                      $"{path}: data set 'features': found [2], expected two dimensions, rows and values."
                      "one dimension"

                  write (Array2D.init 2 3 (fun row column -> float32 (10 * row + column))) "features"
                  Expect.equal ((Hdf5Features.Read path).Row(1).ToArray()) [| 10f; 11f; 12f |] "row 1")

          testCase "of absurd sizes are refused before anything is allocated"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let source = path "wikiperson/profile.h5"
                  let path = Path.Combine(folder, "x.h5")
                  let bytes = File.ReadAllBytes source
                  // The data space's extents, 13 and 512, stand side by side as 64-bit integers.
                  let extents = Array.append (BitConverter.GetBytes 13L) (BitConverter.GetBytes 512L)
                  let mutable at = bytes.AsSpan().IndexOf(ReadOnlySpan extents)
                  Expect.isGreaterThan at 0 "the extents"
                  BitConverter.GetBytes(1L <<< 40).CopyTo(bytes, at)
                  File.WriteAllBytes(path, bytes)
                  let before = GC.GetAllocatedBytesForCurrentThread()

                  (fun () -> Hdf5Features.Read path |> ignore)
                  |> Refusal.isSpelled
                      $"{path}: data set 'features': found [1099511627776, 512], expected at most {bytes.Length / 4} values in a file of this size."

                  Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 5_000_000L "bytes allocated") ]

[<Tests>]
let tests = testList "agreement with DWE's files" [ caches; matrices ]
