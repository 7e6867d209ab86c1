using System.Reflection;

namespace Dwe.Host.Commands;

/// <summary>The version that results and checkpoints record: the release, and the commit it was built from.</summary>
internal static class CodeVersion
{
    public static string Current { get; } =
        typeof(CodeVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
