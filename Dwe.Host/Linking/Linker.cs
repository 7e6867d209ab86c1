using Dwe.Host.Checkpoints;
using Dwe.Host.Evaluation;
using Dwe.Host.Features;
using Dwe.Host.Features.Images;
using Dwe.Host.Features.Vision;
using Dwe.Host.Features.Weights;
using Dwe.Host.Index;
using Dwe.Host.Native;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Batches;
using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Linking;

/// <summary>
/// A trained run over an index. A mention is encoded as the run's features were, its candidates are retrieved (or given, or
/// all), and scored as <c>dwe eval</c> scores them: with the same candidates the ranking is the same. Each query is computed
/// alone, so that no answer depends on the batch that it came in.
/// </summary>
internal sealed class Linker : ILinker
{
    private readonly Matcher matcher;
    private readonly IEntityIndex index;
    private readonly MentionEncoder encoder;
    private readonly LexicalUnit? lexical;
    private readonly CandidateRetrieval retrieval;
    private readonly Decision? decision;

    private Linker(
        Matcher matcher, IEntityIndex index, MentionEncoder encoder, LexicalUnit? lexical, CandidateRetrieval retrieval,
        Decision? decision, LinkerCard card)
    {
        this.matcher = matcher;
        this.index = index;
        this.encoder = encoder;
        this.lexical = lexical;
        this.retrieval = retrieval;
        this.decision = decision;
        Card = card;
    }

    public LinkerCard Card { get; }

    /// <summary>Opens a run, its encoders and its index. libtorch must be loaded.</summary>
    /// <param name="options">What to open.</param>
    /// <param name="report">Hears what is fetched or prepared.</param>
    /// <param name="cancel">Stops fetching.</param>
    /// <exception cref="UserErrorException">FileMissing, FileBroken, CheckpointMismatch, or StoreMismatch for an index of another run.</exception>
    public static Linker Open(LinkerOptions options, Action<string> report, CancellationToken cancel)
    {
        var encoders = RunEncoders.Of(new RunFolder(options.Run).Open().Manifest);
        var encoder = MentionEncoder.Open(encoders, options.Encoder, options.Precision, WeightCache.OfThisMachine(), report, cancel);
        try
        {
            return Open(options, encoder);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Open(LinkerOptions, Action{string}, CancellationToken)"/>, with an encoder of the caller's, which
    /// the linker disposes.</summary>
    public static Linker Open(LinkerOptions options, MentionEncoder encoder)
    {
        var folder = new RunFolder(options.Run);
        var (config, manifest) = folder.Open();
        folder.RequireCheckpoint(folder.Best);
        var matcher = Matcher.Create(TorchThreads.Settle(config), manifest.Sizes, DeviceChoice.Resolve(options.Device));
        IEntityIndex? index = null;
        try
        {
            Checkpoint.ReadWeights(folder.Best, matcher);
            index = options.Index is null ? DatasetIndex.Open(folder, manifest, matcher) : IndexOf(options.Index, folder);
            var memory = File.Exists(folder.Memory) || matcher.HasLexicalUnit ? LexicalMemory.Read(folder.Memory) : null;
            var lexical = matcher.HasLexicalUnit ? UnitOf(memory!, index) : null;
            var fusion = new CandidateFusion(index, memory is null ? null : NamePrior.Of(memory.Mentions, index));
            return new Linker(
                matcher, index, encoder, lexical, new CandidateRetrieval(index, fusion, options.Candidates),
                Decisions.Read(folder, options.Candidates == 0 ? "full-kb" : "strict"),
                new LinkerCard
                {
                    Run = NameOf(options.Run),
                    // A run of imported weights names no data.
                    Index = NameOf(options.Index ?? (manifest.Data.Length > 0 ? manifest.Data : manifest.Features)),
                    Entities = index.Count,
                    SeesImages = encoder.SeesImages,
                });
        }
        catch
        {
            index?.Dispose();
            ((IDisposable)matcher).Dispose();
            throw;
        }
    }

    public IReadOnlyList<LinkAnswer> Link(IReadOnlyList<LinkRequest> requests, CancellationToken cancel = default)
    {
        using var scope = torch.NewDisposeScope();
        var (features, seen) = encoder.Encode(requests, matcher.ReadsScene, matcher.ReadsTokens, cancel);
        var mentions = lexical?.Prepare([.. requests.Select(AsMention)], [.. requests.Select(_ => -1)]);
        float[][] queries = [.. Enumerable.Range(0, requests.Count).Select(row => Query(features, row))];
        var candidates = retrieval.Of(requests, queries);
        return [.. requests.Select((request, row) =>
            Answer(request, new Subject(features, row, mentions, seen[row], queries[row], candidates[row])))];
    }

    public KnownEntity? Find(string id)
    {
        var row = index.RowOf(id);
        if (row < 0) return null;
        var entity = index.Entity(row);
        return new KnownEntity
        {
            Id = entity.Id,
            Name = entity.Name,
            Aliases = entity.Aliases,
            Type = entity.Type,
            Fields = entity.Fields,
            HasImage = index.ImageOf(row) is not null,
        };
    }

    public string? ImageOf(string id) => index.RowOf(id) is >= 0 and var row ? index.ImageOf(row) : null;

    public void Dispose()
    {
        encoder.Dispose();
        ((IDisposable)matcher).Dispose();
        index.Dispose();
    }

    /// <summary>A request as the model sees it.</summary>
    private sealed record Subject(
        MentionFeatures Features, int Row, LexicalMentions? Words, SeenImage Seen, float[] Query, Candidate[] Candidates);

    /// <summary>[dimension], of length 1.</summary>
    private float[] Query(MentionFeatures features, int row)
    {
        var query = matcher.Query(features, [row]);
        Ranks.Normalize(query, matcher.Compared);
        return query;
    }

    private LinkAnswer Answer(LinkRequest request, Subject subject)
    {
        var candidates = subject.Candidates;
        var vectors = Vectors(candidates);
        var scores = Scores(subject, vectors);
        var order = Enumerable.Range(0, candidates.Length)
            .OrderByDescending(at => scores[at]).ThenBy(at => candidates[at].Row).ToArray();
        var shares = Probabilities(scores);
        var shown = order.Take(request.Top).ToArray();
        var parts = request.Explain ? Contributions(subject, vectors, shown) : null;
        return new LinkAnswer
        {
            Mention = request.Mention,
            Entities =
            [
                .. shown.Select((at, place) => Shown(candidates[at], scores[at], shares[at]) with { Contributions = parts?[place] }),
            ],
            Nil = order.Length == 0 || scores[order[0]] < decision?.Threshold,
            NilThreshold = decision?.Threshold,
            Compared = candidates.Length,
            Explanation = request.Explain ? Explain(subject) : null,
            ImageFault = subject.Seen.Fault is { } fault ? ImageFaults.Describe(fault) : null,
            Notes = Notes(request, candidates),
        };
    }

    private float[] Vectors(Candidate[] candidates)
    {
        var dim = matcher.Compared;
        var vectors = new float[candidates.Length * dim];
        for (var at = 0; at < candidates.Length; at++)
        {
            index.CopyVector(candidates[at].Row, vectors.AsSpan(at * dim, dim));
        }

        return vectors;
    }

    private float[] Scores(Subject subject, float[] vectors)
    {
        var candidates = subject.Candidates;
        if (candidates.Length == 0) return [];
        int[] places = [.. Enumerable.Range(0, candidates.Length)];
        var scores = Ranks.ScoreCandidates(matcher.Compared, subject.Query, vectors, candidates.Length, places).Scores;
        if (subject.Words is { } words)
        {
            matcher.Rescore(words, subject.Row, candidates.Length, [.. candidates.Select(one => one.Row)], scores);
        }

        return scores;
    }

    /// <summary>softmax(scores / temperature).</summary>
    private double[] Probabilities(float[] scores)
    {
        if (scores.Length == 0) return [];
        var (temperature, best) = (decision?.Temperature ?? 1, scores.Max());
        var weights = Array.ConvertAll(scores, score => Math.Exp((score - best) / temperature));
        var sum = weights.Sum();
        return Array.ConvertAll(weights, weight => weight / sum);
    }

    private LinkedEntity Shown(Candidate candidate, float score, double probability)
    {
        var entity = index.Entity(candidate.Row);
        return new LinkedEntity
        {
            Id = entity.Id,
            Name = entity.Name,
            Description = index.Description(candidate.Row),
            Score = score,
            Probability = probability,
            Sources = candidate.Sources,
            HasImage = index.ImageOf(candidate.Row) is not null,
        };
    }

    private Contribution[][] Contributions(Subject subject, float[] vectors, int[] shown)
    {
        var dim = matcher.Compared;
        float[] own = [.. shown.SelectMany(at => vectors[(at * dim)..((at + 1) * dim)])];
        var parts = matcher.ExplainScores(
            subject.Features, subject.Row, own, subject.Words, [.. shown.Select(at => subject.Candidates[at].Row)]);
        var names = NamesOf(subject.Seen.Findings);
        return
        [
            .. parts.Select(one => one
                .Select(part => new Contribution(names.GetValueOrDefault(part.Item1, part.Item1), part.Item2)).ToArray()),
        ];
    }

    /// <summary>What the model calls <c>part 2</c> and <c>profile 1</c>, by what was seen: <c>person 2</c>, <c>face of person 1</c>.
    /// The numbers are those of <see cref="MentionExplanation.Parts"/>, from 1.</summary>
    private static Dictionary<string, string> NamesOf(PartFindings found)
    {
        var names = new Dictionary<string, string>();
        string[] faces =
        [
            .. found.Seen.Select((part, at) => (part, at)).Where(seen => seen.part.Face is not null)
                .Select(seen => $"face of {seen.part.Label} {seen.at + 1}"),
            .. found.Faces.Select((_, at) => $"face {found.Seen.Count + at + 1}"),
        ];
        for (var at = 0; at < Math.Min(found.Parts.Count, found.Seen.Count); at++) names[$"part {at + 1}"] = $"{found.Seen[at].Label} {at + 1}";
        for (var at = 0; at < faces.Length; at++) names[$"profile {at + 1}"] = faces[at];
        // What the scene is comes after the faces.
        if (found.Scene.Length > 0) names[$"profile {found.Profiles.Count + 1}"] = "scene";
        return names;
    }

    private MentionExplanation Explain(Subject subject)
    {
        var shares = matcher.ExplainQuery(subject.Features, subject.Row);
        var seen = subject.Seen;
        return new MentionExplanation
        {
            Units = [.. shares.Gates.Select(gate => new Contribution(gate.Item1, gate.Item2))],
            ImageAttention = shares.Image,
            Image = seen.Width == 0 ? null : new ImageSize(seen.Width, seen.Height),
            Parts =
            [
                // Parts that were read come first in what was seen, in their order.
                .. seen.Findings.Seen.Select((part, at) => PartOf(part.Label, part.Box, part.Face?.ModelGuess) with
                {
                    Attention = at < shares.Parts.Length ? shares.Parts[at] : null,
                }),
                .. seen.Findings.Faces.Select(face => PartOf("face", face.Box, face.ModelGuess)),
            ],
        };
    }

    private static SeenPart PartOf(string label, float[] box, string? profile) => new()
    {
        Label = label,
        Left = box[0],
        Top = box[1],
        Right = box[2],
        Bottom = box[3],
        Profile = profile,
    };

    private List<string> Notes(LinkRequest request, Candidate[] candidates)
    {
        var notes = new List<string>();
        if (request.Image is not null && !encoder.SeesImages)
        {
            notes.Add("the image was not used: the run was trained without images");
        }

        if (request.Candidates is { } given && given.Distinct().Count() is var wanted && wanted > candidates.Length)
        {
            notes.Add($"{wanted - candidates.Length} of {wanted} candidates are not in the knowledge base");
        }

        return notes;
    }

    private static Mention AsMention(LinkRequest request) =>
        new("", request.Mention, request.Text, [], "", Gold.Unlabelled, null);

    private static LexicalUnit UnitOf(LexicalMemory memory, IEntityIndex index)
    {
        var rows = ParallelEnumerable.Range(0, index.Count).AsOrdered();
        return memory.Unit([.. rows.Select(index.Entity)], [.. rows.Select(index.Description)]);
    }

    /// <summary>An index holds entities as one run's weights project them.</summary>
    private static SegmentIndex IndexOf(string path, RunFolder folder)
    {
        var index = SegmentIndex.Open(path);
        if (index.Manifest.Run.Checkpoint == ContentHash.OfFile(Checkpoint.WeightsIn(folder.Best))) return index;
        var name = index.Manifest.Run.Name;
        index.Dispose();
        throw FeatureStore.Mismatch(
            path, $"entities as the run '{name}' sees them", $"the weights of {folder.Path}", "Build the index again with `dwe index`.");
    }

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
