using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Host.Features;
using Dwe.Model;
using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Index;

/// <summary>Entities as a run compares them: through its entity side, or as they were encoded where it has none.</summary>
internal sealed class RunProjection : IEntityProjection
{
    private readonly Matcher matcher;
    private readonly RunManifest run;
    private readonly string folder;

    /// <param name="folder">The run.</param>
    /// <param name="manifest">What it was trained on.</param>
    /// <param name="matcher">Its net with the best checkpoint's weights.</param>
    public RunProjection(RunFolder folder, RunManifest manifest, Matcher matcher)
    {
        this.matcher = matcher;
        run = manifest;
        this.folder = folder.Path;
        Card = new IndexedRun
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path))),
            Checkpoint = ContentHash.OfFile(Checkpoint.WeightsIn(folder.Best)),
            Projects = matcher.ProjectsEntities,
        };
    }

    public IndexedRun Card { get; }

    public int Dimension => matcher.Compared;

    public int RowsAtOnce => 4096;

    public float[] Project(float[] rows, int width)
    {
        using var scope = torch.NewDisposeScope();
        return matcher.CompareEntities(torch.tensor(rows.AsMemory(), [rows.Length / width, width]));
    }

    /// <summary>Refuses entities that were encoded otherwise than those the run was trained with.</summary>
    /// <exception cref="UserErrorException">StoreMismatch.</exception>
    public void RequireFor(IEntitySource source, string path)
    {
        var encoder = RunEncoders.Of(run).Text;
        if (source.Card.Encoder != encoder)
            throw Mismatch(path, $"texts encoded by {source.Card.Encoder}", $"{encoder}, as the entities of {folder}");
        if (source.Card.EntityText != run.EntityText)
            throw Mismatch(path, $"entity texts made as '{source.Card.EntityText}'", $"'{run.EntityText}', as those of {folder}");
        var withImages = run.EntitySize + run.ImageSize;
        if (source.Dimension != run.EntitySize && !(matcher.SeesEntityImages && source.Dimension == withImages))
            throw Mismatch(path, $"vectors of {source.Dimension} values", $"{run.EntitySize}, as those of {folder}");
    }

    private UserErrorException Mismatch(string path, string found, string expected) =>
        FeatureStore.Mismatch(path, found, expected, $"Encode the knowledge base for the run: dwe kb build --run {folder}");
}
