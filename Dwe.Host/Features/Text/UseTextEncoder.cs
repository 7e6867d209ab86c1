using Microsoft.ML.OnnxRuntime;

namespace Dwe.Host.Features.Text;

internal sealed class UseTextEncoder(string onnx, PieceTokenizer tokenizer, int threads) : IDisposable
{
    private readonly InferenceSession session = new(onnx, new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL });
    public float[] Run(int[][] rows)
    {
        var total = rows.Sum(r => r.Length);
        var indices = new long[total * 2]; var values = new long[total]; var next = 0;
        for (var r = 0; r < rows.Length; r++) for (var p = 0; p < rows[r].Length; p++) { indices[2 * next] = r; indices[2 * next + 1] = p; values[next++] = rows[r][p]; }
        using var iv = OrtValue.CreateTensorValueFromMemory(indices, [total, 2]);
        using var vv = OrtValue.CreateTensorValueFromMemory(values, [total]);
        using var ro = new RunOptions();
        using var outs = session.Run(ro, ["indices", "values"], [iv, vv], session.OutputNames);
        return outs[0].GetTensorDataAsSpan<float>().ToArray();
    }
    public int[] Tokens(string t) => tokenizer.Encode(t);
    public int Threads => threads;
    public void Dispose() => session.Dispose();
}
