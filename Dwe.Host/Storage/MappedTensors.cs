using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dwe.Host.Native;
using TorchSharp;

namespace Dwe.Host.Storage;

/// <summary>
/// Makes tensors over mapped bytes. TorchSharp 0.107's <c>torch.tensor(Memory)</c> copies and <c>torch.frombuffer</c>
/// takes managed arrays only, so this calls the function both rest on (<c>from_blob</c>, with a deleter) in the native
/// library itself; the handle becomes a Tensor through the public <c>UnsafeCreateTensor</c>.
/// </summary>
internal static unsafe class MappedTensors
{
    private static readonly Lock Gate = new();

    /// <summary>Mappings by the address a tensor was made over, with the number of tensors: torch gives back only that.</summary>
    private static readonly Dictionary<nint, (MappedFile File, int Tensors)> Held = [];

    private static readonly delegate* unmanaged[Cdecl]<
        void*, delegate* unmanaged[Cdecl]<void*, void>, long*, int, sbyte, sbyte, int, int, byte, nint> NewTensor =
        (delegate* unmanaged[Cdecl]<
            void*, delegate* unmanaged[Cdecl]<void*, void>, long*, int, sbyte, sbyte, int, int, byte, nint>)
        NativeLibrary.GetExport(Library(), "THSTensor_new");

    /// <summary>A CPU tensor of the entry's shape over its bytes; keeps the mapping until torch frees its storage.</summary>
    public static torch.Tensor Over(MappedFile file, TensorEntry entry, torch.ScalarType type)
    {
        var address = file.At(entry.Offset);
        long[] shape = [.. entry.Shape];
        var aligned = entry.Offset % entry.Dtype.Size() == 0;
        var start = aligned ? address : Copy(address, entry.ByteLength);
        if (aligned) Hold(file, (nint)address);

        nint handle;
        fixed (long* extents = shape)
        {
            handle = NewTensor(
                start, aligned ? &LetGo : &Free, extents, shape.Length, (sbyte)type, (sbyte)type, 0, -1, 0);
        }
        if (handle == 0) torch.CheckForErrors();
        return torch.Tensor.UnsafeCreateTensor(handle);
    }

    private static void Hold(MappedFile file, nint address)
    {
        lock (Gate)
        {
            file.Acquire();
            Held[address] = (file, Held.TryGetValue(address, out var held) ? held.Tensors + 1 : 1);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void LetGo(void* address)
    {
        lock (Gate)
        {
            var (file, tensors) = Held[(nint)address];
            if (tensors == 1) Held.Remove((nint)address);
            else Held[(nint)address] = (file, tensors - 1);
            file.Release();
        }
    }

    private static byte* Copy(byte* address, long length)
    {
        var copy = (byte*)System.Runtime.InteropServices.NativeMemory.Alloc((nuint)length);
        Buffer.MemoryCopy(address, copy, length, length);
        return copy;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(void* address) => System.Runtime.InteropServices.NativeMemory.Free(address);

    private static nint Library()
    {
        // Loaded already, so that this is the one copy of the process; by its full path where the program chose the file.
        var report = NativeLibraries.Require();
        return report.Bridge is { } bridge
            ? NativeLibrary.Load(bridge.Path)
            : NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
    }
}
