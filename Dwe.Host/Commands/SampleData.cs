namespace Dwe.Host.Commands;

/// <summary>The sample that comes with the program, beside it.</summary>
internal static class SampleData
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "data", "samples");

    public static string Features { get; } = Path.Combine(Folder, "features");
}
