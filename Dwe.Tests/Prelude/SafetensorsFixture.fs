/// Reads a fixture file: 8-byte little-endian header length, JSON header, raw little-endian values.
module Dwe.Tests.Prelude.SafetensorsFixture

open System
open System.Collections.Generic
open System.IO
open System.Runtime.InteropServices
open System.Text.Json
open TorchSharp

type Entry = { Type: string; Sizes: int64[]; Bytes: byte[] }

type SafetensorsFixture(path: string) =
    let entries =
        let file = File.ReadAllBytes path
        let start = 8 + int (BitConverter.ToInt64(file, 0))
        use header = JsonDocument.Parse(ReadOnlyMemory(file, 8, start - 8))
        let found = Dictionary<string, Entry>()

        for property in header.RootElement.EnumerateObject() do
            if property.Name <> "__metadata__" then
                let numbers (name: string) =
                    [| for item in property.Value.GetProperty(name).EnumerateArray() -> item.GetInt64() |]

                let offsets = numbers "data_offsets"

                found[property.Name] <-
                    { Type = string (property.Value.GetProperty "dtype")
                      Sizes = numbers "shape"
                      Bytes = file[start + int offsets[0] .. start + int offsets[1] - 1] }

        found

    member _.Has name = entries.ContainsKey name
    member _.Names = entries.Keys :> seq<string>
    member _.Sizes name = entries[name].Sizes

    /// All values as 64-bit floats, row-major.
    member _.Values(name: string) : float[] =
        let bytes = entries[name].Bytes

        match entries[name].Type with
        | "F32" -> Array.map float (MemoryMarshal.Cast<byte, float32>(ReadOnlySpan bytes).ToArray())
        | "F64" -> Array.map id (MemoryMarshal.Cast<byte, float>(ReadOnlySpan bytes).ToArray())
        | "I64" -> Array.map float (MemoryMarshal.Cast<byte, int64>(ReadOnlySpan bytes).ToArray())
        | "I32" -> Array.map float (MemoryMarshal.Cast<byte, int32>(ReadOnlySpan bytes).ToArray())
        | "U8" -> Array.map float (MemoryMarshal.Cast<byte, byte>(ReadOnlySpan bytes).ToArray())
        | other -> invalidOp $"{name} in {path} is of type {other}"

    /// A tensor of the wanted type, whatever the file holds.
    member this.Tensor(name: string, dtype: torch.ScalarType) : torch.Tensor =
        torch.tensor(this.Values name).reshape(this.Sizes name).``to`` dtype
