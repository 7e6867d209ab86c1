using System.Text.Json;
using Dwe.Host.Commands;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Microsoft.FSharp.Collections;

namespace Dwe.Host.Experiments;

/// <summary>A JSON file that says which runs to make: a preset, changes for all of them, and the rest.</summary>
internal sealed class ExperimentFile : IDisposable
{
    private static readonly JsonDocumentOptions ReadOptions = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    private readonly JsonDocument json;

    private ExperimentFile(string path, JsonDocument json)
    {
        Path = path;
        this.json = json;
    }

    public string Path { get; }

    public string? Preset => Member("preset") is { } preset
        ? preset.ValueKind == JsonValueKind.String ? preset.GetString() : throw Invalid("preset", preset.GetRawText(), "a preset's name")
        : null;

    /// <exception cref="UserErrorException">FileMissing; FileBroken; KeyUnknown where it says something else than <paramref name="known"/>.</exception>
    public static ExperimentFile Open(string path, string what, params string[] known)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException(UserError.NewFileMissing(path, what, "data/grids has examples."));
        }

        var json = Parse(path, what);
        var file = new ExperimentFile(path, json);
        try
        {
            file.RequireKnown(what, known);
            return file;
        }
        catch
        {
            json.Dispose();
            throw;
        }
    }

    public JsonElement? Member(string name) => json.RootElement.TryGetProperty(name, out var found) ? found : null;

    /// <summary>The configuration under all runs: defaults, the preset, the changes of <c>base</c>.</summary>
    public RunConfig Base()
    {
        var preset = ConfigSources.Read(new ConfigSource(Preset, null, []));
        return Member("base") is { } changes ? Configuration.Overlay(preset, $"{Path}, base", changes).OrThrow() : preset;
    }

    public UserErrorException Invalid(string key, string value, string expected) =>
        new(UserError.NewValueInvalid(Path, key, value, expected));

    public void Dispose() => json.Dispose();

    private static JsonDocument Parse(string path, string what)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path), ReadOptions);
        }
        catch (JsonException broken)
        {
            var place = $"line {broken.LineNumber + 1}, byte {broken.BytePositionInLine + 1}";
            throw new UserErrorException(UserError.NewFileBroken(path, place, "broken JSON", what));
        }
    }

    private void RequireKnown(string what, string[] known)
    {
        var root = json.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new UserErrorException(UserError.NewFileBroken(Path, "top level", root.ValueKind.ToString(), what));
        }

        if (root.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw new UserErrorException(UserError.NewKeyUnknown(Path, unknown, ListModule.OfSeq(known)));
        }
    }
}
