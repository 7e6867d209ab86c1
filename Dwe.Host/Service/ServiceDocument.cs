using System.Text.Json.Nodes;
using Dwe.Host.Commands;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Dwe.Host.Service;

/// <summary>What <c>/openapi/v1.json</c> says beside what routes and types tell by themselves.</summary>
internal static class ServiceDocument
{
    public static void Add(IServiceCollection services, ServiceOptions options) => services.AddOpenApi("v1", document =>
    {
        document.AddDocumentTransformer((openApi, _, _) =>
        {
            openApi.Info = new OpenApiInfo
            {
                Title = "Dwe",
                Version = CodeVersion.Current,
                Description = "Links mentions in sentences, with their images, to entities of a knowledge base. Every error has one shape: code, message, expected.",
            };

            // Addresses differ wherever it is deployed; a client knows the one it has asked.
            openApi.Servers?.Clear();
            if (options.ApiKey is not null) AddKey(openApi);
            return Task.CompletedTask;
        });
        document.AddOperationTransformer((operation, context, _) =>
        {
            if (operation.RequestBody?.Content is { } contents)
                foreach (var (type, content) in contents) Describe(operation.OperationId ?? "", type, content);
            foreach (var (status, response) in operation.Responses ?? [])
                if (int.TryParse(status, out var number) && Example(number, options) is { } fault && response.Content?.Values.FirstOrDefault() is { } error)
                    error.Example = new JsonObject { ["error"] = new JsonObject { ["code"] = fault.Code, ["message"] = fault.Message, ["expected"] = fault.Expected } };
            return Task.CompletedTask;
        });
    });

    private static void AddKey(OpenApiDocument document)
    {
        const string Name = "key";
        document.AddComponent(Name, (IOpenApiSecurityScheme)new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" });
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Name, document)] = [] }];
    }

    private static void Describe(string operation, string type, OpenApiMediaType content)
    {
        if (type == "multipart/form-data") content.Schema = FormSchema();
        else content.Example = operation == "linkBatch" ? new JsonObject { ["requests"] = new JsonArray(Marked(), Plain()) } : Plain();
    }

    private static JsonObject Plain() => new()
    {
        ["mention"] = "Jordan",
        ["text"] = "Jordan took the rebound over two defenders.",
        ["top"] = 3,
    };

    private static JsonObject Marked() => new() { ["text"] = "The envoy of [[Jordan]] spoke last.", ["explain"] = true };

    /// <summary>As <see cref="LinkBody"/>, but with a file.</summary>
    private static OpenApiSchema FormSchema()
    {
        static OpenApiSchema Text(string what, JsonSchemaType type = JsonSchemaType.String) => new() { Type = type, Description = what };
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["mention"] = Text("The mention as it stands in the text; may be left out where the text marks it with [[ ]]."),
                ["text"] = Text("The sentence."),
                ["image"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary", Description = "An image file." },
                ["candidates"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Text("An id."), Description = "Ids to choose among: the field once for each." },
                ["top"] = Text("How many entities to return, 1 to 100.", JsonSchemaType.Integer),
                ["explain"] = Text("Whether to say what moved the scores.", JsonSchemaType.Boolean),
            },
        };
    }

    private static Fault? Example(int status, ServiceOptions options) => status switch
    {
        400 => Fault.BadJson("line 1, byte 12"),
        401 => Fault.Unauthorized,
        404 => Fault.NoEntity,
        408 => Fault.SlowBody,
        413 => Fault.TooLarge(options.MaxBody),
        415 => Fault.WrongMediaType,
        422 => Fault.OutOfRange("top", "0", "1 to 100"),
        429 => Fault.QueueFull(1),
        500 => Fault.Internal,
        503 => Fault.Loading,
        504 => Fault.TooLate,
        _ => null,
    };
}
