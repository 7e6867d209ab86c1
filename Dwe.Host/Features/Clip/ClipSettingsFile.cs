using System.Text.Json;
using Dwe.Host.Storage;
using Dwe.Model.Domain;
using Dwe.Model.Encoders;

namespace Dwe.Host.Features.Clip;

/// <summary>
/// What weights do not tell, from the settings that lie beside them: <c>config.json</c> of Hugging Face,
/// <c>open_clip_config.json</c> of open_clip. Without a file, each project's own default: quick GELU for OpenAI and Hugging
/// Face, GELU for open_clip; heads of 64.
/// </summary>
internal static class ClipSettingsFile
{
    private const string HuggingFace = "config.json";
    private const string OpenClip = "open_clip_config.json";

    /// <summary>Reads the settings that belong to a layout.</summary>
    /// <exception cref="UserErrorException">FileBroken: no JSON, or an activation that CLIP does not have.</exception>
    public static ClipSettings Read(string folder, bool huggingFace, bool openAI)
    {
        if (huggingFace)
        {
            return Parse(Path.Combine(folder, HuggingFace), ClipSettings.OpenAI, (path, json) =>
            {
                var image = Section(json, "vision_config");
                var text = Section(json, "text_config");
                return new ClipSettings(
                    Text(image, "hidden_act") is { } name ? Activation(path, name) : ClipActivation.QuickGelu,
                    HeadWidth(image, 768, 12), HeadWidth(text, 512, 8));
            });
        }
        return openAI
            ? ClipSettings.OpenAI
            : Parse(Path.Combine(folder, OpenClip), new ClipSettings(ClipActivation.Gelu, 64, 64), (_, json) =>
            {
                var model = Section(json, "model_cfg");
                var text = Section(model, "text_cfg");
                return new ClipSettings(
                    Flag(model, "quick_gelu") ? ClipActivation.QuickGelu : ClipActivation.Gelu,
                    Number(Section(model, "vision_cfg"), "head_width") ?? 64,
                    HeadWidth(text, Number(text, "width") ?? 512, Number(text, "heads") ?? 8, "width", "heads"));
            });
    }

    private static ClipSettings Parse(string path, ClipSettings otherwise, Func<string, JsonElement, ClipSettings> read)
    {
        if (!File.Exists(path)) return otherwise;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(path, json.RootElement);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            throw SafetensorsHeader.Broken(path, "JSON", problem.Message.TrimEnd('.'), "the model's settings");
        }
    }

    private static ClipActivation Activation(string path, string name) => name switch
    {
        "quick_gelu" => ClipActivation.QuickGelu,
        "gelu" => ClipActivation.Gelu,
        _ => throw SafetensorsHeader.Broken(path, "hidden_act", $"'{name}'", "quick_gelu or gelu"),
    };

    private static JsonElement Section(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var found) ? found : default;

    private static string? Text(JsonElement json, string name) =>
        Section(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static bool Flag(JsonElement json, string name) => Section(json, name).ValueKind == JsonValueKind.True;

    private static int? Number(JsonElement json, string name) =>
        Section(json, name) is { ValueKind: JsonValueKind.Number } value && value.GetInt32() > 0 ? value.GetInt32() : null;

    private static int HeadWidth(
        JsonElement json, int width, int heads, string widthName = "hidden_size", string headsName = "num_attention_heads") =>
        Math.Max(1, (Number(json, widthName) ?? width) / (Number(json, headsName) ?? heads));
}
