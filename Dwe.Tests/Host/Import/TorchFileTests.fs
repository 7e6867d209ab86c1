module Dwe.Tests.Host.Import.TorchFileTests

open System
open System.IO
open System.IO.Compression
open Dwe.Host.Import.Pickle
open Dwe.Tests.Host.Import.PickleBytes
open Dwe.Tests.Prelude
open Expecto

let private openFile path objects = TorchFile.Open(path, objects)

let private withFile test = Folder.temporary (fun folder -> test (Path.Combine(folder, "file.pt")))

let private tensors (file: TorchFile) =
    [ for struct (name, tensor) in file.Tensors() -> name, List.ofSeq tensor.Shape, List.ofArray (tensor.ToSingles()) ]

/// The message when a pickle is read that holds this item, in both layouts; FILE stands for the path.
let private refusals (item: Item) =
    [ for save in [ save; saveLegacy ] do
          let mutable message = ""

          withFile (fun path ->
              save path item []

              message <-
                  (Refusal.messageOf (fun () -> (openFile path TorchObjects.DweCache).Dispose())).Replace(path, "FILE"))

          message ]

let private refused item expected =
    for message in refusals item do
        Expect.stringContains message expected "the refusal"
        Expect.stringStarts message "FILE: " "names the file"

/// `os.system("touch PATH")` as a pickle would run it.
let private attack space name (marker: string) = Call(Global(space, name), [ Text $"touch {marker}" ])

let private hostile =
    testList
        "what would run code or fill the memory is refused"
        [ testCase "every class that is not on the list, by name, and nothing of it happens"
          <| fun () ->
              for space, name in
                  [ "os", "system"
                    "posix", "system"
                    "nt", "system"
                    "subprocess", "Popen"
                    "builtins", "eval"
                    "builtins", "exec"
                    "__builtin__", "eval"
                    "builtins", "getattr"
                    "torch.storage", "_load_from_bytes"
                    "torch.serialization", "load"
                    "prepare_wikipedia", "InputFeatures.__init__"
                    "__torch__", "Model" ] do
                  Folder.temporary (fun folder ->
                      let marker = Path.Combine(folder, "ran")

                      refused
                          (attack space name marker)
                          $"found the class '{space}.{name}', expected only classes that hold tensors; nothing else is ever loaded."

                      Expect.isFalse (File.Exists marker) "the command ran")

          testCase "the same when the name is put together on the stack"
          <| fun () ->
              let name =
                  Raw(
                      List.concat
                          [ [ 0x8cuy; 2uy ]; List.ofArray "os"B; [ 0x8cuy; 6uy ]; List.ofArray "system"B; [ 0x93uy ] ]
                  )

              refused
                  (Call(name, [ Text "true" ]))
                  "found the class 'os.system', expected only classes that hold tensors"

          testCase "the message says where: file, pickle, byte"
          <| fun () ->
              withFile (fun path ->
                  save path (attack "os" "system" "x") []

                  (fun () -> (openFile path TorchObjects.None).Dispose())
                  |> Refusal.isSpelled
                      $"{path}: data.pkl, byte 2: found the class 'os.system', expected only classes that hold tensors; nothing else is ever loaded.")

          testCase "records of DWE are no more than records of DWE where a state_dict is expected"
          <| fun () ->
              withFile (fun path ->
                  save path (Object(Global("prepare_wikipedia", "InputFeatures"), [])) []

                  Expect.stringContains
                      (Refusal.messageOf (fun () -> (openFile path TorchObjects.None).Dispose()))
                      "found the class 'prepare_wikipedia.InputFeatures'"
                      "the refusal")

          testCase "a text, bytes or integer longer than the file, before anything is allocated"
          <| fun () ->
              let before = GC.GetAllocatedBytesForCurrentThread()
              refused (Raw [ byte 'X'; 0xf0uy; 0xffuy; 0xffuy; 0xffuy ]) "found a length of 4294967280 bytes"
              refused (Raw(0x8duy :: List.replicate 8 0x7fuy)) "found a length of 9187201950435737471 bytes"
              refused (Raw [ byte 'B'; 0xf0uy; 0xffuy; 0xffuy; 0x7fuy ]) "found a length of 2147483632 bytes"
              refused (Raw([ 0x8auy; 200uy ] @ List.replicate 200 1uy)) "found an integer of 200 bytes"
              Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 20_000_000L "bytes allocated"

          testCase "a memo id beyond the pickle"
          <| fun () ->
              refused (Raw [ byte ']'; byte 'r'; 0xffuy; 0xffuy; 0xffuy; 0xffuy ]) "found memo id 4294967295"
              refused (Raw [ byte 'h'; 7uy ]) "found memo id 7, expected one that was set before"

          testCase "a tensor that leaves its storage or repeats it a billion times"
          <| fun () ->
              let over offset shape strides = tensorOf (storage "FloatStorage" "0" 4L) offset shape strides
              refused (over 1L [ 4L ] [ 1L ]) "found a tensor of element 4 of a storage of 4"
              refused (over 0L [ 2L; 2L ] [ 3L; 1L ]) "found a tensor of element 4 of a storage of 4"
              refused (over -1L [ 1L ] [ 1L ]) "found a tensor of a negative extent, stride or offset"
              refused (over 0L [ 2L ] [ -1L ]) "found a tensor of a negative extent, stride or offset"
              refused (over 0L [ 40000L; 40000L ] [ 0L; 0L ]) "more than 1048576 elements over a storage of 4"
              refused (over 0L [ Int64.MaxValue; Int64.MaxValue; 2L ] [ 0L; 0L; 0L ]) "more than 1048576 elements"

              refused
                  (over 0L [ 2L ] [ Int64.MaxValue ])
                  "found a tensor of element 9223372036854775807 of a storage of 4"

              refused (over 0L [ 2L ] [ 1L; 1L ]) "found a tensor of 1 extents and 2 strides"

              refused
                  (tensorOf (storage "FloatStorage" "0" Int64.MaxValue) 0L [ 1L ] [ 1L ])
                  "a storage of 9223372036854775807 elements"

          testCase "a million nested lists are read without a call for each, and refused where they are walked"
          <| fun () ->
              withFile (fun path ->
                  let depth = 1_000_000

                  save path (Raw(List.replicate depth (byte ']') @ List.replicate (depth - 1) (byte 'a'))) []

                  use file = openFile path TorchObjects.None
                  Expect.isTrue (file.Root :? PickleList) "the outermost list"

                  Expect.stringEnds
                      (Refusal.messageOf (fun () -> file.Tensors() |> ignore))
                      "found deeper nesting, expected at most 64 levels."
                      "walked")

          testCase "lists that hold each other many times are walked once each"
          <| fun () ->
              withFile (fun path ->
                  // Forty lists, each holding the one before it twice: 2^40 ways down.
                  let nested =
                      List.ofArray "]q\000"B
                      @ List.concat
                          [ for level in 0uy .. 39uy ->
                                List.ofArray "]q"B
                                @ [ level + 1uy; byte 'h'; level; byte 'a'; byte 'h'; level; byte 'a' ] ]

                  // Each list but the last is still on the stack: they go into one tuple.
                  save path (Raw([ byte '(' ] @ nested @ [ byte 't' ])) []
                  use file = openFile path TorchObjects.None
                  Expect.isEmpty (file.Tensors()) "no tensors in it") ]

let private archives =
    testList
        "archives"
        [ testCase "of compressed entries are refused: a bomb is never inflated"
          <| fun () ->
              withFile (fun path ->
                  zip
                      path
                      CompressionLevel.Optimal
                      [ "data.pkl", Array.append (pickle (List [])) (Array.zeroCreate 100_000_000) ]

                  let before = GC.GetAllocatedBytesForCurrentThread()

                  (fun () -> (openFile path TorchObjects.None).Dispose())
                  |> Refusal.isSpelled
                      $"{path}: entry 'archive/data.pkl': found compressed data, expected stored data, as PyTorch writes it."

                  Expect.isLessThan (GC.GetAllocatedBytesForCurrentThread() - before) 1_000_000L "bytes allocated")

          testCase "whose directory promises more than there is are refused"
          <| fun () ->
              withFile (fun path ->
                  save path (tensor "0" [ 2L ]) [ "0", [ 1f; 2f ] ]
                  let bytes = File.ReadAllBytes path
                  let name = Text.Encoding.ASCII.GetBytes "archive/data/0"
                  // In the directory, the sizes stand 46 - 20 bytes before the name.
                  let at = bytes.AsSpan().LastIndexOf(ReadOnlySpan name) - 46 + 20

                  for place in [ at; at + 4 ] do
                      BitConverter.GetBytes(0x70000000).CopyTo(bytes, place)

                  File.WriteAllBytes(path, bytes)
                  use file = openFile path TorchObjects.None
                  let tensor = the<TorchTensor> file.Root

                  Expect.stringStarts
                      (Refusal.messageOf (fun () -> tensor.ToSingles() |> ignore))
                      $"{path}: entry 'archive/data/0': found 1879048192 bytes, expected at most 8."
                      "the refusal")

          testCase "with a storage of another size, twice the same name, or no pickle are refused"
          <| fun () ->
              let refused root entries (expected: string) =
                  withFile (fun path ->
                      zip path CompressionLevel.NoCompression (("data.pkl", pickle root) :: entries)

                      let read () =
                          use file = openFile path TorchObjects.None

                          for struct (_, tensor) in file.Tensors() do
                              tensor.ToSingles() |> ignore

                      Refusal.isSpelled $"{path}: {expected}" read)

              refused
                  (tensor "0" [ 3L ])
                  [ "data/0", floats [ 1f; 2f ] ]
                  "entry 'archive/data/0': found 8 bytes, expected 12 for its storage."

              refused
                  (tensor "1" [ 2L ])
                  [ "data/0", floats [ 1f; 2f ] ]
                  "entry 'archive/data/1': found no such entry, expected it."

              refused
                  (tensor "0" [ 1L ])
                  [ "data/0", floats [ 1f ]; "data/0", floats [ 2f ] ]
                  "entry 'archive/data/0': found the name twice, expected every name once."

              refused Nothing [ "byteorder", "big"B ] "byteorder: found another than little-endian, expected little."

          testCase "of TorchScript give their modules' tensors by path, and constants of their own folder"
          <| fun () ->
              withFile (fun path ->
                  let list build items = Call(Global("torch.jit._pickle", build), [ List items ])
                  let block weight = Object(Global("__torch__.model.___torch_mangle_1", "Block"), [ "weight", weight ])

                  let model =
                      Object(
                          Global("__torch__.model", "CLIP"),
                          [ "training", Flag false
                            "context_length", tensorOf (storage "LongStorage" "2" 1L) 0L [] []
                            "visual", block (tensorOf (storage "HalfStorage" "0" 2L) 0L [ 2L ] [ 1L ])
                            "blocks", List [ block (tensor "1" [ 1L; 2L ]) ]
                            "sizes", list "build_intlist" [ Int 7L ]
                            "positional_embedding",
                            Call(
                                Global("torch._utils", "_rebuild_parameter"),
                                [ tensor "1" [ 1L; 2L ]; Flag true; Call(Global("collections", "OrderedDict"), []) ]
                            ) ]
                      )

                  zip
                      path
                      CompressionLevel.NoCompression
                      [ "data.pkl", pickle model
                        "data/0", [| 0x00uy; 0x3cuy; 0x00uy; 0xc0uy |]
                        "data/1", floats [ 3f; 4f ]
                        "data/2", BitConverter.GetBytes 77L
                        "constants.pkl", pickle (Tuple [ tensor "0" [ 1L ] ])
                        "constants/0", floats [ 9f ]
                        "code/__torch__/model.py", "raise SystemExit"B ]

                  using (openFile path TorchObjects.Script) (fun file ->
                      Expect.equal
                          (tensors file)
                          [ "context_length", [], [ 77f ]
                            "visual.weight", [ 2L ], [ 1f; -2f ]
                            "blocks.0.weight", [ 1L; 2L ], [ 3f; 4f ]
                            "positional_embedding", [ 1L; 2L ], [ 3f; 4f ] ]
                          "tensors of data.pkl"

                      let root = the<PickleObject> file.Root
                      Expect.equal root.ClassName "__torch__.model.CLIP" "the root's class"
                      let mutable sizes = null
                      Expect.isTrue (root.Attributes.TryGet("sizes", &sizes)) "a list"
                      Expect.equal (List.ofSeq (the<PickleList> sizes).Items) [ box 7L ] "of integers")

                  use constants = TorchFile.Open(path, TorchObjects.Script, "constants")
                  Expect.equal (tensors constants) [ "0", [ 1L ], [ 9f ] ] "tensors of constants.pkl"

                  Expect.stringContains
                      (Refusal.messageOf (fun () -> (openFile path TorchObjects.None).Dispose()))
                      "found the class '__torch__.model.CLIP'"
                      "not where modules are not expected") ]

let private values =
    testList
        "values"
        [ testCase "of every plain kind come back"
          <| fun () ->
              withFile (fun path ->
                  save
                      path
                      (List
                          [ Nothing
                            Flag true
                            Int 255L
                            Int 65535L
                            Int -5L
                            Int 1099511627776L
                            Real 0.1
                            Text "Zoë"
                            Raw [ 0x8auy; 0uy ]
                            Call(Global("torch", "Size"), [ Tuple [ Int 3L ] ]) ])
                      []

                  use file = openFile path TorchObjects.None
                  let items = List.ofSeq (the<PickleList> file.Root).Items

                  Expect.equal
                      items[..8]
                      [ null; box true; box 255L; box 65535L; box -5L; box 1099511627776L; box 0.1; box "Zoë"; box 0L ]
                      "plain values"

                  Expect.equal (List.ofArray (the<PickleTuple> items[9]).Items) [ box 3L ] "a size")

          testCase "of every element type are widened exactly"
          <| fun () ->
              withFile (fun path ->
                  let stored kind (key: string) count = tensorOf (storage kind key count) 0L [ count ] [ 1L ]
                  let entry key (bytes: byte seq) = "data/" + key, Array.ofSeq bytes

                  zip
                      path
                      CompressionLevel.NoCompression
                      [ "data.pkl",
                        pickle (
                            List
                                [ stored "HalfStorage" "half" 3L
                                  stored "BFloat16Storage" "brain" 2L
                                  stored "DoubleStorage" "double" 1L
                                  stored "LongStorage" "long" 1L
                                  stored "IntStorage" "int" 1L
                                  stored "ShortStorage" "short" 1L
                                  stored "CharStorage" "char" 1L
                                  stored "ByteStorage" "byte" 1L
                                  stored "BoolStorage" "bool" 2L ]
                        )
                        // 2^-24, the smallest half; 65504, the largest; -1/3 rounded.
                        entry "half" [ 0x01uy; 0x00uy; 0xffuy; 0x7buy; 0x55uy; 0xb5uy ]
                        entry "brain" [ 0x80uy; 0x3fuy; 0x49uy; 0xc0uy ]
                        entry "double" (BitConverter.GetBytes 0.5)
                        entry "long" (BitConverter.GetBytes -3L)
                        entry "int" (BitConverter.GetBytes 70000)
                        entry "short" (BitConverter.GetBytes -300s)
                        entry "char" [ 0xffuy ]
                        entry "byte" [ 0xffuy ]
                        entry "bool" [ 0uy; 1uy ] ]

                  use file = openFile path TorchObjects.None

                  Expect.equal
                      [ for _, _, values in tensors file -> values ]
                      [ [ 2f ** -24f; 65504f; -0.333251953125f ]
                        [ 1f; -3.140625f ]
                        [ 0.5f ]
                        [ -3f ]
                        [ 70000f ]
                        [ -300f ]
                        [ -1f ]
                        [ 255f ]
                        [ 0f; 1f ] ]
                      "values")

          testCase "of views are those of their places, also of the views that old files make of storages"
          <| fun () ->
              withFile (fun path ->
                  let view =
                      Tuple
                          [ Text "storage"
                            Global("torch", "FloatStorage")
                            Text "root"
                            Text "cuda:3"
                            Int 6L
                            Tuple [ Text "view"; Int 2L; Int 4L ] ]

                  saveLegacy
                      path
                      (List [ tensorOf view 1L [ 3L ] [ 1L ]; tensor "root" [ 2L; 3L ] ])
                      [ "root", [ 0f; 1f; 2f; 3f; 4f; 5f ] ]

                  use file = openFile path TorchObjects.None

                  Expect.equal
                      (tensors file)
                      [ "0", [ 3L ], [ 3f; 4f; 5f ]; "1", [ 2L; 3L ], [ 0f; 1f; 2f; 3f; 4f; 5f ] ]
                      "values")

          testCase "of the published views of one storage are those that its fixture lists"
          <| fun () ->
              let path = Fixtures.required "fixtures/reference/formats/variants/shared_storage_views.pt"
              use file = openFile path TorchObjects.None

              Expect.equal
                  (tensors file)
                  [ "0", [ 2L; 4L ], [ for value in 4..11 -> float32 value ]
                    "1",
                    [ 4L; 6L ],
                    [ for column in 0..3 do
                          for row in 0..5 -> float32 (4 * row + column) ]
                    "2", [ 6L ], [ 1f; 5f; 9f; 13f; 17f; 21f ] ]
                  "values"

          testCase "of a file that ends early, or is something else, are refused"
          <| fun () ->
              withFile (fun path ->
                  let refused (bytes: byte[]) expected =
                      File.WriteAllBytes(path, bytes)

                      (fun () -> (openFile path TorchObjects.None).Dispose())
                      |> Refusal.isSpelled $"{path}: {expected}"

                  refused [||] "file: found no content, expected a file of torch.save."
                  refused "{}"B "first byte: found 0x7b, expected a file of torch.save: a zip archive or a pickle."
                  refused (pickle (Int 3L)) "magic number: found another one, expected that of torch.save."
                  saveLegacy path (tensor "0" [ 2L ]) [ "0", [ 1f; 2f ] ]
                  let whole = File.ReadAllBytes path
                  refused whole[.. whole.Length - 5] "storage '0': found 4 bytes, expected 8."
                  refused (Array.append whole [| 0uy |]) "end: found 1 more bytes, expected the end of the file.") ]

[<Tests>]
let tests = testList "files of torch.save" [ values; archives; hostile ]
