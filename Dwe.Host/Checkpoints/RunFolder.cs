using Dwe.Host.Commands;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Checkpoints;

/// <summary>
/// What one training leaves: <c>config.json</c>, <c>manifest.json</c>, <c>checkpoints/last</c> and <c>checkpoints/best</c>,
/// <c>events/</c> (TensorBoard), <c>history.jsonl</c>, <c>results/</c>, <c>decisions.json</c>.
/// </summary>
internal sealed class RunFolder(string path)
{
    private const string Checkpoints = "checkpoints";
    private const string ResultFolder = "results";

    public string Path { get; } = path;

    public string Last => Join(Checkpoints, "last");

    public string Best => Join(Checkpoints, "best");

    public string Events => Join("events");

    public string History => Join("history.jsonl");

    /// <summary>What a lexical unit remembers of training.</summary>
    public string Memory => Join("memory.jsonl");

    /// <summary>What was chosen on dev: see <see cref="Checkpoints.Decisions"/>.</summary>
    public string Decisions => Join("decisions.json");

    private string ConfigFile => Join("config.json");

    private string ManifestFile => Join("manifest.json");

    /// <summary>Where the result of a split under a protocol is kept, e.g. <c>results/dev-strict.json</c>.</summary>
    public string Result(string split, string protocol) => Join(ResultFolder, $"{split}-{protocol}.json");

    /// <summary>All of them that are there, by name.</summary>
    public IReadOnlyList<string> Results => Directory.Exists(Join(ResultFolder))
        ? [.. Directory.EnumerateFiles(Join(ResultFolder), "*.json").Order(StringComparer.Ordinal)]
        : [];

    /// <summary>
    /// Refuses a folder that holds a run already, or something else that has a <c>manifest.json</c>. A run that was stopped
    /// before its first checkpoint has nothing to lose and does not count.
    /// </summary>
    /// <exception cref="UserErrorException">ValueInvalid.</exception>
    public void RequireFree()
    {
        if (Directory.Exists(Last))
        {
            throw NotFree("a folder without a run in it; go on with --resume, or name another folder");
        }

        if (File.Exists(ManifestFile) && !File.Exists(ConfigFile))
        {
            throw NotFree("a folder for the run alone; the manifest.json in this one is no run's");
        }
    }

    /// <summary>Begins a run in a folder that is free, in place of one that has no checkpoint.</summary>
    /// <exception cref="UserErrorException">As <see cref="RequireFree"/>.</exception>
    public void Begin(RunConfig config, RunManifest manifest)
    {
        RequireFree();
        foreach (var folder in new[] { Join(Checkpoints), Events }.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }

        if (File.Exists(History))
        {
            File.Delete(History);
        }

        AtomicFile.WriteText(ConfigFile, Configuration.Write(config));
        JsonFiles.Write(ManifestFile, manifest);
    }

    /// <summary>Removes what a killed writer left beside the checkpoints.</summary>
    public void RemoveLeftovers()
    {
        Leftovers.Clean(System.IO.Path.GetFullPath(Last));
        Leftovers.Clean(System.IO.Path.GetFullPath(Best));
    }

    /// <summary>The configuration and the data of a run.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken, KeyUnknown or ValueInvalid.</exception>
    public (RunConfig Config, RunManifest Manifest) Open()
    {
        if (!File.Exists(ManifestFile))
        {
            throw new UserErrorException(UserError.NewFileMissing(
                ManifestFile, "a run made by `dwe train`", "Check the folder's name."));
        }

        var manifest = JsonFiles.Read<RunManifest>(ManifestFile, "a run's manifest");
        return (
            ConfigSources.ReadFile(ConfigFile, Configuration.Defaults),
            manifest with
            {
                Data = Found(manifest.Data),
                Features = Found(manifest.Features),
                Candidates = manifest.Candidates is { } candidates ? Found(candidates) : null,
            });
    }

    /// <summary>
    /// A path as the training was given it, which began in some folder above the run's own: where it leads nowhere from the
    /// working folder, the nearest of those from which it does. That it leads to the same data is checked by hash later.
    /// </summary>
    private string Found(string given)
    {
        if (given.Length == 0 || System.IO.Path.IsPathRooted(given) || System.IO.Path.Exists(given)) return given;
        for (var above = Directory.GetParent(System.IO.Path.GetFullPath(Path)); above is not null; above = above.Parent)
        {
            var candidate = System.IO.Path.Combine(above.FullName, given);
            if (System.IO.Path.Exists(candidate)) return candidate;
        }

        return given;
    }

    /// <summary>Refuses a run that has no checkpoint to go on from.</summary>
    public void RequireCheckpoint(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new UserErrorException(UserError.NewFileMissing(
                folder, "a checkpoint", Directory.Exists(Last)
                    ? $"The run was stopped before its first evaluation: go on with `dwe train --out {Path} --resume`."
                    : "The run was stopped before its first one: train it again, without --resume."));
        }
    }

    private UserErrorException NotFree(string expected) =>
        new(UserError.NewValueInvalid("command line", "--out", Path, expected));

    private string Join(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);
}
