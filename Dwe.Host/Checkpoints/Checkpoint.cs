using System.Text.Json;
using Dwe.Host.Storage;
using Dwe.Model;
using Dwe.Model.Domain;
using TorchSharp;

namespace Dwe.Host.Checkpoints;

/// <summary>
/// A folder that says what it is: <c>weights.safetensors</c>, <c>optimizer.safetensors</c>, <c>state.json</c>,
/// <c>manifest.json</c>. Written under a temporary name, flushed, renamed; read back by name: a weight that is missing,
/// unexpected, of another shape or another number type is refused (docs/formats.md).
/// </summary>
internal static class Checkpoint
{
    private const string WeightsFile = "weights.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string MinedFile = "mined.safetensors";
    private const string MinedRows = "rows";
    private const string StateFile = "state.json";
    private const string ManifestFile = "manifest.json";
    private const string FirstMoment = "first.";
    private const string SecondMoment = "second.";

    /// <summary>
    /// Writes weights, moments and state, and what was mined for the epoch that is under way, which later weights do not
    /// bring back; replaces what stood there in one step.
    /// </summary>
    public static void Write(
        string folder, Matcher matcher, Trainer trainer, CheckpointState state, RunManifest run, int[][]? mined = null)
    {
        using var target = new AtomicFolder(folder);
        WriteTensors(Path.Combine(target.Path, WeightsFile), matcher.Weights.Select(weight => (weight.Item1, weight.Item2)));
        WriteTensors(Path.Combine(target.Path, OptimizerFile), Moments(trainer));
        if (mined is not null)
        {
            WriteMined(Path.Combine(target.Path, MinedFile), mined);
        }

        WriteDescription(target.Path, matcher, state, run);
        target.Commit();
    }

    /// <summary>Writes weights that were not trained here: there are no moments, so no training can go on from them.</summary>
    public static void WriteWeights(string folder, Matcher matcher, RunManifest run)
    {
        var state = new CheckpointState
        {
            Step = 0,
            Epoch = 0,
            StepInEpoch = 0,
            Updates = new Dictionary<string, long>(),
            Finished = true,
        };
        using var target = new AtomicFolder(folder);
        WriteTensors(Path.Combine(target.Path, WeightsFile), matcher.Weights.Select(weight => (weight.Item1, weight.Item2)));
        WriteDescription(target.Path, matcher, state, run);
        target.Commit();
    }

    /// <summary>The file of a checkpoint's weights.</summary>
    public static string WeightsIn(string folder) => Path.Combine(folder, WeightsFile);

    /// <summary>Copies the saved weights into <paramref name="matcher"/>.</summary>
    /// <exception cref="UserErrorException">FileMissing, FileBroken, or CheckpointMismatch naming every weight that does not fit.</exception>
    public static void ReadWeights(string folder, Matcher matcher)
    {
        using var reader = SafetensorsReader.Open(WeightsIn(folder));
        CopyInto(reader, [.. matcher.Weights.Select(weight => (weight.Item1, weight.Item2))]);
    }

    /// <summary>Copies weights and moments back and returns where training stood.</summary>
    /// <exception cref="UserErrorException">As <see cref="ReadWeights"/>.</exception>
    public static CheckpointState Resume(string folder, Matcher matcher, Trainer trainer)
    {
        var state = ReadState(folder);
        ReadWeights(folder, matcher);
        using var reader = SafetensorsReader.Open(Path.Combine(folder, OptimizerFile));
        CopyInto(reader, [.. Moments(trainer)]);
        foreach (var (name, moments) in trainer.Moments)
        {
            moments.Updates = state.Updates.GetValueOrDefault(name);
        }

        return state;
    }

    /// <summary>Where training stood.</summary>
    /// <exception cref="UserErrorException">FileMissing or FileBroken.</exception>
    public static CheckpointState ReadState(string folder) =>
        JsonFiles.Read<CheckpointState>(Path.Combine(folder, StateFile), "a checkpoint's state");

    /// <summary>The rows mined for the epoch in which training stopped; null where none were.</summary>
    public static int[][]? ReadMined(string folder)
    {
        var path = Path.Combine(folder, MinedFile);
        if (!File.Exists(path))
        {
            return null;
        }

        using var reader = SafetensorsReader.Open(path);
        using var scope = torch.NewDisposeScope();
        var rows = reader.Map(MinedRows);
        var (flat, width) = (rows.data<long>().ToArray(), (int)rows.shape[1]);
        return [.. Enumerable.Range(0, (int)rows.shape[0]).Select(mention =>
            flat.AsSpan(mention * width, width).ToArray().Where(row => row >= 0).Select(row => (int)row).ToArray())];
    }

    /// <summary>[mentions; width], rows padded with -1.</summary>
    private static void WriteMined(string path, int[][] mined)
    {
        var width = mined.Max(rows => rows.Length);
        var flat = new long[mined.Length * width];
        Array.Fill(flat, -1);
        for (var mention = 0; mention < mined.Length; mention++)
        {
            Array.ConvertAll(mined[mention], row => (long)row).CopyTo(flat, mention * width);
        }

        using var table = torch.tensor(flat, [mined.Length, width]);
        WriteTensors(path, [(MinedRows, table)]);
    }

    private static IEnumerable<(string Name, torch.Tensor Tensor)> Moments(Trainer trainer) =>
        trainer.Moments.OrderBy(moments => moments.Key, StringComparer.Ordinal).SelectMany(moments =>
            new[]
            {
                (FirstMoment + moments.Key, moments.Value.First),
                (SecondMoment + moments.Key, moments.Value.Second),
            });

    private static void WriteDescription(string folder, Matcher matcher, CheckpointState state, RunManifest run)
    {
        File.WriteAllText(Path.Combine(folder, StateFile), JsonSerializer.Serialize(state, JsonFiles.Options));
        File.WriteAllText(
            Path.Combine(folder, ManifestFile),
            JsonSerializer.Serialize(CheckpointManifest.Of(matcher, run), JsonFiles.Options));
    }

    private static void WriteTensors(string path, IEnumerable<(string Name, torch.Tensor Tensor)> tensors)
    {
        var all = tensors.ToList();
        var specs = all.Select(item => TensorFiles.Spec(item.Name, item.Tensor)).ToList();
        SafetensorsWriter.WriteFile(path, specs, metadata: null, writer =>
        {
            foreach (var (name, tensor) in all)
            {
                writer.Append(name, tensor);
            }
        });
    }

    private static void CopyInto(SafetensorsReader reader, IReadOnlyList<(string Name, torch.Tensor Tensor)> targets)
    {
        var differences = Differences(reader, targets).ToList();
        if (differences.Count > 0)
        {
            throw new UserErrorException(UserError.NewCheckpointMismatch(
                reader.Path, Microsoft.FSharp.Collections.ListModule.OfSeq(differences)));
        }

        using var noGradients = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        foreach (var (name, tensor) in targets)
        {
            tensor.copy_(reader.Map(name));
        }
    }

    private static IEnumerable<string> Differences(
        SafetensorsReader reader, IReadOnlyList<(string Name, torch.Tensor Tensor)> targets)
    {
        foreach (var (name, tensor) in targets)
        {
            if (!reader.Contains(name))
            {
                yield return $"missing {name}";
                continue;
            }

            var found = reader.Entry(name);
            var expected = TensorFiles.Spec(name, tensor);
            if (!found.Shape.SequenceEqual(expected.Shape))
            {
                yield return $"{name} is [{string.Join("; ", found.Shape)}], expected [{string.Join("; ", expected.Shape)}]";
            }
            else if (found.Dtype != expected.Dtype)
            {
                yield return $"{name} is {found.Dtype}, expected {expected.Dtype}";
            }
        }

        var known = targets.Select(target => target.Name).ToHashSet();
        foreach (var entry in reader.Tensors.Where(entry => !known.Contains(entry.Name)))
        {
            yield return $"unexpected {entry.Name}";
        }
    }
}
