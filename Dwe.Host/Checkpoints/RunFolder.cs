using Dwe.Host.Commands;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;

namespace Dwe.Host.Checkpoints;

/// <summary>
/// What one training leaves: <c>config.json</c>, <c>manifest.json</c>, <c>checkpoints/last</c> and <c>checkpoints/best</c>,
/// <c>events/</c> (TensorBoard), <c>history.jsonl</c>, <c>results/</c>.
/// </summary>
internal sealed class RunFolder(string path)
{
    public string Path { get; } = path;

    public string Last => Join("checkpoints", "last");

    public string Best => Join("checkpoints", "best");

    public string Events => Join("events");

    public string History => Join("history.jsonl");

    private string ConfigFile => Join("config.json");

    private string ManifestFile => Join("manifest.json");

    /// <summary>Where the result of a split under a protocol is kept, e.g. <c>results/dev-strict.json</c>.</summary>
    public string Result(string split, string protocol) => Join("results", $"{split}-{protocol}.json");

    /// <summary>Begins a run: refuses a folder that holds one already.</summary>
    /// <exception cref="UserErrorException">ValueInvalid for a folder with a run in it.</exception>
    public void Begin(RunConfig config, RunManifest manifest)
    {
        if (File.Exists(ManifestFile))
        {
            throw new UserErrorException(UserError.NewValueInvalid(
                "command line", "--out", Path, "a folder without a run in it; go on with --resume, or name another folder"));
        }

        AtomicFile.WriteText(ConfigFile, Configuration.Write(config));
        JsonFiles.Write(ManifestFile, manifest);
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

        return (
            ConfigSources.ReadFile(ConfigFile, Configuration.Defaults),
            JsonFiles.Read<RunManifest>(ManifestFile, "a run's manifest"));
    }

    /// <summary>Refuses a run that has no checkpoint to go on from.</summary>
    public void RequireCheckpoint(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new UserErrorException(UserError.NewFileMissing(
                folder, "a checkpoint", "The run was stopped before its first one: train it again."));
        }
    }

    private string Join(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);
}
