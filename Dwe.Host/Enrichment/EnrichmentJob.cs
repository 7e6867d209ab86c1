using System.ClientModel;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Dwe.Model.Domain;

namespace Dwe.Host.Enrichment;

/// <summary>
/// Asks each different question once, at a bounded rate. 429, 5xx and broken answers are tried again after what Retry-After
/// says, else after 1, 2, 4, 8 seconds; a question that still fails is left, and too many such in a row end the job.
/// </summary>
internal sealed class EnrichmentJob(
    IChatClient client, string service, AnswerJournal journal, int rate, int concurrency, TimeProvider time)
{
    private const int Attempts = 5;
    private const int MostFailuresInARow = 5;
    private const double LongestWait = 120;

    private int failed;
    private int inARow;

    /// <summary>The key of an answer: the template, the model and what the question says of the entity.</summary>
    public static string KeyOf(string promptHash, string model, string question) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{promptHash}\0{model}\0{question}")));

    /// <summary>Asks, and returns how many questions failed.</summary>
    /// <exception cref="UserErrorException">ExternalFailed: the key is refused, nothing is there, or failures in a row.</exception>
    public async Task<int> Run(IReadOnlyList<(string Key, string Question)> questions, Action<long, long> progress, CancellationToken stop)
    {
        var pace = new RequestPace(rate, time);
        var done = 0;
        progress(0, questions.Count);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = stop };
        await Parallel.ForEachAsync(questions, parallel, async (one, cancel) =>
        {
            await Answer(one.Key, one.Question, pace, cancel);
            var count = Interlocked.Increment(ref done);
            lock (pace) progress(count, questions.Count);
        });
        return failed;
    }

    private async Task Answer(string key, string question, RequestPace pace, CancellationToken stop)
    {
        for (var attempt = 0; ; attempt++)
        {
            await pace.Turn(stop);
            try
            {
                var response = await client.GetResponseAsync(question, new ChatOptions { Temperature = 0, MaxOutputTokens = 200 }, stop);
                journal.Append(key, AnswerText.Clean(response.Text));
                Interlocked.Exchange(ref inARow, 0);
                return;
            }
            catch (ClientResultException refused) when (refused.Status is 401 or 403 or 404)
            {
                throw GaveUp($"HTTP {refused.Status}", refused.Status == 404
                    ? "Check --endpoint and --model." : "Check the key in the variable that --key-from names.");
            }
            catch (Exception error) when (!stop.IsCancellationRequested && ProblemOf(error) is { } problem)
            {
                var again = error is not ClientResultException { Status: >= 400 and < 500 and not 408 and not 429 };
                if (again && attempt + 1 < Attempts)
                {
                    await Task.Delay(WaitAfter(error, attempt), time, stop);
                    continue;
                }
                Interlocked.Increment(ref failed);
                if (Interlocked.Increment(ref inARow) >= MostFailuresInARow)
                    throw GaveUp($"{MostFailuresInARow} questions in a row failed, the last with {problem}", "Answers are kept: run the same command again later.");
                return;
            }
        }
    }

    private UserErrorException GaveUp(string problem, string remedy) => new(UserError.NewExternalFailed(service, problem, remedy));

    /// <summary>Never the service's own words: they may repeat the key.</summary>
    private static string? ProblemOf(Exception error) => error switch
    {
        ClientResultException { Status: > 0 } refused => $"HTTP {refused.Status}",
        ClientResultException or HttpRequestException => "no connection",
        OperationCanceledException => "no answer in time",
        JsonException or FormatException or InvalidOperationException or ArgumentException or KeyNotFoundException => "an answer that is no chat completion",
        _ => null,
    };

    private TimeSpan WaitAfter(Exception error, int attempt)
    {
        var seconds = Math.Pow(2, attempt);
        if (error is ClientResultException refused && refused.GetRawResponse() is { } response
            && response.Headers.TryGetValue("Retry-After", out var asked))
        {
            if (double.TryParse(asked, NumberStyles.Float, CultureInfo.InvariantCulture, out var given) && given >= 0) seconds = given;
            else if (DateTimeOffset.TryParse(asked, CultureInfo.InvariantCulture, out var moment))
                seconds = Math.Max(0, (moment - time.GetUtcNow()).TotalSeconds);
        }
        return TimeSpan.FromSeconds(Math.Min(seconds, LongestWait));
    }
}
