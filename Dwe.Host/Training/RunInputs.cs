using Dwe.Host.Checkpoints;
using Dwe.Host.Commands;
using Dwe.Host.Data;
using Dwe.Host.Evaluation;
using Dwe.Model;
using Dwe.Model.Config;

namespace Dwe.Host.Training;

/// <summary>
/// What trainings on the same data share: the data set with its features, the candidates of dev, names and words made ready.
/// Each is read when a run first asks for it, and once.
/// </summary>
internal sealed class RunInputs : IDisposable
{
    private readonly Lazy<CandidateLists> candidates;
    private readonly Dictionary<bool, LexicalInputs> lexical = [];

    /// <param name="data">Disposed of with these.</param>
    /// <param name="candidateFile">The candidate file that was named, or null for the data set's own.</param>
    public RunInputs(RunData data, string? candidateFile)
    {
        Data = data;
        CandidateFile = candidateFile;
        candidates = new Lazy<CandidateLists>(() => CandidateLists.Read(candidateFile, data, Splits.Dev));
    }

    public RunData Data { get; }

    public string? CandidateFile { get; }

    /// <summary>The lists of dev; null where the configuration wants none and the data set has none.</summary>
    /// <exception cref="Model.Domain.UserErrorException">As <see cref="CandidateLists.Read"/> and <see cref="CandidateLists.RequireFor"/>.</exception>
    public CandidateLists? Candidates(RunConfig config)
    {
        if (config.Training.Protocol.IsFullKb && !Data.Dataset.HasCandidates(Splits.Dev))
        {
            return null;
        }

        candidates.Value.RequireFor(config.Training.Protocol);
        return candidates.Value;
    }

    /// <summary>What the lexical unit of a new run knows, which <c>model.lexical_memory</c> decides.</summary>
    public LexicalInputs Lexical(RunConfig config)
    {
        var remembers = config.Model.Units.LexicalMemory;
        if (!lexical.TryGetValue(remembers, out var found))
        {
            found = lexical[remembers] = new LexicalInputs(remembers ? LexicalMemory.Of(Data) : LexicalMemory.Empty, Data);
        }

        return found;
    }

    /// <summary>What a new run on these is said to be trained on.</summary>
    public RunManifest Manifest() => new()
    {
        CodeVersion = CodeVersion.Current,
        Data = Data.Dataset.Folder,
        Format = Data.Dataset.Format,
        Features = Data.Store.Folder,
        Candidates = CandidateFile,
        CandidatesHash = RunManifest.HashOfCandidates(CandidateFile),
        DataHash = Data.Dataset.ContentHash,
        FeaturesHash = Data.FeaturesHash,
        EntityText = Data.Store.Manifest.EntityText,
        EnrichedBy = Data.Store.Manifest.EnrichedBy,
        Encoders = RunEncoders.Of(Data.Store.Manifest),
        TextSize = Data.Sizes.Text,
        ImageSize = Data.Sizes.Image,
        EntitySize = Data.Sizes.Entity,
    };

    public void Dispose() => Data.Dispose();
}

/// <summary>A lexical unit's memory, and the mentions of train and dev as it sees them.</summary>
internal sealed class LexicalInputs
{
    public LexicalInputs(LexicalMemory memory, RunData data)
    {
        Memory = memory;
        var unit = memory.Unit(data);
        Train = memory.Prepare(unit, data, Splits.Train);
        Dev = memory.Prepare(unit, data, Splits.Dev);
    }

    public LexicalMemory Memory { get; }

    public LexicalMentions Train { get; }

    public LexicalMentions Dev { get; }
}
