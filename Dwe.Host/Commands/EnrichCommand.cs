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
    public static int Run(IAnsiConsole results, TextWriter output, EnrichOptions options, CancellationToken stop) =>
        Run(results, output, options, TimeProvider.System, stop);

    /// <summary>By a clock of the caller's.</summary>
    public static int Run(
        IAnsiConsole results, TextWriter output, EnrichOptions options, TimeProvider time, CancellationToken stop)
    {
        var address = ChatEndpoint.Address(options.Endpoint);
        var (entities, earlier) = Read(options);
        string[] fields = [.. entities.SelectMany(entity => entity.Fields.Keys).Distinct().Order(StringComparer.Ordinal)];
        RequireFree(options.Field, fields);
        var prompt = Prompt(options, fields);
        var questions = new Dictionary<string, string>();
        string KeyOf(Entity entity)
        {
            var question = prompt.Fill(entity);
            var key = EnrichmentJob.KeyOf(prompt.Hash, options.Model, question);
            questions.TryAdd(key, question);
            return key;
        }

        string[] keys = [.. entities.Select(KeyOf)];
        // What asks nothing leaves nothing behind.
        if (options.DryRun && !File.Exists(AnswerJournal.PathOf(options.Out)))
            return Describe(results, output, address, questions, questions.Count);
        using var journal = AnswerJournal.Open(options.Out);
        var open = questions.Where(one => journal.Find(one.Key) is null).Select(one => (one.Key, one.Value)).ToList();
        if (options.DryRun) return Describe(results, output, address, questions, open.Count);

        Ask(options, address, open, journal, time, stop);
        string?[] answers = [.. keys.Select(journal.Find)];
        var entry = EntryOf(options, address, prompt, answers);
        Write(options, entities, answers, [.. earlier.Where(one => fields.Contains(one.Field)), entry]);
        Describe(results, output, options, entry);
        return entry.Failed == 0 ? ExitCode.Success : ExitCode.FoundWanting;
    }

    private static void Ask(
        EnrichOptions options, Uri address, List<(string Key, string Question)> open, AnswerJournal journal, TimeProvider time,
        CancellationToken stop)
    {
        if (open.Count == 0) return;
        using var client = ChatEndpoint.Open(address, options.Model, SecretIn(options.KeyFrom));
        var job = new EnrichmentJob(client, address.Host, journal, options.Rate, options.Concurrency, time);
        ProgressDisplay.Run("asking", "questions", progress =>
            job.Run(open, (done, total) => progress.Report(done, total), stop).GetAwaiter().GetResult());
    }

    private static EnrichmentEntry EntryOf(EnrichOptions options, Uri address, PromptTemplate prompt, string?[] answers) => new()
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

    private static void Describe(IAnsiConsole results, TextWriter output, EnrichOptions options, EnrichmentEntry entry)
    {
        if (options.Json) output.WriteLine(JsonSerializer.Serialize(entry, JsonFiles.Options));
        else results.Line(
            $"{options.Out}: {Number(entry.Entities)} entities, {Number(entry.Answered)} answered, {Number(entry.Empty)} empty, {Number(entry.Failed)} failed");
    }

    /// <summary>What a run would do.</summary>
    private static int Describe(
        IAnsiConsole results, TextWriter output, Uri address, Dictionary<string, string> questions, int open)
    {
        output.WriteLine(questions.Values.FirstOrDefault() ?? "");
        results.Line($"{Number(open)} requests to {address.Host}; {Number(questions.Count - open)} answers are there already");
        return ExitCode.Success;
    }

    private static void Write(
        EnrichOptions options, IReadOnlyList<Entity> entities, string?[] answers, IReadOnlyList<EnrichmentEntry> entries)
    {
        // First: killed in between, it names a field that is not there, which is no harm; the other way round nothing would say
        // who wrote the field.
        new EnrichmentCard { Enrichments = entries }.Write(options.Out);
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
    }

    /// <summary>The entities, and which of their fields a language model wrote before.</summary>
    private static (IReadOnlyList<Entity> Entities, IReadOnlyList<EnrichmentEntry> Earlier) Read(EnrichOptions options)
    {
        if (options.Kb is not { } kb)
        {
            var data = DatasetReaders.Read(options.Data!);
            return (data.Entities, data.Enrichment?.Enrichments ?? []);
        }
        if (Directory.Exists(kb))
        {
            using var opened = KnowledgeBase.Open(kb);
            return ([.. opened.Entities], [.. (opened.Manifest.EnrichedBy ?? []).Select(EnrichmentEntry.Of)]);
        }
        var isCsv = kb.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
        return ([.. isCsv ? CsvReader.ReadEntities(kb) : JsonLines.ReadEntities(kb)], EnrichmentCard.Beside(kb)?.Enrichments ?? []);
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
    private static string? SecretIn(string? variable) =>
        variable is null ? null
        : Environment.GetEnvironmentVariable(variable)?.Trim() is { Length: > 0 } key ? key
        : throw new UserErrorException(UserError.NewUsageWrong(
            $"the environment variable {variable} is not set", "Put the service's key in it, or leave --key-from out."));

    private static string Number(int? count) => string.Create(CultureInfo.InvariantCulture, $"{count:N0}");
}
