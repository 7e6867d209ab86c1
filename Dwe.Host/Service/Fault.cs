using System.Text.Json.Serialization;

namespace Dwe.Host.Service;

/// <summary>What a request can get wrong, and what can go wrong with it: every message of the service is worded here.</summary>
/// <param name="Status">HTTP's number.</param>
/// <param name="Code">For programs; does not change.</param>
/// <param name="Message">For people.</param>
/// <param name="Expected">What would have been right, or what to do.</param>
internal sealed record Fault([property: JsonIgnore] int Status, string Code, string Message, string Expected)
{
    /// <summary>Seconds after which another try makes sense; null where it does not.</summary>
    [JsonIgnore]
    public int? RetryAfter { get; init; }

    public static Fault BadJson(string place) =>
        new(400, "bad_json", $"The body is not JSON: {place}.", "one JSON object, in UTF-8");

    public static Fault BadForm(string problem) =>
        new(400, "bad_form", $"The form cannot be read: {problem}.", "multipart/form-data with the fields mention, text, image, candidates, top, explain");

    public static Fault BadValue(string place, string found, string expected) =>
        new(400, "bad_value", $"{place} is {found}.", expected);

    public static Fault UnknownKey(string place, IEnumerable<string> known) =>
        new(400, "unknown_key", $"{place} is not a known key.", $"one of {string.Join(", ", known)}");

    public static Fault Broken(string problem) => new(400, "bad_request", $"The request cannot be read: {problem}.", "HTTP/1.1");

    public static Fault Unauthorized { get; } =
        new(401, "unauthorized", "The API key is missing or wrong.", "Authorization: Bearer KEY");

    public static Fault NoRoute { get; } = new(404, "not_found", "There is nothing at this address.", "a route of /openapi/v1.json");

    public static Fault NoEntity { get; } = new(404, "entity_not_found", "The knowledge base has no such entity.", "an id that an answer has named");

    public static Fault NoEntityImage { get; } =
        new(404, "image_not_found", "This entity has no picture here that can be read.", "an entity with has_image");

    public static Fault WrongMethod { get; } = new(405, "method_not_allowed", "This address does not take this method.", "a method of the header Allow");

    public static Fault SlowBody { get; } =
        new(408, "body_timeout", "The body did not arrive in time.", "a body sent without pauses");

    public static Fault TooLarge(long limit) =>
        new(413, "too_large", "The body is too large.", $"at most {limit} bytes; a smaller image");

    public static Fault TooMany(int limit) =>
        new(413, "too_many_requests_in_batch", "The batch has too many requests.", $"at most {limit}");

    public static Fault WrongMediaType { get; } =
        new(415, "unsupported_media_type", "The body's type is not taken here.", "Content-Type: application/json, or multipart/form-data on /v1/link, and no Content-Encoding");

    public static Fault NoMention(string place) =>
        new(422, "mention_missing", $"{place} does not say which mention is to be linked.", "mention, or text with [[the mention]] marked once");

    public static Fault OutOfRange(string place, string found, string expected) =>
        new(422, "out_of_range", $"{place} is {found}.", expected);

    public static Fault BadImage(string place, string problem) =>
        new(422, "image_unreadable", $"{place} cannot be read: {problem}.", "a whole JPEG, PNG, GIF, WebP, TIFF or SVG file");

    public static Fault HugeImage(string place, long pixels) =>
        new(422, "image_too_large", $"{place} has too many pixels.", $"at most {pixels} pixels");

    public static Fault QueueFull(int seconds) =>
        new(429, "queue_full", "Too many requests are waiting.", "another try after Retry-After seconds") { RetryAfter = seconds };

    public static Fault HeadTooLarge { get; } = new(431, "head_too_large", "The request's headers are too large.", "fewer or shorter headers");

    public static Fault Internal { get; } =
        new(500, "internal", "Linking this request failed; the service's log says why.", "a report to whoever runs the service");

    public static Fault Loading { get; } =
        new(503, "loading", "The linker is still being loaded.", "another try when /readyz answers 200") { RetryAfter = 2 };

    public static Fault Stopping { get; } =
        new(503, "stopping", "The service is stopping.", "another try, at another instance or later") { RetryAfter = 5 };

    public static Fault TooLate { get; } =
        new(504, "timeout", "No answer was ready in time.", "another try when less is waiting, or a longer --timeout") { RetryAfter = 5 };

    /// <summary>What the framework has found without words of its own; null where the status says enough.</summary>
    public static Fault? OfStatus(int status, long maxBody) => status switch
    {
        400 => Broken("its syntax is wrong"),
        404 => NoRoute,
        405 => WrongMethod,
        408 => SlowBody,
        413 => TooLarge(maxBody),
        415 => WrongMediaType,
        431 => HeadTooLarge,
        _ => null,
    };
}

/// <summary>Carries a <see cref="Fault"/> to the one place that answers it.</summary>
internal sealed class FaultException(Fault fault) : Exception(fault.Message)
{
    public Fault Fault { get; } = fault;
}
