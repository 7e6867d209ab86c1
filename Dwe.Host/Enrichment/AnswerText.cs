using System.Text;

namespace Dwe.Host.Enrichment;

/// <summary>What is kept of an answer: one line without control characters, of bounded length.</summary>
internal static class AnswerText
{
    /// <summary>In UTF-16 units; twice what the text encoders read.</summary>
    public const int MaxLength = 600;

    /// <summary>White space and control characters become one space each run; a longer text is cut at its last space.</summary>
    public static string Clean(string answer)
    {
        var line = new StringBuilder();
        foreach (var letter in answer)
        {
            if (!char.IsWhiteSpace(letter) && !char.IsControl(letter)) line.Append(letter);
            else if (line.Length > 0 && line[^1] != ' ') line.Append(' ');
        }
        var text = line.ToString().Trim();
        if (text.Length <= MaxLength) return text;
        var end = text.LastIndexOf(' ', MaxLength);
        if (end <= 0) end = char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength;
        return text[..end].TrimEnd();
    }
}
