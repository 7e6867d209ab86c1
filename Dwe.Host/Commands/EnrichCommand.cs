using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dwe.Host.Data;
using Dwe.Host.Data.Conversion;
using Dwe.Host.Enrichment;
using Dwe.Host.KnowledgeBases;
using Dwe.Host.Storage;
using Dwe.Host.Terminal;
using Dwe.Model.Config;
using Dwe.Model.Domain;
using Spectre.Console;

namespace Dwe.Host.Commands;

/// <summary><c>dwe enrich</c>: asks a language model for a short description of each entity.</summary>
internal static class EnrichCommand
{
    public static int Run(IAnsiConsole results, TextWriter output, EnrichOptions options, CancellationToken stop)
    {
        var address = ChatEndpoint.Address(options.Endpoint);
        var entities = Entities(options);
        string[] fields = [.. entities.SelectMany(entity => entity.Fields.Keys).Distinct().Order(StringComparer.Ordinal)];
        RequireFree(options.Field, fields);
        var prompt = Prompt(options, fields);
        var keys = new string[entities.Count];
        var questions = new Dictionary<string, string>();
        for (var row = 0; row < keys.Length; row++)
        {
            var question = prompt.Fill(entities[row]);
            keys[row] = EnrichmentJob.KeyOf(prompt.Hash, options.Model, question);
            questions.TryAdd(keys[row], question);
        }

        using var journal = AnswerJournal.Open(options.Out);
        var open = questions.Where(one => journal.Find(one.Key) is null).Select(one => (one.Key, one.Value)).ToList();
        if (options.DryRun)
        {
            output.WriteLine(questions.Values.FirstOrDefault() ?? "");
            results.Line($"{Number(open.Count)} requests to {address.Host}; {Number(questions.Count - open.Count)} answers are there already");
            return ExitCode.Success;
        }

        if (open.Count > 0)
        {
            using var client = ChatEndpoint.Open(address, options.Model, KeyOf(options.KeyFrom));
            var job = new EnrichmentJob(client, address.Host, journal, options.Rate, options.Concurrency);
            ProgressDisplay.Run("asking", "questions", progress =>
                job.Run(open, (done, total) => progress.Report(done, total), stop).GetAwaiter().GetResult());
        }

        return Write(results, output, options, address, prompt, entities, [.. keys.Select(journal.Find)]);
    }

    private static int Write(
        IAnsiConsole results, TextWriter output, EnrichOptions options, Uri address, PromptTemplate prompt,
        IReadOnlyList<Entity> entities, string?[] answers)
    {
        AtomicFile.Write(options.Out, stream =>
        {
            using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            for (var row = 0; row < answers.Length; row++)
            {
                json.WriteStartObject();
                JsonLinesWriter.Write(json, entities[row]);
                if (answers[row] is { Length: > 0 } answer) json.WriteString(options.Field, answer);
                json.WriteEndObject();
                json.Flush();
                stream.WriteByte((byte)'\n');
                json.Reset();
            }
        });
        var card = new EnrichmentCard
        {
            Field = options.Field,
            EndpointHost = address.Host,
            Model = options.Model,
            PromptHash = prompt.Hash,
            Entities = answers.Length,
            Answered = answers.Count(answer => answer is { Length: > 0 }),
            Empty = answers.Count(answer => answer is { Length: 0 }),
            Failed = answers.Count(answer => answer is null),
        };
        JsonFiles.Write(options.Out + ".card.json", card);
        if (options.Json) output.WriteLine(JsonSerializer.Serialize(card, JsonFiles.Options));
        else results.Line(
            $"{options.Out}: {Number(card.Entities)} entities, {Number(card.Answered)} answered, {Number(card.Empty)} empty, {Number(card.Failed)} failed");
        return card.Failed == 0 ? ExitCode.Success : ExitCode.FoundWanting;
    }

    private static IReadOnlyList<Entity> Entities(EnrichOptions options)
    {
        if (options.Kb is not { } kb) return DatasetReaders.Read(options.Data!).Entities;
        if (Directory.Exists(kb))
        {
            using var opened = KnowledgeBase.Open(kb);
            return [.. opened.Entities];
        }
        var isCsv = kb.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
        return [.. isCsv ? CsvReader.ReadEntities(kb) : JsonLines.ReadEntities(kb)];
    }

    private static PromptTemplate Prompt(EnrichOptions options, string[] fields)
    {
        var file = options.Prompt ?? Path.Combine(AppContext.BaseDirectory, "data", "prompts", "entity.txt");
        return File.Exists(file)
            ? PromptTemplate.Parse(file, File.ReadAllText(file), fields)
            : throw new UserErrorException(UserError.NewFileMissing(file, "a prompt's template", "Check --prompt."));
    }

    private static void RequireFree(string field, string[] fields)
    {
        if (OwnRecords.Reserved.Contains(field) || fields.Contains(field))
            throw new UserErrorException(UserError.NewValueInvalid(
                "command line", "--field", field, "a name that the entities do not have yet"));
        if (field.Length == 0 || field.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter != '_'))
            throw new UserErrorException(UserError.NewValueInvalid("command line", "--field", field, "letters, digits and _"));
    }

    /// <summary>The key, or null where none is to be sent.</summary>
    private static string? KeyOf(string? variable) =>
        variable is null ? null
        : Environment.GetEnvironmentVariable(variable)?.Trim() is { Length: > 0 } key ? key
        : throw new UserErrorException(UserError.NewUsageWrong(
            $"the environment variable {variable} is not set", "Put the service's key in it, or leave --key-from out."));

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
