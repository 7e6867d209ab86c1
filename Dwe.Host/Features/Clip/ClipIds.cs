using Dwe.Model.Encoders;
using Dwe.Model.Tensors;

namespace Dwe.Host.Features.Clip;

/// <summary>The ids of CLIP's encoders: everything on which a vector depends.</summary>
internal static class ClipIds
{
    /// <summary>E.g. <c>clip/vit-768x12-p32/sha256-0123456789abcdef/clip-bpe-1</c>; other numbers than float32, and another
    /// activation than OpenAI's, are named at the end.</summary>
    // The number counts changes of how bfloat16 is computed: vectors of another number are not taken over.
    public static string Of(ClipWeights weights, Precision precision, string preprocessing)
    {
        var id = $"clip/{weights.Sizes.Name}/sha256-{weights.Sha256()[..16]}/{preprocessing}";
        if (weights.Sizes.Text.Activation == ClipActivation.Gelu) id += "/gelu";
        return precision.IsFloat32 ? id : id + (precision.IsBf16Mixed ? "/bf16-mixed-2" : "/float64");
    }
}
