module Dwe.Tests.Host.Storage.SafetensorsTests

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.IO
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Text
open Dwe.Host.Storage
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto
open Dwe.Model.Tensors
open TorchSharp

// Addresses are compared, to see that nothing was copied.
#nowarn "9"

let private spec name dtype shape = TensorSpec(name, dtype, Array.ofList<int64> shape)

/// A file of the given header text and as many zero bytes of data.
let private fileOf (folder: string) (header: string) dataBytes =
    let path = Path.Combine(folder, "weights.safetensors")
    let text = Encoding.UTF8.GetBytes header
    let bytes = Array.zeroCreate<byte> (8 + text.Length + dataBytes)
    BinaryPrimitives.WriteUInt64LittleEndian(Span bytes, uint64 text.Length)
    text.CopyTo(bytes, 8)
    File.WriteAllBytes(path, bytes)
    path

let private refused header dataBytes expected =
    Folder.temporary (fun folder ->
        let path = fileOf folder header dataBytes

        (fun () -> (SafetensorsReader.Open path).Dispose()) |> Refusal.isSpelled (path + ": " + expected))

let private addressOf (memory: Memory<'Element>) =
    use pin = memory.Pin()
    pin.Pointer |> NativeInterop.NativePtr.ofVoidPtr<byte> |> NativeInterop.NativePtr.toNativeInt

let private addressOfTensor (tensor: torch.Tensor) =
    Unsafe.AsPointer(&MemoryMarshal.GetReference(tensor.bytes))
    |> NativeInterop.NativePtr.ofVoidPtr<byte>
    |> NativeInterop.NativePtr.toNativeInt

/// Every byte of every tensor, so that a wrong range would be touched.
let private readAll (path: string) =
    use reader = SafetensorsReader.Open path
    let mutable sum = 0L

    for entry in reader.Tensors do
        for value in reader.View<byte>(entry.Name).ToArray() do
            sum <- sum + int64 value

    sum

let private allTypes =
    [ spec "f64" Dtype.F64 [ 2L ]
      spec "i64" Dtype.I64 [ 2L; 1L ]
      spec "f32" Dtype.F32 [ 2L; 2L ]
      spec "i32" Dtype.I32 []
      spec "empty" Dtype.F32 [ 0L; 512L ]
      spec "f16" Dtype.F16 [ 2L ]
      spec "bf16" Dtype.BF16 [ 2L ]
      spec "i16" Dtype.I16 [ 2L ]
      spec "i8" Dtype.I8 [ 2L ]
      spec "u8" Dtype.U8 [ 2L ]
      spec "bool" Dtype.BOOL [ 3L ] ]

let private writeAllTypes (path: string) =
    let metadata = Dictionary(dict [ "note", "naïve"; "format", "pt" ])

    SafetensorsWriter.WriteFile(
        path,
        allTypes |> Array.ofList,
        metadata,
        fun writer ->
            writer.Append<float>("f64", ReadOnlySpan [| 1e300; -0.5 |])
            writer.Append<int64>("i64", ReadOnlySpan [| Int64.MinValue; 7L |])
            writer.Append<float32>("f32", ReadOnlySpan [| 1.5f |])
            writer.Append<float32>("f32", ReadOnlySpan [| nanf; infinityf; -2f |])
            writer.Append<int>("i32", ReadOnlySpan [| -3 |])
            writer.Append<Half>("f16", ReadOnlySpan [| Half.op_Explicit 0.25f; Half.MaxValue |])
            writer.Append<uint16>("bf16", ReadOnlySpan [| 0x3F80us; 0xC000us |])
            writer.Append<int16>("i16", ReadOnlySpan [| -300s; 300s |])
            writer.Append<sbyte>("i8", ReadOnlySpan [| -128y; 127y |])
            writer.Append<byte>("u8", ReadOnlySpan [| 0uy; 255uy |])
            writer.Append<bool>("bool", ReadOnlySpan [| true; false; true |])
    )

let private bigRows = 3L <<< 20

/// A sparse file: a tensor "big" of 3 GiB, all zero but the last byte, that takes no room on the disk.
let private writeBig (path: string) =
    use stream = new FileStream(path, FileMode.Create)
    SafetensorsWriter(stream, [| spec "big" Dtype.U8 [ bigRows; 1024L ] |], null) |> ignore
    stream.SetLength(stream.Length + bigRows * 1024L)
    stream.Position <- stream.Length - 1L
    stream.WriteByte 9uy

[<Tests>]
let tests =
    testList
        "safetensors"
        [ testCase "every element type, a scalar and an empty tensor come back as they were written"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "all.safetensors")
                  writeAllTypes path
                  use reader = SafetensorsReader.Open path

                  Expect.equal
                      [ for entry in reader.Tensors -> string entry ]
                      [ "F64 [2]"
                        "I64 [2, 1]"
                        "F32 [2, 2]"
                        "I32 []"
                        "F32 [0, 512]"
                        "F16 [2]"
                        "BF16 [2]"
                        "I16 [2]"
                        "I8 [2]"
                        "U8 [2]"
                        "BOOL [3]" ]
                      "the declared tensors in their order"

                  Expect.equal (reader.View<float>("f64").ToArray()) [| 1e300; -0.5 |] "f64"
                  Expect.equal (reader.View<int64>("i64").ToArray()) [| Int64.MinValue; 7L |] "i64"
                  let singles = reader.View<float32>("f32").ToArray()
                  Expect.equal singles[0] 1.5f "f32"
                  Expect.isTrue (Single.IsNaN singles[1]) "NaN"
                  Expect.equal singles[2..3] [| infinityf; -2f |] "infinity"
                  Expect.equal (reader.View<int>("i32").ToArray()) [| -3 |] "the scalar"
                  Expect.equal (reader.View<float32>("empty").Length) 0 "the empty tensor"
                  Expect.equal (reader.ReadSingles "f16") [| 0.25f; 65504f |] "f16"
                  Expect.equal (reader.ReadSingles "bf16") [| 1f; -2f |] "bf16"
                  Expect.equal (reader.View<int16>("i16").ToArray()) [| -300s; 300s |] "i16"
                  Expect.equal (reader.View<sbyte>("i8").ToArray()) [| -128y; 127y |] "i8"
                  Expect.equal (reader.View<byte>("u8").ToArray()) [| 0uy; 255uy |] "u8"
                  Expect.equal (reader.View<bool>("bool").ToArray()) [| true; false; true |] "bool"
                  Expect.equal reader.Metadata["note"] "naïve" "metadata"
                  Expect.equal reader.Metadata.Count 2 "metadata")

          testCase "the same tensors and metadata are the same bytes, with a header padded to 8 by spaces"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let first, second = Path.Combine(folder, "1"), Path.Combine(folder, "2")
                  writeAllTypes first
                  writeAllTypes second
                  let bytes = File.ReadAllBytes first
                  Expect.equal bytes (File.ReadAllBytes second) "two runs"
                  let length = int (BinaryPrimitives.ReadUInt64LittleEndian(ReadOnlySpan(bytes, 0, 8)))
                  Expect.equal (length % 8) 0 "padded"
                  let header = Encoding.UTF8.GetString(bytes, 8, length)
                  Expect.stringStarts header "{\"__metadata__\":{\"format\":\"pt\",\"note\":" "metadata sorted"
                  Expect.equal (header.TrimEnd ' ' |> Seq.last) '}' "nothing but spaces after the object")

          testCase "appending out of order, too much, too little or another type is refused"
          <| fun () ->
              let writer () =
                  SafetensorsWriter(new MemoryStream(), [| spec "a" Dtype.F32 [ 2L ]; spec "b" Dtype.U8 [ 1L ] |], null)

              let messageOf action =
                  try
                      action (writer ())
                      ""
                  with
                  | :? ArgumentException
                  | :? InvalidOperationException as error -> error.Message.Split(" (Parameter")[0]

              Expect.equal
                  [ messageOf (fun writer -> writer.Append<byte>("b", ReadOnlySpan [| 1uy |]))
                    messageOf (fun writer -> writer.Append<float>("a", ReadOnlySpan [| 1.0 |]))
                    messageOf (fun writer -> writer.Append<float32>("a", ReadOnlySpan [| 1f; 2f; 3f |]))
                    messageOf (fun writer ->
                        writer.Append<float32>("a", ReadOnlySpan [| 1f |])
                        writer.Complete()) ]
                  [ "'b' is appended where 'a' is due"
                    "'a' is F32, not Double"
                    "'a' has room for 8 bytes, not 12"
                    "'a' has 4 of 8 bytes" ]
                  "messages"

          testCase "headers that lie are refused, naming the file and the tensor"
          <| fun () ->
              let a = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
              refused "[]" 0 "header: found a JSON array, expected a JSON object."
              refused "{" 0 "header, byte 9: found text that is no JSON, expected a JSON object."

              refused
                  "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}"
                  2
                  "tensor 'a': found dtype \"F8_E4M3\", expected one of BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64."

              refused ("{" + a + "," + a + "}") 8 "tensor 'a': found the name twice, expected every name once."

              refused
                  ("{" + a + "}")
                  4
                  "tensor 'a': found data_offsets [0, 8], expected a range within the 4 bytes of data."

              refused ("{" + a + "}") 12 "data: found 12 bytes, expected 8 (the sum of its tensors)."

              refused
                  ("{" + a + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}")
                  12
                  "tensor 'b': found bytes that belong to another tensor too, expected its data to start at byte 8 of the data."

              refused
                  ("{" + a + ",\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}")
                  10
                  "tensor 'b': found a gap before it, expected its data to start at byte 8 of the data."

              refused
                  "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}"
                  8
                  "tensor 'a': found 8 bytes of data, expected 12 for F32 [3]."

              refused
                  "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}"
                  8
                  "tensor 'a': found shape [4611686018427387904,4], expected a list of extents whose product fits 63 bits."

              refused "{\"__metadata__\":{\"step\":1}}" 0 "__metadata__, 'step': found a JSON number, expected a text."

          testCase "an absurd header length, a file too short for one, and a missing file are refused"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "x.safetensors")
                  let opening () = (SafetensorsReader.Open path).Dispose()

                  Refusal.isSpelled
                      $"{path}: not found; expected a safetensors file. Check the path, or write the file again."
                      opening

                  File.WriteAllBytes(path, [| 1uy; 2uy |])

                  Refusal.isSpelled
                      $"{path}: header length: found a file of 2 bytes, expected at least 8 bytes."
                      opening

                  File.WriteAllBytes(path, Array.append (Array.replicate 8 0xFFuy) [| 1uy |])

                  Refusal.isSpelled
                      $"{path}: header length: found 18446744073709551615 bytes, expected at most 1 (the file has 9 bytes)."
                      opening)

          testCase "an unknown tensor is answered with the nearest name, a wrong element type with the right one"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "all.safetensors")
                  writeAllTypes path
                  use reader = SafetensorsReader.Open path

                  (fun () -> reader.View<float32>("emptee") |> ignore)
                  |> Refusal.isSpelled $"{path}: unknown key 'emptee'; did you mean empty?"

                  (fun () -> reader.View<float32>("f64") |> ignore)
                  |> Refusal.isSpelled $"{path}: tensor 'f64': found F64 [2], expected elements of Single.")

          testCase "a tensor of more than 2^31 - 1 elements is refused as one view and given in segments of whole rows"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "big.safetensors")
                  writeBig path
                  use reader = SafetensorsReader.Open path

                  (fun () -> reader.View<byte>("big") |> ignore)
                  |> Refusal.isSpelled
                      $"{path}: tensor 'big': found 3221225472 elements, expected at most 2147483647 in one view; read it in segments."

                  let segments = reader.Segments<byte>("big")
                  Expect.equal [ for segment in segments -> segment.Length ] [ 2147482624; 1073742848 ] "whole rows"
                  Expect.equal (segments[1].Span[1073742847]) 9uy "the last byte")

          testCase "a tensor over a mapped file is not a copy, and outlives its reader"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "rows.safetensors")

                  SafetensorsWriter.WriteFile(
                      path,
                      [| spec "rows" Dtype.F32 [ 4L; 2L ] |],
                      null,
                      fun writer -> writer.Append<float32>("rows", ReadOnlySpan [| 0f .. 7f |])
                  )

                  let reader = SafetensorsReader.Open path
                  use tensor = TensorFiles.Map(reader, "rows")
                  Expect.equal (addressOfTensor tensor) (addressOf (reader.View<float32> "rows")) "one address"
                  reader.Dispose()
                  use picked = tensor.index_select (0, torch.tensor [| 3L; 1L |])
                  Expect.equal (picked.data<float32>().ToArray()) [| 6f; 7f; 2f; 3f |] "gathered rows"
                  Expect.equal picked.shape [| 2L; 2L |] "gathered shape")

          testCase "a tensor of more than 2^31 - 1 elements is mapped whole"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "big.safetensors")
                  writeBig path
                  use reader = SafetensorsReader.Open path
                  use tensor = TensorFiles.Map(reader, "big")
                  use last = tensor.index_select (0, torch.tensor [| bigRows - 1L |])
                  Expect.equal (Numbers.value (last.sum ())) 9.0 "the last row")

          testCase "elements that a foreign file left unaligned are copied, and right"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "odd.safetensors")

                  SafetensorsWriter.WriteFile(
                      path,
                      [| spec "byte" Dtype.U8 [ 1L ]; spec "rows" Dtype.F32 [ 1L; 2L ] |],
                      null,
                      fun writer ->
                          writer.Append<byte>("byte", ReadOnlySpan [| 1uy |])
                          writer.Append<float32>("rows", ReadOnlySpan [| 0.5f; -4f |])
                  )

                  use reader = SafetensorsReader.Open path
                  use tensor = TensorFiles.Map(reader, "rows")
                  Expect.equal (tensor.data<float32>().ToArray()) [| 0.5f; -4f |] "as a tensor"
                  Expect.equal (reader.View<float32>("rows").ToArray()) [| 0.5f; -4f |] "as memory")

          testCase "tensors of every type go through a file and come back equal"
          <| fun () ->
              Folder.temporary (fun folder ->
                  use _ = torch.NewDisposeScope()
                  let path = Path.Combine(folder, "tensors.safetensors")
                  let transposed = torch.arange(6.0).to_type(torch.ScalarType.Float32).reshape(2L, 3L).t ()

                  let tensors =
                      [ for kind in
                            [ torch.ScalarType.Float64
                              torch.ScalarType.Int64
                              torch.ScalarType.Float32
                              torch.ScalarType.Int32
                              torch.ScalarType.Float16
                              torch.ScalarType.BFloat16
                              torch.ScalarType.Int16
                              torch.ScalarType.Int8
                              torch.ScalarType.Byte
                              torch.ScalarType.Bool ] do
                            string kind, transposed.to_type kind
                            string kind + ".scalar", torch.tensor(3.0).to_type kind
                            string kind + ".empty", torch.empty ([| 0L; 2L |], dtype = kind) ]

                  SafetensorsWriter.WriteFile(
                      path,
                      [| for name, tensor in tensors -> TensorFiles.Spec(name, tensor) |],
                      null,
                      fun writer ->
                          for name, tensor in tensors do
                              TensorFiles.Append(writer, name, tensor)
                  )

                  use reader = SafetensorsReader.Open path

                  for name, tensor in tensors do
                      let read = TensorFiles.Map(reader, name)
                      Expect.equal read.dtype tensor.dtype name
                      Expect.equal read.shape tensor.shape name
                      Expect.isTrue (Numbers.value ((read.equal tensor).all ()) = 1.0) name)

          testCase "10,000 damaged files end in a refusal or a read, never in anything else"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "good.safetensors")
                  writeAllTypes path
                  let good = File.ReadAllBytes path
                  let headerEnd = 8 + int (BinaryPrimitives.ReadUInt64LittleEndian(ReadOnlySpan(good, 0, 8)))
                  let random = SeededRandom(Seed.derive 1L "damage" 0L)

                  let numbers =
                      [| "-1"
                         "0"
                         "1"
                         "8"
                         "9223372036854775807"
                         "9223372036854775808"
                         "1e3"
                         "1.5"
                         "null"
                         "[]"
                         "\"\"" |]

                  /// Replaces the number that begins nearest after a place in the header.
                  let renumber (bytes: byte[]) =
                      let isDigit (value: byte) = value >= byte '0' && value <= byte '9'
                      let mutable start = 8 + random.Next(headerEnd - 8)

                      while start < headerEnd && not (isDigit bytes[start]) do
                          start <- start + 1

                      let mutable stop = start

                      while stop < headerEnd && isDigit bytes[stop] do
                          stop <- stop + 1

                      let number = Encoding.ASCII.GetBytes numbers[random.Next numbers.Length]
                      let renumbered = Array.concat [ bytes[.. start - 1]; number; bytes[stop..] ]

                      BinaryPrimitives.WriteUInt64LittleEndian(
                          Span renumbered,
                          uint64 (headerEnd - 8 + number.Length - (stop - start))
                      )

                      renumbered

                  let damage (bytes: byte[]) =
                      match random.Next 5 with
                      | 0 ->
                          bytes[random.Next headerEnd] <- byte (random.Next 256)
                          bytes
                      | 1 ->
                          let place = random.Next headerEnd
                          bytes[place] <- bytes[place] ^^^ (1uy <<< random.Next 8)
                          bytes
                      | 2 -> bytes[.. random.Next bytes.Length - 1]
                      | 3 ->
                          let from, target = random.Next headerEnd, random.Next headerEnd
                          let length = min (random.Next 40) (headerEnd - max from target)
                          Array.Copy(bytes, from, bytes, target, length)
                          bytes
                      | _ -> renumber bytes

                  let mutable refusals, reads = 0, 0

                  for attempt in 1..10_000 do
                      // A new name each time: some file systems flush a file that is emptied and written again.
                      let broken = Path.Combine(folder, $"broken-{attempt}.safetensors")
                      File.WriteAllBytes(broken, damage (Array.copy good))

                      try
                          readAll broken |> ignore
                          reads <- reads + 1
                      with :? UserErrorException as refusal ->
                          Expect.stringStarts refusal.Message broken "the file is named"
                          refusals <- refusals + 1

                      File.Delete broken

                  Expect.isGreaterThan refusals 5_000 "most damage is seen"
                  Expect.isGreaterThan reads 100 "some damage is harmless")

          testCase "every safetensors file that the published code's numbers are kept in is read"
          <| fun () ->
              let files =
                  Directory.GetFiles(
                      Fixtures.required "fixtures/reference",
                      "*.safetensors",
                      SearchOption.AllDirectories
                  )

              Expect.equal files.Length 8 "files"

              for file in files do
                  Expect.isGreaterThan (readAll file) 0L file

              use losses = SafetensorsReader.Open(Fixtures.path "fixtures/reference/losses/losses.safetensors")

              Expect.isGreaterThan losses.Tensors.Count 48 "tensors of the 48 cases" ]
