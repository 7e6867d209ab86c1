using Dwe.Host.Linking;
using Prometheus;

namespace Dwe.Host.Service;

/// <summary>What <c>/metrics</c> shows, in a registry of this service's own.</summary>
internal sealed class ServiceMetrics
{
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] Sizes = [1, 2, 4, 8, 16, 32, 64, 128];

    private readonly Counter _requests;
    private readonly Histogram _duration;
    private readonly Gauge _inProgress;
    private readonly Gauge _linker;
    private readonly Gauge _entities;
    private readonly Counter _reloads;

    public ServiceMetrics()
    {
        DotNetStats.Register(Registry);
        var factory = Metrics.WithCustomRegistry(Registry);
        _requests = factory.CreateCounter("dwe_requests_total", "Requests answered.", "route", "status");
        _duration = factory.CreateHistogram(
            "dwe_request_seconds", "From a request's head to the end of its answer.", ["route"], new HistogramConfiguration { Buckets = Seconds });
        _inProgress = factory.CreateGauge("dwe_requests_in_progress", "Requests whose head has arrived and whose answer has not left.", "route");
        QueueLength = factory.CreateGauge("dwe_queue_length", "Mentions that wait to be linked.");
        BatchSize = factory.CreateHistogram(
            "dwe_batch_size", "Mentions that were linked together.", new HistogramConfiguration { Buckets = Sizes });
        _linker = factory.CreateGauge("dwe_linker_info", "The linker in use: 1.", "run", "index", "sees_images");
        _entities = factory.CreateGauge("dwe_linker_entities", "Entities that the linker knows.");
        _reloads = factory.CreateCounter("dwe_linker_loads_total", "Linkers opened, or refused because they are broken.", "outcome");
        foreach (var outcome in new[] { "opened", "refused" }) _reloads.WithLabels(outcome);
    }

    public CollectorRegistry Registry { get; } = Metrics.NewCustomRegistry();

    public Gauge QueueLength { get; }

    public Histogram BatchSize { get; }

    public void Begun(string route) => _inProgress.WithLabels(route).Inc();

    public void Answered(string route, int status, double seconds)
    {
        _inProgress.WithLabels(route).Dec();
        _requests.WithLabels(route, status.ToString(System.Globalization.CultureInfo.InvariantCulture)).Inc();
        _duration.WithLabels(route).Observe(seconds);
    }

    public void Opened(LinkerCard card)
    {
        foreach (var labels in _linker.GetAllLabelValues().ToArray()) _linker.RemoveLabelled(labels);
        _linker.WithLabels(card.Run, card.Index, card.SeesImages ? "true" : "false").Set(1);
        _entities.Set(card.Entities);
        _reloads.WithLabels("opened").Inc();
    }

    public void Refused() => _reloads.WithLabels("refused").Inc();
}
