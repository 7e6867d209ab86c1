using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dwe.Host.Index;

/// <summary>
/// How sixteen numbers of a stored row become float32 in registers. <see cref="QueryScale"/> is a power of two by which a query
/// is multiplied first, where that saves a multiplication for every number of every row: the products are the same.
/// </summary>
internal unsafe interface IRowNumbers<TNumber> where TNumber : unmanaged
{
    static abstract float QueryScale { get; }

    static abstract Vector512<float> Load(TNumber* from);
}

/// <summary>float32 as it is.</summary>
internal readonly unsafe struct SingleNumbers : IRowNumbers<float>
{
    public static float QueryScale => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* from) => Vector512.Load(from);
}

/// <summary>
/// float16: exponent and fraction moved to where float32 has them make the number times 2^-112, subnormal ones too, since the two
/// exponents' biases are 15 and 127. Neither infinity nor NaN is stored.
/// </summary>
internal readonly unsafe struct HalfNumbers : IRowNumbers<Half>
{
    public static float QueryScale => BitConverter.UInt32BitsToSingle((127 + 112) << 23);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(Half* from)
    {
        var bits = Widen(Vector256.Load((ushort*)from));
        var sign = (bits & Vector512.Create(0x8000u)) << 16;
        return (sign | ((bits & Vector512.Create(0x7FFFu)) << 13)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(Vector256<ushort> bits) =>
        Avx512F.IsSupported
            ? Avx512F.ConvertToVector512UInt32(bits)
            : Vector512.Create(Vector256.WidenLower(bits), Vector256.WidenUpper(bits));
}

/// <summary>int8 as whole numbers; a row's scale is for the sum.</summary>
internal readonly unsafe struct ByteNumbers : IRowNumbers<sbyte>
{
    public static float QueryScale => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(sbyte* from) => Vector512.ConvertToSingle(Widen(Vector128.Load(from)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Widen(Vector128<sbyte> numbers)
    {
        if (Avx512F.IsSupported) return Avx512F.ConvertToVector512Int32(numbers);
        var (low, high) = (Vector128.WidenLower(numbers), Vector128.WidenUpper(numbers));
        return Vector512.Create(
            Vector256.Create(Vector128.WidenLower(low), Vector128.WidenUpper(low)),
            Vector256.Create(Vector128.WidenLower(high), Vector128.WidenUpper(high)));
    }
}
