using System.Text.Json;
using Dwe.Host.Linking;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dwe.Host.Service;

/// <summary>Every route but the page's, the document's and the metrics', which are made elsewhere.</summary>
internal sealed class Routes(ServiceOptions options, Linkers linkers, LinkQueue queue, Func<bool> isStopping)
{
    private const string Json = "application/json";
    private const string Form = "multipart/form-data";

    private readonly RequestReader reader = new(options);

    public void Map(IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").WithMetadata(NeedsKey.Instance, Fails(401), Fails(503));

        // As delegates: a method of a context and a task would be taken for one that answers by itself.
        Linking(v1.MapPost("/link", (Delegate)Link)).Accepts<LinkBody>(Json, Form).Produces<LinkAnswer>()
            .WithName("link").WithSummary("Links one mention.")
            .WithDescription("The body is JSON, or a form whose field image is a file. Entities come best first; nil says that none is meant.");
        Linking(v1.MapPost("/link:batch", (Delegate)LinkBatch)).Accepts<BatchBody>(Json).Produces<BatchReply>()
            .WithName("linkBatch").WithSummary("Links several mentions.")
            .WithDescription("Answers come in the order of the requests and are what /v1/link would say. All requests are taken or, where the queue has no room, none.");
        v1.MapGet("/entities/{id}", Entity).Produces<KnownEntity>().WithMetadata(Fails(404))
            .WithName("entity").WithSummary("An entity of the knowledge base.")
            .WithDescription("Its names, type and descriptions. An id with a slash is sent with %2F.");
        v1.MapGet("/entities/{id}/image", (Delegate)EntityImage).Produces(200, contentType: EntityPicture.MediaType).WithMetadata(Fails(404))
            .WithName("entityImage").WithSummary("An entity's picture.")
            .WithDescription("A small JPEG, encoded anew.");
        v1.MapGet("/linker", Card).Produces<LinkerCard>()
            .WithName("linker").WithSummary("What is linked with and to.")
            .WithDescription("Names of run and index, number of entities, and whether images matter.");
        app.MapGet("/healthz", () => Reply(new StateReply("ok"))).Produces<StateReply>()
            .WithName("health").WithSummary("Whether the process answers.")
            .WithDescription("Always 200.");
        app.MapGet("/readyz", Ready).Produces<StateReply>().WithMetadata(Fails(503))
            .WithName("ready").WithSummary("Whether mentions can be linked now.")
            .WithDescription("503 until a linker is loaded and while the service stops.");
    }

    private static RouteHandlerBuilder Linking(RouteHandlerBuilder route) =>
        route.WithMetadata([.. new[] { 400, 408, 413, 415, 422, 429, 500, 504 }.Select(Fails)]);

    private static ProducesResponseTypeMetadata Fails(int status) => new(status, typeof(ErrorReply), [Json]);

    private static IResult Reply<T>(T value) => Results.Bytes(JsonSerializer.SerializeToUtf8Bytes(value, WireJson.Options), Json);

    // --- linking ---

    private async Task<IResult> Link(HttpContext context)
    {
        using var time = new Deadline(context.RequestAborted, options.Timeout);
        RequireReady();
        var request = await reader.ReadOne(context.Request, time);
        return Reply(await time.Or(Enter([request], time.Token)[0], Fault.TooLate));
    }

    private async Task<IResult> LinkBatch(HttpContext context)
    {
        using var time = new Deadline(context.RequestAborted, options.Timeout);
        RequireReady();
        var requests = await reader.ReadMany(context.Request, time);
        var answers = Enter(requests, time.Token);
        var items = new List<BatchItem>(answers.Length);
        foreach (var answer in answers) items.Add(await Item(time.Or(answer, Fault.TooLate)));
        return Reply(new BatchReply { Answers = items });
    }

    private Task<LinkAnswer>[] Enter(IReadOnlyList<LinkRequest> requests, CancellationToken gone)
    {
        RequireReady();
        return queue.TryEnter(requests, gone) ?? throw new FaultException(Fault.QueueFull(queue.SecondsToWait));
    }

    /// <summary>One that failed says so in its place; being late or gone concerns them all.</summary>
    private static async Task<BatchItem> Item(Task<LinkAnswer> answer)
    {
        try
        {
            return new BatchItem { Answer = await answer };
        }
        catch (FaultException failed) when (failed.Fault == Fault.Internal)
        {
            return new BatchItem { Error = failed.Fault };
        }
    }

    // --- the knowledge base ---

    private IResult Entity(string id)
    {
        using var lease = Take();
        return Reply(Find(lease.Linker, id) ?? throw new FaultException(Fault.NoEntity));
    }

    private async Task<IResult> EntityImage(HttpContext context, string id)
    {
        using var lease = Take();
        var entity = Find(lease.Linker, id) ?? throw new FaultException(Fault.NoEntity);
        var path = lease.Linker.ImageOf(entity.Id) ?? throw new FaultException(Fault.NoEntityImage);
        var bytes = await reader.Decoding(() => EntityPicture.Read(path), context.RequestAborted);
        context.Response.Headers.CacheControl = "private, max-age=3600";
        return Results.Bytes(bytes ?? throw new FaultException(Fault.NoEntityImage), EntityPicture.MediaType);
    }

    /// <summary>A slash within an id stays encoded when the path is decoded.</summary>
    private static KnownEntity? Find(ILinker linker, string id) =>
        linker.Find(id) ?? (id.Contains("%2F", StringComparison.OrdinalIgnoreCase)
            ? linker.Find(id.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase))
            : null);

    // --- state ---

    private IResult Card()
    {
        using var lease = Take();
        return Reply(lease.Linker.Card);
    }

    private IResult Ready()
    {
        RequireReady();
        return Reply(new StateReply("ready"));
    }

    private void RequireReady()
    {
        if (isStopping()) throw new FaultException(Fault.Stopping);
        if (!linkers.IsLoaded) throw new FaultException(Fault.Loading);
    }

    private Linkers.Lease Take() => linkers.Take() ?? throw new FaultException(isStopping() ? Fault.Stopping : Fault.Loading);
}
