using System.Text.Encodings.Web;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Storage;

/// <summary>JSON as this program writes it (indented, snake_case, readable letters) and reads it back.</summary>
internal static class JsonFiles
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Writes atomically.</summary>
    public static void Write<T>(string path, T value) =>
        AtomicFile.WriteText(path, JsonSerializer.Serialize(value, Options) + "\n");

    /// <summary>Reads one value.</summary>
    /// <exception cref="UserErrorException">FileMissing or FileBroken, naming the line.</exception>
    public static T Read<T>(string path, string what) where T : class
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException(UserError.NewFileMissing(path, what, "Check the folder's name, or make it again."));
        }

        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Options)
                ?? throw new UserErrorException(UserError.NewFileBroken(path, "top level", "null", what));
        }
        catch (JsonException broken)
        {
            var place = $"line {broken.LineNumber + 1}, byte {broken.BytePositionInLine + 1}";
            throw new UserErrorException(UserError.NewFileBroken(path, place, "JSON that does not fit", what));
        }
    }
}
