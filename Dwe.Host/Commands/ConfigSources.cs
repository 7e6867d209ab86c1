using System.Text.Json;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Commands;

/// <summary>Turns what the command line names (a preset, a file, changes) into one validated configuration.</summary>
internal static class ConfigSources
{
    private static readonly JsonDocumentOptions ReadOptions = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    public static string PresetFolder => Path.Combine(AppContext.BaseDirectory, "data", "presets");

    /// <summary>Defaults, then the preset or the file, then every <c>--set</c>.</summary>
    public static RunConfig Read(ConfigSource source)
    {
        if (source.Preset is not null && source.File is not null)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                "--preset and --config exclude each other", "Name one of them and change keys with --set."));
        }

        var path = source.Preset is not null ? PresetPath(source.Preset) : source.File;
        var config = path is null ? Configuration.Defaults : ReadFile(path, Configuration.Defaults);
        return Configuration.Set(config, source.Set).OrThrow();
    }

    /// <summary>A configuration file over <paramref name="under"/>.</summary>
    public static RunConfig ReadFile(string path, RunConfig under)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException(UserError.NewFileMissing(
                path, "a configuration file", "`dwe config --json` prints one to start from."));
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), ReadOptions);
            return Configuration.Overlay(under, path, json.RootElement).OrThrow();
        }
        catch (JsonException broken)
        {
            var place = $"line {broken.LineNumber + 1}, byte {broken.BytePositionInLine + 1}";
            throw new UserErrorException(UserError.NewFileBroken(path, place, "broken JSON", "a JSON object"));
        }
    }

    private static string PresetPath(string name)
    {
        var path = Path.Combine(PresetFolder, name + ".json");
        if (Path.GetFileName(name) == name && File.Exists(path))
        {
            return path;
        }

        var known = Directory.GetFiles(PresetFolder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order();
        throw new UserErrorException(UserError.NewKeyUnknown(
            "--preset", name, Microsoft.FSharp.Collections.ListModule.OfSeq(known)));
    }
}
