using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Dwe.Host.Features.Vision;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Images;

/// <summary>What is done with a data set's images.</summary>
/// <param name="Encoder">Whole images and parts.</param>
/// <param name="Finder">Parts, profiles, scenes.</param>
/// <param name="Folders">Where to look for images first.</param>
internal sealed record ImageWork(IImageEncoder Encoder, IPartFinder Finder, IReadOnlyList<string> Folders) : IDisposable
{
    /// <summary>Longer sides are reduced to this while decoding: five times what the widest net looks at.</summary>
    public const int LongestSide = 2560;

    public ImageLimits Limits { get; init; } = new() { Side = LongestSide };

    /// <summary>Pictures decoded, and pictures analysed, at once.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Replaces the finder's scene by one that is read from the whole image's vector; null keeps it.</summary>
    public ZeroShotScenes? Scenes { get; init; }

    /// <summary>What the records were made with.</summary>
    public string Settings => $"# images-1 {Encoder.Id} {Finder.Id} side-{Limits.Side}{(Scenes is null ? "" : " " + Scenes.Id)}";

    /// <inheritdoc/>
    public void Dispose()
    {
        Encoder.Dispose();
        Finder.Dispose();
    }
}

/// <summary>An image to be read.</summary>
/// <param name="Name">What its record is called.</param>
/// <param name="Path">Null for a missing one.</param>
/// <param name="WithParts">Parts are looked for; else it is encoded as a whole only.</param>
internal sealed record ImageToRead(string Name, string? Path, bool WithParts);

/// <summary>
/// Images to vectors and records: decode, find parts, encode, as three stages with short queues between them, so that at most
/// a few pictures are in memory. Batches for the encoder are filled across images. What a killed run has done is kept.
/// </summary>
internal sealed class ImageJob(ImageWork work, VectorJournal vectors, ImageJournal records, KnownVectors known)
{
    private const int BatchVectors = 16;
    private readonly IReadOnlyDictionary<(string Hash, string Image), ImageRecord> earlier = records.Records;

    /// <summary>Records that were found and not made.</summary>
    public int Found { get; private set; }

    /// <summary>The key of a whole image's vector.</summary>
    public static ContentKey WholeKey(IImageEncoder encoder, ImageRecord record) =>
        ContentKey.OfText(encoder.Id, $"image {record.Hash}");

    /// <summary>The key of a part's vector: the encoder, what the finder made of the image, and which of its parts.</summary>
    public static ContentKey PartKey(ImageWork work, ImageRecord record, int part) =>
        ContentKey.OfText(work.Encoder.Id, $"part {part} of {record.Hash} by {work.Finder.Id} {work.Limits.Side}");

    public static ContentKey IdentityKey(ImageWork work, ImageRecord record, int face) =>
        ContentKey.OfText(work.Finder.Id, $"identity {face} of {record.Hash} {work.Limits.Side}");

    /// <summary>How many files would have to be read, as no record or not all vectors of them are there. One that once took too
    /// long does not count: that is the machine's verdict of one day.</summary>
    public int Unmade(IReadOnlyList<ImageToRead> images) => images.Count(image =>
        image.Path is { } path && HashOf(image, path) is { } hash
        && !(earlier.TryGetValue((hash, image.Name), out var record) && record.Fault is not null)
        && KnownRecord(image.Name, hash) is null);

    /// <summary>A record for every image; those that are known are not made again.</summary>
    /// <param name="images">Each name once.</param>
    /// <param name="progress">Hears (done, all).</param>
    /// <param name="cancel">Stops; what is done is kept.</param>
    public IReadOnlyDictionary<string, ImageRecord> Run(
        IReadOnlyList<ImageToRead> images, Action<long, long>? progress, CancellationToken cancel)
    {
        var found = new Dictionary<string, ImageRecord>(StringComparer.Ordinal);
        foreach (var image in images.Where(image => image.Path is null))
            found[image.Name] = new ImageRecord { Image = image.Name, Hash = "", Fault = ImageFault.Missing };
        var files = images.Where(image => image.Path is not null).ToArray();
        progress?.Invoke(found.Count, images.Count);

        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var (read, reading) = Stage(files, image => Read(image, image.Path!), failed);
        var (analysed, analysing) = Stage(read.GetConsumingEnumerable(failed.Token), Analyse, failed);
        try
        {
            var batch = new List<Prepared>();
            foreach (var one in analysed.GetConsumingEnumerable(failed.Token))
            {
                if (one.IsKnown) Found++;
                batch.Add(one);
                progress?.Invoke(found.Count + batch.Count, images.Count);
                if (batch.Sum(item => item.Count) >= BatchVectors) Encode(batch, found, failed.Token);
            }
            Encode(batch, found, failed.Token);
        }
        catch (OperationCanceledException) when (errors.TryDequeue(out var error))
        {
            failed.Cancel();
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
        }
        catch
        {
            failed.Cancel();
            throw;
        }
        finally
        {
            // Whoever called disposes the nets next: no thread may be inside of one.
            Task.WaitAll(reading, analysing);
            vectors.Flush();
            records.Flush();
        }
        return found;
    }

    private readonly ConcurrentQueue<Exception> errors = [];

    /// <summary>Runs a function over a sequence on several threads, at most a few results ahead of who takes them.</summary>
    /// <returns>The results, and the work, which ends soon after <paramref name="failed"/> and never fails itself.</returns>
    private (BlockingCollection<TOut> Results, Task Work) Stage<TIn, TOut>(
        IEnumerable<TIn> source, Func<TIn, TOut> run, CancellationTokenSource failed)
    {
        var results = new BlockingCollection<TOut>(work.Threads);
        var options = new ParallelOptions { MaxDegreeOfParallelism = work.Threads, CancellationToken = failed.Token };
        var running = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    Parallel.ForEach(
                        Partitioner.Create(source, EnumerablePartitionerOptions.NoBuffering), options,
                        item => results.Add(run(item), failed.Token));
                    results.CompleteAdding();
                }
                catch (Exception error)
                {
                    if (error is not OperationCanceledException)
                        errors.Enqueue(error is AggregateException many ? many.InnerExceptions[0] : error);
                    failed.Cancel();
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return (results, running);
    }

    private sealed record Loaded(ImageToRead Image, ImageRecord Record, bool IsKnown, DecodedImage? Picture);

    /// <param name="Record">The record but for what comes of the vectors.</param>
    /// <param name="IsKnown">There is nothing to do.</param>
    /// <param name="Count">Pictures in <paramref name="Values"/>: the whole, then the parts.</param>
    /// <param name="Values">Ready for the encoder.</param>
    /// <param name="Identities">Identity vectors.</param>
    /// <param name="WithScene">The scene is to be told from the whole image's vector, if anything can.</param>
    private sealed record Prepared(
        ImageRecord Record, bool IsKnown, int Count, float[] Values, IReadOnlyList<float[]> Identities, bool WithScene);

    private Loaded Read(ImageToRead image, string path)
    {
        var hash = HashOf(image, path);
        if (hash is not null && KnownRecord(image.Name, hash) is { } record) return new Loaded(image, record, true, null);
        var reading = ImageDecoder.Read(path, work.Limits);
        var started = new ImageRecord { Image = image.Name, Hash = hash ?? "", Fault = reading.Fault };
        return new Loaded(image, started, false, reading.Image);
    }

    /// <summary>SHA-256 over the image and over what its findings are read from; null where it is too long or cannot be read.</summary>
    private string? HashOf(ImageToRead image, string path)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var file in (image.WithParts ? work.Finder.FilesOf(image.Name) : []).Prepend(path))
            {
                var info = new FileInfo(file);
                if (!info.Exists || info.Length > work.Limits.Bytes) return null;
                hash.AppendData(Encoding.UTF8.GetBytes($"{info.Length}\n"));
                hash.AppendData(File.ReadAllBytes(file));
            }
            return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The record of an earlier run whose vectors are all there.</summary>
    private ImageRecord? KnownRecord(string name, string hash)
    {
        ImageRecord? record;
        lock (records)
            if (!earlier.TryGetValue((hash, name), out record)) return null;
        // Another day it may be read.
        if (record.Fault is ImageFault.TooSlow) return null;
        if (record.Fault is not null) return record;
        var dimension = work.Encoder.Dimension;
        lock (vectors)
        {
            return known.Contains(WholeKey(work.Encoder, record), dimension)
                && Enumerable.Range(0, record.Parts).All(part => known.Contains(PartKey(work, record, part), dimension))
                && Enumerable.Range(0, record.Identities).All(face =>
                    known.Contains(IdentityKey(work, record, face), FaceReader.IdentityLength))
                ? record
                : null;
        }
    }

    private Prepared Analyse(Loaded loaded)
    {
        if (loaded.Picture is not { } picture) return new Prepared(loaded.Record, loaded.IsKnown, 0, [], [], false);
        var found = loaded.Image.WithParts ? work.Finder.Find(loaded.Image.Name, picture) : new PartFindings();
        var pictures = found.Parts.Prepend(picture).ToArray();
        var length = work.Encoder.PreparedLength;
        var values = new float[pictures.Length * length];
        for (var i = 0; i < pictures.Length; i++)
        {
            var one = pictures[i];
            work.Encoder.Prepare(one.Width, one.Height, one.Channels, one.Pixels, values.AsSpan(i * length, length));
        }
        var record = loaded.Record with
        {
            Width = picture.Width,
            Height = picture.Height,
            Parts = found.Parts.Count,
            Persons = found.Persons,
            Profiles = [.. found.Profiles],
            Attributes = [.. found.Attributes],
            Identities = found.Identities.Count,
            Scene = found.Scene,
            Seen = [.. found.Seen],
            Faces = [.. found.Faces],
        };
        return new Prepared(record, false, pictures.Length, values, found.Identities, loaded.Image.WithParts);
    }

    /// <summary>Encodes what was collected, all pictures in one call, and writes it down: vectors first.</summary>
    private void Encode(List<Prepared> batch, Dictionary<string, ImageRecord> found, CancellationToken cancel)
    {
        var dimension = work.Encoder.Dimension;
        var encoded = work.Encoder.Encode(batch.SelectMany(item => item.Values).ToArray(), batch.Sum(item => item.Count), cancel);
        var at = 0;
        foreach (var one in batch)
        {
            var record = one.Record;
            if (one.Count > 0)
            {
                var own = encoded.AsSpan(at * dimension, one.Count * dimension);
                RequireNumbers(record, own);
                at += one.Count;
                if (work.Scenes is { } scenes && one.WithScene) record = record with { Scene = scenes.Of(own[..dimension]) };
                lock (vectors)
                {
                    vectors.Append(
                        [WholeKey(work.Encoder, record), .. Enumerable.Range(0, record.Parts).Select(part => PartKey(work, record, part))],
                        own, dimension);
                    for (var face = 0; face < one.Identities.Count; face++)
                        vectors.Append([IdentityKey(work, record, face)], one.Identities[face], FaceReader.IdentityLength);
                }
            }
            if (!one.IsKnown)
                lock (records) records.Append(record);
            found[record.Image] = record;
        }
        batch.Clear();
    }

    private void RequireNumbers(ImageRecord record, ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                throw new UserErrorException(UserError.NewExternalFailed(
                    $"encoder {work.Encoder.Id}", $"the vector of {record.Image} holds {value}",
                    "Check the encoder's weights; what was encoded before is kept."));
        }
    }
}
