using System.Globalization;
using System.Text.Json;
using Dwe.Host.Features.Images;
using Dwe.Host.Linking;
using Dwe.Model.Domain;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Dwe.Host.Service;

/// <summary>
/// Turns bodies into <see cref="LinkRequest"/>s, or says what is wrong with them and where. Nothing that a request says is
/// taken for a path or an address.
/// </summary>
internal sealed class RequestReader(ServiceOptions options)
{
    public const int MaxText = 20_000;
    public const int MaxMention = 1_000;
    public const int MaxTop = 100;
    public const int MaxCandidates = 1_000;
    private const int MaxId = 1_000;

    private static readonly string[] Keys = ["mention", "text", "image", "candidates", "top", "explain"];

    private readonly SemaphoreSlim decoders = new(Environment.ProcessorCount);

    /// <summary>The body of <c>/v1/link</c>.</summary>
    /// <exception cref="FaultException">4xx.</exception>
    public async Task<LinkRequest> ReadOne(HttpRequest http, Deadline time)
    {
        LimitedBody.Set(http, options.MaxBody);
        var draft = IsJson(http)
            ? OfJson(await time.Or(Json(http, time.Token), Fault.SlowBody), "")
            : await time.Or(OfForm(http, time.Token), Fault.SlowBody);
        return await time.Or(Complete(draft, time.Token), Fault.TooLate);
    }

    /// <summary>The body of <c>/v1/link:batch</c>.</summary>
    /// <exception cref="FaultException">4xx; the place names the request, e.g. <c>requests[3].top</c>.</exception>
    public async Task<IReadOnlyList<LinkRequest>> ReadMany(HttpRequest http, Deadline time)
    {
        LimitedBody.Set(http, options.MaxBody);
        if (!IsJson(http)) throw new FaultException(Fault.WrongMediaType);
        var drafts = OfBatch(await time.Or(Json(http, time.Token), Fault.SlowBody));
        var requests = new List<LinkRequest>(drafts.Count);
        foreach (var draft in drafts) requests.Add(await time.Or(Complete(draft, time.Token), Fault.TooLate));
        return requests;
    }

    /// <summary>What a body says, before it is known to make sense.</summary>
    private sealed record Draft(string Place)
    {
        public string? Mention { get; init; }

        public string? Text { get; init; }

        public byte[]? Image { get; init; }

        public IReadOnlyList<string>? Candidates { get; init; }

        public int Top { get; init; } = 10;

        public bool Explain { get; init; }

        public string At(string key) => Place.Length == 0 ? key : $"{Place}.{key}";
    }

    // --- JSON ---

    private static bool IsJson(HttpRequest http) =>
        MediaTypeHeaderValue.TryParse(http.ContentType, out var type) && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);

    private static async Task<JsonDocument> Json(HttpRequest http, CancellationToken cancel)
    {
        // Grows with what arrives: a length that is only claimed costs nothing.
        using var body = new MemoryStream();
        await http.Body.CopyToAsync(body, cancel);
        try
        {
            return JsonDocument.Parse(body.GetBuffer().AsMemory(0, (int)body.Length), new JsonDocumentOptions { AllowDuplicateProperties = false });
        }
        catch (JsonException broken)
        {
            throw new FaultException(Fault.BadJson(Place(broken)));
        }
    }

    /// <summary>The place alone: the exception's own words may quote the body.</summary>
    private static string Place(JsonException broken) => broken.LineNumber is { } line
        ? string.Create(CultureInfo.InvariantCulture, $"line {line + 1}, byte {broken.BytePositionInLine + 1}")
        : "a key is there twice";

    private static Draft OfJson(JsonDocument body, string place)
    {
        using (body) return Guarded(() => OfObject(body.RootElement, place));
    }

    private IReadOnlyList<Draft> OfBatch(JsonDocument body)
    {
        using (body)
        {
            return Guarded<IReadOnlyList<Draft>>(() =>
            {
                RequireKeys(body.RootElement, "", ["requests"]);
                if (!body.RootElement.TryGetProperty("requests", out var list) || list.ValueKind != JsonValueKind.Array)
                    throw Wrong("requests", list, "an array of requests");
                var limit = Math.Min(options.Queue, MaxCandidates);
                if (list.GetArrayLength() > limit) throw new FaultException(Fault.TooMany(limit));
                if (list.GetArrayLength() == 0) throw new FaultException(Fault.OutOfRange("requests", "empty", "at least one request"));
                return [.. list.EnumerateArray().Select((one, i) => OfObject(one, $"requests[{i}]"))];
            });
        }
    }

    /// <summary>Strings are decoded when they are asked for, and only then found to be no UTF-8.</summary>
    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw new FaultException(Fault.BadJson("a string is not valid Unicode"));
        }
    }

    private static Draft OfObject(JsonElement body, string place)
    {
        RequireKeys(body, place, Keys);
        var draft = new Draft(place);
        foreach (var key in body.EnumerateObject().Where(key => key.Value.ValueKind != JsonValueKind.Null))
        {
            var (at, value) = (draft.At(key.Name), key.Value);
            draft = key.Name switch
            {
                "mention" => draft with { Mention = Text(at, value) },
                "text" => draft with { Text = Text(at, value) },
                "image" => draft with { Image = Base64(at, value) },
                "candidates" => draft with { Candidates = Texts(at, value) },
                "top" => draft with { Top = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var top) ? top : throw Wrong(at, value, "a whole number") },
                _ => draft with { Explain = value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(at, value, "true or false") },
            };
        }

        return draft;
    }

    private static void RequireKeys(JsonElement body, string place, string[] known)
    {
        if (body.ValueKind != JsonValueKind.Object) throw Wrong(place.Length == 0 ? "the body" : place, body, "an object");
        foreach (var key in body.EnumerateObject().Where(key => !known.Contains(key.Name)))
            throw new FaultException(Fault.UnknownKey(place.Length == 0 ? Shown(key.Name) : $"{place}.{Shown(key.Name)}", known));
    }

    /// <summary>A key as an error repeats it: the caller's own word, but not a page of it.</summary>
    private static string Shown(string key) => key.Length <= 40 ? key : key[..40] + "...";

    private static string Text(string at, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(at, value, "a string");

    private static byte[] Base64(string at, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) throw Wrong(at, value, "a string");
        return value.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw new FaultException(Fault.BadImage(at, "it is not base64"));
    }

    private static IReadOnlyList<string> Texts(string at, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(at, value, "an array of strings");
        return [.. value.EnumerateArray().Select((one, i) => Text($"{at}[{i}]", one))];
    }

    private static FaultException Wrong(string place, JsonElement found, string expected) =>
        new(Fault.BadValue(place, found.ValueKind switch
        {
            JsonValueKind.Undefined => "missing",
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.String => "a string",
            JsonValueKind.Number => "a number that does not fit",
            JsonValueKind.Null => "null",
            _ => "true or false",
        }, expected));

    // --- forms ---

    private async Task<Draft> OfForm(HttpRequest http, CancellationToken cancel)
    {
        // All of it in memory, which LimitedBody bounds: no upload is written to a disk.
        var limits = new FormOptions
        {
            MemoryBufferThreshold = int.MaxValue,
            MultipartBodyLengthLimit = long.MaxValue,
            ValueLengthLimit = MaxText * 4,
            ValueCountLimit = MaxCandidates + Keys.Length,
        };
        try
        {
            var form = await http.ReadFormAsync(limits, cancel);
            return await OfFields(form, cancel);
        }
        catch (InvalidDataException)
        {
            throw new FaultException(Fault.BadForm("its parts, or their lengths, are wrong"));
        }
        catch (IOException broken) when (broken is not (BadHttpRequestException or ConnectionResetException))
        {
            throw new FaultException(Fault.BadForm("it ends too early"));
        }
    }

    private static async Task<Draft> OfFields(IFormCollection form, CancellationToken cancel)
    {
        foreach (var key in form.Keys.Concat(form.Files.Select(file => file.Name)).Where(key => !Keys.Contains(key)))
            throw new FaultException(Fault.UnknownKey(Shown(key), Keys));
        string? Field(string key) => form.TryGetValue(key, out var values) ? values[^1] : null;
        if (Field("image") is { Length: > 0 } || form.Files.Count > 1 || form.Files.Any(file => file.Name != "image"))
            throw new FaultException(Fault.BadForm("files go into image, one file, and nothing else does"));
        return new Draft("")
        {
            Mention = Field("mention"),
            Text = Field("text"),
            Candidates = form.TryGetValue("candidates", out var ids) ? [.. ids.OfType<string>().Where(id => id.Length > 0)] : null,
            Top = Field("top") is not { Length: > 0 } top ? 10
                : int.TryParse(top, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count
                : throw new FaultException(Fault.BadValue("top", "not a number", "a whole number")),
            Explain = Field("explain") switch
            {
                null or "" or "false" => false,
                "true" or "on" => true,
                _ => throw new FaultException(Fault.BadValue("explain", "something else", "true or false")),
            },
            Image = form.Files.Count == 0 ? null : await Bytes(form.Files[0], cancel),
        };
    }

    /// <summary>Null for an empty field, as browsers send one where no file was chosen.</summary>
    private static async Task<byte[]?> Bytes(IFormFile file, CancellationToken cancel)
    {
        if (file.Length == 0 && file.FileName.Length == 0) return null;
        var bytes = new byte[file.Length];
        await using var stream = file.OpenReadStream();
        await stream.ReadExactlyAsync(bytes, cancel);
        return bytes;
    }

    // --- sense ---

    private async Task<LinkRequest> Complete(Draft draft, CancellationToken cancel)
    {
        var (mention, text) = Marked(draft);
        RequireLength(draft.At("mention"), mention, MaxMention);
        RequireLength(draft.At("text"), text, MaxText);
        if (draft.Top is < 1 or > MaxTop)
            throw new FaultException(Fault.OutOfRange(draft.At("top"), draft.Top.ToString(CultureInfo.InvariantCulture), $"1 to {MaxTop}"));
        if (draft.Candidates is { } ids && (ids.Count is 0 or > MaxCandidates || ids.Any(id => id.Length is 0 or > MaxId)))
            throw new FaultException(Fault.OutOfRange(draft.At("candidates"), $"a list of {ids.Count}", $"1 to {MaxCandidates} ids of 1 to {MaxId} letters"));
        if (draft.Image is { } image) await RequirePicture(draft.At("image"), image, cancel);
        return new LinkRequest
        {
            Mention = mention,
            Text = text,
            Image = draft.Image,
            Candidates = draft.Candidates,
            Top = draft.Top,
            Explain = draft.Explain,
        };
    }

    /// <summary>A mention without a text is its own text.</summary>
    private static (string Mention, string Text) Marked(Draft draft)
    {
        var mention = string.IsNullOrWhiteSpace(draft.Mention) ? null : draft.Mention.Trim();
        var text = string.IsNullOrWhiteSpace(draft.Text) ? mention : draft.Text;
        try
        {
            return MarkedText.Read(text ?? "", mention);
        }
        catch (UserErrorException)
        {
            throw new FaultException(Fault.NoMention(draft.Place.Length == 0 ? "The request" : draft.Place));
        }
    }

    private static void RequireLength(string at, string text, int limit)
    {
        if (text.Length > limit)
            throw new FaultException(Fault.OutOfRange(at, string.Create(CultureInfo.InvariantCulture, $"{text.Length} letters long"), $"at most {limit}"));
    }

    /// <summary>Decoded to its end and thrown away: what is no whole picture is refused before it waits for its turn.</summary>
    private async Task RequirePicture(string at, byte[] bytes, CancellationToken cancel)
    {
        var fault = await Decoding(() => ImageDecoder.Check(bytes, options.Images), cancel);
        if (fault == ImageFault.TooManyPixels) throw new FaultException(Fault.HugeImage(at, options.Images.Pixels));
        if (fault is { } problem) throw new FaultException(Fault.BadImage(at, ImageFaults.Describe(problem)));
    }

    /// <summary>Does what decodes a picture: no more at once than there are cores, since each takes memory.</summary>
    public async Task<T> Decoding<T>(Func<T> decode, CancellationToken cancel)
    {
        await decoders.WaitAsync(cancel);
        try
        {
            return await Task.Run(decode, cancel);
        }
        finally
        {
            decoders.Release();
        }
    }
}
