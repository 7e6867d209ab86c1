using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OpenAI;
using Dwe.Model.Domain;

namespace Dwe.Host.Enrichment;

/// <summary>An OpenAI-compatible chat service. Retries are the job's own: it counts every request against the rate.</summary>
internal static class ChatEndpoint
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>A client of the service at an address.</summary>
    /// <exception cref="UserErrorException">ValueInvalid for an address that is not http or https.</exception>
    public static IChatClient Open(Uri address, string model, string? key)
    {
        var options = new OpenAIClientOptions { Endpoint = address, RetryPolicy = new ClientRetryPolicy(0), NetworkTimeout = Timeout };
        if (key is null) options.AddPolicy(new WithoutKey(), PipelinePosition.BeforeTransport);
        return new OpenAIClient(new ApiKeyCredential(key ?? "none"), options).GetChatClient(model).AsIChatClient();
    }

    /// <summary>The address of a service as it was written.</summary>
    public static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.UserInfo.Length == 0
            ? address
            : throw new UserErrorException(UserError.NewValueInvalid(
                "command line", "--endpoint", text.Contains('@') ? "an address with a name or password" : text,
                "an http or https address, e.g. http://localhost:8000/v1"));

    /// <summary>The client insists on a key; a service that needs none is sent none.</summary>
    private sealed class WithoutKey : PipelinePolicy
    {
        public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            message.Request.Headers.Remove("Authorization");
            ProcessNext(message, pipeline, currentIndex);
        }

        public override ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            message.Request.Headers.Remove("Authorization");
            return ProcessNextAsync(message, pipeline, currentIndex);
        }
    }
}
