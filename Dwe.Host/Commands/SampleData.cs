namespace Dwe.Host.Commands;

/// <summary>A sample that comes with the program, beside it.</summary>
internal sealed record SampleData(string Folder)
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "data", "samples");

    /// <summary>Sentences alone.</summary>
    public static SampleData Written { get; } = new(Root);

    /// <summary>Sentences and pictures.</summary>
    public static SampleData Drawn { get; } = new(Path.Combine(Root, "drawn"));

    public string Features => Path.Combine(Folder, "features");

    /// <summary>The sample that a preset is made for; null where it is made for other data.</summary>
    public static SampleData? Of(string? preset) => preset switch
    {
        "sample" or "sample-dwe" => Written,
        "drawn" or "drawn-dwe" => Drawn,
        _ => null,
    };
}
