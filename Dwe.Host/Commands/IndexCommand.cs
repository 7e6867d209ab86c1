using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dwe.Host.Checkpoints;
using Dwe.Host.Data;
using Dwe.Host.Index;
using Dwe.Host.KnowledgeBases;
using Dwe.Host.Native;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Host.Training;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe index</c>: entities as a run compares them, to be searched by vector and by name.</summary>
internal static class IndexCommand
{
    public static int Run(IndexOptions options, IAnsiConsole results, TextWriter output, CancellationToken stop)
    {
        var folder = new RunFolder(options.Run);
        var (config, run) = folder.Open();
        folder.RequireCheckpoint(folder.Best);
        var fromData = options.KnowledgeBase is null;
        if ((fromData || options.Dev) && run.Data.Length == 0 && (options.Data is null || options.Features is null))
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{options.Run} holds imported weights and names no data", "Give --data and --features."));

        Natives.Load(options.LibTorch);
        using var knowledge = fromData ? null : KnowledgeBase.Open(options.KnowledgeBase!);
        using var data = fromData || options.Dev ? DataOf(options, run) : null;
        using var matcher = Matcher.Create(TorchThreads.Settle(config), run.Sizes, DeviceChoice.Resolve(options.Device));
        Checkpoint.ReadWeights(folder.Best, matcher);
        IEntitySource source = knowledge is null ? new DatasetSource(data!, matcher) : new KnowledgeBaseSource(knowledge);
        var projection = new RunProjection(folder, run, matcher);
        projection.RequireFor(source, options.KnowledgeBase ?? data!.Store.Folder);
        if (!fromData && matcher.SeesEntityImages)
        {
            Streams.Note($"{options.KnowledgeBase}: no pictures are encoded in it; the run compares its entities as those without one");
        }

        var clock = Stopwatch.StartNew();
        var built = ProgressDisplay.Run("indexing", "steps", progress =>
            new IndexBuilder(options.Out, source, projection, DtypeOf(options.Dtype)).Build(
                (done, total) => progress.Report(done, total), stop));
        Streams.Note(built.Changed
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{options.Out}: {built.Written:N0} rows written in {clock.Elapsed.TotalSeconds:F1} s, {built.Taken:N0} taken over")
            : $"{options.Out}: up to date");
        if (options.Dev) Measure(options.Out, folder, run, matcher, data!);
        return Show(options.Out, options.Json, results, output);
    }

    /// <summary><c>dwe index --show</c>: what an index holds.</summary>
    public static int Show(string index, bool json, IAnsiConsole results, TextWriter output)
    {
        var manifest = IndexManifest.Read(index);
        if (json) output.WriteLine(JsonSerializer.Serialize(manifest, JsonFiles.Options));
        else Print(index, manifest, results);
        return ExitCode.Success;
    }

    private static RunData DataOf(IndexOptions options, RunManifest run)
    {
        var format = options.Format ?? (options.Data is null ? run.Format : null);
        return RunData.Open(options.Data ?? run.Data, options.Features ?? run.Features, format);
    }

    private static void Measure(string path, RunFolder folder, RunManifest run, Matcher matcher, RunData data)
    {
        data.RequireFinite(Splits.Dev);
        RecallMeasure.RequireSameEncoders(run, data, folder.Path);
        using var index = SegmentIndex.Open(path);
        var prior = File.Exists(folder.Memory) ? NamePrior.Of(LexicalMemory.Read(folder.Memory).Mentions, index) : null;
        var recall = ProgressDisplay.Run("measuring recall", "mentions", progress =>
            RecallMeasure.Of(index, prior, matcher, data, (done, total) => progress.Report(done, total)));
        IndexBuilder.Record(path, index.Manifest, recall);
    }

    private static void Print(string index, IndexManifest manifest, IAnsiConsole results)
    {
        results.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{index}: {manifest.Count:N0} entities of {manifest.Source.Name}, {manifest.Dimension} numbers each as {NameOf(manifest.Dtype)}, "
            + $"for run {manifest.Run.Name} ({manifest.Run.Checkpoint[..8]}); generation {manifest.Generation}, version {manifest.Version[..8]}"));
        if (manifest.Recall is not { } recall)
        {
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumn("candidates");
        var depths = recall.Sources.Values.First().Keys.ToArray();
        foreach (var depth in depths) table.AddColumn(new TableColumn(depth).RightAligned());
        foreach (var (source, shares) in recall.Sources)
            table.AddRow([
                source,
                .. depths.Select(depth => (100 * shares[depth]).ToString("0.0", CultureInfo.InvariantCulture)),
            ]);
        results.Write(table);
        results.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"dev of {recall.DatasetHash[..8]}: {recall.Mentions:N0} mentions, of {recall.GoldMissing:N0} of which the gold is not indexed. Percent."));
    }

    private static Dtype DtypeOf(string name) => name switch
    {
        "float32" => Dtype.F32,
        "float16" => Dtype.F16,
        "int8" => Dtype.I8,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "not an element type of an index"),
    };

    private static string NameOf(string dtype) => dtype switch
    {
        nameof(Dtype.F32) => "float32",
        nameof(Dtype.F16) => "float16",
        nameof(Dtype.I8) => "int8",
        _ => dtype,
    };
}
