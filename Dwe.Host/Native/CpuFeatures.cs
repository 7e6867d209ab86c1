using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Dwe.Host.Native;

/// <summary>The instruction sets that decide how fast libtorch and our own kernels are.</summary>
internal static class CpuFeatures
{
    private const int ExtendedFeatures = 7;
    private const int Avx512Bf16Bit = 5; // leaf 7, subleaf 1, EAX
    private const int AmxBf16Bit = 22; // leaf 7, subleaf 0, EDX

    /// <summary>The names of those this processor has.</summary>
    public static IReadOnlyList<string> Present() =>
    [
        .. new (string Name, bool IsPresent)[]
        {
            ("AVX", Avx.IsSupported),
            ("AVX2", Avx2.IsSupported),
            ("FMA", Fma.IsSupported),
            ("AVX512F", Avx512F.IsSupported),
            ("AVX512BW", Avx512BW.IsSupported),
            ("AVX512_BF16", Avx512F.IsSupported && HasBit(Cpuid(subleaf: 1).Eax, Avx512Bf16Bit)),
            ("AMX_BF16", HasBit(Cpuid(subleaf: 0).Edx, AmxBf16Bit)),
            ("AdvSimd", AdvSimd.IsSupported),
        }.Where(feature => feature.IsPresent).Select(feature => feature.Name),
    ];

    private static (int Eax, int Ebx, int Ecx, int Edx) Cpuid(int subleaf) =>
        X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= ExtendedFeatures
            ? X86Base.CpuId(ExtendedFeatures, subleaf)
            : default;

    private static bool HasBit(int register, int bit) => ((register >> bit) & 1) == 1;
}
