using System.Diagnostics;

namespace Dwe.Host.Features.Text;

/// <summary>How fast an encoder is on given texts.</summary>
/// <param name="Texts">Number of texts in a run.</param>
/// <param name="MedianPerSecond">Texts per second in the run of median duration.</param>
/// <param name="SlowestPerSecond">In the slowest run.</param>
/// <param name="FastestPerSecond">In the fastest run.</param>
internal sealed record TextEncoderSpeed(
    int Texts, double MedianPerSecond, double SlowestPerSecond, double FastestPerSecond);

/// <summary>Measures <see cref="ITextEncoder.Encode"/>, tokenizing included, by the wall clock.</summary>
internal static class TextEncoderBenchmark
{
    /// <summary>Encodes all <paramref name="texts"/> once to warm up, then <paramref name="runs"/> times.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than one run.</exception>
    public static TextEncoderSpeed Measure(ITextEncoder encoder, IReadOnlyList<string> texts, int runs = 5)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        encoder.Encode(texts);
        var perSecond = Enumerable.Range(0, runs).Select(_ =>
        {
            var clock = Stopwatch.StartNew();
            encoder.Encode(texts);
            return texts.Count / clock.Elapsed.TotalSeconds;
        }).Order().ToArray();
        return new TextEncoderSpeed(texts.Count, perSecond[runs / 2], perSecond[0], perSecond[^1]);
    }
}
