using System.Diagnostics;
using System.Globalization;
using Dwe.Host.Data;
using Dwe.Host.Features;
using Dwe.Host.Features.Clip;
using Dwe.Host.Features.Text;
using Dwe.Host.Features.Weights;
using Dwe.Host.Terminal;
using Dwe.Model;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;
using TorchSharp;

namespace Dwe.Host.Commands;

/// <summary><c>dwe features</c>: encodes a data set into a feature store.</summary>
internal static class FeaturesCommand
{
    /// <summary>With the encoder that was named; what it needs is fetched where it is not there yet.</summary>
    public static int Run(FeaturesOptions request, CancellationToken stop)
    {
        Natives.Load(libTorchFolder: null);
        return Run(Streams.Results, request, () => Open(request, stop), stop);
    }

    private static ITextEncoder Open(FeaturesOptions request, CancellationToken stop)
    {
        var cache = WeightCache.OfThisMachine();
        return request.Encoder is TextEncoderChoice.ClipEncoder clip
            ? ClipTextEncoder.Open(clip.weights, request.Precision, torch.CPU, cache, Streams.Note, stop)
            : UseTextEncoder.Open(cache, null, Streams.Note, stop);
    }

    /// <summary>With an encoder of the caller's, opened only when the data set has been read.</summary>
    public static int Run(IAnsiConsole results, FeaturesOptions request, Func<ITextEncoder> openEncoder, CancellationToken stop)
    {
        var dataset = DatasetReaders.Read(request.Data, request.Format);
        var options = new FeatureJobOptions
        {
            Store = request.Out,
            EntityText = EntityText(request, dataset),
            Splits = request.Splits.Length > 0 ? request.Splits : null,
            Reuse = request.Reuse,
        };
        var mentions = string.Join(", ", dataset.Mentions.Select(split => $"{Number(split.Value.Count)} {split.Key}"));
        Streams.Note($"{dataset.Format}: {mentions} mentions; {Number(dataset.Entities.Count)} entities as {options.EntityText}");

        using var encoder = openEncoder();
        var clock = Stopwatch.StartNew();
        var result = ProgressDisplay.Run("encoding", "texts", progress =>
            FeatureJob.Run(dataset, encoder, options, (done, total) => progress.Report(done, total), stop));
        results.Line(
            $"{request.Out}: {Number(result.Texts)} texts, of which {Number(result.Encoded)} encoded in "
            + $"{clock.Elapsed.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture)} s, "
            + $"{Number(result.Continued)} from an unfinished run, {Number(result.Reused)} used again; "
            + $"{Number(result.MissingDescriptions)} entities without a description");
        return ExitCode.Success;
    }

    /// <summary>The template that was named; else the preset's; else the first description field.</summary>
    private static string EntityText(FeaturesOptions request, Dataset dataset)
    {
        if (request.EntityText is not null || request.Preset is not null)
        {
            return request.EntityText
                ?? ConfigSources.Read(new ConfigSource(request.Preset, null, [])).Features.EntityText;
        }

        var standard = Configuration.Defaults.Features.EntityText;
        var fields = dataset.FieldNames;
        if (fields.Count == 0)
        {
            throw new UserErrorException(UserError.NewUsageWrong(
                $"{request.Data} describes no entity", "Say what their texts are made of, e.g. --entity-text '{name}'."));
        }

        return fields.Contains(standard.Trim('{', '}')) ? standard : $"{{{fields[0]}}}";
    }

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
