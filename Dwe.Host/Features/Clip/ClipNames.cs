using System.Text.RegularExpressions;

namespace Dwe.Host.Features.Clip;

/// <summary>Where a weight of ours is in a file.</summary>
/// <param name="Names">Theirs; several are packed one below the other (query, key, value).</param>
/// <param name="Transposed">Whether it lies there as [outputs; inputs] where ours is [inputs; outputs].</param>
internal sealed record ClipSource(IReadOnlyList<string> Names, bool Transposed = false);

/// <summary>
/// The names of a CLIP model's weights in the layouts that are spread. Ours are OpenAI's; open_clip uses them too; Hugging
/// Face's CLIPModel has its own (transformers, modeling_clip.py) and keeps query, key and value apart.
/// </summary>
internal static partial class ClipNames
{
    private const string HuggingFaceMark = "vision_model.embeddings.patch_embedding.weight";

    /// <summary>Whether these are the names of Hugging Face's layout.</summary>
    public static bool IsHuggingFace(IEnumerable<string> names) => names.Contains(HuggingFaceMark);

    /// <summary>Our names and where they are; what no weight of a CLIP model is called stays under its own name.</summary>
    public static Dictionary<string, ClipSource> Map(IReadOnlyCollection<string> names)
    {
        if (!IsHuggingFace(names))
            return names.Where(name => !IsIgnored(name)).ToDictionary(name => name, name => new ClipSource([name]));

        var map = new Dictionary<string, ClipSource>();
        foreach (var name in names.Where(name => !IsIgnored(name)))
        {
            var packed = Projection().Match(name);
            if (!packed.Success)
            {
                var (ours, transposed) = Plain(name);
                map[ours] = new ClipSource([name], transposed);
                continue;
            }
            var ends = packed.Groups["end"].Value;
            var key = $"{Tower(packed.Groups["tower"].Value)}transformer.resblocks.{packed.Groups["layer"].Value}.attn.in_proj_{ends}";
            var stem = name[..packed.Groups["which"].Index];
            map.TryAdd(key, new ClipSource([.. "qkv".Select(which => $"{stem}{which}_proj.{ends}")]));
        }
        return map;
    }

    /// <summary>
    /// What files hold beside weights: OpenAI's three numbers, causal masks, lists of positions, counters of batches.
    /// </summary>
    private static bool IsIgnored(string name) =>
        name is "input_resolution" or "context_length" or "vocab_size" or "attn_mask"
        || name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)
        || name.EndsWith(".position_ids", StringComparison.Ordinal);

    private static (string Ours, bool Transposed) Plain(string name) => name switch
    {
        "text_projection.weight" => ("text_projection", true),
        "visual_projection.weight" => ("visual.proj", true),
        "text_model.embeddings.token_embedding.weight" => ("token_embedding.weight", false),
        "text_model.embeddings.position_embedding.weight" => ("positional_embedding", false),
        "vision_model.embeddings.class_embedding" => ("visual.class_embedding", false),
        "vision_model.embeddings.position_embedding.weight" => ("visual.positional_embedding", false),
        HuggingFaceMark => ("visual.conv1.weight", false),
        _ => (Renamed(name), false),
    };

    private static string Renamed(string name)
    {
        foreach (var (theirs, ours) in new[]
        {
            ("text_model.final_layer_norm.", "ln_final."), ("vision_model.pre_layrnorm.", "visual.ln_pre."),
            ("vision_model.post_layernorm.", "visual.ln_post."),
        })
        {
            if (name.StartsWith(theirs, StringComparison.Ordinal)) return ours + name[theirs.Length..];
        }
        var inLayer = Layer().Match(name);
        if (!inLayer.Success) return name;
        var part = inLayer.Groups["part"].Value switch
        {
            "self_attn.out_proj" => "attn.out_proj",
            "layer_norm1" => "ln_1",
            "layer_norm2" => "ln_2",
            "mlp.fc1" => "mlp.c_fc",
            "mlp.fc2" => "mlp.c_proj",
            _ => null,
        };
        return part is null ? name
            : $"{Tower(inLayer.Groups["tower"].Value)}transformer.resblocks.{inLayer.Groups["layer"].Value}.{part}.{inLayer.Groups["end"].Value}";
    }

    private static string Tower(string theirs) => theirs == "vision" ? "visual." : "";

    [GeneratedRegex(@"^(?<tower>text|vision)_model\.encoder\.layers\.(?<layer>[0-9]+)\.self_attn\.(?<which>[qkv])_proj\.(?<end>weight|bias)$")]
    private static partial Regex Projection();

    [GeneratedRegex(@"^(?<tower>text|vision)_model\.encoder\.layers\.(?<layer>[0-9]+)\.(?<part>.+)\.(?<end>weight|bias)$")]
    private static partial Regex Layer();
}
