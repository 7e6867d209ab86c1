using System.Text;
using System.Text.Json;
using Dwe.Model.Domain;

namespace Dwe.Host.Features.Text;

/// <summary>
/// A vocabulary of scored pieces as a trie over Unicode scalar values. Nodes are numbered; 0 is the root. Ids below
/// <see cref="ReservedIds"/> are control symbols and match no text.
/// </summary>
internal sealed class PieceVocabulary
{
    /// <summary>The pieces `�`, `&lt;s&gt;`, `&lt;/s&gt;` and three spare ones.</summary>
    public const int ReservedIds = 6;

    private const int RuneBits = 21;
    private readonly Dictionary<long, int> children = [];
    private readonly List<int> pieceOfNode = [-1];
    private readonly double[] scores;
    private readonly int[] lengths;

    /// <param name="pieces">Piece and log probability; the index is the id.</param>
    public PieceVocabulary(IReadOnlyList<(string Piece, double Score)> pieces)
    {
        scores = pieces.Select(piece => piece.Score).ToArray();
        lengths = pieces.Select(piece => piece.Piece.EnumerateRunes().Count()).ToArray();
        for (var id = ReservedIds; id < pieces.Count; id++) Insert(pieces[id].Piece, id);
    }

    public int Count => scores.Length;

    /// <summary>Reads a vocab.json: a list of [piece, score].</summary>
    /// <exception cref="UserErrorException">The file is missing or is not such a list.</exception>
    public static PieceVocabulary Read(string path)
    {
        if (!File.Exists(path))
            throw new UserErrorException(
                UserError.NewFileMissing(path, "the text encoder's vocabulary", "Run `dwe weights`."));
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return new PieceVocabulary(json.RootElement.EnumerateArray().Select(ToPiece).ToArray());
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new UserErrorException(
                UserError.NewFileBroken(path, "vocabulary", problem.Message, "a list of [piece, score]"));
        }
    }

    public double ScoreOf(int id) => scores[id];

    /// <summary>A piece's length in Unicode scalar values.</summary>
    public int LengthOf(int id) => lengths[id];

    /// <summary>The node one scalar value further, or -1.</summary>
    public int Follow(int node, Rune rune) => children.TryGetValue(Edge(node, rune), out var next) ? next : -1;

    /// <summary>The id of the piece that ends at this node, or -1.</summary>
    public int PieceAt(int node) => pieceOfNode[node];

    private static (string, double) ToPiece(JsonElement entry) =>
        // Seven pieces of the published file have score null (the colon is one); JavaScript adds null as 0.
        (entry[0].GetString()!, entry[1].ValueKind == JsonValueKind.Number ? entry[1].GetDouble() : 0);

    private static long Edge(int node, Rune rune) => ((long)node << RuneBits) | (uint)rune.Value;

    private void Insert(string piece, int id)
    {
        var node = 0;
        foreach (var rune in piece.EnumerateRunes())
        {
            if (!children.TryGetValue(Edge(node, rune), out var next))
            {
                next = pieceOfNode.Count;
                pieceOfNode.Add(-1);
                children.Add(Edge(node, rune), next);
            }
            node = next;
        }
        pieceOfNode[node] = id;
    }
}
